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

"""What is believed of the uplink at one moment."""

from __future__ import annotations

from dataclasses import dataclass
import math


@dataclass(frozen=True, slots=True)
class LinkEstimate:
    """
    What is believed of the uplink.

    ``uplink_bps`` is 0 when nothing is known or nothing gets through; ``low_bps`` and
    ``high_bps`` are the 10% and 90% quantiles of the recent messages. ``alive`` says that what
    was sent was answered until recently. ``head_start_bits`` of a message cross at once.
    """

    uplink_bps: float
    low_bps: float
    high_bps: float
    rtt_s: float
    alive: bool
    head_start_bits: float = 0.0

    def air_s(self, size_bytes: float) -> float:
        """Return what a message takes to cross, beside the round trip."""
        bits = max(0.0, size_bytes * 8.0 - self.head_start_bits)
        return bits / self.uplink_bps if self.uplink_bps else math.inf
