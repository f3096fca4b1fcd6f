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

"""JPEG and WebP of the network's input frame."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
from dads_ros.errors import CodecError
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Extension, flag of the quality, what else. Huffman tables of its own take a tenth and more off a
# small JPEG and leave its pixels as they are.
WRITE = {
    'jpeg': ('.jpg', cv2.IMWRITE_JPEG_QUALITY, [cv2.IMWRITE_JPEG_OPTIMIZE, 1]),
    'webp': ('.webp', cv2.IMWRITE_WEBP_QUALITY, []),
}
# The one kind of frame that is written. Others are refused: a progressive one may ask for a pass
# over the picture for each dozen bytes.
_JPEG_BASELINE = 0xC0
_JPEG_PLAIN = frozenset((0xE0, 0xDB, 0xC4, 0xDD))  # JFIF, tables, restart interval
_START_OF_SCAN = 0xDA
_MOST_SEGMENTS = 32


class ImageCodec:
    """
    A picture format for uint8 frames [1, height, width, 3].

    :param family: 'jpeg' or 'webp'.
    :param quality: 1 to 100, as the format's library counts it.
    """

    def __init__(self, family: str, quality: int) -> None:
        self._family = family
        self._extension, flag, others = WRITE[family]
        self._options = [flag, quality, *others]

    def supports(self, shape: tuple[int, ...], dtype: str) -> bool:
        """Take the input frame only."""
        return (
            dtype == 'uint8'
            and len(shape) == 4
            and shape[0] == 1
            and shape[3] == 3
            and all(0 < side <= 16383 for side in shape[1:3])
        )

    def lossless(self, dtype: str) -> bool:  # noqa: ARG002
        """Lose detail at every quality."""
        return False

    def encode(self, array: np.ndarray) -> Buffer:
        """Compress the frame."""
        bgr = cv2.cvtColor(np.ascontiguousarray(array[0]), cv2.COLOR_RGB2BGR)
        done, data = cv2.imencode(self._extension, bgr, self._options)
        if not done:
            raise CodecError(f'{self._family} refused a frame of shape {array.shape}')
        return data.data

    def decode(self, data: memoryview, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Decompress, once the picture's own header has confirmed the size."""
        size = (_jpeg_size if self._family == 'jpeg' else _webp_size)(data)
        if size != shape[1:3]:
            raise CodecError(f'{self._family} picture is {size}, not {shape[1:3]}')
        decode = _decode_jpeg if self._family == 'jpeg' else _decode_webp
        picture = decode(data)
        if picture is None or picture.shape != shape[1:] or picture.dtype != dtype:
            raise CodecError(f'{self._family} picture is damaged')
        return picture[None]


def _decode_jpeg(data: memoryview) -> np.ndarray | None:
    """
    Return the RGB picture, or None when it is damaged beyond use.

    By Pillow, which gives the same pixels as OpenCV: OpenCV's decoder writes a line to standard
    error for every damaged picture, so that a hostile sender could fill the log.
    """
    try:
        with Image.open(io.BytesIO(data), formats=('JPEG',)) as picture:
            return np.array(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _decode_webp(data: memoryview) -> np.ndarray | None:
    """Return the RGB picture, or None when it is damaged beyond use."""
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def _jpeg_size(data: memoryview) -> tuple[int, int] | None:
    """
    Return (height, width) from the header of a plain file, the only kind that is written.

    One with two sizes, or with segments for cameras and editors, which have parsers of their own,
    is none; nor is one whose first scan has not all components: any number of scans may follow,
    and each is a pass over the whole picture for a dozen bytes.
    """
    if bytes(data[:2]) != b'\xff\xd8':
        return None
    at, frames = 2, []
    for _ in range(_MOST_SEGMENTS):
        if at + 10 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            break
        if marker == _JPEG_BASELINE:
            height, width = _big(data[at + 5 : at + 7]), _big(data[at + 7 : at + 9])
            frames.append((height, width, data[at + 9]))
        elif marker not in _JPEG_PLAIN:
            return None
        at += 2 + max(2, _big(data[at + 2 : at + 4]))
    else:
        return None
    if len(frames) != 1:
        return None
    height, width, components = frames[0]
    return (height, width) if data[at + 4] == components else None


def _webp_size(data: memoryview) -> tuple[int, int] | None:
    """Return (height, width) of a simple lossy file, the only kind that is written."""
    if bytes(data[:4]) != b'RIFF' or bytes(data[8:16]) != b'WEBPVP8 ':
        return None
    if len(data) < 30 or bytes(data[23:26]) != b'\x9d\x01\x2a':
        return None
    width, height = (int.from_bytes(data[i : i + 2], 'little') & 0x3FFF for i in (26, 28))
    return height, width


def _big(data: memoryview) -> int:
    return int.from_bytes(data, 'big')
