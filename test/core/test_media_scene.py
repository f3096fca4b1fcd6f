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


"""The drawn scene: the same pixels again, boxes where the things are."""

from __future__ import annotations

from dads_ros.media import scene
import numpy as np
import pytest


@pytest.fixture(scope='module', params=[0, 1])
def drive(request: pytest.FixtureRequest) -> list[scene.SceneFrame]:
    return list(scene.frames(request.param, 6, rate_hz=2.0))


def test_frames_have_the_asked_shape_and_stamps(drive: list[scene.SceneFrame]) -> None:
    assert [frame.stamp_s for frame in drive] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    for frame in drive:
        assert frame.image_rgb.shape == (360, 640, 3)
        assert frame.image_rgb.dtype == np.uint8
        assert frame.boxes.dtype == np.float32 and frame.class_ids.dtype == np.int64
        assert frame.boxes.shape == (len(frame.class_ids), 4)


def test_boxes_lie_in_the_picture_and_are_not_tiny(drive: list[scene.SceneFrame]) -> None:
    boxes = np.concatenate([frame.boxes for frame in drive])
    assert len(boxes) >= len(drive)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= 640).all() and (boxes[:, 3] <= 360).all()
    assert (boxes[:, 2] > boxes[:, 0]).all()
    ignore = np.concatenate([frame.ignore for frame in drive])
    small = boxes[:, 3] - boxes[:, 1] < scene.MIN_HEIGHT_PX
    assert ignore[small].all() and not ignore.all()


def test_same_seed_same_pixels_whatever_came_before() -> None:
    first = list(scene.frames(5, 2))
    list(scene.frames(6, 1))
    again = list(scene.frames(5, 2))
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.image_rgb, b.image_rgb)
        assert np.array_equal(a.boxes, b.boxes) and np.array_equal(a.class_ids, b.class_ids)


def test_another_seed_is_another_drive() -> None:
    a, b = next(scene.frames(1, 1)), next(scene.frames(2, 1))
    assert not np.array_equal(a.image_rgb, b.image_rgb)


def test_the_picture_changes_inside_the_boxes(drive: list[scene.SceneFrame]) -> None:
    """A thing stands out from the road: its box holds more contrast than road of that size."""
    stronger = 0
    total = 0
    for frame in drive:
        grey = frame.image_rgb.mean(axis=2)
        road = grey[330:358, 260:380].std()
        for x0, y0, x1, y1 in frame.boxes[~frame.ignore].astype(int):
            total += 1
            stronger += grey[y0:y1, x0:x1].std() > 1.5 * road
    assert stronger / total > 0.9


def test_boxes_scale_with_the_picture() -> None:
    small = next(scene.frames(2, 1, width=320, height=180))
    large = next(scene.frames(2, 1))
    assert small.image_rgb.shape == (180, 320, 3)
    asked = [int((~frame.ignore).sum()) for frame in (small, large)]
    assert abs(asked[0] - asked[1]) <= 1
    biggest = [max((f.boxes[:, 3] - f.boxes[:, 1]).tolist()) for f in (small, large)]
    assert biggest[1] / biggest[0] == pytest.approx(2.0, rel=0.05)


def test_all_kinds_appear() -> None:
    seen = {
        scene.LABELS[i]
        for seed in range(12)
        for frame in scene.frames(seed, 3, width=320, height=180, rate_hz=0.4, busy=True)
        for i in frame.class_ids
    }
    assert seen == set(scene.LABELS)


def test_a_demos_street_has_no_motorcycles() -> None:
    motorcycle = scene.LABELS.index('motorcycle')
    for seed in range(12):
        for frame in scene.frames(seed, 3, width=320, height=180, rate_hz=0.4):
            assert motorcycle not in frame.class_ids
