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
the round trip; what larger ones take beyond it is air time. The pace, air time per bit, is the
median of the recent messages by weight of their bits: large messages count for more, jitter
averages out, a single late one changes nothing. A message still outstanding bounds the rate from
above before its answer comes.

Messages are judged in the order in which they were sent, since each waits for the one before it;
answers may come in another order, because the cloud answers probes at once and bundles later.

No clock is compared with another machine's: only differences on the car's clock and durations
measured by the cloud enter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
import math
from statistics import median

SMALL_BYTES = 200
# Shorter air times drown in scheduling; they say only that the link is faster than they show.
CLOCK_FLOOR_S = 0.0005
ROUND_TRIPS_KEPT = 5
CLOUD_TIMES_KEPT = 9
MESSAGES_KEPT = 64


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


@dataclass(slots=True)
class _Message:
    sent_s: float
    size_bytes: int
    arrival_s: float = math.nan
    cloud_s: float = 0.0
    is_lost: bool = False

    @property
    def is_answered(self) -> bool:
        return not math.isnan(self.arrival_s)


@dataclass(slots=True)
class _Sample:
    """Air time of a message; ``queued`` when it followed another without a pause."""

    bits: float
    air_s: float
    queued: bool
    time_s: float

    @property
    def pace(self) -> float:
        """Return seconds per bit; jitter can make it negative for a small message."""
        return self.air_s / self.bits


class LinkEstimator:
    """
    Estimates the uplink from messages sent and answered; times are seconds of one clock.

    :param window: messages kept. More smooth jitter better and follow a change more slowly.
    :param memory_s: how long they are kept; when little is sent, few are.
    :param change_ratio: when the last two messages both differ from the estimate by more than
        this factor, in one direction, the older are forgotten: the link itself has changed.
    :param patience_s: how late an answer may be before its message bounds the rate; shorter
        pauses of the cloud are not taken for a slow link.
    :param alive_s: with something unanswered for this long, the link or the cloud is gone.
    """

    def __init__(
        self,
        window: int = 8,
        memory_s: float = 4.0,
        change_ratio: float = 1.5,
        patience_s: float = 0.25,
        alive_s: float = 1.0,
    ) -> None:
        self._samples: deque[_Sample] = deque(maxlen=window)
        self._memory_s = memory_s
        self._change_ratio = change_ratio
        self._patience_s = patience_s
        self._alive_s = alive_s
        self._round_trips_s: deque[float] = deque(maxlen=ROUND_TRIPS_KEPT)
        self._small_bytes = 0
        self._cloud_s: deque[float] = deque(maxlen=CLOUD_TIMES_KEPT)
        # In the order of sending: those outstanding, and those that follow one outstanding.
        self._messages: dict[MessageKey, _Message] = {}
        self._settled_arrival_s = -math.inf
        self._last_arrival_s = -math.inf
        self._delivered_s = -math.inf
        self._lost_until_s = -math.inf
        self._answered_s: float | None = None
        self._known_bps = 0.0

    @property
    def rtt_s(self) -> float:
        """Return the median of the recent small messages' round trips; 0 before the first."""
        return median(self._round_trips_s) if self._round_trips_s else 0.0

    def sent(self, key: MessageKey, size_bytes: int, now_s: float) -> None:
        """Note that a message was handed to the link."""
        self._messages[key] = _Message(now_s, size_bytes)
        if len(self._messages) > MESSAGES_KEPT:
            del self._messages[next(iter(self._messages))]

    def answered(self, key: MessageKey, cloud_s: float, now_s: float) -> None:
        """Note that its answer came, the cloud having spent ``cloud_s`` on it."""
        message = self._messages.get(key)
        if message is None or message.is_answered:
            return
        if not self._is_alive(now_s):
            self._forget()
        for other_key, other in self._messages.items():
            if other is message:
                break
            # The link keeps the order of a kind.
            other.is_lost |= other_key.is_probe == key.is_probe and not other.is_answered
        # Seen from the car: the arrival at the cloud, plus the way back.
        message.arrival_s = now_s - cloud_s
        message.cloud_s = cloud_s
        self._answered_s = now_s
        self._delivered_s = max(self._delivered_s, message.sent_s)
        self._last_arrival_s = max(self._last_arrival_s, message.arrival_s)
        self._settle(now_s)

    def estimate(self, now_s: float) -> LinkEstimate:
        """Return what is believed now, what is outstanding included."""
        alive = self._is_alive(now_s)
        if not self._samples or not alive:
            return LinkEstimate(0.0, 0.0, 0.0, self.rtt_s, alive)
        bound = self._outstanding_bound_bps(now_s)
        low, middle, high = (min(bound, self._rate_bps(share)) for share in (0.9, 0.5, 0.1))
        return LinkEstimate(middle, low, high, self.rtt_s, alive)

    def last_known_bps(self) -> float:
        """Return the rate when something last got through; 0 before anything did."""
        return self._rate_bps(0.5) if self._samples else self._known_bps

    def _forget(self) -> None:
        """After an outage, begin anew: the link that comes back may be another."""
        self._known_bps = self.last_known_bps()
        self._samples.clear()

    def _outstanding(self) -> Iterable[_Message]:
        """Return what may still be on the link: nothing sent later has arrived."""
        return (m for m in self._messages.values() if m.sent_s > self._delivered_s)

    def _is_alive(self, now_s: float) -> bool:
        if self._answered_s is None:
            return False
        oldest_s = min((m.sent_s for m in self._outstanding()), default=now_s)
        return now_s - max(self._answered_s, oldest_s) <= self._alive_s

    def _outstanding_bound_bps(self, now_s: float) -> float:
        """Return the rate above which what is outstanding would have been answered by now."""
        answer_s = self.rtt_s + (median(self._cloud_s) if self._cloud_s else 0.0)
        free_s = self._last_arrival_s - self.rtt_s
        bits = 0.0
        bound = math.inf
        for message in self._outstanding():
            bits += message.size_bytes * 8.0
            waited_s = now_s - max(message.sent_s, free_s) - answer_s
            if waited_s > self._patience_s:
                bound = min(bound, bits / waited_s)
        return bound

    def _settle(self, now_s: float) -> None:
        """Judge messages in the order of sending, up to the first that may still be answered."""
        for key, message in list(self._messages.items()):
            overdue = now_s - message.sent_s > self._alive_s and message.sent_s < self._delivered_s
            if message.is_answered:
                self._judge(message)
            elif message.is_lost or overdue:
                self._skip(message)
            else:
                return
            del self._messages[key]

    def _skip(self, message: _Message) -> None:
        """Note until when a lost message may have kept the link busy."""
        began_s = max(message.sent_s, self._settled_arrival_s - self.rtt_s, self._lost_until_s)
        known_bps = self.last_known_bps()
        if known_bps:
            self._lost_until_s = began_s + message.size_bytes * 8.0 / known_bps

    def _judge(self, message: _Message) -> None:
        """Take from a message what it says of round trip or rate."""
        free_s = self._settled_arrival_s - self.rtt_s
        queued = message.sent_s < free_s
        whole_s = message.arrival_s - message.sent_s
        certain = max(message.sent_s, free_s) >= self._lost_until_s
        if message.size_bytes <= SMALL_BYTES:
            if certain and not queued:
                self._round_trips_s.append(whole_s)
                self._small_bytes = message.size_bytes
        else:
            self._cloud_s.append(message.cloud_s)
            bits, air_s = message.size_bytes * 8.0, message.arrival_s - self._settled_arrival_s
            if not queued:
                # A small message's own air time is part of the round trip.
                bits, air_s = bits - self._small_bytes * 8.0, whole_s - self.rtt_s
            if certain and (queued or self._round_trips_s):
                self._note(_Sample(bits, air_s, queued, message.arrival_s))
        self._settled_arrival_s = max(self._settled_arrival_s, message.arrival_s)

    def _note(self, sample: _Sample) -> None:
        while self._samples and sample.time_s - self._samples[0].time_s > self._memory_s:
            self._known_bps = self.last_known_bps()
            self._samples.popleft()
        if self._samples:
            previous = self._samples[-1]
            if self._is_slow(previous) and self._is_fast(sample) and sample.queued:
                # What arrives in a burst was held up together: it counts as one message.
                previous.bits += sample.bits
                previous.air_s += sample.air_s
                return
            if (self._is_fast(previous) and self._is_fast(sample)) or (
                self._is_slow(previous) and self._is_slow(sample)
            ):
                self._samples.clear()
                self._samples.append(previous)
        self._samples.append(sample)

    def _is_slow(self, sample: _Sample) -> bool:
        expected_s = sample.bits / self._rate_bps(0.5)
        return sample.air_s > max(expected_s * self._change_ratio, expected_s + self._noise_s())

    def _is_fast(self, sample: _Sample) -> bool:
        expected_s = sample.bits / self._rate_bps(0.5)
        return sample.air_s < min(expected_s / self._change_ratio, expected_s - self._noise_s())

    def _noise_s(self) -> float:
        """Return by how much air times differ without a change of the link: as round trips do."""
        if not self._round_trips_s:
            return CLOCK_FLOOR_S
        return max(CLOCK_FLOOR_S, max(self._round_trips_s) - min(self._round_trips_s))

    def _rate_bps(self, share: float) -> float:
        """Return the rate that this share of the recent bits reached or passed."""
        ordered = sorted(self._samples, key=lambda sample: sample.pace)
        total = sum(sample.bits for sample in ordered)
        floor = CLOCK_FLOOR_S * len(ordered) / total
        left = total * share
        for sample in ordered:
            left -= sample.bits
            if left <= 0:
                break
        return 1.0 / max(sample.pace, floor)
