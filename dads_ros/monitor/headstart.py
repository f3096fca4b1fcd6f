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

from dads_ros.monitor.pace import Pace
from dads_ros.monitor.pace import Sample

PACKET_BITS = 1500 * 8.0
# Single packets that came so many times faster than larger messages tell of a bucket, not of the
# rate.
FASTER = 2.0
# So many in a row that took as long as the rate says, and there is no bucket (any more).
ENOUGH = 3
# Up to so many bytes a message tells the round trip, from here on the rate,
SMALL_BYTES = 200
# or from here on, where the first packet tells nothing.
TELLING_BYTES = 2400


class HeadStart:
    """Learns from messages that waited for no other, and takes the head start off their size."""

    def __init__(self) -> None:
        self._early_bps: float | None = None
        self._on_time = 0
        self.bits = 0.0
        """What a message gets for nothing after a pause: a packet's bits, or none."""

    @property
    def telling_bytes(self) -> int:
        """Return the size of the least message that can tell the rate."""
        return TELLING_BYTES if self.bits else SMALL_BYTES + 1

    def told_by(self, sample: Sample, pace: Pace, noise_s: float) -> Sample | None:
        """
        Return what a sample says of the rate; None when it says nothing.

        :param noise_s: by how much air times differ without a change of the link.
        """
        if sample.queued:
            return sample
        if sample.bits <= PACKET_BITS:
            return self._of_packet(sample, pace, noise_s)
        if self._early_bps is not None:
            bps = (sample.bits - PACKET_BITS) / max(sample.air_s, noise_s)
            if bps * FASTER < self._early_bps:
                self.bits = PACKET_BITS
            self._early_bps = None
        return Sample(sample.bits - self.bits, sample.air_s, sample.queued, sample.time_s)

    def _of_packet(self, sample: Sample, pace: Pace, noise_s: float) -> Sample | None:
        if pace.is_early(sample, noise_s):
            self._early_bps = sample.bits / max(sample.air_s, noise_s)
            self._on_time = 0
        elif pace.is_on_time(sample, noise_s):
            self._on_time += 1
            if self._on_time == ENOUGH:
                self._early_bps, self.bits = None, 0.0
        return None if self.bits else sample
