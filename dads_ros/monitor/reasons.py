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

"""The words and numbers in which a plan says why it was chosen."""

from __future__ import annotations

import math

from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation


def saving(present: CutPlan, best: CutPlan, gain: float) -> str:
    """Return what a change of plan saves: of the longest stage for a heavy plan, else of delay."""
    if best.mode == 'heavy':
        what, after_s, before_s = 'longest stage', best.max_stage_s, present.max_stage_s
    else:
        what, after_s, before_s = 'delay', best.delay_s, present.delay_s
    return f'{what} {milliseconds(after_s)} instead of {milliseconds(before_s)} ({gain:.0%} less)'


def milliseconds(time_s: float) -> str:
    """Return a time as people read it."""
    return 'forever' if math.isinf(time_s) else f'{time_s * 1e3:.0f} ms'


def situation(now: Situation) -> str:
    """Return the numbers that a plan was chosen for."""
    return (
        f'uplink {now.uplink_bps / 1e6:.2f} Mbit/s, rtt {milliseconds(now.rtt_s)}, '
        f'edge x{now.edge_factor:.2f}, cloud x{now.cloud_factor:.2f}, camera {now.rate_hz:.1f} Hz'
    )
