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

"""The picture under way: shapes drawn at a finer scale and laid over it from far to near."""

from __future__ import annotations

from collections.abc import Callable
import math

import cv2
from dads_ros.media.drawing.light import Light
import numpy as np

FREE = -1  # in Canvas.owner: a pixel of no labelled thing
_SHIFT = 4  # fractional bits of the coordinates given to OpenCV


class Canvas:
    """An RGB picture and, for every pixel, the number of the labelled thing seen there."""

    def __init__(self, background: np.ndarray, light: Light) -> None:
        self.rgb = background
        self.owner = np.full(background.shape[:2], FREE, np.int32)
        self.light = light
        self._drawn: dict[int, tuple[int, slice, slice]] = {}  # area, rows, columns

    def layer(
        self,
        outline: np.ndarray,
        z_m: float,
        paint: Callable[[np.ndarray, Callable[[np.ndarray], np.ndarray]], None],
        owner: int = FREE,
    ) -> None:
        """
        Draw a thing on a fine RGBA layer and lay it over the picture.

        :param outline: pixels [n, 2] that bound the thing.
        :param z_m: its distance, for haze.
        :param paint: called with the layer and a function from picture pixels to the layer's
            fixed-point coordinates.
        :param owner: number of the labelled thing, FREE for scenery.
        """
        height, width = self.rgb.shape[:2]
        left, top, right, bottom = bounds(outline, width, height)
        size = (right - left, bottom - top)
        if min(size) <= 0:
            return
        fine = 4 if max(size) < 90 else 3 if max(size) < 160 else 2
        patch = np.zeros((size[1] * fine, size[0] * fine, 4), np.uint8)

        def to_layer(points: np.ndarray) -> np.ndarray:
            scaled = (np.clip(points, -4e3, 4e3) - (left, top)) * fine - 0.5
            return np.round(scaled * (1 << _SHIFT)).astype(np.int32)

        paint(patch, to_layer)
        small = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
        self.blend(small, left, top, z_m, owner)

    def blend(self, patch: np.ndarray, x0: int, y0: int, z_m: float, owner: int = FREE) -> None:
        """Lay a premultiplied RGBA patch over the picture; it must lie inside."""
        height, width = patch.shape[:2]
        rows, columns = slice(y0, y0 + height), slice(x0, x0 + width)
        view = self.rgb[rows, columns]
        alpha = cv2.extractChannel(patch, 3)
        fade = self.light.fade(z_m)
        # One matrix takes premultiplied RGBA to hazy RGB.
        mix = np.concatenate([np.eye(3) * (1 - fade), self.light.haze[:, None] * (fade / 255)], 1)
        through = cv2.multiply(view, cv2.merge([cv2.bitwise_not(alpha)] * 3), scale=1 / 255)
        view[:] = cv2.add(through, cv2.transform(patch, mix))
        solid = alpha > 127  # more than half of the pixel
        self.owner[rows, columns][solid] = owner
        if owner != FREE:
            self._drawn[owner] = (int(np.count_nonzero(solid)), rows, columns)

    def visible(self, owner: int) -> tuple[tuple[int, int, int, int] | None, float]:
        """Return the box of what is seen of a thing, and the share of it that is seen."""
        area, rows, columns = self._drawn.get(owner, (0, slice(0), slice(0)))
        mask = (self.owner[rows, columns] == owner).view(np.uint8)
        seen = np.count_nonzero(mask)
        if not seen:
            return None, 0.0
        x, y, width, height = cv2.boundingRect(mask)
        x, y = x + columns.start, y + rows.start
        return (x, y, x + width, y + height), seen / area


def bounds(outline: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the whole pixels (left, top, right, bottom) of a picture that hold points [n, 2]."""
    (x0, y0), (x1, y1) = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
    left, top = max(math.floor(x0) - 1, 0), max(math.floor(y0) - 1, 0)
    return left, top, min(math.ceil(x1) + 2, width), min(math.ceil(y1) + 2, height)


def fill(patch: np.ndarray, polygon: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Fill a polygon, given in a layer's coordinates, with an opaque colour."""
    cv2.fillConvexPoly(patch, polygon, (*colour, 255), cv2.LINE_8, _SHIFT)


def stroke(
    patch: np.ndarray, ends: np.ndarray, width_px: float, colour: tuple[int, int, int]
) -> None:
    """Draw a thick line with round ends, given in a layer's coordinates."""
    start, end = ends.tolist()
    thickness = max(round(width_px), 1)
    cv2.line(patch, start, end, (*colour, 255), thickness, cv2.LINE_8, _SHIFT)
