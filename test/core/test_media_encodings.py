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


"""Encodings: packed from a known picture by the definition of each, and read back."""

from __future__ import annotations

import cv2
from dads_ros.errors import MediaError
from dads_ros.media.encodings import decode_compressed
from dads_ros.media.encodings import SUPPORTED
from dads_ros.media.encodings import to_rgb
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))
pictures = sizes.flatmap(lambda s: hnp.arrays(np.uint8, (2 * s[0], 2 * s[1], 3)))
ORDERS = {'rgb8': (0, 1, 2), 'bgr8': (2, 1, 0), 'rgba8': (0, 1, 2, -1), 'bgra8': (2, 1, 0, -1)}


def padded(rows: np.ndarray, padding: int) -> tuple[np.ndarray, int]:
    """Return the data and step of rows [height, bytes] with filler behind each."""
    filler = np.full((rows.shape[0], padding), 0xA5, np.uint8)
    data = np.concatenate([rows, filler], axis=1)
    return data.reshape(-1), data.shape[1]


@pytest.mark.parametrize('encoding', ORDERS)
@given(picture=pictures, padding=st.integers(0, 5))
def test_colour_orders_come_back_exactly(encoding: str, picture: np.ndarray, padding: int) -> None:
    opaque = np.concatenate([picture, np.full((*picture.shape[:2], 1), 7, np.uint8)], axis=2)
    height, width = picture.shape[:2]
    rows = opaque[..., ORDERS[encoding]].reshape(height, -1)
    data, step = padded(rows, padding)
    assert np.array_equal(to_rgb(data, encoding, height, width, step), picture)


@given(picture=pictures, padding=st.integers(0, 5))
def test_mono_is_grey(picture: np.ndarray, padding: int) -> None:
    grey = picture[..., 0]
    data, step = padded(grey, padding)
    image = to_rgb(data, 'mono8', *grey.shape, step)
    assert all(np.array_equal(image[..., i], grey) for i in range(3))


def yuv(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Y, U and V of BT.601 in its studio range, from the definition."""
    r, g, b = (picture[..., i].astype(float) for i in range(3))
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    u = 128 - 0.148 * r - 0.291 * g + 0.439 * b
    v = 128 + 0.439 * r - 0.368 * g - 0.071 * b
    return tuple(np.round(p).clip(0, 255).astype(np.uint8) for p in (y, u, v))  # type: ignore[return-value]


def flat_blocks(picture: np.ndarray) -> np.ndarray:
    """Return the picture with one colour in every 2 x 2 block, so that halved chroma is exact."""
    return np.repeat(np.repeat(picture[::2, ::2], 2, axis=0), 2, axis=1)


@pytest.mark.parametrize('encoding', ['yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv', 'nv12', 'nv21'])
@given(picture=pictures, padding=st.integers(0, 3))
@settings(max_examples=40)
def test_yuv_comes_back_within_rounding(encoding: str, picture: np.ndarray, padding: int) -> None:
    picture = flat_blocks(picture)
    height, width = picture.shape[:2]
    y, u, v = yuv(picture)
    if encoding.startswith('nv'):
        pair = (u, v) if encoding == 'nv12' else (v, u)
        chroma = np.stack([p[::2, ::2] for p in pair], axis=2).reshape(height // 2, width)
        rows = np.concatenate([y, chroma])
    else:
        u0, y0, v0, y1 = u[:, ::2], y[:, ::2], v[:, ::2], y[:, 1::2]
        order = (u0, y0, v0, y1) if encoding in ('yuv422', 'uyvy') else (y0, u0, y1, v0)
        rows = np.stack(order, axis=2).reshape(height, -1)
    data, step = padded(rows, padding)
    image = to_rgb(data, encoding, height, width, step)
    assert np.abs(image.astype(int) - picture).max() <= 6


@pytest.mark.parametrize('colour', [(200, 40, 90), (10, 180, 30), (30, 60, 220)])
@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_bayer_mosaic_of_one_colour_gives_that_colour(
    pattern: str, colour: tuple[int, int, int]
) -> None:
    mosaic = np.empty((8, 12), np.uint8)
    for place, letter in enumerate(pattern):
        mosaic[place // 2 :: 2, place % 2 :: 2] = colour['rgb'.index(letter)]
    image = to_rgb(mosaic.reshape(-1), f'bayer_{pattern}8', 8, 12, 12)
    assert (image[2:-2, 2:-2] == colour).all()


def test_what_is_not_supported_is_named_with_what_is() -> None:
    with pytest.raises(MediaError) as error:
        to_rgb(np.zeros(64, np.uint8), '16UC1', 4, 8, 16)
    text = str(error.value)
    assert "'16UC1'" in text and '\n' not in text
    assert all(name in text for name in SUPPORTED)


@given(
    encoding=st.sampled_from(SUPPORTED),
    size=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    step=st.integers(0, 30),
    length=st.integers(0, 200),
)
def test_any_header_gives_a_picture_or_one_error(
    encoding: str, size: tuple[int, int], step: int, length: int
) -> None:
    """No header from the network makes anything but a MediaError."""
    try:
        image = to_rgb(np.zeros(length, np.uint8), encoding, *size, step)
    except MediaError as error:
        assert '\n' not in str(error)
    else:
        assert image.shape == (*size, 3)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp'])
def test_compressed_pictures_are_read_as_rgb(suffix: str) -> None:
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:] = (220, 60, 20)
    _, data = cv2.imencode(suffix, picture[..., ::-1])
    assert np.abs(decode_compressed(data.reshape(-1)).astype(int) - picture).max() <= 8


HUGE = b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR' + b'\0\x0f\xff\xff' * 2 + b'\x08\x02\0\0\0'


@pytest.mark.parametrize('data', [b'', b'\xff\xd8\xff', b'no picture', HUGE + bytes(99)])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(MediaError):
        decode_compressed(np.frombuffer(data, np.uint8))


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_compressed_mosaic_is_told_by_its_description(pattern: str) -> None:
    """compressed_image_transport compresses a Bayer camera's cells as one grey picture."""
    colour = (200, 40, 90)
    mosaic = np.empty((8, 12), np.uint8)
    for place, letter in enumerate(pattern):
        mosaic[place // 2 :: 2, place % 2 :: 2] = colour['rgb'.index(letter)]
    data = cv2.imencode('.png', mosaic)[1].reshape(-1)
    image = decode_compressed(data, f'bayer_{pattern}8; png compressed ')
    assert (image[2:-2, 2:-2] == colour).all()
    grey = decode_compressed(data, f'bayer_{pattern}8; png compressed bgr8')
    assert np.array_equal(grey[..., 0], mosaic)
