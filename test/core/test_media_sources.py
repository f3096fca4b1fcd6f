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


"""Sources: real files are made, read back, damaged, and refused in one line."""

from __future__ import annotations

from pathlib import Path

import cv2
from dads_ros.errors import MediaError
from dads_ros.media import bag
from dads_ros.media import scene
from dads_ros.media.frame import Frame
from dads_ros.media.sources import open_source
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

STEP_NS = 50_000_000


def clip(count: int = 4, width: int = 64, height: int = 48) -> list[Frame]:
    frames = scene.frames(3, count, width=width, height=height)
    start_ns = 1_700_000_000_000_000_000
    return [
        Frame(frame.image_rgb, start_ns + i * STEP_NS, 'front') for i, frame in enumerate(frames)
    ]


def write_video(path: Path, frames: list[Frame], code: str, rate_hz: float) -> None:
    height, width = frames[0].image_rgb.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), rate_hz, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.cvtColor(frame.image_rgb, cv2.COLOR_RGB2BGR))
    writer.release()


def one_line(error: pytest.ExceptionInfo[MediaError]) -> str:
    text = str(error.value)
    assert '\n' not in text
    return text


@pytest.mark.parametrize('storage', bag.STORAGES)
def test_bag_gives_back_pixels_stamps_and_frame_ids(tmp_path: Path, storage: str) -> None:
    frames = clip()
    assert bag.write_bag(tmp_path / 'drive', iter(frames), storage=storage) == len(frames)
    for path in (tmp_path / 'drive', next((tmp_path / 'drive').glob('drive.*'))):
        source = open_source(str(path))
        assert source.frame_count == len(frames)
        assert source.rate_hz == pytest.approx(20.0)
        assert source.has_stamps
        for _ in range(2):  # a source may be iterated again
            read = list(source)
            assert [(f.stamp_ns, f.frame_id) for f in read] == [
                (f.stamp_ns, f.frame_id) for f in frames
            ]
            assert all(
                np.array_equal(a.image_rgb, b.image_rgb) for a, b in zip(read, frames, strict=True)
            )


def test_bag_of_compressed_images_is_close(tmp_path: Path) -> None:
    frames = clip(2)
    bag.write_bag(tmp_path / 'drive', frames, compressed=True)
    for a, b in zip(open_source(str(tmp_path / 'drive')), frames, strict=True):
        assert np.abs(a.image_rgb.astype(int) - b.image_rgb).mean() < 6


def test_bag_topic_is_asked_for_when_there_are_several(tmp_path: Path) -> None:
    two_topics(tmp_path / 'two')
    with pytest.raises(MediaError) as error:
        open_source(str(tmp_path / 'two'))
    assert '/left' in one_line(error) and '/right' in one_line(error)
    assert len(list(open_source(f'{tmp_path}/two#/right'))) == 1
    with pytest.raises(MediaError) as error:
        open_source(f'{tmp_path}/two#/up')
    assert "'/up'" in one_line(error) and '/left' in one_line(error)


def write_images(path: Path, recorded: list[tuple[str, int, Frame]]) -> None:
    """Write a bag of (topic, when it was recorded in ns, frame)."""
    from rosbags.rosbag2 import Writer
    from rosbags.typesys import get_typestore
    from rosbags.typesys import Stores

    types = get_typestore(Stores.LATEST)
    with Writer(path, version=8) as writer:
        connections = {
            topic: writer.add_connection(topic, bag.IMAGE, typestore=types)
            for topic in dict.fromkeys(topic for topic, _, _ in recorded)
        }
        for topic, recorded_ns, frame in recorded:
            message = bag.image_message(types, frame, compressed=False)
            data = types.serialize_cdr(message, bag.IMAGE)
            writer.write(connections[topic], recorded_ns, data)


def two_topics(path: Path) -> None:
    write_images(path, [('/left', 0, clip(1)[0]), ('/right', 1, clip(1)[0])])


def test_image_without_a_stamp_takes_the_recorded_time(tmp_path: Path) -> None:
    unstamped, stamped = Frame(clip(1)[0].image_rgb, 0), clip(1)[0]
    write_images(tmp_path / 'drive', [('/image', 7, unstamped), ('/image', 8, stamped)])
    read = open_source(str(tmp_path / 'drive'))
    assert [frame.stamp_ns for frame in read] == [7, stamped.stamp_ns]


@pytest.mark.parametrize('storage', bag.STORAGES)
@settings(max_examples=12, deadline=None)
@given(share=st.floats(0.05, 0.95))
def test_truncated_bag_is_told_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, storage: str, share: float
) -> None:
    folder = tmp_path_factory.mktemp('bags') / 'drive'
    bag.write_bag(folder, TINY, storage=storage)
    file = next(folder.glob('drive.*'))
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaError) as error:
        list(open_source(str(folder)))
    assert 'cannot be read' in one_line(error)


TINY = [Frame(np.full((16, 16, 3), i, np.uint8), i * STEP_NS) for i in range(40)]


def test_nothing_is_left_of_a_bag_whose_frames_fail(tmp_path: Path) -> None:
    def broken() -> object:
        yield from clip(1)
        raise MediaError('the camera is gone')

    with pytest.raises(MediaError, match='the camera is gone'):
        bag.write_bag(tmp_path / 'drive', broken())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / 'drive').mkdir()
    with pytest.raises(MediaError, match='exists'):
        bag.write_bag(tmp_path / 'drive', clip(1))
    with pytest.raises(MediaError, match="'floppy'"):
        bag.write_bag(tmp_path / 'other', clip(1), storage='floppy')


@pytest.mark.parametrize(
    ('name', 'code'), [('a.mp4', 'mp4v'), ('a.avi', 'MJPG'), ('a.mkv', 'MJPG'), ('a.webm', 'VP80')]
)
def test_video_gives_back_its_frames(tmp_path: Path, name: str, code: str) -> None:
    frames = clip(5)
    write_video(tmp_path / name, frames, code, 20.0)
    source = open_source(str(tmp_path / name))
    read = list(source)
    assert len(read) == len(frames)
    assert source.rate_hz == pytest.approx(20.0)
    assert not source.has_stamps
    assert [f.stamp_ns for f in read] == [i * STEP_NS for i in range(5)]
    for a, b in zip(read, frames, strict=True):
        assert np.abs(a.image_rgb.astype(int) - b.image_rgb).mean() < 16  # and red is not blue


@pytest.mark.parametrize('data', [b'', b'no video at all', bytes(range(256)) * 40])
def test_what_is_no_video_is_told_in_one_line(
    tmp_path: Path, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'frame_001.mp4').write_bytes(data)
    with pytest.raises(MediaError) as error:
        open_source(str(tmp_path / 'frame_001.mp4'))
    assert 'frame_001.mp4' in one_line(error)
    assert capfd.readouterr().err == ''


def test_truncated_mp4_is_told_in_one_line(tmp_path: Path) -> None:
    write_video(tmp_path / 'a.mp4', clip(5), 'mp4v', 20.0)
    data = (tmp_path / 'a.mp4').read_bytes()
    (tmp_path / 'a.mp4').write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError) as error:
        open_source(str(tmp_path / 'a.mp4'))
    assert 'cannot be read' in one_line(error)


def test_a_video_that_does_not_tell_its_length_has_none(tmp_path: Path) -> None:
    pictures = [cv2.imencode('.jpg', frame.image_rgb)[1].tobytes() for frame in clip(5)]
    (tmp_path / 'a.mjpeg').write_bytes(b''.join(pictures))
    source = open_source(str(tmp_path / 'a.mjpeg'))
    assert source.frame_count is None
    assert len(list(source)) == 5


def test_folder_of_numbered_pictures_plays_by_number(tmp_path: Path) -> None:
    for number in (1, 2, 10, 100):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((8, 8, 3), number, np.uint8))
    shown = [int(frame.image_rgb[0, 0, 0]) for frame in open_source(str(tmp_path))]
    assert shown == [1, 2, 10, 100]


def test_folder_of_pictures_plays_by_name(tmp_path: Path) -> None:
    frames = clip(3)
    for i, frame in enumerate(frames):
        bgr = cv2.cvtColor(frame.image_rgb, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(tmp_path / f'{2 - i}.png'), bgr)
    source = open_source(str(tmp_path))
    read = list(source)
    assert source.frame_count == 3
    assert np.array_equal(read[0].image_rgb, frames[2].image_rgb)
    (tmp_path / '1.png').write_bytes(b'damaged')
    with pytest.raises(MediaError, match=r'1\.png'):
        list(source)


def test_wrong_specs_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / 'empty').mkdir()
    for spec in ('scene:x', str(tmp_path / 'missing.mp4'), str(tmp_path / 'empty')):
        with pytest.raises(MediaError) as error:
            open_source(spec)
        assert Path(spec).name.removeprefix('scene:') in one_line(error)
    write_video(tmp_path / 'a.mp4', clip(1), 'mp4v', 20.0)
    with pytest.raises(MediaError, match='not a bag'):
        open_source(f'{tmp_path}/a.mp4#/camera')


@pytest.mark.parametrize(
    ('name', 'count', 'rate_hz'),
    [('highway_1280x720_25fps.mp4', 170, 25.0), ('city_1280x720_10fps.mp4', 80, 10.0)],
)
def test_real_clips(shared: Path, name: str, count: int, rate_hz: float) -> None:
    source = open_source(str(shared / 'driving/clips' / name))
    assert (source.frame_count, source.rate_hz) == (count, pytest.approx(rate_hz))
    assert sum(1 for _ in source) == count
