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

"""A driver for an estimator alone: bundles and probes over a simulated link and cloud."""

import heapq
import itertools
import random

from dads_ros.monitor.estimate import LinkEstimate
from dads_ros.monitor.link import LinkEstimator
from dads_ros.monitor.link import MessageKey
from dads_ros.simulation.world import Chance
from dads_ros.simulation.world import Cloud
from dads_ros.simulation.world import Link
from dads_ros.simulation.world import World

PROBE_BYTES = 96
CLOUD_S = 0.02


class Driver:
    """Sends bundles through a world and tells an estimator what the edge node would."""

    def __init__(
        self,
        world: World,
        size_bytes: int,
        period_s: float,
        under_way: int = 4,
        along_bytes: int = 0,
        patience_s: float = 0.3,
    ) -> None:
        self.world = world
        self.estimator = LinkEstimator()
        chance = Chance(world)
        self.link, self.cloud, self.chance = Link(world, chance), Cloud(world, chance), chance
        self.estimates: list[tuple[float, LinkEstimate]] = []
        self._size_bytes = size_bytes
        self._under_way = under_way
        self._along_bytes = along_bytes
        self._patience_s = patience_s
        self._in_flight: set[MessageKey] = set()
        self._events: list[tuple[float, int, tuple]] = []
        self._order = itertools.count()
        dither = random.Random(world.seed)  # no timer keeps step with the camera for ever
        for number in range(int(world.duration_s / period_s)):
            self._at(number * period_s, ('bundle', MessageKey(False, number)))
        self._probed_s = -1.0
        self._probes = 0
        for number in range(int(world.duration_s / 0.05)):
            self._at(number * 0.05 + dither.uniform(0, 0.02), ('look',))

    def run(self) -> LinkEstimate:
        """Return the last estimate."""
        while self._events:
            now_s, _, event = heapq.heappop(self._events)
            if now_s > self.world.duration_s:
                break
            getattr(self, f'_{event[0]}')(now_s, *event[1:])
            self.estimates.append((now_s, self.estimator.estimate(now_s)))
        return self.estimates[-1][1]

    def _at(self, time_s: float, event: tuple) -> None:
        if time_s < self.world.duration_s:
            heapq.heappush(self._events, (time_s, next(self._order), event))

    def _look(self, now_s: float) -> None:
        """Probe when due, between bundles where there is a gap."""
        put_off_s = 0.0 if self.estimator.is_idle else 0.25 * (self._probes * 0.618 % 1.0)
        if now_s - self._probed_s >= 0.5 + put_off_s:
            self._probed_s = now_s
            self._probes += 1
            self._send(now_s, MessageKey(True, int(now_s * 1e6)), PROBE_BYTES, 0.0)

    def _bundle(self, now_s: float, key: MessageKey) -> None:
        if len(self._in_flight) < self._under_way:
            self._in_flight.add(key)
            self._at(now_s + self._patience_s, ('give_up', key))
            self._send(now_s, key, self._size_bytes, CLOUD_S)

    def _give_up(self, now_s: float, key: MessageKey) -> None:  # noqa: ARG002
        self._in_flight.discard(key)

    def _send(self, now_s: float, key: MessageKey, size_bytes: int, work_s: float) -> None:
        self.estimator.sent(key, size_bytes, now_s)
        wire_bytes = size_bytes + self._along_bytes
        arrival_s = self.link.send(now_s, wire_bytes, is_probe=key.is_probe)
        if arrival_s < self.world.duration_s:
            arrival_s = self.cloud.awake_s(arrival_s)
            _, done_s = self.cloud.finish(arrival_s, work_s) if work_s else (0, arrival_s)
            self._at(done_s + self.link.way_s(), ('answer', key, done_s - arrival_s))

    def _answer(self, now_s: float, key: MessageKey, cloud_s: float) -> None:
        self._in_flight.discard(key)
        self.estimator.answered(key, cloud_s, now_s)
        self._look(now_s)
