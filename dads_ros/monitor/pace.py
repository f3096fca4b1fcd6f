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
The link's rate from the air times of recent messages: their median, by weight.

What makes an air time wrong (a scheduler, a heartbeat, jitter) does so by a time that does not
depend on the message's size, so a pace's variance falls with the square of the bits: its weight.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from dataclasses import field

# Shorter air times drown in scheduling; they say only that the link is faster than they show.
CLOCK_FLOOR_S = 0.0005
# What may travel with a message uncounted: packets' headers and the transport's own messages. A
# small message is not slow for having waited for them.
ALONG_BITS = 500 * 8.0


@dataclass(slots=True)
class Sample:
    """
    Air time of a message; ``queued`` when it followed another without a pause.

    ``weight`` says how much it counts.
    """

    bits: float
    air_s: float
    queued: bool
    time_s: float
    weight: float = field(init=False)

    def __post_init__(self) -> None:
        self.weight = self.bits * self.bits

    @property
    def pace(self) -> float:
        """Return seconds per bit; jitter can make it negative for a small message."""
        return self.air_s / self.bits


class Pace:
    """
    The recent samples and the rate they show.

    :param window: samples kept. More smooth jitter better and follow a change more slowly. Small
        messages do not push out large ones, which tell more.
    :param memory_s: how long they are kept; when little is sent, few are.
    :param change_ratio: the older samples are forgotten, since the link itself has changed, when
        two in a row differ from the rate by more than this factor, in one direction, or one that
        followed no other is faster by its square: much can make a message late, but little
        brings it too soon.
    """

    def __init__(self, window: int, memory_s: float, change_ratio: float) -> None:
        self._samples: deque[Sample] = deque()
        self._window = window
        self._memory_s = memory_s
        self._change_ratio = change_ratio
        self._known_bps = 0.0

    @property
    def is_known(self) -> bool:
        """Return whether there are samples."""
        return bool(self._samples)

    @property
    def last_known_bps(self) -> float:
        """Return the rate, from before they were forgotten if there are no samples; 0 at first."""
        return self.rate_bps(0.5) if self._samples else self._known_bps

    def last_was_slow(self, noise_s: float) -> bool:
        """Return whether the newest sample was slow, which takes another to believe."""
        return bool(self._samples) and self._is_slow(self._samples[-1], noise_s)

    def forget(self) -> None:
        """Drop the samples."""
        self._known_bps = self.last_known_bps
        self._samples.clear()

    def note(self, sample: Sample, noise_s: float) -> None:
        """
        Take in a sample.

        :param noise_s: by how much air times differ without a change of the link.
        """
        while self._samples and sample.time_s - self._samples[0].time_s > self._memory_s:
            self._known_bps = self.last_known_bps
            self._samples.popleft()
        if self._samples and self._is_burst(sample, noise_s):
            # What arrives in a burst was held up together: it counts as one message.
            self._samples[-1].bits += sample.bits
            self._samples[-1].air_s += sample.air_s
            self._samples[-1].weight += sample.weight
            return
        if self._samples:
            previous = self._samples[-1]
            if not sample.queued and self._is_fast(sample, 2 * noise_s, self._change_ratio**2):
                self._samples.clear()
            elif self._agree_on_change(previous, sample, noise_s):
                self._samples.clear()
                self._samples.append(previous)
        self._make_room(sample)
        self._samples.append(sample)

    def prove(self, bits: float, whole_s: float, time_s: float) -> None:
        """
        Take in what needs no guess: a message was on the air for no longer than it was under way.

        This is how a small probe shows, before a large one can be paid, that a link believed to
        be very slow is not.

        :param whole_s: from handing it over to its arrival, the way back included.
        """
        least_bps = bits / max(whole_s, CLOCK_FLOOR_S)
        if self._samples and least_bps > self.rate_bps(0.5) * self._change_ratio**2:
            self._samples.clear()
            self._samples.append(Sample(bits, whole_s, False, time_s))

    def rate_bps(self, share: float) -> float:
        """Return the rate that this share of the recent bits reached or passed."""
        ordered = sorted(self._samples, key=lambda sample: sample.pace)
        floor = CLOCK_FLOOR_S * len(ordered) / sum(sample.bits for sample in ordered)
        left = sum(sample.weight for sample in ordered) * share
        for sample in ordered:
            left -= sample.weight
            if left <= 0:
                break
        return 1.0 / max(sample.pace, floor)

    def _make_room(self, sample: Sample) -> None:
        """Drop the oldest sample that tells no more than a new one; the oldest, if all do."""
        if len(self._samples) >= self._window:
            told = [kept for kept in self._samples if kept.bits <= 2 * sample.bits]
            self._samples.remove((told or self._samples)[0])

    def _is_burst(self, sample: Sample, noise_s: float) -> bool:
        late = self._is_slow(self._samples[-1], noise_s)
        return late and sample.queued and self._is_fast(sample, noise_s, self._change_ratio)

    def _agree_on_change(self, previous: Sample, sample: Sample, noise_s: float) -> bool:
        both = (previous, sample)
        return all(self._is_slow(s, noise_s) for s in both) or all(
            self._is_fast(s, noise_s, self._change_ratio) for s in both
        )

    def _is_slow(self, sample: Sample, noise_s: float) -> bool:
        expected_s = (sample.bits + ALONG_BITS) / self.rate_bps(0.5)
        return sample.air_s > max(expected_s * self._change_ratio, expected_s + noise_s)

    def _is_fast(self, sample: Sample, noise_s: float, ratio: float) -> bool:
        expected_s = sample.bits / self.rate_bps(0.5)
        return sample.air_s < min(expected_s / ratio, expected_s - noise_s)
