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

"""The main job, end to end: real processes over real DDS, a clip, and a link that changes."""

from __future__ import annotations

from itertools import pairwise
import os
from pathlib import Path

from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.replay.methods import METHODS
from dads_ros.replay.prepare import prepare
from dads_ros.replay.session import Drive
from dads_ros.replay.session import record_session
from dads_ros.report.record import load_run
from dads_ros.report.schema import RunRecord
from dads_ros.settings import DEFAULT_DETECTOR
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.quiet]

# Enough, then too little for a bundle a frame period, then enough again.
TRACE = 'time_s,uplink_mbps\n0,8\n9,0.12\n17,8\n'
# On any machine the car is far slower than the camera, alone and with its first layers.
CAR_FRAME_S = 0.6


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """Return the record of one drive through the drawn scene with the adaptive method."""
    folder: Path = tmp_path_factory.mktemp('drive')
    trace = folder / 'link.csv'
    trace.write_text(TRACE, encoding='utf-8')
    whole_s = prepare(DEFAULT_DETECTOR, None, 'scene').profile.whole_s
    drive = Drive(
        source='scene',
        detector=DEFAULT_DETECTOR,
        weights=None,
        trace=trace,
        rtt_s=0.02,
        edge_slowdown=CAR_FRAME_S / whole_s,
    )
    record_session(drive, (METHODS['dads'],), folder / 'session')
    return load_run(folder / 'session' / 'runs' / 'dads')


def test_drive_accounts_for_every_frame_exactly_once(run: RunRecord) -> None:
    assert sorted(f.sequence for f in run.frames) == list(range(1, run.info.frame_count + 1))


def test_drive_publishes_one_detection_message_for_each_published_frame(run: RunRecord) -> None:
    published = [f.stamp_ns for f in run.frames if f.outcome.is_published]
    assert [d.stamp_ns for d in run.detections] == published
    assert len(published) > run.info.frame_count / 4


def test_detections_carry_the_cameras_stamps_in_order(run: RunRecord) -> None:
    camera = {f.stamp_ns for f in run.frames}
    stamps = [d.stamp_ns for d in run.detections]
    assert set(stamps) <= camera
    assert all(earlier < later for earlier, later in pairwise(stamps))


def test_plan_goes_from_light_to_heavy_and_back(run: RunRecord) -> None:
    modes = [plan.mode for plan in run.plans]
    heavy = modes.index(Mode.HEAVY)
    told = '\n'.join(str(record) for record in (*run.plans, *run.links[::10]))
    assert Mode.LIGHT in modes[:heavy], told
    assert Mode.LIGHT in modes[heavy:], told


def test_frames_go_through_the_cloud_and_their_stages_add_up(run: RunRecord) -> None:
    frames = [f for f in run.frames if f.outcome is Outcome.VIA_CLOUD]
    assert frames
    for f in frames:
        stages_s = (
            f.wait_s + f.preprocess_s + f.edge_s + f.encode_s
            + f.network_s + f.cloud_queue_s + f.decode_s + f.cloud_s + f.held_s
        )  # fmt: skip
        # What is left is the glue between the stages.
        assert stages_s == pytest.approx(f.total_s, rel=0.02, abs=0.02)


def test_run_leaves_no_process_behind(run: RunRecord) -> None:
    assert run.frames
    ours = str(os.getpid())
    children = Path(f'/proc/{ours}/task/{ours}/children').read_text(encoding='utf-8').split()
    names = [Path(f'/proc/{pid}/comm').read_text(encoding='utf-8').strip() for pid in children]
    assert not {'edge', 'cloud', 'monitor', 'player', 'recorder'} & set(names)
