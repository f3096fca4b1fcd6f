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
is where the solvers start; they prove it or find a better one, within a time limit, and the plan's
lower bound says what was proved. The dual alone can be a tenth below the best cut: no certificate.
CP-SAT comes first: it is exact and proves most graphs within a second or two. HiGHS takes what is
left: on some graphs (every layer reads any other; few different costs) it proves in seconds what
CP-SAT has not in minutes, on most it takes two to ten times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
import time

from dads_ros.partition import proof
from dads_ros.partition import relaxation
from dads_ros.partition.batch import CutBatch
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.dual import dual
from dads_ros.partition.evaluate import make_plan
from dads_ros.partition.evaluate import stages
from dads_ros.partition.ideals import closed_sets
from dads_ros.partition.light import dsl
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.search import Climber
from dads_ros.partition.search import stage_scale
from dads_ros.partition.situation import Situation
import numpy as np

_PROVERS = ((proof, 0.4), (relaxation, 1.0))  # and their shares of the time left
_SAME = Fraction(1, 10**9)


@dataclass(frozen=True, slots=True)
class _Found:
    """One graph's best cut so far, its longest stage in ns, and a bound below all of them."""

    codec: str
    edge: frozenset[int]
    longest: Fraction
    bound: Fraction

    def is_open(self, longest: Fraction) -> bool:
        """Return whether this graph may still have a cut with a shorter longest stage."""
        return self.bound < longest * (1 - _SAME)


def dsh(
    graphs: Mapping[str, CostGraph],
    situation: Situation,
    time_limit_s: float = 10.0,
) -> CutPlan:
    """
    Return the plan with the shortest longest stage over all cuts and codecs.

    :param graphs: one cost graph per codec, of the same layers.
    :param time_limit_s: for proving, over all codecs. When it strikes, ``lower_bound_s`` of the
        plan is below its ``max_stage_s``.
    """
    first = next(iter(graphs))
    everything = graphs[first].all_edge
    if not situation.has_link:
        return make_plan(graphs, first, everything, situation, 'heavy')
    local = _longest(graphs[first], everything, situation)
    best = _Found(first, everything, local, local)
    # Those that may hold the best plan come first: what it beats needs no proof.
    found = [_start(codec, graph, situation) for codec, graph in graphs.items()]
    found.sort(key=lambda one: one.bound)
    best = min([best, *found], key=lambda one: one.longest)
    end_s = time.monotonic() + time_limit_s
    for place, one in enumerate(found):
        if one.is_open(best.longest):
            limit_s = max(0.0, end_s - time.monotonic()) / (len(found) - place)
            found[place] = one = _prove(graphs[one.codec], situation, one, limit_s)
            best = min(best, one, key=lambda each: each.longest)
    bound = min(one.bound for one in found)
    return make_plan(graphs, best.codec, best.edge, situation, 'heavy', min(bound, best.longest))


def _longest(graph: CostGraph, edge: frozenset[int], situation: Situation) -> Fraction:
    return stages(graph.totals(edge), situation, 'heavy').longest


def _start(codec: str, graph: CostGraph, situation: Situation) -> _Found:
    """Return one graph's best cut where all can be listed, else a good one, and a bound."""
    scale = stage_scale(situation)
    listed = _listed(graph)
    if listed is not None:
        edge, longest = _best_of(graph, situation, *listed, scale)
        return _Found(codec, edge, longest, longest)
    batch = CutBatch(graph)
    bounded = dual(graph, situation)
    starts = np.array([*bounded.cuts, _row(graph, dsl({'': graph}, situation))])
    nearest = int((batch.totals(starts)[:, [0, 2, 3]] * scale).max(axis=1).argmin())
    climbed = Climber(graph, batch).climb(starts[nearest], scale)
    edge = frozenset(np.flatnonzero(climbed).tolist())
    longest = _longest(graph, edge, situation)
    return _Found(codec, edge, longest, min(bounded.bound, longest))


def _prove(graph: CostGraph, situation: Situation, start: _Found, time_limit_s: float) -> _Found:
    """Return a graph's best cut and bound after each solver has had its time."""
    end_s = time.monotonic() + time_limit_s
    found = start
    for prover, share in _PROVERS:
        limit_s = (end_s - time.monotonic()) * share
        if limit_s <= 0 or not found.is_open(found.longest):
            break
        result = prover.prove(graph, situation, found.edge, found.longest, limit_s)
        edge, longest = min(
            (found.edge, found.longest),
            (result.edge, _longest(graph, result.edge, situation)),
            key=lambda pair: pair[1],
        )
        found = _Found(start.codec, edge, longest, min(max(found.bound, result.bound), longest))
    return found


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
