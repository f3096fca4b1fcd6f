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

"""What a change of plan saves."""

from __future__ import annotations

import math

from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation

# A plan keeps up while its longest stage is busy for less than this share of the time: the
# paper's test, less what headers and jitter take.
KEEPS_UP = 0.95


def gain_of(present: CutPlan, best: CutPlan, situation: Situation, older: float) -> float:
    """
    Return the share saved: of delay, or of the longest stage when nothing keeps up.

    :param older: by this share the newest detection may become older for more of them.
    """
    present_keeps_up = present.max_stage_s * situation.rate_hz < KEEPS_UP
    best_keeps_up = best.max_stage_s * situation.rate_hz < KEEPS_UP
    if present_keeps_up and best_keeps_up:
        return _saved(present.delay_s, best.delay_s)
    if best_keeps_up:
        # Under the present plan frames come to wait for its longest stage.
        return _saved(_age_s(present), best.delay_s)
    if -_saved(_age_s(present), _age_s(best)) > older:
        return 0.0
    return _saved(present.max_stage_s, best.max_stage_s)


def _age_s(plan: CutPlan) -> float:
    """Return how old the newest detection gets: a frame takes the delay and waits for a stage."""
    return plan.delay_s + plan.max_stage_s


def _saved(before_s: float, after_s: float) -> float:
    if math.isinf(before_s):
        return 0.0 if math.isinf(after_s) else 1.0
    return (before_s - after_s) / before_s if before_s > 0 else 0.0
