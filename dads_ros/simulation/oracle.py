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

"""What a policy is measured against: one that knows the trace, and one that never changes."""

from __future__ import annotations

from dads_ros.partition.table import PlanTable
from dads_ros.plan import Mode
from dads_ros.plan import Plan
from dads_ros.simulation.world import Cloud
from dads_ros.simulation.world import Link
from dads_ros.simulation.world import World

PATIENT_S = 60.0
"""Neither gives a frame up: what they choose arrives."""


class Fixed:
    """
    One row for every frame.

    :param under_way: frames that may be on their way at once.
    """

    def __init__(self, table: PlanTable, row: int, under_way: int = 2) -> None:
        self._choice = (_plan(table, row, under_way), row)

    def choose(self, now_s: float, link: Link, cloud: Cloud) -> tuple[Plan, int]:  # noqa: ARG002
        """Return the row."""
        return self._choice


class Oracle:
    """
    For every frame the row that gets it done first, the rate of every moment to come being known.

    It takes each frame by itself: the best there is while the pipeline keeps up with the camera.
    """

    def __init__(self, world: World, table: PlanTable, overhead_bytes: int) -> None:
        self._world = world
        self._overhead_bytes = overhead_bytes
        self._choices = [(_plan(table, row, 8), row) for row in range(len(table))]
        self._totals = [row.totals for row in table.rows]

    def choose(self, now_s: float, link: Link, cloud: Cloud) -> tuple[Plan, int]:
        """Return the row that is done first."""
        return min(self._choices, key=lambda choice: self._done_s(choice[1], now_s, link, cloud))

    def _done_s(self, row: int, now_s: float, link: Link, cloud: Cloud) -> float:
        totals = self._totals[row]
        edge_s = float(totals.edge_ns) / 1e9 * self._world.edge_factor
        sent_s = now_s + self._world.preprocess_s + edge_s
        if not totals.uses_cloud:
            return sent_s
        crossed_s = link.finish_s(sent_s, float(totals.mean_bytes) + self._overhead_bytes)
        arrived_s = cloud.awake_s(crossed_s + self._world.rtt_s / 2)
        cloud_s = float(totals.cloud_ns) / 1e9 * self._world.cloud_factor
        return max(arrived_s, cloud.free_s) + cloud_s + self._world.rtt_s / 2


def _plan(table: PlanTable, row: int, under_way: int) -> Plan:
    """Return a plan that keeps so many frames under way and waits for every answer."""
    local = row == table.local_row
    return Plan(
        plan_id=row + 1, model_hash='', mode=Mode.LOCAL if local else Mode.FIXED,
        boundary=table.rows[row].boundary, codec=table.rows[row].codec,
        edge_s=0.0, transfer_s=1.0, cloud_s=0.0, delay_s=under_way - 1.0, max_rate_hz=0.0,
        deadline_s=PATIENT_S, reason='',
    )  # fmt: skip
