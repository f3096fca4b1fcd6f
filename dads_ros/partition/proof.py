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

"""The exact heavy cut of one graph, or how far it may be off: CP-SAT over closed edge sets."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.light import integers
from dads_ros.partition.situation import Situation

# CP-SAT counts in 64-bit integers. Where the exact integers are larger than this, they are rounded
# down to units of the starting cut's longest stage / 2**45: the bound stays below every cut and a
# sum of 1,000 costs loses less than 1e-10 of it.
_MAX_UNITS = 2**45
_RELATIVE_GAP = 1e-9


@dataclass(frozen=True, slots=True)
class Proof:
    """A closed edge set and a bound, in ns, below the longest stage of all of them."""

    edge: frozenset[int]
    bound: Fraction


def prove(
    graph: CostGraph,
    situation: Situation,
    start: frozenset[int],
    longest: Fraction,
    time_limit_s: float,
) -> Proof:
    """
    Return the cut with the shortest longest stage, with peak bytes, and the bound that proves it.

    One boolean per layer says that it is on the edge, one per tensor that it crosses.

    :param start: a good cut to begin with.
    :param longest: its longest stage in ns; must be positive.
    :param time_limit_s: when it strikes, the best cut found and the bound reached are returned.
    """
    from ortools.sat.python import cp_model

    edge, encode, send, decode, cloud, (ceiling,), scale = _columns(graph, situation, longest)
    model = cp_model.CpModel()
    on_edge = [model.new_bool_var('') for _ in graph.ids]
    crosses = {t: model.new_bool_var('') for t, row in enumerate(graph.consumers) if row}
    for layer in graph.pinned:
        model.add(on_edge[layer] == 1)
    for producer, consumer in graph.edges:
        model.add_implication(on_edge[consumer], on_edge[producer])
        model.add_bool_or(crosses[producer], ~on_edge[producer], on_edge[consumer])
    for tensor in graph.forbidden & crosses.keys():
        model.add(crosses[tensor] == 0)

    sent = list(crosses)
    flags = [*on_edge, *crosses.values()]
    value = model.new_int_var(0, ceiling, '')
    weighted_sum = cp_model.LinearExpr.weighted_sum
    model.add(weighted_sum(flags, edge + [encode[t] for t in sent]) <= value)
    model.add(weighted_sum(list(crosses.values()), [send[t] for t in sent]) <= value)
    off_edge = [-cost for cost in cloud]
    model.add(weighted_sum(flags, off_edge + [decode[t] for t in sent]) + sum(cloud) <= value)
    model.minimize(value)
    for layer, flag in enumerate(on_edge):
        model.add_hint(flag, layer in start)
    boundary = frozenset(graph.boundary(start))
    for tensor, flag in crosses.items():
        model.add_hint(flag, tensor in boundary)

    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_limit_s
    # One search over the full linear relaxation. Two shared out among CP-SAT's strategies left
    # wide graphs of 1,000 layers unproved after 20 s that this one proves in under 3 s.
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.relative_gap_limit = _RELATIVE_GAP
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Proof(start, Fraction(0))
    found = frozenset(i for i, flag in enumerate(on_edge) if solver.boolean_value(flag))
    return Proof(found, max(Fraction(0), Fraction(round(solver.best_objective_bound)) / scale))


def _columns(
    graph: CostGraph, situation: Situation, longest: Fraction
) -> tuple[list[int], list[int], list[int], list[int], list[int], list[int], Fraction]:
    """Return the integer costs of layers and tensors, the ceiling, and the units in a ns."""
    edge_factor, cloud_factor = Fraction(situation.edge_factor), Fraction(situation.cloud_factor)
    per_byte = situation.ns_per_byte
    exact = (
        [edge_factor * cost for cost in graph.edge_ns],
        [edge_factor * cost for cost in graph.encode_ns],
        [per_byte * cost for cost in graph.peak_bytes],
        [cloud_factor * cost for cost in graph.decode_ns],
        [cloud_factor * cost for cost in graph.cloud_ns],
        [longest],
    )
    columns = integers(exact)
    (ceiling,) = columns[-1]
    scale = Fraction(ceiling) / longest
    if ceiling > _MAX_UNITS:
        scale = _MAX_UNITS / longest
        ceiling = _MAX_UNITS
        columns = [[int(cost * scale) for cost in column] for column in exact[:-1]] + [[ceiling]]
    # A cost above the ceiling bars its layer or tensor as any larger one would.
    edge, encode, send, decode, cloud, _ = (
        [min(cost, ceiling + 1) for cost in column] for column in columns
    )
    return edge, encode, send, decode, cloud, [ceiling], scale
