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

"""The paper's dynamic test without a table: light or heavy, solved afresh."""

from __future__ import annotations

from collections.abc import Mapping

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.heavy import dsh
from dads_ros.partition.light import dsl
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Mode
from dads_ros.partition.situation import Situation


def solve(
    graphs: Mapping[str, CostGraph],
    situation: Situation,
    mode: Mode = 'auto',
    time_limit_s: float = 10.0,
) -> CutPlan:
    """
    Return the exact plan for a situation, as ``PlanTable.plan`` does from its rows.

    :param mode: 'auto' takes the light plan while its longest stage fits a frame period.
    :param time_limit_s: for proving a heavy plan; see :func:`~dads_ros.partition.heavy.dsh`.
    """
    if mode != 'heavy':
        light = dsl(graphs, situation)
        if mode == 'light' or light.max_stage_s * situation.rate_hz < 1.0:
            return light
    return dsh(graphs, situation, time_limit_s)
