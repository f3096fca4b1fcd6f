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

from collections import OrderedDict
from dataclasses import dataclass
import threading

from dads_ros.model import surgery
from dads_ros.model.capture import Model
from dads_ros.plan import Plan

CACHED_CUTS = 16


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


class HalfCache:
    """The least recently used cuts of one model, built once. Safe to call from any thread."""

    def __init__(self, model: Model, device: str = 'cpu') -> None:
        self._model = model
        self._device = device
        self._lock = threading.Lock()
        self._heads: OrderedDict[tuple[str, ...], surgery.Half] = OrderedDict()
        self._tails: OrderedDict[tuple[str, ...], surgery.Half] = OrderedDict()

    def tail(self, boundary: tuple[str, ...]) -> surgery.Half:
        """Return the half that turns the boundary tensors into the raw outputs, warmed up."""
        return self._get(self._tails, surgery.tail, boundary)

    def prepare(self, plan: Plan) -> PreparedPlan:
        """
        Return the plan ready to run.

        Raises CutError when its boundary is not a legal cut of the model.
        """
        if plan.is_local:
            return PreparedPlan(plan, None, self.tail(self._model.graph.inputs))
        head = self._get(self._heads, surgery.head, plan.boundary)
        return PreparedPlan(plan, head, self.tail(plan.boundary))

    def _get(self, cache, make, boundary):  # type: ignore[no-untyped-def]
        with self._lock:
            if boundary in cache:
                cache.move_to_end(boundary)
                return cache[boundary]
        # Built outside the lock: a frame must never wait for another cut's preparation.
        half = make(self._model, boundary, device=self._device)
        half.warm_up()
        with self._lock:
            cache[boundary] = half
            while len(cache) > CACHED_CUTS:
                cache.popitem(last=False)
        return half
