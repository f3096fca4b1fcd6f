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

"""From the monitor's settings to its policy: profiles and calibration in, plan table behind it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from dads_ros.errors import ConfigError
from dads_ros.errors import DadsError
from dads_ros.errors import PlanError
from dads_ros.graph import LayerGraph
from dads_ros.monitor.exact import ExactSolver
from dads_ros.monitor.limits import PolicyLimits
from dads_ros.monitor.policy import Policy
from dads_ros.monitor.refine import RefinedTable
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.table import PlanTable
from dads_ros.partition.table import Row
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.planning import cost_graphs
from dads_ros.profiles.planning import Planner
from dads_ros.profiles.profile import Profile
from dads_ros.settings import MonitorSettings


def make_policy(settings: MonitorSettings, first_plan_id: int) -> Policy:
    """
    Return a policy that does what the settings ask for.

    Raises ConfigError, ProfileError or PlanError when a file is missing, of another model, or
    the wish cannot be met.
    """
    s = settings
    if not s.edge_profile or not s.cloud_profile:
        raise ConfigError(
            "parameters 'edge_profile' and 'cloud_profile' must name files; "
            'measure them with dads profile'
        )
    edge, cloud = Profile.load(Path(s.edge_profile)), Profile.load(Path(s.cloud_profile))
    graph = edge.graph
    calibration = Calibration.find(
        Path(s.calibration) if s.calibration else None, graph.model_hash
    )
    graphs = cost_graphs(graph, edge, cloud, privacy=s.privacy, temporal=s.temporal)
    planner = Planner(graph, dict(graphs), s.accuracy_budget, calibration)
    table = planner.build_table()
    if not table.complete:
        table = RefinedTable(table, ExactSolver(planner))
    limits = PolicyLimits(
        gain=s.gain,
        patience_frames=s.patience_frames,
        stay_local_s=s.stay_local_s,
        deadline_factor=s.deadline_factor,
        deadline_floor_s=s.deadline_floor_s,
        deadline_ceiling_s=s.deadline_ceiling_s,
    )
    row_of = Cuts(planner, graphs).row_of
    policy = Policy(table, graph.model_hash, graph.inputs, limits, first_plan_id, row_of)
    try:
        ask(policy, settings)
    except DadsError:
        if isinstance(table, RefinedTable):
            table.close()
        raise
    return policy


def ask(policy: Policy, settings: MonitorSettings) -> None:
    """
    Have a policy do what the settings ask for from now on; on an error it goes on as before.

    Raises ConfigError, CutError or PlanError when the wish cannot be met.
    """
    boundary = tuple(name for name in settings.fixed_boundary if name)
    policy.ask(settings.mode, boundary, settings.fixed_codec)


@dataclass(frozen=True)
class Cuts:
    """
    Finds cuts that are asked for, and adds those to the table that it had no reason to hold.

    :param planner: says what keeps within the accuracy budget. Nothing else is chosen unasked.
    :param graphs: costs per codec; what is asked for may cost more accuracy than the budget.
    """

    planner: Planner
    graphs: Mapping[str, CostGraph]

    def row_of(self, table: PlanTable, boundary: tuple[str, ...], codec: str) -> int:
        """
        Return the number of a cut's row; a new one is the last.

        :param codec: empty for the one that sends the least within the accuracy budget.
        Raises CutError or PlanError when the cut is not legal or the codec does not carry it.
        """
        if not boundary:
            return table.local_row
        row = self._row(boundary, codec) if codec else self._smallest(boundary)
        number = table.find(row)
        if number is None:
            number = table.add(row, is_choice=self.planner.is_within_budget(row))
        return number

    def _row(self, boundary: tuple[str, ...], codec: str) -> Row:
        return cut_row(self.graphs, self.planner.graph, boundary, codec)

    def _smallest(self, boundary: tuple[str, ...]) -> Row:
        rows = []
        for codec in self.graphs:
            with suppress(PlanError):
                rows.append(self._row(boundary, codec))
        kept = [row for row in rows if self.planner.is_within_budget(row)]
        if not kept:
            raise PlanError(
                f'no codec sends {", ".join(boundary)!r} within the accuracy budget; name one'
            )
        return min(kept, key=lambda row: row.totals.mean_bytes)


def with_cut(
    table: PlanTable,
    graphs: Mapping[str, CostGraph],
    graph: LayerGraph,
    boundary: tuple[str, ...],
    codec: str,
) -> PlanTable:
    """
    Return the table with one more row, so that a cut can be asked for that never is the best.

    Raises CutError or PlanError when the cut is not legal or the codec does not carry it.
    """
    row = cut_row(graphs, graph, boundary, codec)
    if table.find(row) is not None:
        return table
    grown = copy(table)
    grown.add(row, is_choice=False)
    return grown


def cut_row(
    graphs: Mapping[str, CostGraph], graph: LayerGraph, boundary: tuple[str, ...], codec: str
) -> Row:
    """
    Return the row of any legal cut.

    :param boundary: in any order; the row has it in the network's.
    Raises CutError or PlanError when the cut is not legal or the codec does not carry it.
    """
    edge = graph.all_edge - set(graph.cloud_layers(boundary))
    costs = graphs.get(codec)
    if costs is None:
        raise PlanError(f'codec {codec!r} was not profiled; use one of {", ".join(graphs)}')
    positions = frozenset(costs.index[name] for name in edge)
    refused = [name for name in boundary if costs.index[name] in costs.forbidden]
    if refused:
        raise PlanError(
            f'tensor {refused[0]!r} cannot be sent as {codec!r}: the profiles lack that codec for '
            'it, privacy keeps it, or compiled halves have another cut; use another codec or cut'
        )
    mask = sum(1 << position for position in positions)
    ordered = tuple(sorted(boundary, key=costs.index.__getitem__))
    return Row(ordered, mask, codec, costs.totals(positions))
