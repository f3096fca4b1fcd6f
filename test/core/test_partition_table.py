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

"""The plan table: look-ups, rows, JSON, and tables of graphs too large to list."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
import json
import random

from dads_ros.bench.partition.measure import random_dag
from dads_ros.bench.partition.measure import random_situation
from dads_ros.errors import GraphError
from dads_ros.errors import PlanError
from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.partition.build import _efficient
from dads_ros.partition.build import build_table
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.costs import CutTotals
from dads_ros.partition.heavy import dsh
from dads_ros.partition.ideals import closed_sets
from dads_ros.partition.light import dsl
from dads_ros.partition.paper import tiny_yolov2_costs
from dads_ros.partition.plan import Mode
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

UPLINKS = (0.13e6, 1.1e6, 5.85e6, 18.88e6)


@pytest.fixture(scope='module')
def table() -> PlanTable:
    return build_table({'raw': tiny_yolov2_costs()})


@pytest.fixture(scope='module')
def large() -> CostGraph:
    return random_dag(60, seed=3)


def test_heavy_plan_of_the_papers_network(table: PlanTable) -> None:
    plan = table.plan(Situation(18.88e6), 'heavy')
    assert plan.boundary == ('max2',)
    assert plan.max_stage_s == pytest.approx(0.2812, abs=1e-4)
    assert plan.max_rate_hz == pytest.approx(1 / plan.max_stage_s)


def test_auto_is_light_while_the_light_plan_keeps_up(table: PlanTable) -> None:
    for uplink in UPLINKS:
        light = table.plan(Situation(uplink), 'light')
        slow = Situation(uplink, rate_hz=0.99 / light.max_stage_s)
        fast = Situation(uplink, rate_hz=1.01 / light.max_stage_s)
        assert table.plan(slow) == table.plan(slow, 'light')
        assert table.plan(fast).mode == 'heavy'


def test_rows_are_found_and_evaluated(table: PlanTable) -> None:
    situation = Situation(1.1e6, 0.02, 2.0, 0.5)
    plan = table.plan(situation, 'light')
    row = table.row_of(plan.boundary, plan.codec)
    assert row == plan.row
    again = table.evaluate(row, situation, 'light')
    assert again.delay_s == plan.delay_s
    assert again.lower_bound_s == 0
    assert table.row_of((), 'whatever') == table.local_row
    with pytest.raises(PlanError, match='no row'):
        table.row_of(('max2', 'max3'), 'raw')


def test_row_that_needs_a_link_takes_for_ever_without(table: PlanTable) -> None:
    row = table.plan(Situation(1e9), 'light').row
    assert table.evaluate(row, Situation(0), 'light').delay_s == float('inf')
    assert table.evaluate(table.local_row, Situation(0), 'light').delay_s < 2


def test_json_keeps_every_answer(large: CostGraph) -> None:
    table = build_table({'raw': large})
    again = PlanTable.from_json(json.loads(json.dumps(table.to_json())))
    rng = random.Random(0)
    for _ in range(50):
        situation = random_situation(rng)
        assert again.plan(situation) == table.plan(situation)


@pytest.mark.parametrize('data', [{}, [], {'format': 1}, {'format': 1, 'ids': [], 'rows': [{}]}])
def test_malformed_json_is_refused(data: object) -> None:
    with pytest.raises(PlanError, match='build it again'):
        PlanTable.from_json(data)  # type: ignore[arg-type]


def test_large_graph_light_is_exact_and_heavy_after_a_solve(large: CostGraph) -> None:
    assert closed_sets(large) is None
    graphs = {'raw': large}
    table = build_table(graphs)
    rng = random.Random(1)
    for _ in range(25):
        situation = random_situation(rng)
        light = dsl(graphs, situation)
        assert table.plan(situation, 'light').delay_s == pytest.approx(light.delay_s, rel=1e-9)
        solved = dsh(graphs, situation)
        heavy = table.plan(situation, 'heavy')
        assert heavy.lower_bound_s <= solved.max_stage_s <= heavy.max_stage_s * (1 + 1e-9)
        table = table.with_row(graphs, solved)
        assert table.with_row(graphs, solved) is table
        assert table.plan(situation, 'heavy').max_stage_s == pytest.approx(solved.max_stage_s)


def test_peak_bytes_count_when_heavy_and_mean_bytes_when_light() -> None:
    graph = CostGraph(
        ('in', 'a'), ((0, 1),), (0,), (1,), (0, 4 * 10**9), (0, 0), (10**6, 0), (2 * 10**6, 0)
    )
    table = build_table({'jpeg': graph})
    situation = Situation(8e6)
    assert table.plan(situation, 'light').transfer_s == 1.0
    assert table.plan(situation, 'heavy').transfer_s == 2.0


def test_heavy_ties_go_to_the_least_delay() -> None:
    graph = CostGraph(
        ('in', 'a', 'b'), ((0, 1), (1, 2)), (0,), (2,), (0, 2, 9), (0, 3, 1), (5, 5, 0)
    )
    table = build_table({'raw': graph})
    longest = [
        table.evaluate(row, Situation(8e9), 'heavy').max_stage_s for row in range(len(table))
    ]
    assert sorted(longest) == pytest.approx([5e-9, 5e-9, 11e-9])
    assert table.plan(Situation(8e9), 'heavy').edge == ('in', 'a')


@given(st.floats(1e5, 1e8), st.floats(1.0, 40.0), st.floats(0.0, 0.5), st.floats(0.0, 0.2))
def test_the_soonest_of_the_plans_that_give_as_many_frames(
    table: PlanTable, uplink_bps: float, edge_factor: float, enough_s: float, nearly: float
) -> None:
    situation = Situation(uplink_bps, 0.01, edge_factor)
    least = table.plan(situation, 'heavy')
    soonest = table.plan_soonest(situation, enough_s, nearly)
    assert soonest.delay_s <= least.delay_s
    limit_s = max(enough_s, least.max_stage_s * (1 + nearly))
    assert soonest.max_stage_s <= limit_s * (1 + 1e-9)
    for row in range(len(table)):
        other = table.evaluate(row, situation, 'heavy')
        assert other.delay_s >= soonest.delay_s - 1e-9 or other.max_stage_s > limit_s * (1 - 1e-9)


@given(st.floats(1e5, 1e8), st.floats(0.0, 1e4), st.floats(0.0, 2e4), st.floats(1.0, 40.0))
def test_what_every_bundle_costs_and_saves_is_weighed_against_the_car_alone(
    table: PlanTable, uplink_bps: float, overhead: float, head_start: float, edge_factor: float
) -> None:
    situation = Situation(
        uplink_bps, 0.01, edge_factor, overhead_bits=overhead, head_start_bits=head_start
    )
    light = table.plan(situation, 'light')
    for number, row in enumerate(table.rows):
        plan = table.evaluate(number, situation, 'light')
        assert light.delay_s <= plan.delay_s * (1 + 1e-9)
        if row.totals.uses_cloud:
            bits = row.totals.mean_bytes * 8 + overhead - head_start
            assert plan.transfer_s == pytest.approx(max(0.0, bits) / uplink_bps)
            # Bundles that queue have no head start.
            queued = table.evaluate(number, situation, 'heavy')
            bits = row.totals.peak_bytes * 8 + overhead
            assert queued.transfer_s == pytest.approx(bits / uplink_bps)
        else:
            assert plan.transfer_s == 0


@given(st.floats(1e4, 1e9), st.floats(1.0, 40.0), st.sampled_from(('light', 'heavy', 'auto')))
def test_a_row_that_is_no_choice_is_evaluated_but_never_chosen(
    large: CostGraph, uplink_bps: float, edge_factor: float, mode: Mode
) -> None:
    table = build_table({'raw': large})
    best = replace(table.rows[-1], codec='int4', totals=CutTotals(0, 1, 1, 0, uses_cloud=True))
    grown = copy(table)
    number = grown.add(best, is_choice=False)
    assert number == len(table) == len(grown) - 1
    situation = Situation(uplink_bps, 0.01, edge_factor)
    assert grown.plan(situation, mode) == table.plan(situation, mode)
    assert grown.plan_soonest(situation, 0.0, 0.1) == table.plan_soonest(situation, 0.0, 0.1)
    plan = grown.evaluate(number, situation, 'light')
    assert plan.delay_s == pytest.approx(0.01 + 8 / uplink_bps)
    assert (plan.codec, plan.row) == ('int4', number)
    grown.add(replace(best, codec='int8'))
    assert grown.plan(situation, mode).row == number + 1


def test_staircase_keeps_what_no_other_row_beats() -> None:
    rng = np.random.default_rng(0)
    for columns in (rng.integers(0, 5, (300, 3)), rng.random((300, 3))):
        costs = np.array(columns, dtype=float)
        kept = costs[_efficient(costs)]
        assert len(np.unique(kept, axis=0)) == len(kept)
        for row in costs:
            assert (kept <= row).all(axis=1).any()
        for i, row in enumerate(kept):
            assert not (np.delete(kept, i, axis=0) <= row).all(axis=1).any()


def test_costs_of_a_captured_network() -> None:
    layers = LayerGraph(
        (Layer('x', 'input', (), (1,), 'uint8'), Layer('y', 'conv', ('x', 'x'), (1,), 'uint8')),
        ('y',), 'hash',
    )  # fmt: skip
    costs = {'x': 1, 'y': 2}
    graph = CostGraph.from_layers(
        layers, edge_ns=costs, cloud_ns=costs, output_bytes=costs, forbidden=['x']
    )
    assert graph.edges == ((0, 1),)
    assert graph.forbidden == {0}
    assert graph.peak_bytes == (1, 2)
    assert dsl({'raw': graph}, Situation(1e9)).boundary == ()
    with pytest.raises(GraphError, match="'y' has no edge_ns"):
        CostGraph.from_layers(layers, edge_ns={'x': 1}, cloud_ns=costs, output_bytes=costs)
    with pytest.raises(GraphError, match='negative'):
        CostGraph.from_layers(
            layers, edge_ns={'x': 1, 'y': -1}, cloud_ns=costs, output_bytes=costs
        )


@pytest.mark.parametrize('bad', [{'uplink_bps': -1.0}, {'uplink_bps': float('nan')}])
def test_impossible_situation_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(PlanError, match='uplink_bps must be'):
        Situation(**bad)
