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

"""What a simulated car meets: its link, its camera, how fast both machines are."""

from __future__ import annotations

from dataclasses import dataclass
import math
import random

from dads_ros.trace import Trace

PACKET_BYTES = 1500


@dataclass(frozen=True)
class World:
    """
    What happens to a policy.

    :param duration_s: for so long the camera delivers.
    :param rtt_s: of an empty message.
    :param jitter: by this share round trips, rate and stage times vary, evenly distributed.
    :param loss: share of messages that never arrive.
    :param packet_loss: share of packets that are lost and sent again, as reliable DDS does; what
        follows from the same writer waits for them, since it delivers in order.
    :param resend_s: after up to so long, and a round trip, a lost packet arrives.
    :param burst_bytes: what passes at once after a pause, as the kernel's token bucket lets it.
    :param edge_factor: how many times slower than profiled the edge is.
    :param pauses_s: from when to when the cloud does nothing.
    :param plan_s: from the monitor's decision to the plan's taking effect.
    :param preprocess_s: from the camera's image to the network's input, on the car as it is.
    :param lead_s: for so long before the first frame the monitor watches the link already.
    """

    trace: Trace
    duration_s: float
    camera_hz: float
    rtt_s: float = 0.02
    jitter: float = 0.0
    loss: float = 0.0
    packet_loss: float = 0.0
    resend_s: float = 0.1
    burst_bytes: int = 0
    edge_factor: float = 1.0
    cloud_factor: float = 1.0
    pauses_s: tuple[tuple[float, float], ...] = ()
    plan_s: float = 0.01
    preprocess_s: float = 0.0
    lead_s: float = 0.0
    seed: int = 0


class Chance:
    """The world's randomness, drawn from its seed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = random.Random(world.seed)

    def vary(self) -> float:
        """Return a factor around 1."""
        return 1.0 + self._random.uniform(-1, 1) * self._world.jitter

    def loses(self) -> bool:
        """Return whether a message is lost."""
        return self._random.random() < self._world.loss

    def held_s(self, size_bytes: float) -> float:
        """Return for how long a message waits for packets that were lost."""
        world = self._world
        if not world.packet_loss:
            return 0.0
        missing, held_s = math.ceil(size_bytes / PACKET_BYTES), 0.0
        while missing := sum(self._random.random() < world.packet_loss for _ in range(missing)):
            held_s += self._random.random() * world.resend_s + world.rtt_s
        return held_s


class Link:
    """
    A queue that serves one message after another at the trace's rate and keeps their order.

    Where packets are lost and sent again only each writer's order is kept.
    """

    def __init__(self, world: World, chance: Chance) -> None:
        self._world = world
        self._chance = chance
        self._free_s = -math.inf
        self._last_arrival_s = -math.inf
        self._delivered_s = {True: -math.inf, False: -math.inf}

    def finish_s(self, now_s: float, size_bytes: float) -> float:
        """Return when a message handed over now would have crossed, without jitter."""
        return max(now_s, self._crossed_s(now_s, size_bytes))

    def send(self, now_s: float, size_bytes: float, *, is_probe: bool = False) -> float:
        """
        Hand a message over; return when it arrives, infinity when it never does.

        :param is_probe: probes have a writer of their own.
        """
        self._free_s = self._crossed_s(now_s, size_bytes * self._chance.vary())
        arrival_s = max(now_s, self._free_s) + self.way_s()
        self._last_arrival_s = max(self._last_arrival_s, arrival_s)
        if self._chance.loses():
            return math.inf
        held_until_s = self._last_arrival_s + self._chance.held_s(size_bytes)
        self._delivered_s[is_probe] = max(self._delivered_s[is_probe], held_until_s)
        return self._delivered_s[is_probe]

    def _crossed_s(self, now_s: float, size_bytes: float) -> float:
        """Return when a message has crossed; before now, if a full bucket carries it at once."""
        trace = self._world.trace
        rate_bps = trace.rate_bps(now_s)
        saved_s = self._world.burst_bytes * 8.0 / rate_bps if rate_bps else 0.0
        return trace.finish_s(max(now_s - saved_s, self._free_s), size_bytes * 8.0)

    def way_s(self) -> float:
        """Return how long an empty message travels one way."""
        return self._world.rtt_s / 2 * self._chance.vary()


class Cloud:
    """One worker that finishes bundles in order, except while it is paused."""

    def __init__(self, world: World, chance: Chance) -> None:
        self._world = world
        self._chance = chance
        self._free_s = -math.inf

    @property
    def free_s(self) -> float:
        """Return when the worker has nothing more to do."""
        return self._free_s

    def awake_s(self, time_s: float) -> float:
        """Return when the cloud notices what arrives at a time."""
        for begin_s, end_s in self._world.pauses_s:
            if begin_s <= time_s < end_s:
                return end_s
        return time_s

    def finish(self, arrived_s: float, cloud_s: float) -> tuple[float, float]:
        """Return when a bundle's work begins and ends."""
        began_s = self.awake_s(max(arrived_s, self._free_s))
        self._free_s = began_s + cloud_s * self._world.cloud_factor * self._chance.vary()
        return began_s, self._free_s
