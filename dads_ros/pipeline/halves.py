# Copyright 2026 dads_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Halves made ready before a plan takes effect, and kept for the next time it is chosen."""

from __future__ import annotations

from collections import Counter
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
import threading
from typing import Protocol

from dads_ros.errors import ConfigError
from dads_ros.model import compiled
from dads_ros.model import surgery
from dads_ros.model.capture import Model
from dads_ros.plan import Plan
import torch

CACHED_CUTS = 16


class Log(Protocol):
    """Where lines for a person go; a ROS logger is one, and Python's own are."""

    def info(self, message: str, /) -> object:
        """Tell what went as it should."""

    def warning(self, message: str, /) -> object:
        """Tell what a person may want to change."""


@dataclass(frozen=True)
class PreparedPlan:
    """
    A plan with its halves built and warmed up.

    ``head`` makes the boundary tensors; ``rest`` finishes from them on the car, when the cloud
    does not. Of a local plan, ``rest`` is the whole network and there is no head.
    """

    plan: Plan
    head: surgery.Half | None
    rest: surgery.Half


@dataclass(frozen=True, slots=True)
class _Cut:
    half: surgery.Half
    owner: str


_Cuts = OrderedDict[tuple[str, ...], _Cut]


class HalfCache:
    """
    The least recently used cuts of one model, built once. Safe to call from any thread.

    When it is full, whoever had most of its cuts built loses the one unused for longest; so a
    vehicle that asks for ever new cuts drives out its own.

    :param compiled_log: when given, compiled halves take the place of plain ones where this
        machine has them, and it is told where and where not, from threads of their own. Nobody
        waits for that: plain halves serve until the compiled ones are loaded.
    """

    def __init__(
        self,
        model: Model,
        device: str = 'cpu',
        compiled_log: Log | None = None,
    ) -> None:
        self._model = model
        self._device = device
        self._compiled_log = compiled_log
        self._lock = threading.Lock()
        self._heads: _Cuts = OrderedDict()
        self._tails: _Cuts = OrderedDict()

    def has_tail(self, boundary: tuple[str, ...]) -> bool:
        """Return whether the half is ready, so that it costs nothing to get it."""
        with self._lock:
            return boundary in self._tails

    def tail(self, boundary: tuple[str, ...], owner: str = '') -> surgery.Half:
        """
        Return the half that turns the boundary tensors into the raw outputs, warmed up.

        :param owner: on whose account it is built, if it has to be.
        """
        return self._get(self._tails, surgery.tail, boundary, owner)

    def prepare(self, plan: Plan) -> PreparedPlan:
        """
        Return the plan ready to run.

        Raises CutError when its boundary is not a legal cut of the model.
        """
        if plan.is_local:
            return PreparedPlan(plan, None, self.tail(self._model.graph.inputs))
        head = self._get(self._heads, surgery.head, plan.boundary)
        # After a miss the car runs the cloud's half; too seldom to tell that it is plain.
        rest = self._get(self._tails, surgery.tail, plan.boundary, steady=False)
        return PreparedPlan(plan, head, rest)

    def _get(
        self,
        cache: _Cuts,
        make: Callable[..., surgery.Half],
        boundary: tuple[str, ...],
        owner: str = '',
        steady: bool = True,
    ) -> surgery.Half:
        with self._lock:
            if boundary in cache:
                cache.move_to_end(boundary)
                return cache[boundary].half
        # Built outside the lock: a frame must never wait for another cut's preparation.
        half = make(self._model, boundary, device=self._device)
        half.warm_up()
        with self._lock:
            cache[boundary] = _Cut(half, owner)
            while len(cache) > CACHED_CUTS:
                del cache[_least_deserved(cache)]
        log = self._compiled_log
        if log is not None:
            threading.Thread(target=self._upgrade, args=(half, steady, log), daemon=True).start()
        return half

    def _upgrade(self, half: surgery.Half, steady: bool, log: Log) -> None:
        ends = f'from {", ".join(half.input_names)} to {", ".join(half.output_names)}'
        try:
            found = compiled.upgrade(self._model, half)
        except ConfigError as error:
            log.warning(str(error))
            return
        if found:
            log.info(f'the half {ends} is compiled from now on')
        elif steady:
            log.warning(
                f'no compiled half {ends} for {torch.get_num_threads()} thread(s) of this '
                'machine, so it runs plain; dads profile --compile makes those of one cut'
            )


def _least_deserved(cache: _Cuts) -> tuple[str, ...]:
    """Return the cut to give up for another one."""
    most, _ = Counter(cut.owner for cut in cache.values()).most_common(1)[0]
    return next(boundary for boundary, cut in cache.items() if cut.owner == most)
