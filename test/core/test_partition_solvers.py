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

"""Every solver against brute force over all closed sets, on small graphs of every kind."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
import importlib

from dads_ros.partition import network
from dads_ros.partition.baselines import METHODS
from dads_ros.partition.build import build_table
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.heavy import dsh
from dads_ros.partition.light import delay_weights
from dads_ros.partition.light import dsl
from dads_ros.partition.network import FlowNetwork
from dads_ros.partition.reference import reference_dsl
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

# Zero, tiny, ties, ordinary, and far beyond what 64-bit sums can hold.
COSTS = st.one_of(
    st.sampled_from([0, 1, 7, 7, 10**12]),
    st.integers(0, 10**8),
    st.fractions(min_value=0, max_value=1000, max_denominator=10**9),
    st.just(10**24),
)
RATES = st.sampled_from([1.0, 1e5, 1.1e6, 8e6, 1e12])
FACTORS = st.sampled_from([0.0, 0.3, 1.0, 1.0, 6.0])
SITUATIONS = st.builds(
    Situation,
    uplink_bps=RATES,
    rtt_s=st.sampled_from([0.0, 0.02, 5.0]),
    edge_factor=FACTORS,
    cloud_factor=FACTORS,
)


@st.composite
def cost_graphs(draw: st.DrawFn, most: int = 14, costs: st.SearchStrategy = COSTS) -> CostGraph:
    """Draw a DAG: chains, branches, several inputs and outputs, layers that nobody reads."""
    size = draw(st.integers(1, most))
    edges = set()
    for layer in range(1, size):
        for _ in range(draw(st.integers(0, 3))):
            edges.add((draw(st.integers(0, layer - 1)), layer))
    pinned = draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=2))

    def column() -> tuple:
        return tuple(draw(st.lists(costs, min_size=size, max_size=size)))

    return CostGraph(
        ids=tuple(f'n{i}' for i in range(size)),
        edges=tuple(sorted(edges)),
        pinned=tuple(sorted(pinned)),
        outputs=(size - 1,),
        edge_ns=column(),
        cloud_ns=column(),
        output_bytes=column(),
        peak_bytes=draw(st.sampled_from([(), column()])),
        encode_ns=draw(st.sampled_from([(), column()])),
        decode_ns=draw(st.sampled_from([(), column()])),
        forbidden=frozenset(draw(st.sets(st.integers(0, size - 1), max_size=2))),
    )


def brute_force(graph: CostGraph, situation: Situation) -> tuple[Fraction, Fraction]:
    """Return the least delay and the shortest longest stage in ns, from the definitions alone."""
    delays, longest = [], []
    masks = np.arange(2 ** len(graph))
    legal = np.ones(len(masks), dtype=bool)
    for layer in graph.pinned:
        legal &= masks >> layer & 1 == 1
    for producer, consumer in graph.edges:
        legal &= masks >> producer & 1 >= masks >> consumer & 1
    for mask in masks[legal].tolist():
        choice = [mask >> i & 1 for i in range(len(graph))]
        sent = {a for a, b in graph.edges if choice[a] and not choice[b]}
        if sent & graph.forbidden:
            continue
        edge = sum(graph.edge_ns[i] for i, here in enumerate(choice) if here)
        edge += sum(graph.encode_ns[i] for i in sent)
        cloud = sum(graph.cloud_ns[i] for i, here in enumerate(choice) if not here)
        cloud += sum(graph.decode_ns[i] for i in sent)
        edge *= Fraction(situation.edge_factor)
        cloud *= Fraction(situation.cloud_factor)
        per_byte = Fraction(8 * 10**9) / Fraction(situation.uplink_bps)
        mean = sum(graph.output_bytes[i] for i in sent) * per_byte
        peak = sum(graph.peak_bytes[i] for i in sent) * per_byte
        trip = 0 if all(choice) else Fraction(situation.rtt_s) * 10**9
        delays.append(edge + mean + cloud + trip)
        longest.append(max(edge, peak, cloud))
    return min(delays), min(longest)


def close(seconds: float, ns: Fraction) -> bool:
    return seconds == pytest.approx(float(ns / 10**9), rel=1e-9, abs=1e-300)


def check_closed(graph: CostGraph, edge: tuple[str, ...]) -> None:
    members = frozenset(graph.index[name] for name in edge)
    assert graph.is_closed(members)
    assert not graph.forbidden & set(graph.boundary(members))


@settings(max_examples=500)
@given(cost_graphs(), SITUATIONS)
def test_light_and_heavy_are_optimal(graph: CostGraph, situation: Situation) -> None:
    delay, longest = brute_force(graph, situation)
    light = dsl({'raw': graph}, situation)
    heavy = dsh({'raw': graph}, situation)
    assert close(light.delay_s, delay)
    assert close(heavy.max_stage_s, longest)
    assert light.gap == 0
    assert heavy.gap == 0
    for plan in (light, heavy):
        check_closed(graph, plan.edge)


# The relaxation's tolerance and the margin for it are 1e-7 each, and a rounding more together.
@pytest.mark.parametrize(('prover', 'gap'), [('proof', 2e-9), ('relaxation', 2.1e-7)])
@settings(max_examples=60)
@given(cost_graphs(most=9), SITUATIONS)
def test_heavy_proof_by_each_solver_is_optimal(
    prover: str, gap: float, graph: CostGraph, situation: Situation
) -> None:
    _, longest = brute_force(graph, situation)
    only = importlib.import_module(f'dads_ros.partition.{prover}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('dads_ros.partition.heavy._listed', lambda _: None)
        patch.setattr('dads_ros.partition.heavy._PROVERS', ((only, 1.0),))
        heavy = dsh({'raw': graph}, situation)
    check_closed(graph, heavy.edge)
    assert close(heavy.max_stage_s, longest)
    assert heavy.lower_bound_s <= heavy.max_stage_s
    assert heavy.gap < gap


@settings(max_examples=80)
@given(cost_graphs(), SITUATIONS)
def test_reference_agrees_with_the_fast_cut(graph: CostGraph, situation: Situation) -> None:
    assert reference_dsl(graph, situation).delay_s == dsl({'raw': graph}, situation).delay_s


@settings(max_examples=80)
@given(cost_graphs(), SITUATIONS)
def test_flow_in_rounds_is_exact(graph: CostGraph, situation: Situation) -> None:
    weights = delay_weights(graph, situation)

    def value(edge: frozenset[int]) -> int:
        here = sum(weights.edge[i] for i in edge) + sum(
            weights.send[i] for i in graph.boundary(edge)
        )
        return here + sum(cost for i, cost in enumerate(weights.cloud) if i not in edge)

    exact = FlowNetwork(graph).least_cut(weights.edge, weights.send, weights.cloud)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, '_MAX_BITS', 24)  # many rounds
        finished = FlowNetwork(graph).least_cut(weights.edge, weights.send, weights.cloud)
    assert value(finished) == value(exact)


INTEGER_COSTS = st.one_of(st.sampled_from([0, 1, 5, 5]), st.integers(0, 10**8))


@settings(max_examples=80)
@given(cost_graphs(most=9, costs=INTEGER_COSTS), SITUATIONS)
def test_complete_table_is_optimal(graph: CostGraph, situation: Situation) -> None:
    table = build_table({'raw': graph})
    assert table.complete
    check_table(table, graph, situation)
    assert PlanTable.from_json(table.to_json()).plan(situation) == table.plan(situation)


@settings(max_examples=80)
@given(cost_graphs(most=9, costs=INTEGER_COSTS), SITUATIONS)
def test_supported_table_is_optimal_when_light(graph: CostGraph, situation: Situation) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('dads_ros.partition.build.closed_sets', lambda _: None)
        table = build_table({'raw': graph})
    assert not table.complete
    delay, longest = brute_force(graph, situation)
    assert close(table.plan(situation, 'light').delay_s, delay)
    heavy = table.plan(situation, 'heavy')
    assert heavy.lower_bound_s * 1e9 <= longest * (1 + 1e-9)
    table = table.with_row({'raw': graph}, dsh({'raw': graph}, situation))
    assert close(table.plan(situation, 'heavy').max_stage_s, longest)


def check_table(table: PlanTable, graph: CostGraph, situation: Situation) -> None:
    delay, longest = brute_force(graph, situation)
    light, heavy = table.plan(situation, 'light'), table.plan(situation, 'heavy')
    assert close(light.delay_s, delay)
    assert close(heavy.max_stage_s, longest)
    for plan in (light, heavy):
        check_closed(graph, plan.edge)
        assert plan.edge == table.evaluate(plan.row, situation, plan.mode).edge


@settings(max_examples=60)
@given(cost_graphs(most=8), st.permutations(range(8)), SITUATIONS)
def test_codecs_are_chosen_together_with_cuts(
    graph: CostGraph, order: list[int], situation: Situation
) -> None:
    """Another codec has the same layers, with other sizes and times to encode."""
    places = [i for i in order if i < len(graph)]
    other = replace(
        graph,
        output_bytes=tuple(graph.output_bytes[i] for i in places),
        peak_bytes=tuple(graph.peak_bytes[i] for i in places),
        encode_ns=tuple(graph.decode_ns[i] for i in places),
    )
    delay, longest = map(
        min, zip(*(brute_force(g, situation) for g in (graph, other)), strict=True)
    )
    graphs = {'a': graph, 'b': other}
    assert close(dsl(graphs, situation).delay_s, delay)
    assert close(dsh(graphs, situation).max_stage_s, longest)


@settings(max_examples=40)
@given(cost_graphs(), SITUATIONS)
def test_no_baseline_beats_the_exact_plans(graph: CostGraph, situation: Situation) -> None:
    graphs = {'raw': _plain(graph)}
    for name, method in METHODS.items():
        if name in ('ours', 'cloud-only JPEG'):
            continue
        light, heavy = (method(graphs, situation, load) for load in ('light', 'heavy'))
        assert light.delay_s >= dsl(graphs, situation).delay_s
        assert heavy.max_stage_s >= dsh(graphs, situation).max_stage_s * (1 - 1e-9)
        for plan in (light, heavy):
            check_closed(graphs['raw'], plan.edge)


def _plain(graph: CostGraph) -> CostGraph:
    """Return the graph as the paper's methods see it: nothing forbidden, one size per tensor."""
    return CostGraph(
        graph.ids, graph.edges, graph.pinned, graph.outputs,
        graph.edge_ns, graph.cloud_ns, graph.output_bytes,
    )  # fmt: skip
