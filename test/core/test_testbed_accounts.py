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

"""Frames accounted for, reactions and costs, from runs made up so that the answer is known."""

from __future__ import annotations

from dataclasses import replace

from dads_ros.bench.testbed.accounts import capacity_bytes
from dads_ros.bench.testbed.accounts import not_received
from dads_ros.bench.testbed.accounts import out_of_order
from dads_ros.bench.testbed.accounts import own_cost
from dads_ros.bench.testbed.accounts import unaccounted
from dads_ros.bench.testbed.reactions import reactions
from dads_ros.bench.testbed.reactions import steady_switches
from dads_ros.bench.testbed.runs import one_way_s
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import LinkRecord
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunRecord
from hypothesis import given
from hypothesis import strategies as st
import pytest
from testbed_runs import frame
from testbed_runs import plan
from testbed_runs import run_of


@given(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)))
def test_every_frame_that_is_missing_or_doubled_is_counted(
    missing: set[int], doubled: set[int]
) -> None:
    doubled -= missing
    kept = [number for number in range(1, 51) if number not in missing]
    frames = [frame(i, i / 10) for i in sorted([*kept, *doubled])]
    last = max([*kept, *doubled], default=0)  # of what never came after it nothing is known
    assert unaccounted(run_of(*frames)) == sum(n < last for n in missing) + len(doubled)


def test_detections_that_came_behind_those_of_a_later_frame_are_counted() -> None:
    def came(*stamps_ns: int) -> RunRecord:
        found = (DetectionRecord(stamp_ns, 0.0, (), (), ()) for stamp_ns in stamps_ns)
        return replace(run_of(), detections=tuple(found))

    assert out_of_order(came(1, 3, 2, 4)) == 1
    assert out_of_order(came(1, 2, 3, 4)) == 0
    assert out_of_order(came()) == 0


def test_images_that_never_reached_the_car_are_counted_by_their_stamps() -> None:
    stamps = [round(i * 1e8) for i in range(20) if i not in (7, 8, 12)]
    frames = [frame(i, i / 10, stamp_ns=stamp) for i, stamp in enumerate(stamps)]
    assert not_received(run_of(*frames)) == 3
    assert not_received(run_of()) == 0


def test_a_reaction_is_the_next_other_cut_and_the_first_frame_under_it() -> None:
    plans = tuple(
        PlanRecord(t_s, number, Mode.LIGHT, ('frame',), codec, 0, 0, 0, 0, 0, 0, '')
        for number, (t_s, codec) in enumerate(
            [(0.0, 'raw'), (10.1, 'raw'), (10.4, 'zstd'), (40.0, 'raw')]
        )
    )
    frames = (
        frame(1, 10.05, plan_id=0),
        frame(2, 10.2, plan_id=1, wait_s=0.1),
        frame(3, 10.3, outcome=Outcome.DROPPED_SUPERSEDED, plan_id=0),
        frame(4, 10.35, plan_id=2, wait_s=0.25),
        frame(5, 41.0, plan_id=3),
    )
    trace = ((0.0, 1e7), (10.0, 1e6), (20.0, 1e7), (39.0, 1e6))
    drop, unseen, last = reactions(run_of(*frames, plans=plans, trace=trace))
    assert (drop.seen, drop.frames) == (True, 2)
    assert (drop.plan_s, drop.frame_s) == (pytest.approx(0.4), pytest.approx(0.6))
    assert (unseen.seen, unseen.plan_s, unseen.frame_s) == (False, 19.0, 19.0)
    assert (last.plan_s, last.frame_s, last.frames) == (1.0, 2.0, 0)


def test_one_way_is_half_a_round_trip_less_than_there_and_back() -> None:
    link = LinkRecord(0.0, 1e6, 1e6, 1e6, 0.04, 1.0, 1.0, 10.0, True)
    run = replace(run_of(frame(1, 0.0, 0.3)), links=(link,))
    way = one_way_s(run)
    assert way == (pytest.approx(0.18), pytest.approx(0.02))
    assert one_way_s(run_of(frame(1, 0.0))) is None


def test_switches_are_counted_once_settled() -> None:
    frames = (frame(1, 0.0), frame(2, 15.0))
    plans = (plan(0, 'raw'), plan(1, 'zstd'), plan(8, 'raw'), plan(9, 'raw'))
    assert steady_switches(run_of(*frames, plans=plans)) == pytest.approx(0.1)


@given(st.lists(st.floats(0.1, 5), min_size=1, max_size=8), st.floats(0.1, 30))
def test_a_steady_trace_in_pieces_carries_what_one_does(
    steps: list[float], seconds: float
) -> None:
    trace = [(sum(steps[:i]), 8e6) for i in range(len(steps))]
    assert capacity_bytes(trace, seconds) == pytest.approx(1e6 * seconds)


def test_cost_is_what_is_no_payload() -> None:
    link = LinkRecord(0.5, 1e6, 1e6, 1e6, 0.04, 1.0, 1.0, 10.0, True, 70, 99_000)
    later = replace(link, t_s=6.0, probes=72, probed_bytes=99_272)
    run = run_of(frame(1, 1.0), frame(2, 2.0), trace=((1.0, 4e6),))
    run = replace(run, links=(replace(link, t_s=0.0, probes=0, probed_bytes=0), link, later))
    cost = own_cost(run, {'uplink_bytes': 2500, 'seconds': 5.0, 'monitor_cpu_s': 0.025})
    assert cost.of_sent == pytest.approx(0.2)
    assert cost.of_link == pytest.approx((272 + 2 * 114) / 1e6)
    assert cost.monitor_cpu == pytest.approx(0.005)
    assert own_cost(run, {'uplink_bytes': 2500, 'seconds': 5.0}).monitor_cpu is None
