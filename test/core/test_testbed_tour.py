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

"""Traces on end in one drive: each keeps its rates, and gets back what arrived while it lasted."""

from __future__ import annotations

import argparse
from pathlib import Path

from dads_ros.bench.testbed.main import add_arguments
from dads_ros.bench.testbed.main import run
from dads_ros.bench.testbed.runs import began_s
from dads_ros.bench.testbed.runs import latency
from dads_ros.bench.testbed.tour import LEAD_S
from dads_ros.bench.testbed.tour import Leg
from dads_ros.bench.testbed.tour import Tour
from dads_ros.bench.testbed.tour import tours_of
from dads_ros.errors import ConfigError
from dads_ros.trace import Trace
from hypothesis import given
from hypothesis import strategies as st
import pytest
from testbed_runs import frame
from testbed_runs import plan
from testbed_runs import run_of

RATES = st.lists(st.floats(0, 1e8), min_size=1, max_size=6)


@st.composite
def legs(draw: st.DrawFn) -> Leg:
    rates_bps = draw(RATES)
    step_s = draw(st.floats(0.1, 5))
    times_s = tuple(step_s * number for number in range(len(rates_bps)))
    return Leg('any', Trace(times_s, tuple(rates_bps)), draw(st.floats(1, 20)))


@given(st.lists(legs(), min_size=1, max_size=5), st.floats(0, 0.999))
def test_each_leg_has_its_own_rates_behind_its_lead(of: list[Leg], share: float) -> None:
    tour = Tour(tuple(of))
    begin_s = 0.0
    for leg in of:
        time_s = share * leg.seconds
        whole_s = begin_s + LEAD_S + time_s
        near = {leg.trace.rate_bps(time_s + shift_s) for shift_s in (-1e-9, 0, 1e-9)}
        assert tour.trace.rate_bps(whole_s) in near
        assert (
            tour.trace.rate_bps(begin_s + share * LEAD_S * 0.99 + 1e-9) == leg.trace.rates_bps[0]
        )
        begin_s += LEAD_S + leg.seconds
    assert tour.seconds == pytest.approx(begin_s)


def test_each_leg_gets_its_own_frames_and_the_plans_until_its_end() -> None:
    first, second = (Leg(name, Trace((0.0,), (1e6,)), 10.0) for name in ('a', 'b'))
    tour = Tour((first, second))
    trace = tuple((time_s + 7.0, rate_bps) for time_s, rate_bps in tour.trace.samples)
    frames = [frame(i, float(i), 0.5 if i < 7 + LEAD_S + 10 else 0.2) for i in range(40)]
    whole = run_of(*frames, plans=(plan(1.0, 'raw'), plan(25.0, 'raw')), trace=trace)
    ones, others = tour.runs(whole, began_s(whole))
    assert [f.t_s for f in ones.frames] == [float(t) for t in range(7, 20)]
    assert [f.t_s for f in others.frames] == [float(t) for t in range(20, 33)]
    assert (began_s(ones), began_s(others)) == (7.0, 20.0)
    assert (len(ones.plans), len(others.plans)) == (1, 2)
    assert latency(ones, lead_s=LEAD_S).mean_s == pytest.approx(0.5)
    assert latency(others, lead_s=LEAD_S).mean_s == pytest.approx(0.2)


def test_a_long_list_of_traces_makes_several_tours_of_at_most_so_long_legs(tmp_path: Path) -> None:
    paths = []
    for number, length in enumerate((2, 10, 60) * 4):
        path = tmp_path / f'{number:02d}.csv'
        lines = [f'{second},1.5' for second in range(length)]
        path.write_text('\n'.join(['time_s,uplink_mbps', *lines]), encoding='ascii')
        paths.append(path)
    tours = tours_of(paths, 18.0)
    assert [leg.name for tour in tours for leg in tour.legs] == [path.stem for path in paths]
    assert len(tours) == 2
    assert [leg.seconds for leg in tours[0].legs[:3]] == [5.0, 10.0, 18.0]


def test_two_traces_of_one_name_are_refused_before_anything_is_started(tmp_path: Path) -> None:
    for folder in ('north', 'south'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'road.csv').write_text('time_s,uplink_mbps\n0,1\n', encoding='ascii')
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(['--traces', str(tmp_path / 'north'), str(tmp_path / 'south')])
    with pytest.raises(ConfigError, match='one name'):
        run(args)
