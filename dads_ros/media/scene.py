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

"""
A generated driving scene with exact ground truth: the demo's default clip.

Everything is drawn from the seed alone, so the same seed gives the same pixels and boxes on every
run. The camera sits in a car that drives along a street or a highway by day, among cars, trucks,
buses, people and cyclists; a busy road has motorcycles, too, and people who cross it. Boxes are of
what can be seen of each thing in the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dads_ros.media.drawing.composition import Composition
import numpy as np

LABELS = ('person', 'bicycle', 'car', 'motorcycle', 'bus', 'truck')
# Who sees less of a thing is neither right nor wrong about it: rows of a picture of 360, and the
# share of its pixels that nothing hides.
MIN_HEIGHT_PX = 12
MIN_VISIBLE = 0.4


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """
    One picture and the truth about it.

    ``boxes`` is float32 [n, 4] as x0, y0, x1, y1 in pixels, ``class_ids`` int64 [n] into LABELS,
    ``ignore`` bool [n]: too small, or too much hidden, to be asked for.
    """

    image_rgb: np.ndarray
    boxes: np.ndarray
    class_ids: np.ndarray
    ignore: np.ndarray
    stamp_s: float


def frames(
    seed: int,
    count: int,
    *,
    width: int = 640,
    height: int = 360,
    rate_hz: float = 10.0,
    busy: bool = False,
) -> Iterator[SceneFrame]:
    """
    Yield ``count`` frames of the drive that the seed names.

    :param seed: not negative; chooses road, light, weather and traffic.
    :param rate_hz: frames per second; time and so the traffic follow it.
    :param busy: with motorcycles, many cyclists, people and cyclists who cross the street, and
        parked bicycles: to learn from, and to be judged by. A demo's street has few cyclists
        and none of the others.
    """
    scene = Composition(seed, width, height, busy=busy)
    min_height = MIN_HEIGHT_PX * height / 360
    for index in range(count):
        time_s = index / rate_hz
        canvas, classes = scene.draw(time_s)
        boxes: list[tuple[int, int, int, int]] = []
        class_ids: list[int] = []
        ignore: list[bool] = []
        for owner, class_id in enumerate(classes):
            box, share = canvas.visible(owner)
            if box:
                boxes.append(box)
                class_ids.append(class_id)
                ignore.append(share < MIN_VISIBLE or box[3] - box[1] < min_height)
        yield SceneFrame(
            scene.expose(canvas.rgb, index),
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(class_ids, np.int64),
            np.array(ignore, bool),
            time_s,
        )
