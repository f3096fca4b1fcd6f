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

"""The cloud's queue: vehicles take turns, whatever each of them sends."""

from __future__ import annotations

from collections import deque
from collections import OrderedDict
from dataclasses import dataclass

from dads_ros.bundle import Bundle
from dads_ros.errors import BundleError

MAX_VEHICLES = 256
# A vehicle that was silent for so long may have been switched off; its clock begins anew then.
FORGET_S = 2.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    A bundle that waits, and since when.

    :ivar lane: where it came in, to which its answer goes.
    :ivar account: on which its cut is built.
    """

    bundle: Bundle
    lane: str
    account: str
    arrived_ns: int


@dataclass(slots=True)
class _Vehicle:
    """What is kept of one vehicle: what waits, and its newest bundle."""

    queue: deque[Waiting]
    newest_ns: int = -1
    seen_ns: int = 0


class Turns:
    """
    Bundles that wait, in the order in which they are served. For one thread at a time.

    :param depth: bundles kept per vehicle; a further one pushes out the oldest.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._vehicles: OrderedDict[str, _Vehicle] = OrderedDict()
        # Those with bundles, in the order in which they are served: a served one goes to the end.
        self._order: deque[_Vehicle] = deque()

    def __len__(self) -> int:
        """Return how many vehicles have bundles waiting."""
        return len(self._order)

    @property
    def vehicles(self) -> int:
        """Return how many vehicles were heard of, not counting those silent for longest."""
        return len(self._vehicles)

    def put(self, waiting: Waiting) -> bool:
        """
        Queue a bundle.

        Bundles are in order by the time at which they were sent, on the vehicle's monotonic clock:
        unlike the count of frames it goes on when the vehicle's node is started again.

        :return: whether it pushed out an older one of its vehicle.
        Raises BundleError when it is no newer than the last one, or there are too many vehicles.
        """
        bundle = waiting.bundle
        vehicle = self._vehicle(bundle.vehicle)
        silent_s = (waiting.arrived_ns - vehicle.seen_ns) / 1e9
        if bundle.sent_ns <= vehicle.newest_ns and silent_s < FORGET_S:
            raise BundleError('repeated or out of order')
        vehicle.newest_ns, vehicle.seen_ns = bundle.sent_ns, waiting.arrived_ns
        is_full = len(vehicle.queue) >= self._depth
        if is_full:
            vehicle.queue.popleft()
        if not vehicle.queue:
            self._order.append(vehicle)
        vehicle.queue.append(waiting)
        return is_full

    def take(self) -> Waiting | None:
        """Return the oldest bundle of the vehicle that waits longest for its turn."""
        return self._serve(self._order[0]) if self._order else None

    def count_like(self, first: Waiting) -> int:
        """Return how many other vehicles' oldest bundles are of a bundle's cut."""
        return len(self._like(first))

    def take_like(self, first: Waiting, most: int) -> list[Waiting]:
        """
        Return other vehicles' oldest bundles that are of a bundle's cut, one of each vehicle.

        Those whose turn comes first are taken. The vehicles left out keep their order: nobody's
        turn moves further away.
        """
        return [self._serve(vehicle) for vehicle in self._like(first)[:most]]

    def _like(self, first: Waiting) -> list[_Vehicle]:
        name, boundary = first.bundle.vehicle, first.bundle.boundary
        oldest = [(vehicle, vehicle.queue[0].bundle) for vehicle in self._order]
        return [v for v, b in oldest if b.boundary == boundary and b.vehicle != name]

    def _serve(self, vehicle: _Vehicle) -> Waiting:
        self._order.remove(vehicle)
        waiting = vehicle.queue.popleft()
        if vehicle.queue:
            self._order.append(vehicle)
        return waiting

    def _vehicle(self, name: str) -> _Vehicle:
        """Return a vehicle's entry, made in the place of the longest silent one if need be."""
        entry = self._vehicles.pop(name, None)
        if entry is None:
            if len(self._vehicles) >= MAX_VEHICLES:
                idle = next((n for n, v in self._vehicles.items() if not v.queue), None)
                if idle is None:
                    raise BundleError('too many vehicles')
                del self._vehicles[idle]
            entry = _Vehicle(deque())
        self._vehicles[name] = entry
        return entry
