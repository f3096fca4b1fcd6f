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

It keeps no state per vehicle but a short queue and what it may still have built; what a bundle
needs is in the bundle.
"""

from __future__ import annotations

from collections import Counter
from collections import deque
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextlib import nullcontext
from dataclasses import dataclass
import threading
import time

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
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.stage import in_camera_pixels

MAX_VEHICLES = 256
# A vehicle that was silent for so long may count its frames from the start again.
FORGET_S = 2.0


@dataclass(frozen=True)
class CloudLimits:
    """
    What keeps one vehicle from hurting another.

    :param queue_depth: bundles kept per vehicle; a further one pushes out the oldest.
    :param max_age_s: a bundle that waited longer is dropped, its car having moved on.
    :param max_bytes: of one bundle's encoded tensors.
    """

    queue_depth: int = 4
    max_age_s: float = 1.0
    max_bytes: int = 4_000_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    bundle: Bundle
    arrived_ns: int
    allowance: Allowance


@dataclass(slots=True)
class _Vehicle:
    """What is kept of one vehicle: what waits, what it may have built, its newest bundle."""

    queue: deque[_Waiting]
    allowance: Allowance
    newest: int = -1
    seen_ns: int = 0


class CloudPipeline:
    """
    Bundles in, results out.

    :param answer: publishes a result; called by the worker thread.
    """

    def __init__(
        self,
        detector: Detector,
        model: Model,
        halves: HalfCache,
        answer: Callable[[Result], None],
        limits: CloudLimits,
        slowdown: AbstractContextManager[object] | None = None,
    ) -> None:
        self._detector = detector
        self._model = model
        self._halves = halves
        self._answer = answer
        self._limits = limits
        self._slowdown = slowdown or nullcontext()
        self._changed = threading.Condition()
        self._vehicles: OrderedDict[str, _Vehicle] = OrderedDict()
        # Those with bundles, in the order in which they are served: a served one goes to the end.
        self._turns: deque[_Vehicle] = deque()
        self.answered = 0
        self.rejected: Counter[str] = Counter()

    def receive(self, bundle: Bundle) -> None:
        """Check a bundle and queue it; what fails a check is counted and answered with nothing."""
        arrived_ns = time.monotonic_ns()
        try:
            check_bundle(bundle, self._model.graph, codec.supported, self._limits.max_bytes)
        except BundleError as error:
            self._reject(str(error))
            return
        with self._changed:
            vehicle = self._vehicle(bundle.vehicle)
            if vehicle is None:
                self.rejected['too many vehicles'] += 1
                return
            silent_s = (arrived_ns - vehicle.seen_ns) / 1e9
            if bundle.sequence <= vehicle.newest and silent_s < FORGET_S:
                self.rejected['repeated or out of order'] += 1
                return
            vehicle.newest, vehicle.seen_ns = bundle.sequence, arrived_ns
            if len(vehicle.queue) >= self._limits.queue_depth:
                vehicle.queue.popleft()
                self.rejected['vehicle over its share'] += 1
            if not vehicle.queue:
                self._turns.append(vehicle)
            vehicle.queue.append(_Waiting(bundle, arrived_ns, vehicle.allowance))
            self._changed.notify()

    def step(self, timeout_s: float) -> bool:
        """
        Finish one bundle, waiting for it no longer than the timeout.

        Called in a loop by the one worker thread.
        :return: whether there was any.
        """
        with self._changed:
            if not self._turns:
                self._changed.wait(timeout_s)
            waiting = self._take()
        if waiting is None:
            return False
        try:
            result = self._finish(waiting)
        except BundleError as error:
            self._reject(str(error))
            return True
        except CodecError:
            # Its text quotes what arrived: no reason to count by.
            self._reject('data cannot be decoded')
            return True
        except Exception as error:
            # Whatever one vehicle's tensors do to a detector, the others are served.
            self._reject(f'detector failed with {type(error).__name__}')
            return True
        self._answer(result)
        self.answered += 1
        return True

    def _vehicle(self, name: str) -> _Vehicle | None:
        """Return a vehicle's entry, made in the place of the longest silent one if need be."""
        entry = self._vehicles.pop(name, None)
        if entry is None:
            if len(self._vehicles) >= MAX_VEHICLES:
                idle = next((n for n, v in self._vehicles.items() if not v.queue), None)
                if idle is None:
                    return None
                del self._vehicles[idle]
            entry = _Vehicle(deque(), Allowance(time.monotonic()))
        self._vehicles[name] = entry
        return entry

    def _take(self) -> _Waiting | None:
        """Return the oldest bundle of the vehicle that waits longest for its turn."""
        if not self._turns:
            return None
        vehicle = self._turns.popleft()
        waiting = vehicle.queue.popleft()
        if vehicle.queue:
            self._turns.append(vehicle)
        return waiting

    def _finish(self, waiting: _Waiting) -> Result:
        bundle = waiting.bundle
        started_ns = time.monotonic_ns()
        if (started_ns - waiting.arrived_ns) / 1e9 > self._limits.max_age_s:
            raise BundleError('too old')
        tail = self._tail(bundle, waiting.allowance)
        ready_ns = time.monotonic_ns()
        with self._slowdown:
            arrays = [codec.decode(t.data, t.codec, t.shape, t.dtype) for t in bundle.tensors]
        decoded_ns = time.monotonic_ns()
        with self._slowdown:
            found = self._detector.decode(tail(*arrays))
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
            queue_s=(ready_ns - waiting.arrived_ns) / 1e9,
            decode_s=(decoded_ns - ready_ns) / 1e9,
            compute_s=(time.monotonic_ns() - decoded_ns) / 1e9,
        )

    def _tail(self, bundle: Bundle, allowance: Allowance) -> Half:
        """Return the half of a bundle's cut, built on its vehicle's account if need be."""
        if self._halves.has_tail(bundle.boundary):
            return self._halves.tail(bundle.boundary)
        started_s = time.monotonic()
        if not allowance.is_left(started_s):
            raise BundleError('too many new cuts')
        tail = self._halves.tail(bundle.boundary, bundle.vehicle)
        allowance.spend(time.monotonic() - started_s)
        return tail

    def _reject(self, reason: str) -> None:
        with self._changed:
            self.rejected[reason] += 1
