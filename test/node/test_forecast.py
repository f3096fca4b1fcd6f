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

"""The forecast beside the real nodes: knowing the machine's pace, it says what they measure."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from dads_ros.media.bag import write_bag
from dads_ros.media.sources import open_source
from dads_ros.profiles.profile import Profile
from dads_ros.replay.forecast import Forecast
from dads_ros.replay.forecast import forecast
from dads_ros.replay.forecast import LEAD_S
from dads_ros.replay.forecast import Planner
from dads_ros.replay.methods import choose
from dads_ros.replay.prepare import prepare
from dads_ros.replay.prepare import preprocess_s
from dads_ros.replay.session import Drive
from dads_ros.replay.session import record_session
from dads_ros.report.record import load_session
from dads_ros.report.schema import RunRecord
from dads_ros.settings import DEFAULT_DETECTOR
from dads_ros.simulation.world import World
from dads_ros.trace import load_trace
import numpy as np
import psutil
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.quiet, pytest.mark.timeout(400)]

FRAMES = 70
RATE_HZ = 6.0
SLOWDOWN = 8.0
# How busy the car is with its own detector, at most. Near 1, frames wait for one another, and a
# machine a tenth slower than when it was profiled has them wait several times as long.
LOAD = 0.6
# An upload is the soonest by far: where two plans are nearly as good, what is thought of the
# link in the first second decides between them.
MBPS = 2.0
RTT_S = 0.06
CLOSE = 0.1
# Every frame takes the machines the same work. More between mean and median, as a share of the
# latency, is a machine that did not keep its pace.
STEADY = 0.03
BUSY_PERCENT = 25.0
METHODS = choose('edge-only')


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Drive:
    """Return a short drive over a steady link; skip where others' work would be measured too."""
    busy = psutil.cpu_percent(interval=3.0)
    if busy > BUSY_PERCENT:
        pytest.skip(f'needs a quiet machine to compare times; this one is {busy:.0f} % busy')
    folder = tmp_path_factory.mktemp('forecast')
    write_bag(folder / 'bag', islice(open_source('scene'), FRAMES), compressed=True)
    (folder / 'link.csv').write_text(f'time_s,uplink_mbps\n0,{MBPS:g}\n', encoding='utf-8')
    source = str(folder / 'bag')
    whole_s = SLOWDOWN * prepare(DEFAULT_DETECTOR, None, source).profile.whole_s
    return Drive(
        source=source,
        detector=DEFAULT_DETECTOR,
        weights=None,
        rate_hz=min(RATE_HZ, LOAD / whole_s),
        trace=folder / 'link.csv',
        rtt_s=RTT_S,
        edge_slowdown=SLOWDOWN,
    )


@pytest.fixture(scope='module')
def runs(drive: Drive) -> dict[str, RunRecord]:
    folder = Path(drive.source).parent / 'session'
    record_session(drive, METHODS, folder)
    return {run.info.method: run for run in load_session(folder)}


@pytest.fixture(scope='module')
def forecasts(drive: Drive, runs: dict[str, RunRecord]) -> dict[str, Forecast]:
    profile: Profile = prepare(DEFAULT_DETECTOR, None, drive.source).profile
    planner = Planner(profile, profile, None, drive.accuracy_budget, privacy=False)
    assert drive.trace is not None
    preparing_s = preprocess_s(DEFAULT_DETECTOR, None, drive.source)
    found = {}
    for method in METHODS:
        # How fast the machine was since the profile is not for a forecast to know.
        links = [link for link in runs[method.name].links if link.cloud_alive]
        slowdown = SLOWDOWN * float(np.median([link.edge_factor for link in links]))
        world = World(
            trace=load_trace(drive.trace),
            duration_s=FRAMES / drive.rate_hz,
            camera_hz=drive.rate_hz,
            rtt_s=RTT_S,
            edge_factor=slowdown,
            cloud_factor=float(np.median([link.cloud_factor for link in links])),
            preprocess_s=slowdown * preparing_s,
            lead_s=LEAD_S,
        )
        found[method.name] = forecast(planner, world, method)
    return found


@pytest.mark.parametrize('method', [method.name for method in METHODS])
def test_mean_latency_is_foretold(
    method: str, runs: dict[str, RunRecord], forecasts: dict[str, Forecast]
) -> None:
    run, foretold = runs[method], forecasts[method]
    frames = run.frames[run.info.warmup_frames :]
    taken_s = [f.total_s for f in frames if f.outcome.is_published]
    worked_s = [
        f.preprocess_s + f.edge_s + f.encode_s + f.decode_s + f.cloud_s
        for f in frames
        if f.outcome.is_published
    ]
    uneven = abs(np.mean(worked_s) - np.median(worked_s)) / np.median(taken_s)
    if uneven > STEADY:
        pytest.skip(f"the machine's pace changed meanwhile: its work was uneven by {uneven:.0%}")
    assert foretold.mean_s == pytest.approx(np.mean(taken_s), rel=CLOSE), (
        f'forecast {foretold.mean_s:.4f} s, replay {np.mean(taken_s):.4f} s, '
        f'median {np.median(taken_s):.4f} s of {len(taken_s)} frames; '
        f'plans {[(plan.mode.name, plan.boundary, plan.codec) for plan in run.plans]}'
    )
    assert foretold.answered == pytest.approx(len(taken_s), rel=CLOSE)
