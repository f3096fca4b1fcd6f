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
DSH: the cut with the shortest longest stage, exact (paper, section V; NP-hard by its theorem 2).

Where all cuts can be listed (chains, networks with few branches), they are. Otherwise the
Lagrangian dual gives a bound in milliseconds, and the best of its cuts, improved by local search,
is where CP-SAT starts; that proves it or finds a better one, within a time limit, and the plan's
lower bound says what was proved. The dual alone can be a tenth below the best cut: no certificate.
HiGHS took two to ten times as long as CP-SAT.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from dads_ros.partition.batch import CutBatch
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.dual import dual
from dads_ros.partition.evaluate import make_plan
from dads_ros.partition.evaluate import stages
from dads_ros.partition.ideals import closed_sets
from dads_ros.partition.light import dsl
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.proof import prove
from dads_ros.partition.search import Climber
from dads_ros.partition.search import stage_scale
from dads_ros.partition.situation import Situation
import numpy as np


def dsh(
    graphs: Mapping[str, CostGraph],
    situation: Situation,
    time_limit_s: float = 10.0,
) -> CutPlan:
    """
    Return the plan with the shortest longest stage over all cuts and codecs.

    Safe to call in a worker thread: the solver releases the interpreter's lock.

    :param graphs: one cost graph per codec, of the same layers.
    :param time_limit_s: for proving, over all codecs. When it strikes, ``lower_bound_s`` of the
        plan is below its ``max_stage_s``.
    """
    first = next(iter(graphs))
    everything = graphs[first].all_edge
    if not situation.has_link:
        return make_plan(graphs, first, everything, situation, 'heavy')
    best = (_longest(graphs[first], everything, situation), first, everything)
    bound = best[0]
    for codec, graph in graphs.items():
        edge, bound_here = _solve(graph, situation, time_limit_s / len(graphs))
        best = min(best, (_longest(graph, edge, situation), codec, edge), key=lambda b: b[0])
        bound = min(bound, bound_here)
    longest, codec, edge = best
    return make_plan(graphs, codec, edge, situation, 'heavy', min(bound, longest))


def _longest(graph: CostGraph, edge: frozenset[int], situation: Situation) -> Fraction:
    return stages(graph.totals(edge), situation, 'heavy').longest


def _solve(
    graph: CostGraph, situation: Situation, time_limit_s: float
) -> tuple[frozenset[int], Fraction]:
    """Return one graph's best cut and the bound that was proved."""
    scale = stage_scale(situation)
    listed = _listed(graph)
    if listed is not None:
        return _best_of(graph, situation, *listed, scale)
    batch = CutBatch(graph)
    bounded = dual(graph, situation)
    starts = np.array([*bounded.cuts, _row(graph, dsl({'': graph}, situation))])
    nearest = int((batch.totals(starts)[:, [0, 2, 3]] * scale).max(axis=1).argmin())
    start = Climber(graph, batch).climb(starts[nearest], scale)
    edge = frozenset(np.flatnonzero(start).tolist())
    longest = _longest(graph, edge, situation)
    if longest <= bounded.bound:
        return edge, longest
    proof = prove(graph, situation, edge, longest, time_limit_s)
    found = _longest(graph, proof.edge, situation)
    if found < longest:
        edge, longest = proof.edge, found
    return edge, min(max(bounded.bound, proof.bound), longest)


@lru_cache(maxsize=64)
def _listed(graph: CostGraph) -> tuple[np.ndarray, np.ndarray] | None:
    """Return all cuts of the graph and their totals, if they can be listed."""
    cuts = closed_sets(graph)
    return None if cuts is None else (cuts, CutBatch(graph).totals(cuts))


def _row(graph: CostGraph, plan: CutPlan) -> np.ndarray:
    row = np.zeros(len(graph), dtype=bool)
    row[[graph.index[name] for name in plan.edge]] = True
    return row


def _best_of(
    graph: CostGraph,
    situation: Situation,
    cuts: np.ndarray,
    totals: np.ndarray,
    scale: np.ndarray,
) -> tuple[frozenset[int], Fraction]:
    """Return the best of all cuts: floats rank them, exact numbers decide among near ties."""
    longest = (totals[:, [0, 2, 3]] * scale).max(axis=1)
    near = np.flatnonzero(longest <= longest.min() * (1 + 1e-9))
    edges = (frozenset(np.flatnonzero(cuts[i]).tolist()) for i in near)
    value, edge = min(
        ((_longest(graph, edge, situation), edge) for edge in edges), key=lambda pair: pair[0]
    )
    return edge, value
