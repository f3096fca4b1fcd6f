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

"""From a camera's image to the network's input frame, and boxes back to the camera's pixels."""

from __future__ import annotations

import cv2
from dads_ros.errors import MediaError
import numpy as np

PADDING_GREY = 114


def letterbox_scale(image_width: int, image_height: int, width: int, height: int) -> float:
    """Return input pixels per camera pixel when the whole image fits into width x height."""
    return min(width / image_width, height / image_height)


def letterbox(image_rgb: np.ndarray, height: int, width: int) -> np.ndarray:
    """
    Return the image scaled to fit, grey below and to the right, as the network's input frame.

    The image keeps its origin, so that boxes go back to camera pixels by one division.

    :param image_rgb: uint8 [h, w, 3].
    :return: uint8 [1, height, width, 3], contiguous.
    Raises MediaError when the image is empty or not 8-bit RGB.
    """
    if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
        raise MediaError(
            f'image has shape {image_rgb.shape} and type {image_rgb.dtype}; uint8 [h, w, 3] needed'
        )
    image_height, image_width = image_rgb.shape[:2]
    if not image_height or not image_width:
        raise MediaError('image is empty; check the camera')
    frame = np.full((1, height, width, 3), PADDING_GREY, np.uint8)
    scaled = fit(image_rgb, height, width)
    frame[0, : scaled.shape[0], : scaled.shape[1]] = scaled
    return frame


def fit(image_rgb: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the image scaled so that the whole of it just fits into width x height."""
    image_height, image_width = image_rgb.shape[:2]
    scale = letterbox_scale(image_width, image_height, width, height)
    size = (max(1, round(image_width * scale)), max(1, round(image_height * scale)))
    # INTER_AREA averages when shrinking; it keeps small cars that bilinear sampling skips.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image_rgb, size, interpolation=how)


def to_camera_pixels(
    boxes: np.ndarray, image_width: int, image_height: int, width: int, height: int
) -> np.ndarray:
    """
    Return boxes found in an input frame in the camera's pixels, clipped to the image.

    :param boxes: float32 [n, 4] as x0, y0, x1, y1 in pixels of the width x height input frame.
    """
    scale = letterbox_scale(image_width, image_height, width, height)
    limits = np.array([image_width, image_height, image_width, image_height], np.float32)
    return np.clip(boxes.astype(np.float32) / np.float32(scale), 0, limits)
