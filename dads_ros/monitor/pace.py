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
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
import math

from dads_ros.monitor.lateness import Lateness

# Shorter air times drown in scheduling; they say only that the link is faster than they show.
CLOCK_FLOOR_S = 0.0005
# An air time is known no better than this share of the noise: what the median of a few leaves.
LEFT_NOISE = 0.25
# One message shows a faster link when it saves so many times the noise, several in a row when
# they do together: they may share an error of the round trip.
SURE_ALONE = 2.0
SURE_TOGETHER = 24.0
# What may travel with a message uncounted: packets' headers and the transport's own messages. A
# small message is not slow for having waited for them.
ALONG_BITS = 500 * 8.0


@dataclass(slots=True)
class Sample:
    """
    Air time of a message; ``queued`` when it followed another without a pause.

    :param pause_s: for how long the link had been free before, as far as is known.

    ``weight`` says how much it counts.
    """

    bits: float
    air_s: float
    queued: bool
    time_s: float
    pause_s: float = math.inf
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
        several in a row differ from the rate by more than this factor, in one direction, or one
        that followed no other is faster by its square: much can make a message late, but little
        brings it too soon.
    """

    def __init__(self, window: int, memory_s: float, change_ratio: float) -> None:
        self._samples: tuple[Sample, ...] = ()
        self._middle_bps: float | None = None
        self._early: deque[Sample] = deque(maxlen=window)
        self._noise_s = 0.0
        self._burst_until_s = -math.inf
        self.lateness: Lateness[Sample] = Lateness()
        """Samples put aside, because the one that is late may be the only one."""
        self._window = window
        self._memory_s = memory_s
        self._change_ratio = change_ratio
        self._known_bps = 0.0
        self._is_unsure = False

    @property
    def is_known(self) -> bool:
        """Return whether there are samples."""
        return bool(self._samples)

    @property
    def last_known_bps(self) -> float:
        """Return the rate, from before they were forgotten if none is sure; 0 at first."""
        return self.middle_bps if self._samples and not self._is_unsure else self._known_bps

    def forget(self) -> None:
        """Drop the samples."""
        self._known_bps = self.last_known_bps
        self._keep(())
        self.lateness.forget()
        self._early.clear()

    def note_unsure(self, sample: Sample) -> None:
        """
        Take in a sample that was on its way when nothing got through, after all were forgotten.

        Its air time is that of a slow link or of an outage that is over: until another tells.
        """
        self._keep((sample,))
        self._is_unsure = True

    def _keep(self, samples: Iterable[Sample]) -> None:
        """Have these from now on; what was said of those before is void."""
        self._samples = tuple(samples)
        self._middle_bps = None
        self._is_unsure = False

    def note(self, sample: Sample, noise_s: float) -> None:
        """
        Take in a sample.

        :param noise_s: by how much air times differ without a change of the link.
        """
        if self._is_unsure:
            self._keep(())
        while self._samples and sample.time_s - self._samples[0].time_s > self._memory_s:
            self._known_bps = self.last_known_bps
            self._keep(self._samples[1:])
        if noise_s != self._noise_s:
            self._noise_s, self._middle_bps = noise_s, None
        if not self._samples:  # nothing contradicts those put aside any more
            self._keep(self.lateness.run)
            self.lateness.forget()
        if not self._samples:
            self._keep((sample,))
        elif self._is_slow(sample):
            self._note_late(sample)
        else:
            self.lateness.excuse(sample.time_s)
            if not self._was_held_up(sample):
                self._note_early(sample)
                self._keep((*self._with_room_for(sample), sample))

    def prove(self, bits: float, whole_s: float, time_s: float) -> None:
        """
        Take in what needs no guess: a message was on the air for no longer than it was under way.

        This is how a small probe shows, before a large one can be paid, that a link believed to
        be very slow is not.

        :param whole_s: from handing it over to its arrival, the way back included.
        """
        least_bps = bits / max(whole_s, CLOCK_FLOOR_S)
        if self._samples and least_bps > self.middle_bps * self._change_ratio**2:
            self._keep((Sample(bits, whole_s, False, time_s),))

    @property
    def middle_bps(self) -> float:
        """Return the rate that half of the recent bits reached or passed."""
        if self._middle_bps is None:
            (self._middle_bps,) = self.rates_bps(0.5)
        return self._middle_bps

    def rates_bps(self, *shares: float) -> Iterator[float]:
        """Return the rates that these shares of the recent bits reached or passed."""
        ordered = sorted(self._samples, key=lambda sample: sample.pace)
        floor = max(
            CLOCK_FLOOR_S * len(ordered) / sum(sample.bits for sample in ordered),
            LEFT_NOISE * self._noise_s / max(sample.bits for sample in ordered),
        )
        weight = sum(sample.weight for sample in ordered)
        for share in shares:
            left = weight * share
            for sample in ordered:
                left -= sample.weight
                if left <= 0:
                    break
            yield 1.0 / max(sample.pace, floor)

    def _note_late(self, sample: Sample) -> None:
        """Put a slow sample aside, or take it and those before it for a slower link."""
        self._early.clear()
        self._burst_until_s = sample.time_s + sample.air_s
        self.lateness.note(sample, sample.air_s - self._expected_s(sample))
        if self.lateness.is_change(sample.time_s):
            self._keep(self.lateness.run)
            self.lateness.forget()

    def _note_early(self, sample: Sample) -> None:
        """Forget the older samples when this one, perhaps with those before it, shows another."""
        if not self._is_early(sample):
            self._early.clear()
            return
        self._early.append(sample)
        saved_s = sum(self._expected_s(s) - max(s.air_s, 0.0) for s in self._early)
        if self._is_surely_early(sample):
            self._keep(())
        elif len(self._early) > 1 and saved_s > SURE_TOGETHER * self._noise_s:
            self._early.pop()  # it is appended in any case
            self._keep(self._early)
        else:
            return
        self._early.clear()

    def _with_room_for(self, sample: Sample) -> Iterable[Sample]:
        """Return those kept less the oldest that tells no more than a new one, or the oldest."""
        if len(self._samples) < self._window:
            return self._samples
        told = [kept for kept in self._samples if kept.bits <= 2 * sample.bits]
        dropped = (told or self._samples)[0]
        return (kept for kept in self._samples if kept is not dropped)

    def _expected_s(self, sample: Sample) -> float:
        return sample.bits / self.middle_bps

    def _is_slow(self, sample: Sample) -> bool:
        expected_s = (sample.bits + ALONG_BITS) / self.middle_bps
        return sample.air_s > max(expected_s * self._change_ratio, expected_s + self._noise_s)

    def _was_held_up(self, sample: Sample) -> bool:
        """Return whether it came in a burst behind a late one: then it does not show the rate."""
        return sample.queued and sample.time_s < self._burst_until_s and self._is_early(sample)

    def _is_early(self, sample: Sample) -> bool:
        return sample.air_s < self._expected_s(sample) / self._change_ratio

    def _is_surely_early(self, sample: Sample) -> bool:
        """Return whether a sample shows a faster link by itself, being as telling as others."""
        if sample.queued or 2 * sample.bits < max(kept.bits for kept in self._samples):
            return False
        expected_s = self._expected_s(sample)
        least_s = min(expected_s / self._change_ratio**2, expected_s - SURE_ALONE * self._noise_s)
        return max(sample.air_s, 0.0) < least_s
