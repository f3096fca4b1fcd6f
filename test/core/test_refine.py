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


from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
import io
import os
from pathlib import Path
import pickle
import random
import signal
import time
from types import SimpleNamespace

from dads_ros.bench.partition.measure import random_dag
from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.monitor import exact
from dads_ros.monitor import refine
from dads_ros.monitor.exact import Answer
from dads_ros.monitor.exact import ExactSolver
from dads_ros.monitor.refine import RefinedTable
from dads_ros.monitor.watch import make_policy
from dads_ros.partition.build import build_table
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.heavy import dsh
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.partition.table import Row
from dads_ros.plan import Mode
from dads_ros.profiles.planning import cost_graphs
from dads_ros.profiles.planning import Planner
from dads_ros.profiles.profile import CodecCost
from dads_ros.profiles.profile import Profile
from dads_ros.settings import MonitorSettings
import pytest

HEAVY = Situation(2e6, rate_hz=1000.0)
SLOWER = replace(HEAVY, uplink_bps=1.8e6)
NO_LAYERS = LayerGraph((), (), 'hash')


@pytest.fixture(scope='module')
def graph() -> CostGraph:
    return random_dag(60, seed=3)


@pytest.fixture
def known(graph: CostGraph) -> PlanTable:
    """Return a table without the cuts that heavy load needs."""
    table = build_table({'raw': graph})
    best_s = dsh({'raw': graph}, HEAVY).max_stage_s
    rows = [
        row for i, row in enumerate(table.rows)
        if i == 0 or table.evaluate(i, HEAVY, 'heavy').max_stage_s > best_s * 1.02
    ]  # fmt: skip
    poor = PlanTable(table.ids, rows, complete=False)
    assert poor.plan(HEAVY, 'heavy').max_stage_s > best_s * 1.02
    assert poor.plan(HEAVY, 'heavy').gap > refine.GOOD_GAP
    return poor


@contextmanager
def solver_of(graph: CostGraph | None, limit_s: float = 10.0) -> Iterator[ExactSolver]:
    # Called with a situation and a limit, time.sleep raises TypeError.
    broken = SimpleNamespace(solve=time.sleep, graphs={})
    planner = Planner(NO_LAYERS, {'raw': graph}, None, None) if graph is not None else broken
    solver = ExactSolver(planner, limit_s)  # type: ignore[arg-type]
    try:
        yield solver
    finally:
        solver.close()


def until_told(table: RefinedTable, beginning: str, situation: Situation = HEAVY) -> None:
    end_s = time.monotonic() + 30
    while not table.told().startswith(beginning):
        assert time.monotonic() < end_s, table.told()
        time.sleep(0.02)
        table.plan(situation)


def test_heavy_plan_is_exact_once_the_solver_has_answered(
    graph: CostGraph, known: PlanTable
) -> None:
    with solver_of(graph) as solver:
        table = RefinedTable(known, solver)
        assert table.told() == 'not needed yet'
        before = table.plan(HEAVY)
        assert before == known.plan(HEAVY)
        assert table.told() == 'solving'
        until_told(table, 'uplink 2.00 Mbit/s: proved')
        after = table.plan(HEAVY)
        best = dsh({'raw': graph}, HEAVY)
        assert after.max_stage_s == pytest.approx(best.max_stage_s, rel=1e-9)
        assert after.edge == best.edge
        assert after.row == len(known)  # the rows that others hold by number have kept theirs
        assert table.rows[: len(known)] == known.rows
        assert known.plan(HEAVY) == before


def test_light_plans_ask_for_nothing(known: PlanTable) -> None:
    table = RefinedTable(known, Fake())
    table.plan(HEAVY, 'light')
    table.plan(replace(HEAVY, rate_hz=0.1))
    assert table.told() == 'not needed yet'


def test_decisions_go_on_while_the_solver_hangs(graph: CostGraph, known: PlanTable) -> None:
    with solver_of(graph) as solver:
        os.kill(solver._process.pid, signal.SIGSTOP)
        table = RefinedTable(known, solver)
        for i in range(2000):
            situation = replace(HEAVY, uplink_bps=1e6 + 1e4 * i)
            assert table.plan(situation) == known.plan(situation)
        assert table.told() == 'solving'
        assert len(table) == len(known)


def test_what_a_solver_cannot_do_is_told(known: PlanTable) -> None:
    with solver_of(None) as solver:
        table = RefinedTable(known, solver)
        until_told(table, 'failed: TypeError')
        assert table.plan(HEAVY) == known.plan(HEAVY)


def test_solver_that_dies_is_told_and_done_without(graph: CostGraph, known: PlanTable) -> None:
    with solver_of(graph) as solver:
        table = RefinedTable(known, solver)
        solver._process.kill()
        until_told(table, 'the solver has ended')
        assert table.plan(SLOWER) == known.plan(SLOWER)


def test_close_leaves_neither_process_nor_thread(graph: CostGraph, known: PlanTable) -> None:
    with solver_of(graph) as solver:
        table = RefinedTable(known, solver)
        table.plan(HEAVY)
    assert solver._process.returncode is not None
    assert not solver._thread.is_alive()
    assert solver.failure == ''


class Fake:
    """A solver that answers when it is told to."""

    failure = ''

    def __init__(self) -> None:
        self.asked: list[Situation] = []
        self.answers: list[Answer] = []

    def ask(self, situation: Situation) -> None:
        self.asked.append(situation)

    def take(self) -> Answer | None:
        return self.answers.pop() if self.answers else None


def answer(graph: CostGraph, situation: Situation, gap: float = 0.0) -> Answer:
    plan = dsh({'raw': graph}, situation)
    plan = replace(plan, lower_bound_s=plan.max_stage_s * (1 - gap))
    return Answer(situation, plan, Row.of(graph, plan))


def test_each_situation_is_asked_once(graph: CostGraph, known: PlanTable) -> None:
    solver = Fake()
    table = RefinedTable(known, solver)  # type: ignore[arg-type]
    for factor in (1.0, 1.001, 0.999):
        table.plan(replace(HEAVY, uplink_bps=HEAVY.uplink_bps * factor))
    table.plan(SLOWER)
    assert solver.asked == [HEAVY, SLOWER]
    solver.answers.append(answer(graph, HEAVY))
    table.plan(HEAVY)
    table.plan(SLOWER)
    assert solver.asked == [HEAVY, SLOWER]


def test_gap_of_a_stopped_solve_is_told(graph: CostGraph, known: PlanTable) -> None:
    solver = Fake()
    table = RefinedTable(known, solver)  # type: ignore[arg-type]
    solver.answers.append(answer(graph, HEAVY, gap=0.034))
    table.plan(HEAVY)
    assert table.told() == 'uplink 2.00 Mbit/s: stopped, at most 3.4% above the best'


def test_table_stops_growing(
    graph: CostGraph, known: PlanTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refine, 'MOST_ROWS', 1)
    solver = Fake()
    table = RefinedTable(known, solver)  # type: ignore[arg-type]
    for situation in (HEAVY, HEAVY, SLOWER):
        solver.answers.append(answer(graph, situation))
        table.plan(situation)
    assert len(table) == len(known) + 1
    assert solver.asked == []


def test_rows_asked_for_and_rows_learned_keep_their_numbers(
    graph: CostGraph, known: PlanTable
) -> None:
    solver = Fake()
    table = RefinedTable(known, solver)  # type: ignore[arg-type]
    asked = Row.of(graph, dsh({'raw': graph}, replace(HEAVY, uplink_bps=5e4)))
    number = table.add(replace(asked, codec='other'), is_choice=False)
    solver.answers.append(answer(graph, HEAVY))
    assert table.plan(HEAVY).row == number + 1
    assert table.evaluate(number, HEAVY, 'heavy').edge == table._edge(number)
    assert table.rows[number].codec == 'other'


def test_worker_answers_until_its_pipe_ends(graph: CostGraph) -> None:
    planner = Planner(NO_LAYERS, {'raw': graph}, None, None)
    asked = b''.join(map(pickle.dumps, ((planner, 10.0), HEAVY, SLOWER)))
    answers = io.BytesIO()
    exact.serve(io.BytesIO(asked), answers)
    answers.seek(0)
    for situation in (HEAVY, SLOWER):
        assert pickle.load(answers) == answer(graph, situation)
    assert not answers.read()


def fan(side: str, slowdown: float) -> Profile:
    """Return a made-up profile of a network with too many cuts to list: 24 branches."""
    branches = [f'branch{i}' for i in range(24)]
    layers = LayerGraph(
        (
            Layer('frame', 'input', (), (1, 64, 64, 3), 'uint8'),
            *(Layer(name, 'conv2d', ('frame',), (1, 9 + i), 'float32')
              for i, name in enumerate(branches)),
            Layer('detections', 'detections', tuple(branches), (), 'float32'),
        ),
        ('detections',),
        'a' * 32,
    )  # fmt: skip
    rng = random.Random(0)
    seconds = {name: rng.uniform(1e-3, 9e-3) * slowdown for name in layers.index}
    codecs = {
        layer.id: {'raw': CodecCost(layer.output_bytes, layer.output_bytes, 1e-5, 1e-5)}
        for layer in layers.layers[:-1]
    }
    return Profile(
        graph=layers, detector='net', side=side, machine='made up', device='cpu', threads=1,
        created='', versions={}, frames=1, fit_error=0.0, layer_s=seconds, call_s=0.0,
        codecs=codecs,
    )  # fmt: skip


def test_monitor_puts_a_solver_behind_an_incomplete_table(tmp_path: Path) -> None:
    for side, slowdown in (('edge', 6.0), ('cloud', 1.0)):
        fan(side, slowdown).save(tmp_path / side)
    settings = MonitorSettings(
        edge_profile=str(tmp_path / 'edge'),
        cloud_profile=str(tmp_path / 'cloud'),
        accuracy_budget=0.0,
    )
    policy = make_policy(settings, first_plan_id=1)
    table = policy.table
    assert isinstance(table, RefinedTable)
    try:
        situation = Situation(5e5, rate_hz=100.0)
        plan = policy.update(situation, True, 0.0, frames=1)
        assert plan is not None
        assert plan.mode is Mode.HEAVY
        plan_row = policy.row
        until_told(table, 'uplink 0.50 Mbit/s: proved', situation)
        solved = Planner(fan('both', 1.0).graph, graphs(), 0.0, None).solve(situation, 10.0)
        assert table.plan(situation).max_stage_s == pytest.approx(solved.max_stage_s)
        branches = tuple(f'branch{i}' for i in range(24))
        policy.ask('fixed', branches[::-1], 'raw')
        assert policy.row == plan_row
        fixed = policy.update(situation, True, 1.0, frames=1)
        assert fixed is not None
        assert fixed.boundary == table.rows[policy.row].boundary == branches
    finally:
        table.close()


def graphs() -> dict[str, CostGraph]:
    edge = fan('edge', 6.0)
    return cost_graphs(edge.graph, edge, fan('cloud', 1.0))
