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

"""Which plan is the best under a load, and what a change to it saves."""

from __future__ import annotations

import math

from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.plan import window_of

# A plan keeps up while its longest stage is busy for less than this share of the time: the
# paper's test, less what headers and jitter take.
KEEPS_UP = 0.95
# Longest stages that differ by no more than this share give as many frames.
NEARLY = 0.02


def best_plan(
    table: PlanTable, situation: Situation, spare: float, *, is_heavy: bool = False
) -> CutPlan:
    """
    Return the plan of least delay while it keeps up; else the soonest of those that do, or nearly.

    The first is the paper's DSL. Where nothing keeps up, the shortest longest stage decides, as
    in its DSH, and among those as good the delay.

    :param spare: share of the period that a heavy plan should leave free, so that it lasts.
    :param is_heavy: whether a heavy plan is in force, which is left only for such a light one.
    """
    light = table.plan(situation, 'light')
    margin = 1.0 - spare if is_heavy else 1.0
    if light.max_stage_s * situation.rate_hz < KEEPS_UP * margin:
        return light
    return table.plan_soonest(situation, KEEPS_UP * (1.0 - spare) / situation.rate_hz, NEARLY)


def keeps_up(plan: CutPlan, situation: Situation) -> bool:
    """Return whether a plan's longest stage leaves no frame of the camera waiting."""
    return plan.max_stage_s * situation.rate_hz < KEEPS_UP


def gain_of(present: CutPlan, best: CutPlan, situation: Situation, older: float) -> float:
    """
    Return the share saved: of delay, or of the longest stage when nothing keeps up.

    Among plans that give as many frames, which none keeps up with, that of the newest detection.

    :param older: by this share the newest detection may become older for more of them.
    """
    if keeps_up(present, situation) and keeps_up(best, situation):
        return _saved(present.delay_s, best.delay_s)
    if keeps_up(best, situation):
        # Under the present plan frames come to wait for its longest stage.
        return _saved(_age_s(present), best.delay_s)
    if -_saved(_age_s(present), _age_s(best)) > older:
        return 0.0
    more = _saved(present.max_stage_s, best.max_stage_s)
    if more < -NEARLY - 1e-9:
        return more
    return max(more, _saved(_age_s(present), _age_s(best)))


def crowded_s(plan: CutPlan) -> float:
    """
    Return how long a frame takes where the plan does not keep up with the camera.

    Then as many are under way as may be, and each waits for those before it. Where the car is the
    longest stage none waits: they are not begun.
    """
    if plan.edge_s >= plan.max_stage_s:
        return plan.delay_s
    under_way = window_of(plan.delay_s, plan.max_stage_s)
    return max(plan.delay_s, plan.edge_s + under_way * plan.max_stage_s)


def _age_s(plan: CutPlan) -> float:
    """Return how old the newest detection gets: a frame's time, and a stage until the next."""
    return crowded_s(plan) + plan.max_stage_s


def _saved(before_s: float, after_s: float) -> float:
    if math.isinf(before_s):
        return 0.0 if math.isinf(after_s) else 1.0
    return (before_s - after_s) / before_s if before_s > 0 else 0.0
