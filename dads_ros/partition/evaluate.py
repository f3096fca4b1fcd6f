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

"""What a cut costs in a situation, exactly: the one judge of every plan and baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dads_ros.errors import PlanError
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.costs import CutTotals
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Load
from dads_ros.partition.plan import LOCAL_CODEC
from dads_ros.partition.situation import Situation

_NS = 10**9


@dataclass(frozen=True, slots=True)
class Stages:
    """A cut's exact stage times and delay in nanoseconds."""

    edge: Fraction
    transfer: Fraction
    cloud: Fraction
    delay: Fraction

    @property
    def longest(self) -> Fraction:
        """Return the longest stage."""
        return max(self.edge, self.transfer, self.cloud)

    def value(self, mode: Load) -> Fraction:
        """Return what a plan for this load minimises."""
        return self.delay if mode == 'light' else self.longest


def stages(totals: CutTotals, situation: Situation, mode: Load) -> Stages:
    """
    Return a cut's stage times.

    Raises PlanError when the cut uses the cloud and there is no link.
    """
    edge = totals.edge_ns * Fraction(situation.edge_factor)
    if not totals.uses_cloud:
        return Stages(edge, Fraction(0), Fraction(0), edge)
    if not situation.has_link:
        raise PlanError('there is no link: only the all-local plan is possible')
    sent = totals.mean_bytes if mode == 'light' else totals.peak_bytes
    transfer = sent * situation.ns_per_byte
    cloud = totals.cloud_ns * Fraction(situation.cloud_factor)
    delay = edge + transfer + cloud + Fraction(situation.rtt_s) * _NS
    return Stages(edge, transfer, cloud, delay)


def make_plan(
    graphs: Mapping[str, CostGraph],
    codec: str,
    edge: frozenset[int],
    situation: Situation,
    mode: Load,
    lower_bound: Fraction | None = None,
) -> CutPlan:
    """
    Return the plan that has the closed set ``edge`` on the edge.

    :param lower_bound: of the plan's value in nanoseconds; None when the plan is the minimum.
    """
    graph = graphs[codec]
    totals = graph.totals(edge)
    cost = stages(totals, situation, mode)
    bound = cost.value(mode) if lower_bound is None else lower_bound
    return CutPlan(
        mode=mode,
        boundary=tuple(graph.ids[i] for i in graph.boundary(edge)),
        edge=tuple(graph.ids[i] for i in sorted(edge)),
        codec=codec if totals.uses_cloud else LOCAL_CODEC,
        edge_s=float(cost.edge / _NS),
        transfer_s=float(cost.transfer / _NS),
        cloud_s=float(cost.cloud / _NS),
        delay_s=float(cost.delay / _NS),
        lower_bound_s=float(bound / _NS),
    )
