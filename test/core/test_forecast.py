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

"""The forecast of a replay: steady states beside the simulation, and the methods of a replay."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import re

from dads_ros.cli.main import main
from dads_ros.replay.forecast import forecast
from dads_ros.replay.forecast import LEAD_S
from dads_ros.replay.forecast import Planner
from dads_ros.replay.methods import METHODS
from dads_ros.replay.methods import WARMUP_FRAMES
from dads_ros.replay.prepare import slowed_down
from dads_ros.simulation.world import World
from dads_ros.trace import Trace
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest
from small_profile import make_profile

RTT_S = 0.02
PACKET_BITS = 1500 * 8
PLANNER = Planner(make_profile(), make_profile(), None, 1.0, privacy=False)
LOCAL_S = sum(make_profile().layer_s.values())


def world(uplink_bps: float, slowdown: float, preprocess_s: float = 0.0) -> World:
    return World(
        trace=Trace((0.0,), (uplink_bps,)),
        duration_s=20.0,
        camera_hz=5.0,
        rtt_s=RTT_S,
        edge_factor=slowdown,
        preprocess_s=preprocess_s,
        lead_s=LEAD_S,
    )


@settings(max_examples=25)
@given(st.floats(2e5, 5e7), st.floats(1.0, 10.0))
def test_the_simulation_settles_at_the_steady_state(uplink_bps: float, slowdown: float) -> None:
    steady = PLANNER.steady(uplink_bps, 5.0, slowdown, RTT_S)
    simulated = forecast(PLANNER, world(uplink_bps, slowdown), METHODS['dads'])
    assert simulated.median_s is not None
    # The monitor leaves a plan only for one that saves a tenth, a packet's air time in doubt.
    saved_enough_s = 0.9 * simulated.median_s - PACKET_BITS / uplink_bps
    assert 0.98 * steady.delay_s < simulated.median_s
    assert saved_enough_s < 1.02 * steady.delay_s
    assert simulated.answered >= 0.95 * simulated.frames


def test_everything_on_the_car_takes_what_it_takes() -> None:
    local = forecast(PLANNER, world(1e6, 4.0, preprocess_s=0.01), METHODS['edge-only'])
    assert local.median_s == pytest.approx(4.0 * LOCAL_S + 0.01, rel=1e-6)
    assert local.sent_bytes == 0
    assert local.answered == local.frames == 90


def test_plain_uploading_never_falls_back_on_the_car() -> None:
    lost = forecast(PLANNER, world(1e4, 4.0), METHODS['cloud-only-jpeg'])
    assert lost.answered == 0
    assert (lost.mean_s, lost.mean_age_s) == (None, None)
    saved = forecast(PLANNER, world(1e4, 4.0), METHODS['dads'])
    assert saved.answered > 80


@pytest.mark.parametrize('camera_hz', [5.0, 10.0, 30.0])
def test_plain_uploading_goes_on_at_the_pace_of_a_link_that_has_become_slow(
    camera_hz: float,
) -> None:
    slow_bps, half_s = 1.3e5, 20.0
    falls = replace(
        world(6e6, 4.0),
        trace=Trace((0.0, half_s), (6e6, slow_bps)),
        camera_hz=camera_hz,
        duration_s=2 * half_s,
    )
    jpeg_bytes = make_profile().codecs['frame']['jpeg75'].bytes_mean
    carried = slow_bps * half_s / (8 * jpeg_bytes)
    answered = forecast(PLANNER, falls, METHODS['cloud-only-jpeg']).answered
    assert answered > camera_hz * half_s - WARMUP_FRAMES + 0.8 * carried


def test_private_frames_leave_no_upload_to_compare_with() -> None:
    private = Planner(make_profile(), make_profile(), None, 1.0, privacy=True)
    plan = private.steady(5e7, 5.0, 10.0, RTT_S)
    assert 'upload' not in plan.plan
    assert plan.upload_s is None


def test_an_image_takes_as_long_to_prepare_whatever_the_plan() -> None:
    planner = Planner(make_profile(), make_profile(), None, 1.0, privacy=False)
    without = planner.steady(5e7, 5.0, 10.0, RTT_S)
    with_it = planner.steady(5e7, 5.0, 10.0, RTT_S, preprocess_s=0.02)
    for name in ('delay_s', 'edge_only_s', 'upload_s'):
        assert getattr(with_it, name) == pytest.approx(getattr(without, name) + 0.02)
    # Nothing that takes a second to prepare is answered more often.
    assert planner.steady(5e7, 5.0, 10.0, RTT_S, preprocess_s=1.0).detections_hz < 1


@pytest.mark.parametrize(
    'given', [('--loss', '0.1'), ('--jitter', '0.1'), ('--seconds', '5'), ('--against', 'all')]
)
def test_what_is_for_one_situation_is_refused_before_any_work(
    given: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ['simulate', '--edge', 'none.json', '--uplink-mbps', '1,2', *given]
    assert main(line) == 1
    assert f'{given[0]} is for one situation; give one link' in capsys.readouterr().err


def test_the_command_answers_many_situations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / 'car.json'
    make_profile().save(profile)
    line = ['simulate', '--edge', str(profile), '--uplink-mbps', '0.1:50:20', '--budget', '1']
    assert main([*line, '--rate', '5,30', '--edge-slowdown', '1,10', '--json']) == 0
    answer = json.loads(capsys.readouterr().out)
    rows = answer['situations']
    assert len(rows) == answer['count'] == 80
    assert 0 < answer['wall_s'] < 60
    slow = [row for row in rows if row['edge_slowdown'] == 10 and row['rate_hz'] == 5]
    delays = [row['delay_s'] for row in slow]
    assert delays == sorted(delays, reverse=True)
    assert main([*line, '--rate', '5']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 20 + 4
    assert re.fullmatch(r'20 situations in \S+ s, \d+ a second\.', lines[-1])
    assert main([*line[:3], '--trace', 'x.csv', '--rate', '5,6']) == 1
    assert 'a trace is simulated by itself' in capsys.readouterr().err


def test_the_command_tells_how_much_it_simulated_and_how_fast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / 'car.json'
    make_profile().save(profile)
    line = ['simulate', '--edge', str(profile), '--uplink-mbps', '1', '--budget', '1']
    line += ['--rate', '5', '--seconds', '20', '--against', 'edge-only']
    assert main([*line, '--json']) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [f['method'] for f in answer['forecasts']] == ['dads', 'edge-only']
    # 100 frames each, 10 of them to warm up.
    assert answer['frames'] == 2 * 90
    assert answer['simulated_s'] == 40.0
    assert 0 < answer['wall_s'] < 60
    assert main(line) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r'Simulated 180 frames in \S+ s\.', last)


@settings(max_examples=10)
@given(st.floats(0.0, 0.9), st.floats(4.0, 20.0))
def test_an_image_that_takes_long_to_read_leaves_the_longest_stage_busy(
    share: float, slowdown: float
) -> None:
    # All of the work in the cloud, which cannot keep up: it is never to wait for the car.
    cloud_s = slowdown * LOCAL_S
    slow_cloud = slowed_down(make_profile(), slowdown)
    planner = Planner(make_profile(), slow_cloud, None, 1.0, privacy=False)
    crowded = replace(
        world(5e7, 1.0),
        camera_hz=3 / cloud_s,
        duration_s=100 * cloud_s + LEAD_S,
    )
    method = METHODS['cloud-only-jpeg']
    at_once = forecast(planner, crowded, method).answered
    slowly_read = replace(crowded, preprocess_s=share * cloud_s)
    # The first frame is later by what it takes to read it.
    assert forecast(planner, slowly_read, method).answered >= at_once - 1 > 46
