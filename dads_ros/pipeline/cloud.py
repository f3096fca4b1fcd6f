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

"""
The cloud's pipeline: finish bundles of many vehicles, fairly, and never trust one.

It keeps no state per vehicle but a short queue, what it may still have built, and the tensors that
its next bundles may be coded against. Bundles of several vehicles that wait for the same tail are
finished together where that is faster.
"""

from __future__ import annotations

from collections import Counter
from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
import threading
import time
import traceback

from dads_ros import codec
from dads_ros.bundle import Bundle
from dads_ros.bundle import check_bundle
from dads_ros.bundle import Result
from dads_ros.detector.api import Detector
from dads_ros.errors import BundleError
from dads_ros.errors import CodecError
from dads_ros.model.capture import Model
from dads_ros.model.surgery import Half
from dads_ros.pipeline.allowance import Allowance
from dads_ros.pipeline.batch import Arrays
from dads_ros.pipeline.batch import Batches
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.references import DecodedTensors
from dads_ros.pipeline.stage import in_camera_pixels
from dads_ros.pipeline.turns import MAX_VEHICLES
from dads_ros.pipeline.turns import Turns
from dads_ros.pipeline.turns import Waiting
import numpy as np

# Then it is tried out on zeros.
FAILURES_IN_A_ROW = 20


@dataclass(frozen=True)
class CloudLimits:
    """
    What keeps one vehicle from hurting another.

    :param queue_depth: bundles kept per vehicle; a further one pushes out the oldest.
    :param max_age_s: a bundle that waited longer is dropped, its car having moved on.
    :param max_bytes: of one bundle's encoded tensors.
    :param batch: bundles of as many vehicles that may be finished together.
    """

    queue_depth: int = 4
    max_age_s: float = 1.0
    max_bytes: int = 4_000_000
    batch: int = 4


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A bundle's tensors, and when work on it began and its bytes were read."""

    waiting: Waiting
    arrays: Arrays
    started_ns: int
    decoded_ns: int


class CloudPipeline:
    """
    Bundles in, results out.

    :param answer: publishes a result where its bundle came in; called by the worker thread.
    :param failed: is told the traceback where the detector, or the machine below it, fails.
    """

    def __init__(
        self,
        detector: Detector,
        model: Model,
        halves: HalfCache,
        answer: Callable[[Result, str], None],
        limits: CloudLimits,
        failed: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._detector = detector
        self._model = model
        self._halves = halves
        self._answer = answer
        self._limits = limits
        self._failed = failed
        self._failures = 0
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()
        self._batches = Batches(limits.batch)
        self._changed = threading.Condition()
        self._turns = Turns(limits.queue_depth)
        self._tensors = DecodedTensors()
        self.answered = 0
        self.answered_together = 0
        self.rejected: Counter[str] = Counter()

    @property
    def vehicles(self) -> int:
        """Return how many vehicles were heard of."""
        return self._turns.vehicles

    def receive(self, bundle: Bundle, lane: str, account: str | None = None) -> None:
        """
        Check a bundle and queue it; what fails a check is counted and answered with nothing.

        :param lane: where it came in, to which its answer goes.
        :param account: on which its cut is built if need be, something that its sender cannot
            invent; None takes the lane, as the sender's name can be invented on plain topics.
        """
        waiting = Waiting(bundle, lane, lane if account is None else account, time.monotonic_ns())
        try:
            check_bundle(bundle, self._model.graph, codec.supported, self._limits.max_bytes)
            with self._changed:
                pushed_out = self._turns.put(waiting)
                self._changed.notify()
        except BundleError as error:
            self._reject(str(error))
            return
        if pushed_out:
            self._reject('vehicle over its share')

    def step(self, timeout_s: float) -> bool:
        """
        Finish the bundle whose turn it is, and others of its cut if that is faster.

        Waits for the first one no longer than the timeout, and for the others not at all. Called
        in a loop by the one worker thread.
        :return: whether there was any.
        """
        with self._changed:
            if not self._turns:
                self._changed.wait(timeout_s)
            first = self._turns.take()
        if first is None:
            return False
        for result, lane in self._finish(first):
            self._answer(result, lane)
            self.answered += 1
            self._failures = 0
        return True

    def _finish(self, first: Waiting) -> Iterator[tuple[Result, str]]:
        """Return the results of a bundle and of those taken along, and where they go."""
        decoded: list[_Decoded] = []
        boundary = first.bundle.boundary
        with self._survives(boundary):
            self._check_age(first)
            tail = self._tail(first)
            size = self._size(first, tail)
            decoded.append(self._decode(first))
            with self._changed:
                others = self._turns.take_like(first, size - 1)
            for waiting in others:
                with self._survives(boundary):
                    self._check_age(waiting)
                    decoded.append(self._decode(waiting))
        together = None
        if len(decoded) > 1:
            together = self._batches.run_together(tail, [one.arrays for one in decoded])
        for i, one in enumerate(decoded):
            result = None
            with self._survives(boundary):
                outputs = together[i] if together else self._batches.run(tail, one.arrays)
                result = self._result(one, outputs)
            if result is not None:
                self.answered_together += together is not None
                yield result, one.waiting.lane

    @contextmanager
    def _survives(self, boundary: tuple[str, ...]) -> Iterator[None]:
        """
        Count what was wrong with one vehicle's bundle, so that the others are served.

        Raises what the detector raises when it fails on anything: a new start may mend it.
        """
        try:
            yield
        except BundleError as error:
            self._reject(str(error))
        except CodecError:
            # Its text quotes what arrived: no reason to count by.
            self._reject('data cannot be decoded')
        except Exception as error:
            # Whatever one vehicle's tensors do to a detector.
            self._reject(f'detector failed with {type(error).__name__}')
            self._failed(traceback.format_exc())
            self._failures += 1
            if self._failures % FAILURES_IN_A_ROW == 0:
                self._try_out(boundary)

    def _try_out(self, boundary: tuple[str, ...]) -> None:
        """Finish a bundle of zeros: where that fails too, it is not for what was sent."""
        if self._halves.has_tail(boundary):
            layers = [self._model.graph[name] for name in boundary]
            zeros = [np.zeros(layer.shape, layer.dtype) for layer in layers]
            self._detector.decode(self._halves.tail(boundary)(*zeros))

    def _size(self, first: Waiting, tail: Half) -> int:
        """Return how many of the bundles that wait for a tail are best finished together."""
        with self._changed:
            waiting = 1 + self._turns.count_like(first)
        started_s = time.monotonic()
        size = self._batches.size(tail, waiting)
        # The first time it tries the tail out, which is part of having it built.
        self._allowance(first.account).spend(time.monotonic() - started_s)
        return size

    def _check_age(self, waiting: Waiting) -> None:
        if (time.monotonic_ns() - waiting.arrived_ns) / 1e9 > self._limits.max_age_s:
            raise BundleError('too old')

    def _decode(self, waiting: Waiting) -> _Decoded:
        started_ns = time.monotonic_ns()
        bundle = waiting.bundle
        memory = self._tensors.of(bundle.vehicle)
        arrays = tuple(
            codec.decode(
                t.data, t.codec, t.shape, t.dtype, partial(memory.find, bundle.boundary, place)
            )
            for place, t in enumerate(bundle.tensors)
        )
        if all(codec.can_refer(t.codec) for t in bundle.tensors):
            memory.keep(bundle.sent_ns, bundle.boundary, arrays)
        return _Decoded(waiting, arrays, started_ns, time.monotonic_ns())

    def _result(self, one: _Decoded, outputs: Arrays) -> Result:
        bundle = one.waiting.bundle
        found = self._detector.decode(outputs)
        return Result(
            vehicle=bundle.vehicle,
            model_hash=bundle.model_hash,
            sequence=bundle.sequence,
            plan_id=bundle.plan_id,
            stamp_ns=bundle.stamp_ns,
            frame_id=bundle.frame_id,
            sent_ns=bundle.sent_ns,
            detections=in_camera_pixels(
                found, bundle.image_width, bundle.image_height, self._detector
            ),
            queue_s=(one.started_ns - one.waiting.arrived_ns) / 1e9,
            decode_s=(one.decoded_ns - one.started_ns) / 1e9,
            # All that it waited for since, the others of its batch included: that is what a frame
            # of this car takes here, and what the car's monitor must reckon with.
            compute_s=(time.monotonic_ns() - one.decoded_ns) / 1e9,
        )

    def _tail(self, waiting: Waiting) -> Half:
        """Return the half of a bundle's cut, built on its account if need be."""
        boundary = waiting.bundle.boundary
        if self._halves.has_tail(boundary):
            return self._halves.tail(boundary)
        allowance = self._allowance(waiting.account)
        started_s = time.monotonic()
        if not allowance.is_left(started_s):
            raise BundleError('too many new cuts')
        tail = self._halves.tail(boundary, waiting.account)
        allowance.spend(time.monotonic() - started_s)
        return tail

    def _allowance(self, account: str) -> Allowance:
        """Return what an account may have built; the longest unused gives way to a new one."""
        found = self._allowances.pop(account, None) or Allowance(time.monotonic())
        self._allowances[account] = found
        if len(self._allowances) > MAX_VEHICLES:
            self._allowances.popitem(last=False)
        return found

    def _reject(self, reason: str) -> None:
        with self._changed:
            self.rejected[reason] += 1
