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

"""The state of link, machines and camera that a plan is chosen for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
import math

from dads_ros.errors import PlanError


@dataclass(frozen=True, slots=True)
class Situation:
    """
    What scales a cut's costs.

    The delay of a cut that uses the cloud is edge stage + half a round trip + bytes over the
    uplink + cloud stage + half a round trip for the result, whose few bytes are not counted: the
    downlink is taken to be no bottleneck. A stage's length, which bounds the frame rate, has no
    round trip in it, because frames overlap on the way. A plan that keeps everything on the edge
    has neither transfer nor round trip.

    :param uplink_bps: bits per second from car to cloud; 0 while there is no link.
    :param rtt_s: seconds for a small message to go and come back.
    :param edge_factor: how many times slower than profiled the edge is now.
    :param cloud_factor: the same for the cloud.
    :param rate_hz: frames per second that the camera delivers.
    :param overhead_bits: sent with every bundle beside its tensors.
    :param head_start_bits: of a bundle after a pause cross at once; not when bundles queue. These
        two are the same for every cut that sends, so that solvers, which compare cuts, leave them
        out, which costs a longest stage what they take at most; the plan table, which also
        compares with the car alone, counts them.
    """

    uplink_bps: float
    rtt_s: float = 0.0
    edge_factor: float = 1.0
    cloud_factor: float = 1.0
    rate_hz: float = 10.0
    overhead_bits: float = 0.0
    head_start_bits: float = 0.0

    def __post_init__(self) -> None:
        """Raise PlanError when a number is negative or not finite."""
        for name in self.__slots__:
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise PlanError(f'{name} must be a number of at least 0, not {value!r}')

    @property
    def has_link(self) -> bool:
        """Return whether anything can be sent."""
        return self.uplink_bps > 0

    @property
    def ns_per_byte(self) -> Fraction:
        """Return the exact time a byte takes over the uplink; only while there is a link."""
        return Fraction(8 * 10**9) / Fraction(self.uplink_bps)
