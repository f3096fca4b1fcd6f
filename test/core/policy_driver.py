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

"""A policy that is shown a frame at a time, over a table of three plans."""

from __future__ import annotations

from dads_ros.monitor.limits import PolicyLimits
from dads_ros.monitor.policy import Policy
from dads_ros.partition.build import build_table
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.plan import Plan

HASH = 'h'


def make_table(slowdown: float = 6.0) -> PlanTable:
    """Return a chain of three layers; its middle tensor is a twentieth of the frame."""
    cloud_ns = (0, 10_000_000, 40_000_000)
    return build_table({
        'raw': CostGraph(
            ids=('frame', 'waist', 'detections'), edges=((0, 1), (1, 2)),
            pinned=(0,), outputs=(2,),
            edge_ns=tuple(int(ns * slowdown) for ns in cloud_ns), cloud_ns=cloud_ns,
            output_bytes=(100_000, 5_000, 100),
        )
    })  # fmt: skip


TABLE = make_table()
LOCAL, WAIST, UPLOAD = 0, TABLE.row_of(('waist',), 'raw'), TABLE.row_of(('frame',), 'raw')


class Driver:
    """A policy that sees one frame every 100 ms."""

    def __init__(self, limits: PolicyLimits | None = None) -> None:
        self.policy = Policy(TABLE, HASH, ('frame',), limits or PolicyLimits())
        self.now_s = 0.0
        self.plans: list[tuple[float, Plan]] = []

    def see(
        self, mbps: float, frames: int = 1, *, alive: bool = True, rate_hz: float = 2.0, **missed
    ) -> Plan | None:
        """Return the last plan that came of so many frames."""
        found = None
        for _ in range(frames):
            self.now_s += 0.1
            situation = Situation(mbps * 1e6, 0.01, rate_hz=rate_hz)
            plan = self.policy.update(situation, alive, self.now_s, frames=1, **missed)
            if plan is not None:
                found = plan
                self.plans.append((self.now_s, plan))
        return found

    @property
    def row(self) -> int:
        return self.policy.row


def connected(mbps: float = 2.0) -> Driver:
    driver = Driver()
    driver.see(0, alive=False)
    driver.see(mbps)
    driver.see(mbps, 20)
    return driver
