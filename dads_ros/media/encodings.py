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
From the encodings of sensor_msgs/Image to 8-bit RGB; pure functions on arrays.

The names are those of ROS's sensor_msgs/image_encodings.
"""

from __future__ import annotations

import cv2
from dads_ros.errors import MediaError
import numpy as np

# encoding -> (channels in a row of the buffer, OpenCV's conversion to RGB; None is RGB already)
_PACKED: dict[str, tuple[int, int | None]] = {
    'rgb8': (3, None),
    'bgr8': (3, cv2.COLOR_BGR2RGB),
    'rgba8': (4, cv2.COLOR_RGBA2RGB),
    'bgra8': (4, cv2.COLOR_BGRA2RGB),
    'mono8': (1, cv2.COLOR_GRAY2RGB),
    'yuv422': (2, cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': (2, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': (2, cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': (2, cv2.COLOR_YUV2RGB_YUY2),
    # OpenCV names a Bayer pattern by its second row's second and third pixel.
    'bayer_rggb8': (1, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr8': (1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': (1, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg8': (1, cv2.COLOR_BayerGB2RGB),
}
_PLANAR: dict[str, int] = {'nv12': cv2.COLOR_YUV2RGB_NV12, 'nv21': cv2.COLOR_YUV2RGB_NV21}
SUPPORTED = (*_PACKED, *_PLANAR)


def to_rgb(data: np.ndarray, encoding: str, height: int, width: int, step: int) -> np.ndarray:
    """
    Return an image as uint8 RGB [height, width, 3]; rgb8 without padding shares the data's memory.

    :param data: uint8 [height * step], or half as much again for nv12.
    :param step: bytes from one row to the next.
    Raises MediaError when the encoding is not supported or the data is too short.
    """
    if encoding in _PLANAR:
        rows = _rows(data, encoding, height + height // 2, width, step, 1)
        _check_even(encoding, width, height)
        return cv2.cvtColor(np.ascontiguousarray(rows), _PLANAR[encoding])
    if encoding not in _PACKED:
        raise MediaError(
            f'image encoding {encoding!r} is not supported; use one of {", ".join(SUPPORTED)}'
        )
    channels, conversion = _PACKED[encoding]
    rows = _rows(data, encoding, height, width, step, channels)
    if channels == 2 or encoding.startswith('bayer'):
        _check_even(encoding, width, height if channels == 1 else 0)
    image = rows if channels == 1 else rows.reshape(height, width, channels)
    return image if conversion is None else cv2.cvtColor(image, conversion)


def decode_compressed(data: np.ndarray, description: str = '') -> np.ndarray:
    """
    Return a JPEG, PNG or WebP picture as uint8 RGB [h, w, 3].

    :param description: of sensor_msgs/CompressedImage, such as ``bgr8; jpeg compressed bgr8``. A
        Bayer camera's pictures are compressed as they are, one channel of raw cells.
    Raises MediaError when it cannot be decoded.
    """
    encoding = description.partition(';')[0].strip()
    is_mosaic = encoding.startswith('bayer_') and not description.endswith(('bgr8', 'rgb8'))
    how = cv2.IMREAD_GRAYSCALE if is_mosaic else cv2.IMREAD_COLOR
    try:
        image = cv2.imdecode(data, how) if data.size else None
    except cv2.error:  # its header claims more pixels than OpenCV allows
        image = None
    if image is None:
        raise MediaError('compressed image cannot be decoded; jpeg, png and webp are read')
    if is_mosaic:
        height, width = image.shape
        return to_rgb(image.reshape(-1), encoding, height, width, width)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _check_even(encoding: str, width: int, height: int) -> None:
    if width % 2 or height % 2:
        raise MediaError(f'image of encoding {encoding!r} has odd size {width}x{height}')


def _rows(
    data: np.ndarray, encoding: str, rows: int, width: int, step: int, channels: int
) -> np.ndarray:
    """Return the pixels' bytes, uint8 [rows, width * channels], without the rows' padding."""
    if step < width * channels or data.size < rows * step or not rows or not width:
        raise MediaError(
            f'image of encoding {encoding!r} is {data.size} bytes with {step} a row; '
            f'{rows} rows of at least {width * channels} bytes needed'
        )
    return data[: rows * step].reshape(rows, step)[:, : width * channels]
