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

"""The testbed's figures, from runs made up so that the answer is known."""

from __future__ import annotations

from dads_ros.bench.testbed.cells import Cell
from dads_ros.bench.testbed.cells import figures
from dads_ros.bench.testbed.docs import page
from dads_ros.bench.testbed.runs import capacity_bytes
from dads_ros.bench.testbed.runs import CAR_ALONE
from dads_ros.bench.testbed.runs import latency
from dads_ros.bench.testbed.runs import own_cost
from dads_ros.bench.testbed.runs import published_hz
from dads_ros.bench.testbed.runs import reactions_s
from dads_ros.bench.testbed.runs import stage_sum_error
from dads_ros.bench.testbed.runs import steady
from dads_ros.bench.testbed.runs import steady_switches
from dads_ros.bench.testbed.runs import unaccounted
from dads_ros.bench.testbed.runs import wire_s
from dads_ros.bench.testbed.table import light_hz
from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import LinkKind
from dads_ros.report.schema import LinkSetup
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunInfo
from dads_ros.report.schema import RunRecord
from dads_ros.report.schema import SlowdownKind
from hypothesis import given
from hypothesis import strategies as st
import pytest

GRAPH = LayerGraph(
    (
        Layer('frame', 'placeholder', (), (1, 4), 'uint8'),
        Layer('end', 'relu', ('frame',), (1, 4), 'uint8'),
    ),
    ('end',),
    'hash',
)


def frame(number: int, t_s: float, total_s: float = 0.5, **changes: object) -> FrameRecord:
    """Return a frame that the cloud finished: 0.1 s on the car, the rest on the way."""
    values: dict[str, object] = {
        'stamp_ns': number, 't_s': t_s, 'sequence': number, 'outcome': Outcome.VIA_CLOUD,
        'plan_id': 1, 'size_bytes': 1000, 'wait_s': 0.0, 'preprocess_s': 0.0, 'edge_s': 0.1,
        'encode_s': 0.0, 'network_s': total_s - 0.1, 'cloud_queue_s': 0.0, 'decode_s': 0.0,
        'cloud_s': 0.0, 'held_s': 0.0, 'total_s': total_s, 'received_ns': 0,
    }  # fmt: skip
    return FrameRecord(**{**values, **changes})  # type: ignore[arg-type]


def plan(t_s: float, codec: str) -> PlanRecord:
    """Return a plan that sends the frame in a codec."""
    return PlanRecord(t_s, 1, Mode.LIGHT, ('frame',), codec, 0, 0, 0, 0, 0, 0, '')


def run_of(
    *frames: FrameRecord,
    plans: tuple[PlanRecord, ...] = (),
    trace: tuple[tuple[float, float], ...] = ((0.0, 1e6),),
) -> RunRecord:
    """Return a run."""
    info = RunInfo(
        'dads', 'd', 'hash', 'clip', 10.0, len(frames),
        LinkSetup(LinkKind.SHAPED, 'made up', trace, 0.0), 1.0, SlowdownKind.NONE, (), GRAPH,
        '', {}, {}, 0,
    )  # fmt: skip
    return RunRecord(info, frames, (), plans, ())


def test_a_level_counts_only_what_arrived_after_it_had_settled() -> None:
    frames = [frame(i, float(i), 0.5 if i < 10 else 0.2) for i in range(20)]
    run = run_of(*frames, plans=(plan(0, 'raw'),), trace=((0.0, 1e6), (10.0, 2e6)))
    first, second = steady(run, 0, 20.0, 4.0), steady(run, 1, 20.0, 4.0)
    assert (first.frames, first.latency_s) == (6, 0.5)
    assert first.answered_hz == pytest.approx(1.0, rel=0.05)
    assert (second.latency_s, second.longer_than_s) == (0.2, None)
    assert (first.way, first.way_share) == ((('frame',), 'raw'), 1.0)
    assert first.max_stage_s == pytest.approx(0.1)  # the car; a bundle is on the air for 0.011 s


def test_a_level_without_answers_says_how_long_they_were_waited_for() -> None:
    lost = frame(1, 5.0, outcome=Outcome.DROPPED_STALE)
    found = steady(run_of(lost), 0, 10.0, 4.0)
    assert (found.latency_s, found.max_stage_s, found.answered_hz) == (None, None, 0.0)
    assert found.longer_than_s == 0.5


def test_the_way_of_most_frames_is_told_with_its_share() -> None:
    frames = [frame(i, float(i), outcome=Outcome.LOCAL) for i in range(3)]
    run = run_of(*frames, frame(3, 3.0), plans=(plan(0, 'raw'),))
    found = steady(run, 0, 10.0, 0.0)
    assert (found.way, found.way_share) == (CAR_ALONE, 0.75)


def test_a_slow_rate_is_counted_from_frame_to_frame() -> None:
    frames = [frame(i, 0.9 * i, 0.5) for i in range(30)]
    assert published_hz(frames, 5.0, 8.0) == pytest.approx(1 / 0.9)
    assert published_hz(frames[:5], 3.0, 10.0) < 0.4  # nothing came any more


def test_a_bundle_on_the_air_has_headers() -> None:
    assert wire_s(0, 1e6) == 0.0
    assert 1.02 * 0.8 < wire_s(100_000, 1e6) < 1.04 * 0.8


def test_latency_leaves_out_what_arrived_before_the_trace_began() -> None:
    run = run_of(frame(1, 1.0, 9.0), frame(2, 3.0, 1.0), frame(3, 4.0, 2.0), trace=((2.0, 1e6),))
    found = latency(run)
    assert (found.answered, found.mean_s) == (2, 1.5)


@given(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)))
def test_every_frame_that_is_missing_or_doubled_is_counted(
    missing: set[int], doubled: set[int]
) -> None:
    doubled -= missing
    kept = [number for number in range(1, 51) if number not in missing]
    frames = [frame(i, i / 10) for i in sorted([*kept, *doubled])]
    assert unaccounted(run_of(*frames), still_s=0.6) == len(missing) + len(doubled)


def test_frames_still_under_way_are_not_missing() -> None:
    frames = [frame(i, i / 10) for i in range(1, 51) if i not in (48, 49)]
    assert unaccounted(run_of(*frames), still_s=1.0) == 0
    assert unaccounted(run_of(*frames), still_s=0.0) == 2


def test_a_reaction_is_the_next_other_cut_before_the_next_step() -> None:
    plans = (plan(0, 'raw'), plan(10.1, 'raw'), plan(10.4, 'zstd'), plan(40.0, 'raw'))
    trace = ((0.0, 1e7), (10.0, 1e6), (20.0, 1e7), (39.0, 1e6))
    assert reactions_s(run_of(plans=plans, trace=trace)) == [pytest.approx(0.4), None, 1.0]


def test_switches_are_counted_once_settled() -> None:
    frames = (frame(1, 0.0), frame(2, 15.0))
    plans = (plan(0, 'raw'), plan(1, 'zstd'), plan(8, 'raw'), plan(9, 'raw'))
    assert steady_switches(run_of(*frames, plans=plans)) == pytest.approx(0.1)


def test_stages_that_do_not_add_up_are_found() -> None:
    assert stage_sum_error(run_of(frame(1, 0.0))) == pytest.approx(0)
    off = frame(2, 1.0, 1.0, network_s=0.5)
    assert stage_sum_error(run_of(frame(1, 0.0), off)) == pytest.approx(0.4)


@given(st.lists(st.floats(0.1, 5), min_size=1, max_size=8), st.floats(0.1, 30))
def test_a_steady_trace_in_pieces_carries_what_one_does(
    steps: list[float], seconds: float
) -> None:
    trace = [(sum(steps[:i]), 8e6) for i in range(len(steps))]
    assert capacity_bytes(trace, seconds) == pytest.approx(1e6 * seconds)


def test_cost_is_what_is_no_payload() -> None:
    run = run_of(frame(1, 0.0), frame(2, 1.0))
    cost = own_cost(
        run, {'uplink_bytes': 2500, 'seconds': 2.0, 'monitor_cpu_s': 0.01, 'probe_bps': 9e3}
    )
    assert cost.of_sent == pytest.approx(0.2)
    assert cost.of_link == pytest.approx(0.009)
    assert cost.monitor_cpu == pytest.approx(0.005)
    assert own_cost(run, {'uplink_bytes': 2500, 'seconds': 2.0}).monitor_cpu is None


def cell(
    method: str, load: str, latency_s: float | None, throughput_hz: float | None, **more: float
) -> Cell:
    """Return a cell of one network and uplink."""
    values = {'longer_than_s': None, 'max_stage_s': None, **more}
    return Cell(
        'nin', 1.1, load, method, 'way', 1, latency_s, throughput_hz=throughput_hz, **values
    )  # type: ignore[arg-type]


def test_gains_and_the_worst_cell() -> None:
    found = figures([
        cell('ours', 'light', 1.0, 2.0), cell('edge-only', 'light', 6.0, 0.5),
        cell('cloud-only raw', 'light', 0.8, 1.0),
        cell('ours', 'heavy', 3.0, 10.0), cell('edge-only', 'heavy', None, 1.0),
        cell('cloud-only raw', 'heavy', None, None),
    ])  # fmt: skip
    assert found['latency_gain_over_edge_only'] == 6.0
    assert found['latency_gain_over_cloud_raw'] == 0.8
    assert found['throughput_gain_over_edge_only'] == 10.0
    assert found['throughput_gain_over_cloud_raw'] == 2.0
    assert found['worst_over_best_static'] == pytest.approx(1.25)


def test_who_never_answered_took_at_least_as_long_as_it_was_waited_for() -> None:
    found = figures([
        cell('ours', 'light', 2.0, 0.5), cell('cloud-only raw', 'light', None, None,
                                              longer_than_s=20.0),
    ])  # fmt: skip
    assert found['latency_gain_over_cloud_raw'] == 10.0
    assert found['throughput_gain_over_cloud_raw'] == 10.0
    assert found['worst_over_best_static'] is None


def test_throughput_is_held_against_the_longest_stage_and_the_camera() -> None:
    found = figures([
        cell('ours', 'heavy', 0.1, 19.0, max_stage_s=0.01),
        cell('ours', 'light', 0.1, 1.0, max_stage_s=0.9),
    ])  # fmt: skip
    assert found['throughput_over_max_stage'] == pytest.approx(0.95)
    slow = figures([cell('ours', 'heavy', 0.5, 4.0, max_stage_s=0.2)])
    assert slow['throughput_over_max_stage'] == pytest.approx(0.8)


def test_no_way_can_detect_more_than_the_camera_delivers() -> None:
    found = figures([cell('ours', 'heavy', 0.1, 20.0), cell('cloud-only raw', 'heavy', 0.1, 50.0)])
    assert found['worst_over_best_static'] == 1.0


def test_without_drives_nothing_is_claimed() -> None:
    found = figures([])
    assert found['worst_over_best_static'] is None
    assert found['latency_gain_over_edge_only'] is None


@pytest.mark.parametrize(('whole_s', 'hz'), [(0.05, 2.0), (0.1, 1.0), (0.4, 1.0), (2.0, 0.25)])
def test_light_load_is_a_tenth_but_not_too_rare(whole_s: float, hz: float) -> None:
    assert light_hz(whole_s) == pytest.approx(hz)


def test_the_page_says_what_was_not_measured() -> None:
    text = page({
        **figures([]), 'seconds': 1.0, 'edge_slowdown': 10.96,
        'traces': {}, 'left_out': ['trace x, dads'],
    })  # fmt: skip
    assert '| worst cell against the best of the others | not measured | at most 1.03 |' in text
    assert 'Not driven, for lack of time: trace x, dads.' in text
