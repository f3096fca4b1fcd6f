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

"""A run as an MCAP file: read back by itself, every message where and when it belongs."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from dads_ros.errors import MediaError
from dads_ros.media import run_bag
from dads_ros.media.encodings import decode_compressed
from dads_ros.media.frame import Frame
from dads_ros.media.sources import open_source
from dads_ros.report.record import load_run
from dads_ros.report.schema import RunRecord
import numpy as np
import pytest
from rosbags.rosbag2 import Reader

FRAMES = 30
Messages = dict[str, list[tuple[int, Any]]]


@pytest.fixture(scope='module')
def run(session: Path) -> RunRecord:
    return load_run(session / 'runs/dads')


@pytest.fixture(scope='module')
def bag(run: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    grey = np.full((90, 160, 3), 128, np.uint8)
    frames = [Frame(grey, record.stamp_ns) for record in run.frames[:FRAMES]]
    path = tmp_path_factory.mktemp('bag') / 'run.mcap'
    count = run_bag.write_run_bag(run, frames, path)
    records = 2 * len(run.detections) + len(run.plans) + len(run.links) + len(run.frames)
    assert count == FRAMES + records
    assert [p.name for p in path.parent.iterdir()] == ['run.mcap']
    return path


def read(path: Path) -> Messages:
    """Return each topic's messages, decoded by the definitions that the file itself carries."""
    found: Messages = defaultdict(list)
    with Reader(path) as reader:
        types = run_bag.run_types()
        for connection in reader.connections:
            assert connection.msgdef.data, connection.topic
        for connection, time_ns, data in reader.messages():
            message = types.deserialize_cdr(data, connection.msgtype)
            found[connection.topic].append((time_ns, message))
    return found


@pytest.mark.ros
def test_every_record_is_there_and_in_order(bag: Path, run: RunRecord) -> None:
    found = read(bag)
    assert set(found) == set(run_bag.TOPICS)
    for entries in found.values():
        times_ns = [time_ns for time_ns, _ in entries]
        assert times_ns == sorted(times_ns)
    assert [m.reason for _, m in found['/plan']] == [plan.reason for plan in run.plans]
    assert [m.mode for _, m in found['/plan']] == [plan.mode.value for plan in run.plans]
    rates = [m.uplink_bps for _, m in found['/link_state']]
    assert rates == pytest.approx([link.uplink_bps for link in run.links], rel=1e-6)
    outcomes = {m.sequence: m.outcome for _, m in found['/stage_times']}
    assert outcomes == {frame.sequence: frame.outcome.value for frame in run.frames}


@pytest.mark.ros
def test_boxes_lie_on_the_camera_image_of_their_stamp(bag: Path, run: RunRecord) -> None:
    found = read(bag)
    (time_ns, image), *_ = found['/camera/image/compressed']
    assert decode_compressed(image.data).shape == (90, 160, 3)
    assert time_ns == run.frames[0].stamp_ns
    stamps = [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for _, m in found['/detections']]
    assert stamps == [record.stamp_ns for record in run.detections]
    for (_, message), (_, drawn), record in zip(
        found['/detections'], found['/detections/annotations'], run.detections, strict=True
    ):
        boxes = [
            (d.bbox.center.position.x - d.bbox.size_x / 2, d.bbox.center.position.y
             - d.bbox.size_y / 2) for d in message.detections
        ]  # fmt: skip
        assert np.allclose(boxes, [box[:2] for box in record.boxes])
        assert len(drawn.points) == len(drawn.texts)
        assert all(len(annotation.points) == 4 for annotation in drawn.points)


@pytest.mark.ros
def test_the_file_is_a_drive_again(bag: Path, run: RunRecord) -> None:
    source = open_source(str(bag))
    assert source.frame_count == FRAMES
    assert [f.stamp_ns for f in source] == [record.stamp_ns for record in run.frames[:FRAMES]]


def test_missing_definitions_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    with pytest.raises(MediaError, match='is not installed; use scripts/run'):
        run_bag.run_types()
