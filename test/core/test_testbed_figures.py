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
from dads_ros.bench.testbed.levels import light_hz
from dads_ros.bench.testbed.runs import CAR_ALONE
from dads_ros.bench.testbed.runs import latency
from dads_ros.bench.testbed.runs import link_busy_s
from dads_ros.bench.testbed.runs import pace_s
from dads_ros.bench.testbed.runs import published_hz
from dads_ros.bench.testbed.runs import stage_sum_error
from dads_ros.bench.testbed.runs import steady
from dads_ros.bench.testbed.runs import wire_s
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import FrameRecord
import pytest
from testbed_runs import frame
from testbed_runs import plan
from testbed_runs import run_of


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
    assert steady(run_of(), 0, 10.0, 4.0).longer_than_s == 6.0


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


def sent(number: int, sent_s: float, came_s: float, **changes: object) -> FrameRecord:
    """Return a frame whose bundle of 12.2 kB is handed over and comes at these times."""
    return frame(
        number, sent_s - 0.1, came_s - sent_s + 0.1, size_bytes=12_200, **changes
    )  # fmt: skip


def test_a_link_is_as_busy_as_it_was_with_all_that_it_carried_beside_bundles() -> None:
    own_s = wire_s(12_200, 1e6)
    assert own_s == pytest.approx(0.1, rel=0.01)
    # The first finds the link idle; the others wait for each other, and the link carries 20 ms of
    # something else with each.
    queued = [sent(i, 0.05 * i, own_s + 0.01 + 0.12 * i) for i in range(5)]
    found_s = link_busy_s(queued, 1e6, 0.01)
    assert found_s == pytest.approx({0: own_s, 1: 0.12, 2: 0.12, 3: 0.12, 4: 0.12})


def test_a_pause_of_the_link_and_a_bundle_in_vain_are_nothing_that_it_is_busy_with() -> None:
    own_s = wire_s(12_200, 1e6)
    apart = [sent(i, 1.0 * i, 1.0 * i + own_s + 0.01) for i in range(3)]
    assert link_busy_s(apart, 1e6, 0.01) == pytest.approx({0: own_s, 1: own_s, 2: own_s})
    vain = sent(1, 0.05, 5.0, outcome=Outcome.DROPPED_STALE)
    first, last = sent(0, 0.0, own_s), sent(2, 0.1, 3 * own_s)
    for ended in ([first, vain, last], [first, last, vain]):  # records are in the order of ends
        assert link_busy_s(ended, 1e6, 0.0) == pytest.approx({0: own_s, 2: own_s})


def test_a_frame_takes_the_longest_stage_of_ten_in_a_row_or_the_cameras_period() -> None:
    # A cloud that needs 40 ms, now and then 60, keeps up with 50; one that needs 60 for a second
    # and more does not, and has not caught up when it needs 40 again.
    def made(*cloud_s: float) -> list[FrameRecord]:
        return [frame(i, 0.05 * i, edge_s=0.01, cloud_s=s) for i, s in enumerate(cloud_s)]

    mixed = made(*(0.06 if i % 4 == 0 else 0.04 for i in range(40)))
    assert pace_s(mixed, {}, 0.05) == pytest.approx(0.05)
    slower = made(*(0.06 if i >= 30 else 0.04 for i in range(40)))
    assert pace_s(slower, {}, 0.05) == pytest.approx((30 * 0.05 + 10 * 0.06) / 40)
    assert pace_s(slower, dict.fromkeys(range(40), 0.2), 0.05) == pytest.approx(0.2)
    assert pace_s([], {}, 0.05) is None


def test_latency_leaves_out_what_arrived_before_the_trace_began() -> None:
    run = run_of(frame(1, 1.0, 9.0), frame(2, 3.0, 1.0), frame(3, 4.0, 2.0), trace=((2.0, 1e6),))
    found = latency(run)
    assert (found.answered, found.mean_s, found.share) == (2, 1.5, 1.0)
    assert found.answered_hz == pytest.approx(2 / 4)


def test_latency_from_the_camera_has_the_way_of_the_image_in_it() -> None:
    sent = frame(1, 3.0, 1.0, stamp_ns=10**9, received_ns=5 * 10**9)
    assert latency(run_of(sent), camera_zero_ns=3_500_000_000).mean_s == pytest.approx(1.5)


def test_stages_that_do_not_add_up_are_found() -> None:
    assert stage_sum_error(run_of(frame(1, 0.0))) == pytest.approx(0)
    off = frame(2, 1.0, 1.0, network_s=0.5)
    assert stage_sum_error(run_of(frame(1, 0.0), off)) == pytest.approx(0.4)


def cell(
    method: str, load: str, latency_s: float | None, throughput_hz: float | None, **more: float
) -> Cell:
    """Return a cell of one network and uplink."""
    values = {'longer_than_s': None, 'max_stage_s': None, 'pace_s': None, **more}
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
    assert found['throughput_gain_over_cloud_raw'] is None  # who never answered has no rate
    assert found['worst_over_best_static'] == pytest.approx(1.25)


def test_who_never_answered_took_at_least_as_long_as_it_was_waited_for() -> None:
    found = figures([
        cell('ours', 'light', 2.0, 0.5), cell('cloud-only raw', 'light', None, None,
                                              longer_than_s=20.0),
    ])  # fmt: skip
    assert found['latency_gain_over_cloud_raw'] == 10.0
    assert found['worst_over_best_static'] is None


def test_where_only_ours_never_answered_it_is_the_worst() -> None:
    found = figures([
        cell('ours', 'light', None, None, longer_than_s=6.0), cell('edge-only', 'light', 2.0, 0.5),
    ])  # fmt: skip
    assert found['worst_over_best_static'] == 3.0
    found = figures([
        cell('ours', 'heavy', None, 0.0, longer_than_s=6.0), cell('edge-only', 'heavy', 2.0, 0.5),
    ])  # fmt: skip
    assert found['worst_over_best_static'] == 3.0
    assert found['throughput_over_max_stage'] == 0.0


def test_throughput_is_held_against_the_longest_stage_and_the_camera() -> None:
    found = figures([
        cell('ours', 'heavy', 0.1, 19.0, max_stage_s=0.01, pace_s=0.05),
        cell('ours', 'light', 0.1, 1.0, max_stage_s=0.9, pace_s=1.0),
    ])  # fmt: skip
    assert found['throughput_over_max_stage'] == pytest.approx(0.95)
    slow = figures([cell('ours', 'heavy', 0.5, 4.0, max_stage_s=0.2, pace_s=0.24)])
    assert slow['throughput_over_max_stage'] == pytest.approx(0.96)
    assert slow['throughput_over_bundles_alone'] == pytest.approx(0.8)


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
