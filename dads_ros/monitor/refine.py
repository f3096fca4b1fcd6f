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
A plan table that becomes exact under heavy load, for networks whose cuts cannot all be listed.

Such a table's heavy plans may be some per cent above the best. While one is wanted, the present
situation is solved exactly in the background and the plan found becomes a row: the next decision
has it. No decision waits.
"""

from __future__ import annotations

import math

from dads_ros.monitor.exact import Answer
from dads_ros.monitor.exact import ExactSolver
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Mode
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable

# A plan that is proved to be this near the best needs no solving.
GOOD_GAP = 1e-3
# A solved situation stands for those whose link and machines differ by about so much.
STEP = 0.02
MOST_ROWS = 500  # added; a table must not grow for ever


class RefinedTable(PlanTable):
    """
    A plan table with a solver behind it.

    :param table: what is known from the start.
    :param solver: ours to close.
    """

    def __init__(self, table: PlanTable, solver: ExactSolver) -> None:
        super().__init__(table.ids, table.rows, table.complete)
        self._solver = solver
        self._room = MOST_ROWS
        self._asked: tuple[int, ...] | None = None
        self._solved: set[tuple[int, ...]] = set()
        self._last: Answer | None = None

    def plan(self, situation: Situation, mode: Mode = 'auto') -> CutPlan:
        """Return the best row for a situation; have it solved if a heavy one may not be best."""
        self._learn()
        plan = super().plan(situation, mode)
        if plan.mode == 'heavy':
            self._ask(situation, plan)
        return plan

    def close(self) -> None:
        """End the solver."""
        self._solver.close()

    def told(self) -> str:
        """Return where the solver stands, for the diagnostics."""
        if self._solver.failure:
            return self._solver.failure
        if self._last is None:
            return 'solving' if self._asked else 'not needed yet'
        if self._last.plan is None:
            return f'failed: {self._last.error}'
        what = f'uplink {self._last.situation.uplink_bps / 1e6:.2f} Mbit/s'
        if self._last.plan.gap > GOOD_GAP:
            return f'{what}: stopped, at most {self._last.plan.gap:.1%} above the best'
        return f'{what}: proved'

    def _learn(self) -> None:
        answer = self._solver.take()
        if answer is None:
            return
        self._last = answer
        self._solved.add(_place(answer.situation))
        if answer.row is not None and self.find(answer.row) is None:
            self._room -= 1
            self.add(answer.row)

    def _ask(self, situation: Situation, plan: CutPlan) -> None:
        if plan.gap <= GOOD_GAP or not self._room or self._solver.failure:
            return
        place = _place(situation)
        if place != self._asked and place not in self._solved:
            self._asked = place
            self._solver.ask(situation)


def _place(situation: Situation) -> tuple[int, ...]:
    """Return the cell of a logarithmic grid that the situation lies in."""
    factors = (situation.uplink_bps, situation.edge_factor, situation.cloud_factor)
    return tuple(round(math.log(max(factor, 1e-9)) / STEP) for factor in factors)
