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

"""Recordings of real drives through the real nodes: a video, and ROS 2 bags of both kinds."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from dads_ros.errors import ProfileError
from dads_ros.media.bag import write_bag
from dads_ros.media.frame import Frame
from dads_ros.media.sources import open_source
from dads_ros.replay.methods import METHODS
from dads_ros.replay.session import Drive
from dads_ros.replay.session import record_session
from dads_ros.report.record import load_run
from dads_ros.report.schema import RunRecord
from dads_ros.settings import DEFAULT_DETECTOR
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]

BAG_FRAMES = 40


@pytest.fixture
def clip(shared: Path) -> Path:
    path = shared / 'driving' / 'clips' / 'city_1280x720_10fps.mp4'
    if not path.is_file():
        pytest.skip('needs the real clip of the shared data')
    return path


def drive(source: Path, folder: Path, rate_hz: float | None = None) -> RunRecord:
    """Return the record of the adaptive method over a source, this machine being the car."""
    record_session(
        Drive(
            source=str(source),
            detector=DEFAULT_DETECTOR,
            weights=None,
            rate_hz=rate_hz,
        ),
        (METHODS['dads'],),
        folder,
    )
    return load_run(folder / 'runs' / 'dads')


def test_a_calibration_that_is_missing_costs_no_old_session(tmp_path: Path) -> None:
    kept = tmp_path / 'session' / 'runs' / 'dads' / 'frames.jsonl'
    kept.parent.mkdir(parents=True)
    kept.touch()
    wrong = Drive('scene', DEFAULT_DETECTOR, None, calibration=tmp_path / 'none.json')
    with pytest.raises(ProfileError, match='cannot be read'):
        record_session(wrong, (METHODS['dads'],), tmp_path / 'session')
    assert kept.is_file()


def test_real_clip_is_detected_and_every_frame_accounted_for(clip: Path, tmp_path: Path) -> None:
    run = drive(clip, tmp_path / 'session')
    assert [f.sequence for f in sorted(run.frames, key=lambda f: f.sequence)] == list(
        range(1, run.info.frame_count + 1)
    )
    assert sum(len(d.boxes) for d in run.detections) > len(run.detections) > 0
    assert (tmp_path / 'session' / 'annotated.webm').stat().st_size > 10_000


def test_bag_keeps_the_cameras_own_stamps(tmp_path: Path) -> None:
    start_ns = 1_700_000_000_000_000_000
    frames = [
        Frame(frame.image_rgb, start_ns + frame.stamp_ns, 'front')
        for frame in islice(open_source('scene'), BAG_FRAMES)
    ]
    write_bag(tmp_path / 'bag', frames, topic='/front/image_raw')
    run = drive(tmp_path / 'bag', tmp_path / 'session', rate_hz=8.0)
    assert {f.stamp_ns for f in run.frames} <= {f.stamp_ns for f in frames}
    assert len(run.frames) == BAG_FRAMES
    assert run.detections
