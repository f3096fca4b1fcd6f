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

"""Between image messages and RGB arrays; the one place that knows how ROS carries pixels."""

from __future__ import annotations

import array
from typing import Any

import cv2
from dads_ros.errors import MediaError
from dads_ros.media.encodings import decode_compressed
from dads_ros.media.encodings import SUPPORTED
from dads_ros.media.encodings import to_rgb
import numpy as np
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

try:
    from cv_bridge import CvBridge
except ImportError:  # comes with ROS installations, not with PyPI
    CvBridge = None


def read(image: Image) -> np.ndarray:
    """
    Return an image as uint8 RGB [h, w, 3]; may share the message's memory.

    The encodings that cameras use are read here, without a copy where possible; what else there
    is (16 bits, floats) is left to cv_bridge where it is installed.
    Raises MediaError when the encoding is not supported or the data is too short.
    """
    if image.encoding not in SUPPORTED and CvBridge is not None:
        return _read_by_cv_bridge(image)
    data = np.frombuffer(image.data, np.uint8)
    return to_rgb(data, image.encoding, image.height, image.width, image.step)


def read_compressed(image: CompressedImage) -> np.ndarray:
    """
    Return a JPEG or PNG image as uint8 RGB [h, w, 3].

    Raises MediaError when it cannot be decoded.
    """
    return decode_compressed(np.frombuffer(image.data, np.uint8), image.format)


def encode(image_rgb: np.ndarray, encoding: str) -> np.ndarray:
    """Return uint8 RGB pixels in one of the encodings that the player offers."""
    if encoding == 'bgr8':
        return image_rgb[..., ::-1]
    return cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY) if encoding == 'mono8' else image_rgb


def to_msg(pixels: np.ndarray, encoding: str, header: Header) -> Image:
    """Return the message of pixels that are in this encoding already."""
    height, width = pixels.shape[:2]
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(pixels).data.cast('B'))
    return Image(
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        step=pixels.nbytes // height,
        data=data,
    )


def _read_by_cv_bridge(image: Image) -> np.ndarray:
    try:
        pixels: Any = CvBridge().imgmsg_to_cv2(image, 'rgb8')
    except Exception as error:  # CvBridgeError, or cv2's own from below
        raise MediaError(
            f'image encoding {image.encoding!r} cannot be read: {error!s:.100}; '
            f'use one of {", ".join(SUPPORTED)}'
        ) from error
    return np.asarray(pixels)
