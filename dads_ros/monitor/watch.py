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
from pathlib import Path

from dads_ros.errors import ConfigError
from dads_ros.errors import PlanError
from dads_ros.graph import LayerGraph
from dads_ros.monitor.exact import ExactSolver
from dads_ros.monitor.policy import Policy
from dads_ros.monitor.policy import PolicyLimits
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
    graphs = cost_graphs(graph, edge, cloud, privacy=s.privacy)
    planner = Planner(graph, dict(graphs), s.accuracy_budget, calibration)
    table = planner.build_table()
    boundary = tuple(name for name in s.fixed_boundary if name)
    if boundary:
        table = with_cut(table, graphs, graph, boundary, s.fixed_codec)
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
    policy = Policy(table, graph.model_hash, graph.inputs, limits, first_plan_id)
    policy.ask(s.mode, boundary, s.fixed_codec)
    return policy


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
    edge = graph.all_edge - set(graph.cloud_layers(boundary))
    costs = graphs.get(codec)
    if costs is None:
        raise PlanError(f'codec {codec!r} was not profiled; use one of {", ".join(graphs)}')
    positions = frozenset(costs.index[name] for name in edge)
    refused = [name for name in boundary if costs.index[name] in costs.forbidden]
    if refused:
        raise PlanError(
            f'tensor {refused[0]!r} must not be sent as {codec!r}, by privacy, the accuracy '
            'budget or a profile of compiled halves, which has one cut; use another codec or cut'
        )
    try:
        table.row_of(boundary, codec)
    except PlanError:
        mask = sum(1 << position for position in positions)
        row = Row(boundary, mask, codec, costs.totals(positions))
        return PlanTable(table.ids, (*table.rows, row), table.complete)
    return table
