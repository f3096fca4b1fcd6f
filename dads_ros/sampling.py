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

"""Input frames for measuring: spread evenly over a video, or over a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from dads_ros.detector.api import Detector
from dads_ros.errors import MediaError
from dads_ros.image import letterbox

PICTURES = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.webp'})


def input_frames(source: Path, detector: Detector, count: int) -> list[np.ndarray]:
    """
    Return network inputs, uint8 [1, height, width, 3], in the source's order.

    :param source: a video file, or a folder that holds pictures at any depth.
    :param count: how many at most, spread evenly.
    Raises MediaError when there is nothing to read.
    """
    if not source.exists():
        raise MediaError(f'{str(source)!r} does not exist; give a video or a folder of pictures')
    images = _pictures(source, count) if source.is_dir() else _video(source, count)
    frames = [letterbox(image, detector.input_height, detector.input_width) for image in images]
    if not frames:
        raise MediaError(f'{str(source)!r} holds no frame that can be read')
    return frames


def _pictures(folder: Path, count: int) -> Iterator[np.ndarray]:
    paths = sorted(p for p in folder.rglob('*') if p.suffix.lower() in PICTURES)
    for number in _spread(len(paths), count):
        image = cv2.imread(str(paths[number]), cv2.IMREAD_COLOR)
        if image is None:
            raise MediaError(f'{str(paths[number])!r} is not a picture that can be read')
        yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _video(path: Path, count: int) -> Iterator[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    try:
        wanted = _spread(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), count)
        for number in range(max(wanted, default=-1) + 1):
            if not capture.grab():
                break
            if number in wanted:
                read, image = capture.retrieve()
                if read:
                    yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


def _spread(total: int, count: int) -> list[int]:
    """Return at most ``count`` of ``total`` positions, evenly spread."""
    return sorted({round(i) for i in np.linspace(0, max(0, total - 1), count)} if total > 0 else ())
