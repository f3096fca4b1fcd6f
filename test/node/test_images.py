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

"""The adapter between image messages and arrays: every encoding, and cv_bridge for the rest."""

from __future__ import annotations

import array
from types import SimpleNamespace
from typing import Any

import cv2
from dads_ros.errors import MediaError
import numpy as np
import pytest

pytestmark = pytest.mark.ros

COLOUR = (200, 60, 20)
SIZE = (32, 48)


def picture() -> np.ndarray:
    return np.full((*SIZE, 3), COLOUR, np.uint8)


def encoded(encoding: str) -> np.ndarray:
    """Return the picture's bytes, uint8 [rows, bytes], as a camera of that encoding sends them."""
    image = picture()
    if encoding in ('rgb8', 'bgr8'):
        return image[..., :: 1 if encoding == 'rgb8' else -1].reshape(SIZE[0], -1)
    if encoding in ('rgba8', 'bgra8'):
        code = cv2.COLOR_RGB2RGBA if encoding == 'rgba8' else cv2.COLOR_RGB2BGRA
        return cv2.cvtColor(image, code).reshape(SIZE[0], -1)
    if encoding == 'mono8':
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if encoding.startswith('bayer'):
        mosaic = np.empty(SIZE, np.uint8)
        for place, letter in enumerate(encoding[6:10]):
            mosaic[place // 2 :: 2, place % 2 :: 2] = COLOUR['rgb'.index(letter)]
        return mosaic
    y, u, v = studio_yuv()
    if encoding == 'nv12':
        chroma = np.tile(np.uint8([u, v]), SIZE[1] // 2)
        return np.concatenate([np.full(SIZE, y, np.uint8), np.tile(chroma, (SIZE[0] // 2, 1))])
    pair = [u, y, v, y] if encoding == 'yuv422' else [y, u, y, v]
    return np.tile(np.uint8(pair), (SIZE[0], SIZE[1] // 2))


def studio_yuv() -> tuple[int, int, int]:
    """Return BT.601 in its studio range, from the definition."""
    r, g, b = COLOUR
    return (
        round(16 + 0.257 * r + 0.504 * g + 0.098 * b),
        round(128 - 0.148 * r - 0.291 * g + 0.439 * b),
        round(128 + 0.439 * r - 0.368 * g - 0.071 * b),
    )


ENCODINGS = (
    'rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'yuv422', 'yuv422_yuy2', 'nv12',
    'bayer_rggb8', 'bayer_bggr8', 'bayer_gbrg8', 'bayer_grbg8',
)  # fmt: skip


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_raw_message_of_every_encoding_is_read(encoding: str) -> None:
    from dads_ros.nodes import images
    from sensor_msgs.msg import Image

    rows = encoded(encoding)
    message = Image(
        height=SIZE[0], width=SIZE[1], encoding=encoding, step=rows.shape[1],
        data=array.array('B', rows.tobytes()),
    )  # fmt: skip
    image = images.read(message)
    expected = picture()
    if encoding == 'mono8':
        expected = cv2.cvtColor(cv2.cvtColor(expected, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    inner = np.abs(image.astype(int) - expected)[2:-2, 2:-2]
    assert inner.max() <= 4


@pytest.mark.parametrize(
    ('encoding', 'description'),
    [
        ('rgb8', 'rgb8; jpeg compressed bgr8'),
        ('bgr8', 'bgr8; png compressed bgr8'),
        ('bgr8', 'jpeg'),
        ('mono8', 'mono8; jpeg compressed '),
        ('bayer_rggb8', 'bayer_rggb8; jpeg compressed '),
        ('bayer_grbg8', 'bayer_grbg8; png compressed '),
    ],
)
def test_compressed_message_is_read(encoding: str, description: str) -> None:
    from dads_ros.nodes import images
    from sensor_msgs.msg import CompressedImage

    rows = encoded(encoding)
    colour = encoding in ('rgb8', 'bgr8')
    pixels = picture()[..., ::-1] if colour else rows  # files hold what OpenCV calls BGR
    suffix = '.png' if 'png' in description else '.jpg'
    data = cv2.imencode(suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])[1]
    message = CompressedImage(format=description, data=array.array('B', data.tobytes()))
    image = images.read_compressed(message)
    expected = picture()
    if encoding == 'mono8':
        expected = cv2.cvtColor(rows, cv2.COLOR_GRAY2RGB)
    assert np.abs(image.astype(int) - expected)[2:-2, 2:-2].max() <= 8


def test_other_encodings_are_left_to_cv_bridge_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dads_ros.nodes import images
    from sensor_msgs.msg import Image

    message = Image(height=2, width=2, encoding='mono16', step=4, data=array.array('B', bytes(8)))
    monkeypatch.setattr(images, 'CvBridge', None)
    with pytest.raises(MediaError, match="'mono16'"):
        images.read(message)

    def convert(asked: Any, wanted: str) -> np.ndarray:
        assert (asked, wanted) == (message, 'rgb8')
        return np.zeros((2, 2, 3), np.uint8)

    monkeypatch.setattr(images, 'CvBridge', lambda: SimpleNamespace(imgmsg_to_cv2=convert))
    assert images.read(message).shape == (2, 2, 3)


def test_what_cv_bridge_cannot_convert_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from dads_ros.nodes import images
    from sensor_msgs.msg import Image

    def convert(_: Any, __: str) -> np.ndarray:
        raise RuntimeError('[32FC2] is not a color format')

    monkeypatch.setattr(images, 'CvBridge', lambda: SimpleNamespace(imgmsg_to_cv2=convert))
    with pytest.raises(MediaError, match='32FC2'):
        images.read(Image(height=2, width=2, encoding='32FC2', step=16))
