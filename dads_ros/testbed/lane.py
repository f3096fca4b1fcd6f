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

"""One direction of a mobile network: a rate, a buffer, then delay, jitter and loss."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import math
import random

# Jitter is drawn anew this often, not for each packet: packets of one moment are scheduled by the
# mast together, and never overtake each other.
_SLOT_S = 0.01


@dataclass(frozen=True, slots=True)
class Impairment:
    """
    What happens to packets besides waiting for the rate.

    :param delay_s: mean time on the way.
    :param jitter_s: the delay is uniform within plus or minus this.
    :param loss: share of packets that are lost, each by itself.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0


@dataclass(slots=True)
class Counts:
    """What a lane did so far; ``latest_s`` is the longest that a packet was handed on too late."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    overflowed: int = 0
    latest_s: float = 0.0


class Lane:
    """
    Packets in, the same packets in order and later out. Pure: the caller says the time.

    :param queue_bytes: buffer in front of the rate; what does not fit is lost.
    :param rate_bps: infinity for no limit, 0 to hold everything.
    """

    def __init__(
        self,
        impairment: Impairment,
        queue_bytes: int,
        chance: random.Random,
        rate_bps: float = math.inf,
    ) -> None:
        self._impairment = impairment
        self._queue_bytes = queue_bytes
        self._chance = chance
        self._rate_bps = rate_bps
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._left_bits = 0.0  # of the queue's first packet, as of _since_s
        self._since_s = -math.inf
        self._flying: deque[tuple[float, bytes]] = deque()
        self._slot = -1
        self._slot_delay_s = impairment.delay_s
        self.counts = Counts()

    def set_rate(self, rate_bps: float, now_s: float) -> None:
        """Change the rate; what has been sent of a packet stays sent."""
        self._transmit(now_s)
        self._rate_bps = rate_bps

    def offer(self, packet: bytes, now_s: float) -> None:
        """Take a packet in."""
        self._transmit(now_s)
        if self._queue and self._queued_bytes + len(packet) > self._queue_bytes:
            self.counts.overflowed += 1
            return
        if not self._queue:
            self._left_bits, self._since_s = len(packet) * 8.0, now_s
        self._queue.append(packet)
        self._queued_bytes += len(packet)

    def take(self, now_s: float) -> list[bytes]:
        """Return the packets that have come out by now."""
        self._transmit(now_s)
        out = []
        while self._flying and self._flying[0][0] <= now_s:
            due_s, packet = self._flying.popleft()
            self.counts.packets += 1
            self.counts.bytes += len(packet)
            self.counts.latest_s = max(self.counts.latest_s, now_s - due_s)
            out.append(packet)
        return out

    def next_s(self) -> float:
        """Return when to take again; infinity when nothing moves."""
        landing_s = self._flying[0][0] if self._flying else math.inf
        return min(landing_s, self._finish_s())

    def _finish_s(self) -> float:
        """Return when the queue's first packet will have been sent at the present rate."""
        if not self._queue or self._rate_bps == 0:
            return math.inf
        return self._since_s + self._left_bits / self._rate_bps

    def _transmit(self, now_s: float) -> None:
        while (finish_s := self._finish_s()) <= now_s:
            packet = self._queue.popleft()
            self._queued_bytes -= len(packet)
            self._launch(packet, finish_s)
            self._since_s = finish_s
            self._left_bits = len(self._queue[0]) * 8.0 if self._queue else 0.0
        if self._queue:
            if self._rate_bps:  # an infinite one has left no queue
                self._left_bits -= (now_s - self._since_s) * self._rate_bps
            self._since_s = now_s

    def _launch(self, packet: bytes, now_s: float) -> None:
        if self._chance.random() < self._impairment.loss:
            self.counts.lost += 1
            return
        slot = int(now_s / _SLOT_S)
        if slot != self._slot:
            self._slot = slot
            jitter_s = self._chance.uniform(-1.0, 1.0) * self._impairment.jitter_s
            self._slot_delay_s = max(0.0, self._impairment.delay_s + jitter_s)
        landing_s = now_s + self._slot_delay_s
        if self._flying:
            landing_s = max(landing_s, self._flying[-1][0])
        self._flying.append((landing_s, packet))
