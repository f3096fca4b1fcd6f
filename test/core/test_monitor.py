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

"""The monitor in a simulated drive: reaction, steadiness, probes within budget, faults, cost."""

from itertools import pairwise
from pathlib import Path
from statistics import fmean

from dads_ros.monitor.headstart import TELLING_BYTES
from dads_ros.monitor.limits import PolicyLimits
from dads_ros.monitor.link import MessageKey
from dads_ros.monitor.monitor import BUNDLE_OVERHEAD_BYTES
from dads_ros.monitor.monitor import CLOUD_MEMORY_S
from dads_ros.monitor.monitor import Monitor
from dads_ros.monitor.policy import Policy
from dads_ros.monitor.probing import PROBE_LIMIT_BYTES
from dads_ros.monitor.probing import PROBE_OVERHEAD_BYTES
from dads_ros.monitor.probing import ProbeBudget
from dads_ros.monitor.probing import SAVED_S
from dads_ros.partition.build import build_table
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.table import PlanTable
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.frame import StageTimes
from dads_ros.plan import Mode
from dads_ros.simulation.car import Car
from dads_ros.simulation.oracle import Fixed
from dads_ros.simulation.oracle import Oracle
from dads_ros.simulation.run import Run
from dads_ros.simulation.world import World
from dads_ros.trace import load_trace
from dads_ros.trace import Trace
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

NAMES = ('frame', 'pool1', 'pool2', 'pool3', 'pool4', 'conv5', 'detections')
LEAST_BYTES = PROBE_OVERHEAD_BYTES + TELLING_BYTES
SHARES = (0, 8, 6, 5, 6, 10, 65)


def make_table(whole_s: float, slowdown: float = 6.0) -> PlanTable:
    """Return a chain like tiny YOLOv2's: an upload of 23 kB, later tensors from 116 to 11 kB."""
    cloud_ns = tuple(int(share / 100 * whole_s * 1e9) for share in SHARES)
    sizes = (22_900, 116_000, 64_500, 39_700, 22_000, 11_000, 600)

    def costs(forbidden: set[int], encode_ns: int) -> CostGraph:
        return CostGraph(
            ids=NAMES, edges=tuple(pairwise(range(len(NAMES)))), pinned=(0,), outputs=(6,),
            edge_ns=tuple(int(ns * slowdown) for ns in cloud_ns), cloud_ns=cloud_ns,
            output_bytes=sizes, encode_ns=(encode_ns,) * 7, forbidden=frozenset(forbidden),
        )  # fmt: skip

    return build_table(
        {'int8+zstd': costs({0}, 600_000), 'jpeg75': costs({*range(1, 7)}, 1_500_000)}
    )


TABLE = make_table(0.075)
LOCAL, UPLOAD = 0, TABLE.row_of(('frame',), 'jpeg75')


def make_monitor(table: PlanTable = TABLE) -> Monitor:
    return Monitor(Policy(table, '', ('frame',), PolicyLimits()))


def drive(world: World, table: PlanTable = TABLE) -> Run:
    run = Car(world, table, make_monitor(table)).run()
    assert sum(run.outcomes.values()) == int(world.duration_s * world.camera_hz)
    published = [frame.sequence for frame in run.frames if frame.outcome.is_published]
    assert all(before < after for before, after in pairwise(published))
    return run


def steady(mbps: float) -> Trace:
    return Trace((0.0,), (mbps * 1e6,))


def changed_s(run: Run, at_s: float) -> float:
    return min(change.time_s for change in run.switches if change.time_s > at_s) - at_s


@pytest.mark.parametrize('at_s', [10.0, 10.03, 10.06, 10.09])
@pytest.mark.parametrize('mbps', [(8, 0.8), (10, 1), (5, 0.5)])
def test_tenfold_drop_moves_the_cut_within_half_a_second_or_three_frames(mbps, at_s):
    before, after = (rate * 1e6 for rate in mbps)
    run = drive(World(Trace((0.0, at_s), (before, after)), 20.0, 10.0))
    ended = [f.ended_s for f in run.frames if f.outcome.is_published and f.stamp_s >= at_s]
    assert changed_s(run, at_s) <= max(0.5, ended[2] - at_s)
    assert changed_s(run, at_s) <= 0.65


@pytest.mark.parametrize('mbps', [(0.5, 5), (0.6, 3), (0.2, 10)])
def test_rise_moves_the_cut_within_three_seconds(mbps):
    before, after = (rate * 1e6 for rate in mbps)
    run = drive(World(Trace((0.0, 15.0), (before, after)), 25.0, 5.0))
    assert run.row_at(14.9) != UPLOAD
    assert run.row_at(18.0) == UPLOAD


def test_rise_is_seen_by_probes_alone_while_the_car_is_local():
    run = drive(World(Trace((0.0, 15.0), (3e5, 5e6)), 25.0, 3.0), make_table(0.03))
    assert run.row_at(14.9) == LOCAL
    assert run.row_at(18.0) == UPLOAD


@pytest.mark.parametrize(('rtt_s', 'within_s'), [(0.005, 3.0), (0.05, 30.0)])
def test_link_that_was_nearly_dead_is_used_again(rtt_s, within_s):
    trace = Trace((0.0, 5.0, 15.0), (8e6, 0.05e6, 8e6))
    run = drive(World(trace, 15.0 + within_s, 5.0, rtt_s=rtt_s))
    assert run.row_at(14.9) == LOCAL
    assert run.row_at(15.0 + within_s) == UPLOAD


@pytest.mark.parametrize('camera_hz', [2.0, 10.0])
@pytest.mark.parametrize('mbps', [0.3, 1.0, 1.3, 2.0, 5.0, 20.0])
def test_jitter_does_not_move_the_cut_more_than_once_a_second(mbps, camera_hz):
    world = World(steady(mbps), 60.0, camera_hz, rtt_s=0.03, jitter=0.2, seed=int(mbps * 10))
    run = drive(world)
    times_s = [change.time_s for change in run.switches if change.time_s > 2]
    assert all(after - before >= 1.0 for before, after in pairwise(times_s))
    assert len(times_s) <= 12


def test_pause_of_the_cloud_does_not_move_the_cut():
    pauses = tuple((at_s, at_s + 0.2) for at_s in (5.0, 8.03, 11.06))
    run = drive(World(steady(10), 14.0, 10.0, pauses_s=pauses))
    assert [change for change in run.switches if change.time_s > 4] == []


def test_cloud_that_dies_and_returns_is_used_again():
    run = drive(World(steady(10), 30.0, 10.0, pauses_s=((10.0, 15.0),)))
    assert run.row_at(11.5) == LOCAL
    assert run.row_at(14.9) == LOCAL
    assert run.row_at(18.5) == UPLOAD
    ended = [f.ended_s for f in run.frames if f.outcome.is_published]
    # Two frames, the deadline, and the rest of the network on a car that takes 450 ms for it.
    assert max(b - a for a, b in pairwise(ended)) < 0.2 + 0.4 + 0.45


def test_lost_messages_do_not_move_the_cut():
    run = drive(World(steady(10), 60.0, 10.0, rtt_s=0.04, loss=0.01, seed=3))
    assert len([change for change in run.switches if change.time_s > 2]) <= 2
    assert run.outcomes[Outcome.VIA_CLOUD] > 0.95 * len(run.frames)


def test_cut_goes_there_and_back_as_the_rate_falls_and_rises():
    trace = Trace((0.0, 10.0, 25.0), (20e6, 6e5, 20e6))
    run = drive(World(trace, 40.0, 5.0))
    modes = [change.plan.mode for change in run.changes if change.time_s > 2]
    assert run.row_at(9.9) == run.row_at(39.0) == UPLOAD
    assert run.row_at(20.0) not in (UPLOAD, LOCAL)
    assert Mode.HEAVY in modes and modes[-1] is Mode.LIGHT


@settings(max_examples=20)
@example(trace=[8e6, 2e6, 1.9], camera_hz=13.0, jitter=0.0, loss=0.0, seed=26)
@example(trace=[205270.0, 0.0, 1.7e-302], camera_hz=1.0, jitter=0.0, loss=0.0, seed=0)
@given(
    trace=st.lists(st.floats(0, 20e6), min_size=3, max_size=8),
    camera_hz=st.floats(0.5, 30),
    jitter=st.floats(0, 0.3),
    loss=st.floats(0, 0.2),
    seed=st.integers(0, 99),
)
def test_every_frame_is_accounted_for_in_any_world(trace, camera_hz, jitter, loss, seed):
    rates = Trace(tuple(2.0 * i for i in range(len(trace))), tuple(trace))
    world = World(
        rates, 12.0, camera_hz, jitter=jitter, loss=loss, seed=seed, pauses_s=((3.0, 4.5),)
    )
    run = drive(world)
    assert run.outcomes[Outcome.DROPPED_INVALID] == 0
    assert any(frame.outcome.is_published for frame in run.frames)


@given(
    st.lists(st.tuples(st.floats(0.001, 0.5), st.floats(1e4, 1e9), st.booleans()), min_size=1,
             max_size=300),
    st.sampled_from((0.0, 2000.0, 100_000.0)),
)  # fmt: skip
def test_probes_stay_within_their_budget_over_any_window(steps, bundle_bytes):
    budget, now_s = ProbeBudget(), 0.0
    spent: list[tuple[float, float, int]] = []
    allowed = 0.0
    for wait_s, rate_bps, idle in steps:
        now_s += wait_s
        allowed += wait_s * rate_bps * 0.01 / 8
        padding = budget.next_probe(rate_bps, bundle_bytes, now_s, link_is_idle=idle)
        if padding is not None:
            size_bytes = padding + PROBE_OVERHEAD_BYTES
            assert size_bytes <= PROBE_LIMIT_BYTES
            assert size_bytes <= max(rate_bps * 0.01 * SAVED_S / 8, LEAST_BYTES)
            spent.append((now_s, allowed, size_bytes))
    for first in range(len(spent)):
        total = 0
        for _, until, size_bytes in spent[first:]:
            total += size_bytes
            # 1% of the rates over the window, and what a single probe may have saved up.
            assert total <= until - spent[first][1] + PROBE_LIMIT_BYTES + 1


def test_probes_cost_a_hundredth_of_a_steady_link():
    for mbps in (0.1, 1.0, 10.0):
        run = drive(World(steady(mbps), 60.0, 2.0), make_table(0.01))
        assert all(change.row == LOCAL for change in run.changes) or mbps >= 1
        total = sum(size_bytes for time_s, size_bytes in run.probes if time_s > 5)
        assert total * 8 / 55 <= 0.0105 * mbps * 1e6


def stage_times(edge_s: float, cloud_s: float = 0.0, queue_s: float = 0.0) -> StageTimes:
    return StageTimes(edge_s=edge_s, cloud_s=cloud_s, cloud_queue_s=queue_s)


@pytest.mark.parametrize(('rate_hz', 'factor'), [(1, 7), (1000, 3)])  # its own frames queue
def test_speed_factors_come_from_the_plan_that_was_in_force(rate_hz, factor):
    monitor = make_monitor()
    monitor.policy.ask('fixed', ('conv5',), 'int8+zstd')
    plan = monitor.look(0.0).plan
    row = TABLE.rows[monitor.policy.row].totals
    edge_s, cloud_s = row.edge_ns / 1e9, row.cloud_ns / 1e9
    for number in range(9):
        times = stage_times(2 * edge_s, 3 * cloud_s, queue_s=4 * cloud_s)
        monitor.ended(number * 10**9 // rate_hz, Outcome.VIA_CLOUD, plan.plan_id, times)
    situation = monitor.look(1.0).situation
    assert (situation.edge_factor, situation.cloud_factor) == pytest.approx((2, factor))
    assert situation.rate_hz == pytest.approx(rate_hz)
    for number in range(9):  # over its cap: the car computed the whole network under that plan
        times = stage_times(1.5 * TABLE.rows[LOCAL].totals.edge_ns / 1e9)
        monitor.ended(10**10 + number * 10**8, Outcome.LOCAL, plan.plan_id, times)
    assert monitor.look(2.0).situation.edge_factor == pytest.approx(1.5)


def connected_monitor() -> tuple[Monitor, float]:
    """Return a monitor whose plan uploads, and the time."""
    monitor, now_s = make_monitor(), 0.0
    for number in range(6):
        now_s += 0.3
        monitor.look(now_s)
        size_bytes = 96 if number % 2 == 0 else 12_596
        monitor.sent(MessageKey(True, number), size_bytes, now_s)
        monitor.answered(MessageKey(True, number), 0.0, now_s + 0.02 + (size_bytes - 96) * 8 / 1e7)
    monitor.look(now_s + 0.2)
    assert monitor.policy.row == UPLOAD
    return monitor, now_s + 0.2


@pytest.mark.parametrize('outcome', [Outcome.LOCAL_AFTER_MISS, Outcome.LOCAL])
def test_edge_that_gave_up_gets_a_local_plan_and_later_another(outcome):
    monitor, now_s = connected_monitor()
    plan_id = monitor.policy.plan.plan_id if outcome is Outcome.LOCAL_AFTER_MISS else 0
    for number in range(3):
        monitor.ended(number * 10**8, outcome, plan_id, stage_times(0.4))
    plan = monitor.look(now_s).plan
    assert plan is not None and plan.is_local
    assert plan.reason.startswith('3 deadlines missed in a row')


def test_slow_cloud_is_believed_fast_again_after_a_while_on_the_car():
    monitor, now_s = connected_monitor()
    plan_id = monitor.policy.plan.plan_id
    for number in range(9):
        times = stage_times(0.01, 20 * TABLE.rows[UPLOAD].totals.cloud_ns / 1e9)
        monitor.ended(number * 10**8, Outcome.VIA_CLOUD, plan_id, times)
    assert monitor.look(now_s).situation.cloud_factor == pytest.approx(20)
    monitor.policy.ask('local')
    assert monitor.look(now_s + 1).situation.cloud_factor == pytest.approx(20)
    assert monitor.look(now_s + CLOUD_MEMORY_S + 2).situation.cloud_factor == 1.0


def test_traces_of_vehicles(shared: Path):
    """Close to what knowing the trace would give, and to the best plan that never changes."""
    files = sorted((shared / 'traces').glob('*.csv'))
    over_oracle = []
    for file in files:
        trace = load_trace(file)
        for whole_s, camera_hz in ((0.075, 1.5), (0.03, 3.0)):
            table = make_table(whole_s)
            world = World(trace, trace.duration_s, camera_hz, rtt_s=0.05, jitter=0.2)
            ours = drive(world, table).mean_delay_s
            oracle = Car(world, table, Oracle(world, table, BUNDLE_OVERHEAD_BYTES)).run()
            fixed = [Car(world, table, Fixed(table, row)).run() for row in range(len(table))]
            over_oracle.append(ours / oracle.mean_delay_s)
            # By another seed the same trace comes out by up to 0.03 better or worse.
            assert over_oracle[-1] <= 1.08, file.name
            assert ours <= 1.03 * min(run.mean_delay_s for run in fixed), file.name
    assert fmean(over_oracle) <= 1.03
