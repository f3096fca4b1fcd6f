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
What the plans are compared with, all behind one interface and judged by one function.

A method takes the cost graphs by codec, a situation and the load, and returns a plan. The codec
``raw`` must be among the graphs; ``cloud-only JPEG`` needs one whose name starts with ``jpeg``.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.evaluate import make_plan
from dads_ros.partition.paper import dsh_paper
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Load
from dads_ros.partition.reference import printed_dsl
from dads_ros.partition.situation import Situation
from dads_ros.partition.solve import solve

Graphs: TypeAlias = Mapping[str, CostGraph]
Method: TypeAlias = Callable[[Graphs, Situation, Load], CutPlan]

RAW = 'raw'
_NOTHING_PROVED = Fraction(0)


def edge_only(graphs: Graphs, situation: Situation, load: Load) -> CutPlan:
    """Compute everything on the edge."""
    return make_plan(graphs, RAW, graphs[RAW].all_edge, situation, load, _NOTHING_PROVED)


def cloud_only_raw(graphs: Graphs, situation: Situation, load: Load) -> CutPlan:
    """Upload the input as it is, the paper's cloud-only."""
    return _cloud_only(graphs, RAW, situation, load)


def cloud_only_jpeg(graphs: Graphs, situation: Situation, load: Load) -> CutPlan:
    """Upload the input as a JPEG."""
    codec = next(name for name in graphs if name.startswith('jpeg'))
    return _cloud_only(graphs, codec, situation, load)


def neurosurgeon(graphs: Graphs, situation: Situation, load: Load) -> CutPlan:
    """Cut the topological order in two at the best place, as the paper's variant for DAGs does."""
    graph = graphs[RAW]
    if not situation.has_link:
        return edge_only(graphs, situation, load)
    first = len(graph.least_edge)
    prefixes = [frozenset(range(end)) for end in range(first, len(graph) + 1)]
    legal = [edge for edge in prefixes if graph.is_closed(edge)]
    plans = [make_plan(graphs, RAW, edge, situation, load, _NOTHING_PROVED) for edge in legal]
    return min(plans, key=lambda plan: plan.value_s)


def dads_printed(graphs: Graphs, situation: Situation, load: Load) -> CutPlan:
    """Run the paper's algorithms as printed."""
    if load == 'light':
        return printed_dsl(graphs[RAW], situation)
    return dsh_paper(graphs[RAW], situation)


def ours(graphs: Graphs, situation: Situation, load: Load) -> CutPlan:
    """Solve for cut and codec exactly."""
    return solve(graphs, situation, load)


METHODS: Mapping[str, Method] = {
    'edge-only': edge_only,
    'cloud-only raw': cloud_only_raw,
    'cloud-only JPEG': cloud_only_jpeg,
    'Neurosurgeon': neurosurgeon,
    'DADS as printed': dads_printed,
    'ours': ours,
}


def _cloud_only(graphs: Graphs, codec: str, situation: Situation, load: Load) -> CutPlan:
    if not situation.has_link:
        return edge_only(graphs, situation, load)
    return make_plan(graphs, codec, graphs[codec].least_edge, situation, load, _NOTHING_PROVED)
