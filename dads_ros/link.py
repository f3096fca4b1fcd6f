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
The uplink's rate and round trip, estimated from ordinary traffic on the car's clock alone.

The link is taken as a queue that serves one message after another. A message handed over at s
whose answer comes back at a, the cloud having spent c on it, arrived at a - c (less the way back)
and was on the air since s or since the arrival before it, whichever is later. Small messages tell
the round trip; what larger ones take beyond it is air time. Bits over air time, summed over the
recent messages, is the rate: large messages count for more than small ones and jitter averages
out. A message still outstanding bounds the rate from above before its answer comes.

No clock is compared with another machine's: only differences on the car's clock and durations
measured by the cloud enter.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from dataclasses import replace

import numpy as np

SMALL_BYTES = 512
# Shorter air times drown in scheduling; they say only that the link is faster than they show.
CLOCK_FLOOR_S = 0.0005
ROUND_TRIPS_KEPT = 5
CLOUD_TIMES_KEPT = 9


@dataclass(frozen=True, slots=True)
class LinkEstimate:
    """
    What is believed of the uplink.

    ``uplink_bps`` is 0 when nothing is known or nothing gets through; ``low_bps`` and
    ``high_bps`` are the 10% and 90% quantiles of the recent messages. ``alive`` says that what
    was sent was answered until recently.
    """

    uplink_bps: float
    low_bps: float
    high_bps: float
    rtt_s: float
    alive: bool


@dataclass(frozen=True, slots=True)
class MessageKey:
    """Names a message: bundles and probes are numbered apart."""

    is_probe: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class _Sent:
    time_s: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Sample:
    bits: float
    air_s: float

    @property
    def bps(self) -> float:
        return self.bits / max(self.air_s, CLOCK_FLOOR_S)


class LinkEstimator:
    """
    Estimates the uplink from messages sent and answered; times are seconds of one clock.

    :param window: messages kept. More smooth jitter better and follow a change more slowly.
    :param change_ratio: when the last two messages both differ from the estimate by more than
        this factor, in one direction, the older are forgotten: the link itself has changed.
    :param patience_s: how late an answer may be before its message bounds the rate; shorter
        pauses of the cloud are not taken for a slow link.
    :param alive_s: with something unanswered for this long, the link or the cloud is gone.
    """

    def __init__(
        self,
        window: int = 8,
        change_ratio: float = 1.5,
        patience_s: float = 0.1,
        alive_s: float = 1.0,
    ) -> None:
        self._samples: deque[_Sample] = deque(maxlen=window)
        self._change_ratio = change_ratio
        self._patience_s = patience_s
        self._alive_s = alive_s
        self._round_trips_s: deque[float] = deque(maxlen=ROUND_TRIPS_KEPT)
        self._cloud_s: deque[float] = deque(maxlen=CLOUD_TIMES_KEPT)
        self._outstanding: dict[MessageKey, _Sent] = {}
        self._last_arrival_s = float('-inf')
        self._answered_s: float | None = None

    @property
    def rtt_s(self) -> float:
        """Return the median of the recent small messages' round trips; 0 before the first."""
        return float(np.median(self._round_trips_s)) if self._round_trips_s else 0.0

    def sent(self, key: MessageKey, size_bytes: int, now_s: float) -> None:
        """Note that a message was handed to the link."""
        self._outstanding[key] = _Sent(now_s, size_bytes)

    def answered(self, key: MessageKey, cloud_s: float, now_s: float) -> None:
        """Note that its answer came, the cloud having spent ``cloud_s`` on it."""
        message = self._outstanding.pop(key, None)
        if message is None:
            return
        self._forget_lost(key, message.time_s)
        self._answered_s = now_s
        # Seen from the car: the arrival at the cloud, plus the way back.
        arrival_s = now_s - cloud_s
        queued = message.time_s + self.rtt_s < self._last_arrival_s
        if message.size_bytes <= SMALL_BYTES:
            if not queued:
                self._round_trips_s.append(arrival_s - message.time_s)
        else:
            if not self._round_trips_s:
                self._round_trips_s.append(arrival_s - message.time_s)
            self._cloud_s.append(cloud_s)
            began_s = max(message.time_s, self._last_arrival_s - self.rtt_s)
            air_s = arrival_s - self.rtt_s - began_s
            self._note(_Sample(message.size_bytes * 8.0, air_s))
        self._last_arrival_s = max(self._last_arrival_s, arrival_s)

    def estimate(self, now_s: float) -> LinkEstimate:
        """Return what is believed now, what is outstanding included."""
        alive = self._is_alive(now_s)
        if not self._samples or not alive:
            return LinkEstimate(0.0, 0.0, 0.0, self.rtt_s, alive)
        low, high = (float(q) for q in np.quantile([s.bps for s in self._samples], (0.1, 0.9)))
        known = LinkEstimate(self._mean_bps(), low, high, self.rtt_s, alive)
        bound = self._outstanding_bound_bps(now_s)
        if bound >= known.uplink_bps:
            return known
        return replace(known, uplink_bps=bound, low_bps=min(low, bound))

    def last_known_bps(self) -> float:
        """Return the rate when something last got through; 0 before anything did."""
        return self._mean_bps() if self._samples else 0.0

    def _forget_lost(self, key: MessageKey, time_s: float) -> None:
        """Forget what was sent before and is unanswered: the link keeps the order of a kind."""
        self._outstanding = {
            k: m
            for k, m in self._outstanding.items()
            if m.time_s > time_s or k.is_probe != key.is_probe
        }

    def _is_alive(self, now_s: float) -> bool:
        if self._answered_s is None:
            return False
        oldest_s = min((m.time_s for m in self._outstanding.values()), default=now_s)
        return now_s - max(self._answered_s, oldest_s) <= self._alive_s

    def _mean_bps(self) -> float:
        air_s = sum(s.air_s for s in self._samples)
        return sum(s.bits for s in self._samples) / max(air_s, CLOCK_FLOOR_S * len(self._samples))

    def _outstanding_bound_bps(self, now_s: float) -> float:
        """Return the rate above which what is outstanding would have been answered by now."""
        answer_s = self.rtt_s + (float(np.median(self._cloud_s)) if self._cloud_s else 0.0)
        bits = 0.0
        bound = float('inf')
        for message in self._outstanding.values():
            bits += message.size_bytes * 8.0
            began_s = max(message.time_s, self._last_arrival_s - self.rtt_s)
            waited_s = now_s - began_s - answer_s
            if waited_s > self._patience_s:
                bound = min(bound, bits / waited_s)
        return bound

    def _note(self, sample: _Sample) -> None:
        if self._samples:
            previous = self._samples[-1]
            mean = self._mean_bps()
            rose = min(sample.bps, previous.bps) > mean * self._change_ratio
            fell = max(sample.bps, previous.bps) < mean / self._change_ratio
            if rose or fell:
                self._samples.clear()
                self._samples.append(previous)
        self._samples.append(sample)
