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
Whether the link passes the first packet after a pause at once, as a token bucket does.

Many links are limited so, the kernel's tbf among them. There a message of one packet always comes
at once and says nothing of the rate, and a larger one is faster by one packet.
"""

from __future__ import annotations

from dataclasses import replace

from dads_ros.monitor.pace import Sample

PACKET_BITS = 1500 * 8.0
# Single packets that came so many times faster than larger messages tell of a bucket, not of the
# rate.
FASTER = 2.0
# So many in a row that took as long as the rate says, and there is no bucket (any more).
ENOUGH = 3
# Two messages of which one is so many times larger tell by their difference.
WIDER = 2.0
# After a pause of so many packets' time a bucket is full again; before, it says nothing.
REFILL = 2.0
# What a larger message told is believed for so long rather than any single packet,
MEMORY_S = 8.0
# and for so long rather than one that came early and may have passed at once.
DOUBT_S = 10.0
# Up to so many bytes a message tells the round trip, from here on the rate,
SMALL_BYTES = 200
# or from here on, where the first packet tells nothing.
TELLING_BYTES = 2400
# A packet large enough to show, by coming early, that a larger one is worth sending.
LOOK_BYTES = 600


class HeadStart:
    """
    Learns from messages that waited for no other, and takes the head start off their size.

    Until it is known whether there is one, a larger message is taken to have had it. That
    foretells messages of its size right either way and larger ones too late rather than too
    soon: to believe in a rate several times too high would cost every frame until a large
    message tells.
    """

    def __init__(self) -> None:
        self._larger: Sample | None = None
        self._early_bps: float | None = None
        self._on_time = 0
        self._is_known = False
        self.bits = PACKET_BITS
        """What a message may get for nothing after a pause: a packet's bits, or none."""
        self._taken_bits = PACKET_BITS

    @property
    def is_certain(self) -> bool:
        """Return whether a packet is known to pass at once, so that it says nothing."""
        return self._is_known and self.bits > 0

    @property
    def taken_bits(self) -> float:
        """
        Return what was last taken off a message, so that one like it is foretold right.

        Unless a head start is certain that may be less than a packet.
        """
        return min(self.bits, self._taken_bits)

    @property
    def is_in_doubt(self) -> bool:
        """Return whether a packet came early: the link is faster now, or lets packets pass."""
        return self._early_bps is not None and not self.is_certain

    @property
    def look_bytes(self) -> int:
        """Return the size of the cheapest message that shows whether the link is faster now."""
        return TELLING_BYTES if self.is_certain or self.is_in_doubt else LOOK_BYTES

    @property
    def telling_bytes(self) -> int:
        """Return the size of the least message that can tell the rate."""
        return TELLING_BYTES if self.is_certain or self.is_in_doubt else SMALL_BYTES + 1

    def forget(self) -> None:
        """Forget what a larger message told: the link may be another."""
        self._larger = self._early_bps = None

    def told_by(self, sample: Sample, noise_s: float) -> Sample | None:
        """
        Return what a sample says of the rate; None when it says nothing.

        :param noise_s: by how much air times differ without a change of the link.
        """
        if sample.queued:
            self._compare_queued(sample, noise_s)
            return sample
        if sample.bits <= PACKET_BITS:
            self._compare(sample, noise_s)
            return None if self._says_nothing(sample.time_s) else sample
        if self._larger is not None and self._was_told(sample.time_s, DOUBT_S):
            self._compare_larger(self._larger, sample, noise_s)
        self._larger = sample
        if self._early_bps is not None:
            # The whole of it: less a packet, one of two packets would confirm anything.
            bps = sample.bits / max(sample.air_s, noise_s)
            if bps * FASTER < self._early_bps:
                self.bits, self._is_known = PACKET_BITS, True
            self._early_bps = None
        # Unless it is certain, half of it at most: what is left must still tell something.
        free = self.bits if self._is_known else min(self.bits, sample.bits / 2)
        self._taken_bits = free
        return replace(sample, bits=sample.bits - free)

    def _says_nothing(self, now_s: float) -> bool:
        """Return whether a single packet says nothing of the rate at such a time."""
        believed_s = DOUBT_S if self.is_in_doubt else MEMORY_S
        return self.bits > 0 and (self._is_known or self._was_told(now_s, believed_s))

    def _was_told(self, now_s: float, believed_s: float) -> bool:
        """Return whether a larger message came so long before at most."""
        return self._larger is not None and now_s - self._larger.time_s < believed_s

    def _compare(self, single: Sample, noise_s: float) -> None:
        """
        Take in how long a single packet took beside the last larger message.

        At the rate of that one, its head start not taken off, it takes the least that it could.
        """
        if self._larger is None or not self._was_told(single.time_s, DOUBT_S):
            return
        expected_s = single.bits * self._larger.pace
        if single.air_s < min(expected_s / FASTER, expected_s - noise_s):
            self._early_bps = single.bits / max(single.air_s, noise_s)
            self._on_time = 0
        elif expected_s > 2 * noise_s and abs(single.air_s - expected_s) < expected_s / 3:
            self._came_on_time(single, self._larger.pace)

    def _compare_larger(self, one: Sample, other: Sample, noise_s: float) -> None:
        """Take in what two took: what each got for nothing is not in their difference."""
        small, large = sorted((one, other), key=lambda sample: sample.bits)
        if large.bits < WIDER * small.bits or large.air_s - small.air_s <= 4 * noise_s:
            return
        pace = (large.air_s - small.air_s) / (large.bits - small.bits)
        packet_s, free_s = PACKET_BITS * pace, small.bits * pace - small.air_s
        if packet_s > 4 * noise_s:
            if abs(free_s) < packet_s / 3:
                self._came_on_time(min(one, other, key=lambda sample: sample.pause_s), pace)
            else:
                self._on_time = 0

    def _compare_queued(self, queued: Sample, noise_s: float) -> None:
        """Take in what one without a head start took beside the last that may have had one."""
        larger = self._larger
        if larger is None or queued.bits <= PACKET_BITS:
            return
        early_s = larger.bits * queued.pace - larger.air_s
        packet_s = PACKET_BITS * queued.pace
        if packet_s > 4 * noise_s and abs(early_s) < packet_s / 3:
            self._came_on_time(larger, queued.pace)

    def _came_on_time(self, sample: Sample, pace: float) -> None:
        if sample.pause_s < REFILL * PACKET_BITS * pace:
            return
        self._on_time += 1
        if self._on_time == ENOUGH:
            self._early_bps, self.bits, self._is_known = None, 0.0, True
