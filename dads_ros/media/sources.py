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

"""Where camera frames come from: the drawn scene, a video, a ROS 2 bag, or a folder of images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2

from dads_ros.errors import MediaError
from dads_ros.media.clip import SceneSource
from dads_ros.media.frame import Frame
from dads_ros.report.schema import TruthRecord

PICTURES = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.webp'})
FOLDER_HZ = 10.0


class Source(Protocol):
    """
    Something that yields frames, as often as it is iterated.

    ``frame_count`` is None where only playing tells; ``has_stamps`` says that the frames carry
    stamps of a real camera.
    """

    name: str
    rate_hz: float
    frame_count: int | None
    has_stamps: bool

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order."""

    def truth(self) -> tuple[TruthRecord, ...]:
        """Return the true boxes by stamp; empty when they are not known."""


class VideoSource:
    """
    A video file, read by OpenCV.

    Raises MediaError when it cannot be read or holds no picture.
    """

    has_stamps = False

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        capture = self._open()
        self.rate_hz = capture.get(cv2.CAP_PROP_FPS) or 25.0
        self.frame_count: int | None = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) or None
        readable = capture.read()[0]
        capture.release()
        if not readable:
            raise MediaError(f'video {str(path)!r} holds no picture that can be decoded')

    def __iter__(self) -> Iterator[Frame]:
        capture = self._open()
        try:
            number = 0
            while True:
                there, image = capture.read()
                if not there:
                    return
                stamp_ns = round(number * 1e9 / self.rate_hz)
                yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), stamp_ns)
                number += 1
        finally:
            capture.release()

    def truth(self) -> tuple[TruthRecord, ...]:
        """Return nothing: a video carries no labels."""
        return ()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            raise MediaError(f'video {str(self._path)!r} cannot be read; is it a video file?')
        return capture


def open_source(spec: str, topic: str = '') -> Source:
    """
    Return the source that a text names.

    :param spec: ``scene``, ``scene:SEED``, or the path of a video, bag or folder of images.
    :param topic: the bag's image topic; empty takes the only one.
    Raises MediaError when there is no such thing or it cannot be read.
    """
    kind, _, seed = spec.partition(':')
    if kind == 'scene' and not Path(spec).exists():
        if seed and not seed.isdigit():
            raise MediaError(f'scene seed {seed!r} is not a whole number; use scene:7, say')
        return SceneSource(int(seed or 0))
    path = Path(spec)
    if not path.exists():
        raise MediaError(f'{spec!r} does not exist; give a video, a bag, a folder, or scene[:seed]')
    return VideoSource(path)
