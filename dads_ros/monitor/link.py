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
median of the recent messages by weight of their bits squared: large messages count for more,
jitter averages out, and a late one waits until others are late, too. A message still outstanding
bounds the rate from above before its answer comes.

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

from dads_ros.monitor.estimate import LinkEstimate
from dads_ros.monitor.headstart import HeadStart
from dads_ros.monitor.headstart import PACKET_BITS
from dads_ros.monitor.headstart import SMALL_BYTES
from dads_ros.monitor.pace import ALONG_BITS
from dads_ros.monitor.pace import CLOCK_FLOOR_S
from dads_ros.monitor.pace import Pace
from dads_ros.monitor.pace import Sample
from dads_ros.monitor.roundtrip import RoundTrips

CLOUD_TIMES_KEPT = 9
ERRORS_KEPT = 9
MESSAGES_KEPT = 64
# What a reliable transport says while an answer is awaited: a heartbeat and an acknowledgement ten
# times a second. On a link of 0.13 Mbit/s that is a fifth.
CHATTER_BPS = 27e3


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
    was_out: bool = False
    overtaken_s: float = math.inf

    @property
    def is_answered(self) -> bool:
        return not math.isnan(self.arrival_s)


class LinkEstimator:
    """
    Estimates the uplink from messages sent and answered; times are seconds of one clock.

    The first three are those of :class:`~dads_ros.monitor.pace.Pace`.

    :param patience_s: how late an answer may be before its message bounds the rate; shorter
        pauses of the cloud are not taken for a slow link.
    :param alive_s: unanswered for so long, and for twice as long as answers take, the link or the
        cloud is gone.
    """

    def __init__(
        self,
        window: int = 8,
        memory_s: float = 4.0,
        change_ratio: float = 1.5,
        patience_s: float = 0.22,
        alive_s: float = 1.0,
    ) -> None:
        self._pace = Pace(window, memory_s, change_ratio)
        self.head_start = HeadStart()
        """What is known of the first packet after a pause, and of what to probe with."""
        self._patience_s = patience_s
        self._alive_s = alive_s
        self._round_trips = RoundTrips()
        self._errors_s: deque[float] = deque(maxlen=ERRORS_KEPT)
        self._small_bytes = 0
        self._cloud_s: deque[float] = deque(maxlen=CLOUD_TIMES_KEPT)
        # In the order of sending: those outstanding, and those that follow one outstanding.
        self._messages: dict[MessageKey, _Message] = {}
        self._settled_arrival_s = -math.inf
        self._last_arrival_s = -math.inf
        self._delivered_s = -math.inf
        self._lost_until_s = -math.inf
        self._answered_s: float | None = None

    @property
    def rtt_s(self) -> float:
        """Return the median of the recent small messages' round trips; 0 before the first."""
        return self._round_trips.median_s

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is outstanding, so that a message sent now waits for no other."""
        return not self._messages

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
        if self._answered_s is not None and not self._is_alive(now_s):
            # The link that comes back after an outage may be another.
            self._pace.forget()
            self.head_start.forget()
            for each in self._messages.values():
                each.was_out = each.sent_s <= message.sent_s
        for other_key, other in self._messages.items():
            if other is message:
                break
            # The link keeps the order of a kind.
            other.is_lost |= other_key.is_probe == key.is_probe and not other.is_answered
            other.overtaken_s = min(other.overtaken_s, now_s)
        # Whatever the cloud says, it had the message for no longer than it was under way.
        message.cloud_s = min(cloud_s, now_s - message.sent_s)
        # Seen from the car: the arrival at the cloud, plus the way back.
        message.arrival_s = now_s - message.cloud_s
        self._answered_s = now_s
        self._delivered_s = max(self._delivered_s, message.sent_s)
        self._last_arrival_s = max(self._last_arrival_s, message.arrival_s)
        self._settle(now_s)

    def estimate(self, now_s: float) -> LinkEstimate:
        """Return what is believed now, what is outstanding included."""
        alive = self._is_alive(now_s)
        if not self._pace.is_known or not alive:
            return LinkEstimate(0.0, 0.0, 0.0, self.rtt_s, alive)
        bound = self._outstanding_bound_bps(now_s)
        low, middle, high = (min(bound, rate) for rate in self._pace.rates_bps(0.9, 0.5, 0.1))
        return LinkEstimate(middle, low, high, self.rtt_s, alive, self.head_start.taken_bits)

    def is_overdue(self, now_s: float) -> bool:
        """Return whether what is outstanding shows a slower link than was known."""
        bound_bps = self._outstanding_bound_bps(now_s)
        return self._pace.is_known and bound_bps < self._pace.middle_bps

    def last_known_bps(self) -> float:
        """Return the rate when something last got through; 0 before anything did."""
        return self._pace.last_known_bps

    def outstanding(self) -> Iterable[_Message]:
        """Return what may still be on the link: nothing sent later has arrived."""
        return (m for m in self._messages.values() if m.sent_s > self._delivered_s)

    def _is_alive(self, now_s: float) -> bool:
        if self._answered_s is None:
            return False
        oldest_s = min((m.sent_s for m in self.outstanding()), default=now_s)
        return now_s - max(self._answered_s, oldest_s) <= max(self._alive_s, 2 * self._answer_s)

    @property
    def _answer_s(self) -> float:
        return self.rtt_s + (median(self._cloud_s) if self._cloud_s else 0.0)

    def _outstanding_bound_bps(self, now_s: float) -> float:
        """Return the rate above which what is outstanding would have been answered by now."""
        answer_s, free_s = self._answer_s, self._last_arrival_s - self.rtt_s
        patience_s = self._pace.lateness.patience_s(self._patience_s, now_s)
        bits, bound = 0.0, math.inf
        for message in self.outstanding():
            bits += message.size_bytes * 8.0
            waited_s = now_s - max(message.sent_s, free_s) - answer_s
            if waited_s > patience_s:
                bound = min(bound, bits / waited_s)
        return bound

    def _settle(self, now_s: float) -> None:
        """Judge messages in the order of sending, up to the first that may still be answered."""
        for key, message in list(self._messages.items()):
            was_lost = message.is_lost or now_s - message.overtaken_s > self._alive_s
            if message.is_answered and not self._was_held_back(message):
                self._judge(message)
            elif message.is_answered or was_lost:
                self._skip(message)
            else:
                return
            del self._messages[key]

    def _was_held_back(self, oldest: _Message) -> bool:
        """Return whether it waited for a lost packet: the link keeps the order, a writer not."""
        arrivals_s = (m.arrival_s for m in self._messages.values() if m.is_answered)
        return min(arrivals_s) < oldest.arrival_s - self._noise_s()

    def _skip(self, message: _Message) -> None:
        """Note until when a message that tells nothing may have kept the link busy."""
        began_s = max(message.sent_s, self._settled_arrival_s - self.rtt_s, self._lost_until_s)
        self._lost_until_s = began_s + self._expected_air_s(message)

    def _expected_air_s(self, message: _Message) -> float:
        known_bps = self.last_known_bps()
        return message.size_bytes * 8.0 / known_bps if known_bps else 0.0

    def _judge(self, message: _Message) -> None:
        """Take from a message what it says of round trip or rate."""
        free_s = self._settled_arrival_s - self.rtt_s
        queued = message.sent_s < free_s
        whole_s = message.arrival_s - message.sent_s
        certain = max(message.sent_s, free_s) >= self._lost_until_s
        self._round_trips.refute(whole_s)
        if message.size_bytes <= SMALL_BYTES:
            if certain and not message.was_out and self._came_alone(message):
                self._round_trips.note(whole_s)
                self._small_bytes = message.size_bytes
        else:
            self._cloud_s.append(message.cloud_s)
            bits, air_s = message.size_bytes * 8.0, message.arrival_s - self._settled_arrival_s
            if not queued:
                # A small message's own air time is part of the round trip, if it takes any.
                along_bits = 0.0 if self.head_start.is_certain else self._small_bytes * 8.0
                bits, air_s = bits - along_bits, whole_s - self.rtt_s
            # Before a round trip is known, what queued tells the least that the rate can be.
            if certain and (queued or self._round_trips.is_known):
                pause_s = max(0.0, message.sent_s - free_s)
                sample = Sample(bits, air_s, queued, message.arrival_s, pause_s)
                if message.was_out:
                    self._pace.note_unsure(sample)
                else:
                    self._note(sample)
        proven_bits = message.size_bytes * 8.0 - self.head_start.bits
        self._pace.prove(proven_bits, whole_s, message.arrival_s)
        self._settled_arrival_s = max(self._settled_arrival_s, message.arrival_s)
        self._lost_until_s = -math.inf

    def _note(self, sample: Sample) -> None:
        noise_s = self._noise_s()
        told = self.head_start.told_by(sample, noise_s)
        if told is not None:
            # What may have passed a bucket at once was early, not noisy.
            if sample.bits <= PACKET_BITS and self._pace.is_known:
                self._errors_s.append(abs(sample.air_s - sample.bits / self._pace.middle_bps))
            self._pace.note(told, noise_s)

    def _came_alone(self, message: _Message) -> bool:
        """
        Return whether a small message waited for no other, so that its time is a round trip.

        One sent when the link had become free did not. One that came long after the message before
        it did not either: the round trip has grown. One that came sooner than a round trip was
        believed to take bounds it from above, whatever it waited for.
        """
        whole_s = message.arrival_s - message.sent_s
        behind_s = self._expected_air_s(message) + self._noise_s()
        if self._round_trips.is_known and self._pace.is_known:
            # A growth needs more: what else crossed meanwhile does not make it.
            along_bits = ALONG_BITS + CHATTER_BPS * whole_s
            behind_s += self.rtt_s / 4 + along_bits / self._pace.middle_bps
        return (
            message.sent_s >= self._settled_arrival_s - self.rtt_s
            or whole_s < self.rtt_s
            or (self._pace.is_known and message.arrival_s - self._settled_arrival_s > behind_s)
        )

    def _noise_s(self) -> float:
        """
        Return by how much air times differ without a change of the link.

        That is as round trips do, or as messages of one packet did from what was expected.
        """
        usual_s = median(self._errors_s) if len(self._errors_s) > ERRORS_KEPT // 2 else 0.0
        return max(CLOCK_FLOOR_S, self._round_trips.spread_s, usual_s)
