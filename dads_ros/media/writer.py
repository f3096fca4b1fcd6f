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

"""Writes videos that browsers play: WebM with VP8, which OpenCV encodes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
from types import TracebackType

import cv2
from dads_ros.errors import MediaError
import numpy as np

SUFFIX = '.webm'


class VideoWriter:
    """
    A video under way; the file appears when it is complete, not when writing it failed.

    :param path: ends in .webm; an existing file is replaced.
    Raises MediaError when the name is another or nothing can be written there.
    """

    def __init__(self, path: Path, rate_hz: float) -> None:
        if path.suffix != SUFFIX:
            raise MediaError(f'video {str(path)!r} must be named *{SUFFIX}')
        self._path = path
        self._part = path.with_name(f'.{path.stem}.{os.getpid()}{SUFFIX}')
        self._rate_hz = rate_hz
        self._writer: cv2.VideoWriter | None = None
        self._size: tuple[int, int] | None = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer is None:
            return
        self._writer.release()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)

    def write(self, image_rgb: np.ndarray) -> None:
        """
        Append a picture, uint8 RGB; the first one gives the size, which is even.

        Raises MediaError when the size is another or the file cannot be written.
        """
        size = (image_rgb.shape[1], image_rgb.shape[0])
        if self._writer is None:
            self._writer, self._size = self._open(size), size
        if size != self._size:
            raise MediaError(
                f'picture of {size} in a video of {self._size}; all must be of one size'
            )
        self._writer.write(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))

    def _open(self, size: tuple[int, int]) -> cv2.VideoWriter:
        code = cv2.VideoWriter.fourcc(*'VP80')
        with _no_stderr():
            writer = cv2.VideoWriter(str(self._part), cv2.CAP_FFMPEG, code, self._rate_hz, size)
        if not writer.isOpened():
            self._part.unlink(missing_ok=True)
            raise MediaError(
                f'video {str(self._path)!r} cannot be written; is its folder there, and does '
                'this OpenCV have FFmpeg?'
            )
        return writer


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Drop what C code prints: OpenCV complains of a tag that WebM does not have."""
    kept = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)
