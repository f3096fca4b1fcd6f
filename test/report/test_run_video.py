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


"""The annotated video of a run: every frame shown, in the colours and words of how it ended."""

from __future__ import annotations

from pathlib import Path

import cv2
from dads_ros.errors import MediaError
from dads_ros.media import bag
from dads_ros.media import run_video
from dads_ros.media.annotate import annotate
from dads_ros.media.annotate import Mark
from dads_ros.media.annotate import PANEL_PX
from dads_ros.media.annotate import Strip
from dads_ros.media.frame import Frame
from dads_ros.media.run_video import as_played
from dads_ros.media.run_video import write_run_video
from dads_ros.media.sources import open_source
from dads_ros.media.writer import VideoWriter
from dads_ros.report.record import load_run
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import RunRecord
import numpy as np
import pytest

GREY = np.full((180, 320, 3), 128, np.uint8)
STRIP = Strip(12.0, (), ((0.0, (80, 200, 120)),), ((0.0, 1e6),), 0.5, 2e6)
CAR = DetectionRecord(0, 0.0, ((40.0, 60.0, 120.0, 140.0),), (0.9,), ('car',))


@pytest.fixture(scope='module')
def run(session: Path) -> RunRecord:
    return load_run(session / 'runs/dads')


def test_a_small_picture_is_enlarged_with_a_panel_beneath() -> None:
    image = annotate(GREY, None, [], STRIP)
    assert image.shape == (360 + PANEL_PX, 640, 3)
    odd = annotate(np.zeros((481, 643, 3), np.uint8), None, [], STRIP)
    assert odd.shape[0] % 2 == 0 and odd.shape[1] % 2 == 0


def test_boxes_lie_where_they_were_found_and_the_input_is_left_alone() -> None:
    before = GREY.copy()
    empty = DetectionRecord(0, 0.0, (), (), ())
    plain, boxed = (annotate(GREY, found, [], STRIP) for found in (empty, CAR))
    assert np.array_equal(GREY, before)
    rows, columns = np.nonzero((plain != boxed).any(axis=2))
    assert abs(columns.min() - 80) <= 3 and abs(columns.max() - 240) <= 3
    assert abs(rows.max() - 280) <= 3 and 90 <= rows.min() <= 120  # the label is above
    assert np.array_equal(plain[130:270, 90:230], boxed[130:270, 90:230])  # hollow


def test_weak_boxes_are_left_out() -> None:
    weak = DetectionRecord(0, 0.0, CAR.boxes, (0.1,), CAR.labels)
    empty = DetectionRecord(0, 0.0, (), (), ())
    assert np.array_equal(annotate(GREY, weak, [], STRIP), annotate(GREY, empty, [], STRIP))


def test_a_dropped_frame_is_dimmed() -> None:
    shown, dropped = (annotate(GREY, found, [], STRIP)[:360] for found in (CAR, None))
    assert dropped.mean() < 0.7 * shown.mean()


def test_the_strip_shows_marks_of_the_window_only() -> None:
    red = (255, 80, 80)

    def with_mark(time_s: float, latency_s: float | None) -> np.ndarray:
        marks = (Mark(time_s, latency_s, red),)
        return annotate(GREY, CAR, [], Strip(12.0, marks, *_rest()))[360:]

    blank = annotate(GREY, CAR, [], STRIP)[360:]
    assert np.array_equal(with_mark(1.0, 0.1), blank)  # too old
    low, high = with_mark(7.0, 0.1), with_mark(7.0, 0.4)
    rows = [np.nonzero((image != blank).any(axis=2))[0].mean() for image in (low, high)]
    assert rows[0] > rows[1] + 10
    early, late = with_mark(4.0, 0.1), with_mark(11.0, 0.1)
    columns = [np.nonzero((image != blank).any(axis=2))[1].mean() for image in (early, late)]
    assert columns[0] < columns[1] - 100
    assert not np.array_equal(with_mark(7.0, None), blank)


def _rest() -> tuple[object, ...]:
    return STRIP.bands, STRIP.rates, STRIP.top_s, STRIP.top_bps


def test_a_run_becomes_a_video_of_its_frames(run: RunRecord, tmp_path: Path) -> None:
    records = sorted(run.frames, key=lambda record: record.stamp_ns)[60:80]
    strange = Frame(GREY, records[0].stamp_ns - 50_000_000)  # never seen by the edge
    frames = [strange, *(Frame(GREY, record.stamp_ns + 1) for record in records)]
    path = tmp_path / 'run.webm'
    still = tmp_path / 'run.jpg'
    assert write_run_video(run, frames, path, still) == len(records)
    video = open_source(str(path))
    assert video.rate_hz == pytest.approx(run.info.clip_rate_hz)
    pictures = [frame.image_rgb for frame in video]
    assert len(pictures) == len(records)
    for picture, record in zip(pictures, records, strict=True):
        assert picture.shape == (360 + PANEL_PX, 640, 3)
        bright = picture[300:350, 20:60].mean()
        assert (bright > 100) == record.outcome.is_published
    assert {p.name for p in tmp_path.iterdir()} <= {'run.webm', 'run.jpg'}


def test_pictures_of_other_sizes_are_made_the_first_ones(run: RunRecord, tmp_path: Path) -> None:
    stamps = sorted(record.stamp_ns for record in run.frames)[60:66]
    sizes = ((360, 640), (720, 1280), (90, 50)) * 2
    frames = [
        Frame(np.full((*size, 3), 90, np.uint8), stamp)
        for size, stamp in zip(sizes, stamps, strict=True)
    ]
    path = tmp_path / 'run.webm'
    assert write_run_video(run, frames, path, tmp_path / 'run.jpg') == 6
    shapes = {frame.image_rgb.shape for frame in open_source(str(path))}
    assert shapes == {(360 + PANEL_PX, 640, 3)}


def test_stills_show_each_of_the_longest_plans(run: RunRecord, tmp_path: Path) -> None:
    still = tmp_path / 'run.jpg'
    frames = [Frame(GREY, record.stamp_ns) for record in run.frames]
    moments = run_video._moments(run)
    assert len(moments) == 4
    shown = {f.plan_id for f in run.frames if f.stamp_ns in moments and f.outcome.is_published}
    ways = {(p.boundary, p.codec) for p in run.plans if p.plan_id in shown}
    assert ways == {(p.boundary, p.codec) for p in run.plans}
    chosen = [frame for frame in frames if frame.stamp_ns in moments]
    write_run_video(run, chosen, tmp_path / 'run.webm', still)
    assert cv2.imread(str(still)).shape == (2 * (360 + PANEL_PX), 1280, 3)


@pytest.mark.parametrize(('rate', 'step_ns'), [(1.0, 100_000_000), (2.0, 50_000_000)])
def test_frames_bear_the_stamps_of_the_player(tmp_path: Path, rate: float, step_ns: int) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f'{number}.png'), GREY)
    played = list(as_played(open_source(str(tmp_path)), 1000, rate))
    assert [frame.stamp_ns for frame in played] == [1000 + i * step_ns for i in range(3)]
    bag.write_bag(tmp_path / 'drive', [Frame(GREY, 7), Frame(GREY, 9)])
    source = open_source(str(tmp_path / 'drive'))
    expected = [7, 9] if rate == 1.0 else [1000, 1001]
    assert [frame.stamp_ns for frame in as_played(source, 1000, rate)] == expected


def test_nothing_is_left_of_a_video_that_fails(tmp_path: Path) -> None:
    path = tmp_path / 'run.webm'
    with pytest.raises(MediaError, match='one size'), VideoWriter(path, 10.0) as video:
        video.write(GREY)
        video.write(GREY[:90])
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MediaError, match='webm'):
        VideoWriter(tmp_path / 'run.mp4', 10.0)
    with pytest.raises(MediaError, match='cannot be written') as error:  # noqa: SIM117
        with VideoWriter(tmp_path / 'missing/run.webm', 10.0) as video:
            video.write(GREY)
    assert '\n' not in str(error.value)
    with VideoWriter(tmp_path / 'run.webm', 10.0) as video:
        video.write(cv2.cvtColor(GREY, cv2.COLOR_RGB2BGR))
    assert capfd.readouterr().err == ''
