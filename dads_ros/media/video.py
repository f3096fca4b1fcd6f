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

"""Video files, and folders of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path

import cv2
from dads_ros.detector.coco import natural
from dads_ros.errors import MediaError
from dads_ros.media.frame import Frame
from dads_ros.report.schema import TruthRecord

PICTURES = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.webp'})
FOLDER_HZ = 10.0
_UNKNOWN_HZ = 25.0  # of a video that does not tell

# FFmpeg would add lines of its own to our one; OpenCV reads this when it first opens a video.
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')


class VideoSource:
    """
    A video file, read by OpenCV.

    Raises MediaError when it cannot be read or holds no picture.
    """

    has_stamps = False

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        with self._open() as capture:
            self.rate_hz = capture.get(cv2.CAP_PROP_FPS) or _UNKNOWN_HZ
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))  # negative where it is not known
            self.frame_count: int | None = count if count > 0 else None
            if not capture.read()[0]:
                raise MediaError(f'video {str(path)!r} holds no picture that can be decoded')

    def __iter__(self) -> Iterator[Frame]:
        number = 0
        with self._open() as capture:
            while True:
                there, image = capture.read()
                if not there:
                    return
                stamp_ns = round(number * 1e9 / self.rate_hz)
                yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), stamp_ns)
                number += 1

    def truth(self) -> tuple[TruthRecord, ...]:
        """Return nothing: a video carries no labels."""
        return ()

    @contextmanager
    def _open(self) -> Iterator[cv2.VideoCapture]:
        # FFmpeg by name: OpenCV would take a file of another kind for a numbered picture.
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        cv2.utils.logging.setLogLevel(level)
        try:
            if not capture.isOpened():
                raise MediaError(
                    f'video {str(self._path)!r} cannot be read; it is no video or was cut off'
                )
            yield capture
        finally:
            capture.release()


class FolderSource:
    """
    The pictures of a folder in the order of their names, ``9.jpg`` before ``10.jpg``.

    Raises MediaError when there is none, or when one cannot be read.
    """

    rate_hz = FOLDER_HZ
    has_stamps = False

    def __init__(self, path: Path) -> None:
        self.name = path.name
        pictures = [p for p in path.iterdir() if p.suffix.lower() in PICTURES]
        self._paths = sorted(pictures, key=lambda p: natural(p.name))
        if not self._paths:
            raise MediaError(
                f'folder {str(path)!r} holds neither a bag (metadata.yaml) nor a picture '
                f'({", ".join(sorted(PICTURES))})'
            )
        self.frame_count: int | None = len(self._paths)

    def __iter__(self) -> Iterator[Frame]:
        for number, path in enumerate(self._paths):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise MediaError(f'picture {str(path)!r} cannot be read; remove or replace it')
            stamp_ns = round(number * 1e9 / FOLDER_HZ)
            yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), stamp_ns)

    def truth(self) -> tuple[TruthRecord, ...]:
        """Return nothing: pictures carry no labels."""
        return ()
