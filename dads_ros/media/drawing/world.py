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

"""What a generated scene stands on: road surface, markings, sky and the far background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from dads_ros.media.drawing.camera import Camera
import numpy as np

_TEXEL_M = 0.06
_ROAD_M = 60.0  # the surface's texture repeats along the road
_HALF_M = 42.0  # and is this wide on either side
_FAR_M = 700.0
_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Strip:
    """A stretch of ground across the road and its look."""

    left_m: float
    right_m: float
    colour: tuple[float, float, float]
    grain: float  # contrast of its texture, 0 to 255


@dataclass(frozen=True, slots=True)
class Marking:
    """A painted line along the road; ``period_m`` 0 means unbroken."""

    x_m: float
    colour: tuple[float, float, float]
    dash_m: float = 0.0
    period_m: float = 0.0
    width_m: float = 0.14


def noise(
    rng: np.random.Generator, height: int, width: int, octaves: tuple[int, ...]
) -> np.ndarray:
    """Return smooth noise of about zero mean and unit spread that repeats vertically."""
    total = np.zeros((height, width), np.float32)
    for cell in octaves:
        rows, columns = max(height // cell, 2), max(width // cell, 2)
        grid = rng.standard_normal((rows, columns)).astype(np.float32)
        ring = np.concatenate([grid, grid[:1]])
        fine = cv2.resize(ring, (width, height + height // rows), interpolation=cv2.INTER_LINEAR)
        total += fine[:height]
    return total / np.sqrt(len(octaves))


class Ground:
    """The road and what is beside it, as seen from above, laid into the picture row by row."""

    def __init__(
        self, rng: np.random.Generator, strips: tuple[Strip, ...], lanes_m: tuple[float, ...]
    ) -> None:
        rows, columns = int(_ROAD_M / _TEXEL_M), int(2 * _HALF_M / _TEXEL_M)
        across = (np.arange(columns) + 0.5) * _TEXEL_M - _HALF_M
        picture = np.empty((rows, columns, 3), np.float32)
        grain = np.zeros(columns, np.float32)
        for strip in strips:
            inside = (across >= strip.left_m) & (across < strip.right_m)
            picture[:, inside] = strip.colour
            grain[inside] = strip.grain
        for lane in lanes_m:
            for track in (-0.75, 0.75):  # tyres polish the surface, oil darkens the middle
                picture *= (
                    1 + 0.05 * np.exp(-(((across - lane - track) / 0.28) ** 2))[None, :, None]
                )
            picture *= 1 - 0.07 * np.exp(-(((across - lane) / 0.35) ** 2))[None, :, None]
        rough = noise(rng, rows, columns, (2, 5, 40, 200))
        picture += (rough * grain)[..., None]
        self._near = np.clip(picture, 0, 255).astype(np.uint8)
        flat = cv2.blur(picture.mean(axis=0, keepdims=True), (9, 1))
        self._far = np.clip(np.repeat(flat, 2, axis=0), 0, 255).astype(np.uint8)

    def draw(self, rgb: np.ndarray, camera: Camera, along_m: float, fade: np.ndarray) -> None:
        """
        Fill the picture below the horizon.

        :param along_m: how far the car has come.
        :param fade: haze colour, and its distance in metres as a fourth number.
        """
        first = int(np.ceil(camera.horizon_px + 0.5))
        rows = np.arange(max(first, 0), camera.height, dtype=np.float32)
        z = camera.focal_px * camera.height_m / (rows + 0.5 - camera.horizon_px)
        z = np.minimum(z, _FAR_M)[:, None]
        columns = np.arange(camera.width, dtype=np.float32)[None] + 0.5 - camera.width / 2
        x = columns * z / camera.focal_px - camera.curvature * np.minimum(z, 160) ** 2 / 2
        map_x = ((x + _HALF_M) / _TEXEL_M - 0.5).astype(np.float32)
        map_y = ((z + along_m) / _TEXEL_M % (_ROAD_M / _TEXEL_M)).astype(np.float32)
        map_y = np.broadcast_to(map_y, map_x.shape).copy()
        near = cv2.remap(self._near, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        far = cv2.remap(
            self._far,
            map_x,
            np.zeros_like(map_x),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        step_m = z * z / (camera.focal_px * camera.height_m)  # along the road, of one picture row
        share = np.clip(1.6 - step_m / 0.12 / 2, 0.12, 1.0).astype(np.float32)[..., None]
        haze = (1 - np.exp(-z / fade[3])).astype(np.float32)[..., None]
        clear = 1 - haze
        haze_colour = fade[:3].astype(np.float32) * haze
        ones = np.ones((1, camera.width, 1), np.float32)
        mixed = cv2.blendLinear(
            near, far, np.ascontiguousarray(share * clear * ones), (1 - share) * clear * ones
        )
        rgb[camera.height - len(rows) :] = cv2.add(
            mixed, np.broadcast_to(np.round(haze_colour), mixed.shape).astype(np.uint8)
        )


def draw_marking(
    rgb: np.ndarray, camera: Camera, marking: Marking, along_m: float, reach_m: float = 140.0
) -> None:
    """Paint one line of the road, as short straight pieces that follow its bend."""
    if marking.period_m:
        starts = np.arange(-(along_m % marking.period_m), reach_m, marking.period_m)
        ends = starts + marking.dash_m
    else:
        knots = np.geomspace(2.0, reach_m, 14)
        starts, ends = knots[:-1], knots[1:]
    shown = ends > 1.5
    starts, ends = np.maximum(starts[shown], 1.5), ends[shown]
    corners = np.zeros((len(starts), 4, 3))
    corners[..., 2] = np.stack([starts, starts, ends, ends], axis=1)
    corners[..., 0] = marking.x_m + marking.width_m / 2 * np.array([-1, 1, 1, -1])
    corners[..., 0] += camera.curvature * corners[..., 2] ** 2 / 2
    pixels = np.round(np.clip(camera.project(corners), -4e3, 4e3) * (1 << _SHIFT)).astype(np.int32)
    for piece, start in zip(pixels, starts.tolist(), strict=True):
        wear = 0.98 - 0.3 * start / reach_m
        colour = [c * wear for c in marking.colour]
        cv2.fillConvexPoly(rgb, piece, colour, cv2.LINE_AA, _SHIFT)


class Backdrop:
    """Sky, clouds, hills and far trees, painted once and moved with the car's heading."""

    def __init__(
        self, rng: np.random.Generator, width: int, height: int, sky: np.ndarray, haze: np.ndarray
    ) -> None:
        self._margin = width // 2
        wide = width + 2 * self._margin
        rise = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        picture = sky * 0.78 * (1 - rise) + haze * rise
        cover = rng.uniform(-0.9, 0.9)
        clouds = noise(rng, 4 * height, wide, (320, 160, 80, 40, 20, 10))
        clouds = (
            cv2.resize(clouds, (wide, height), interpolation=cv2.INTER_AREA) - 0.2 * rise[..., 0]
        )
        share = np.clip((clouds + cover) * 0.55, 0, 0.9)[..., None] * (1 - 0.5 * rise)
        white = np.array([236, 236, 238], np.float32) * (0.86 + 0.10 * clouds[..., None])
        picture = picture * (1 - share) + np.clip(white, 0, 250) * share
        for base, spread, colour in self._ridges(rng):
            line = base + spread * noise(rng, 4, wide, (220, 90, 30, 9, 4))[0]
            tint = np.asarray(colour, np.float32)
            leaf = noise(rng, height, wide, (3, 7, 20))[..., None]
            below = (rise[..., 0] * height > height - line[None]).astype(np.float32)[..., None]
            below = cv2.GaussianBlur(below, (3, 3), 0.7)[..., None]
            picture = picture * (1 - below) + np.clip(tint * (1 + 0.16 * leaf), 0, 255) * below
        self._picture = np.clip(picture, 0, 255).astype(np.uint8)

    @staticmethod
    def _ridges(
        rng: np.random.Generator,
    ) -> list[tuple[float, float, tuple[float, float, float]]]:
        """Return the far silhouettes: height and roughness in pixels, colour."""
        hills = (float(rng.uniform(6, 26)), 4.0, (104.0, 118.0, 132.0))
        trees = (float(rng.uniform(7, 15)), 4.5, (58.0, 70.0, 52.0))
        return [hills, trees]

    def draw(self, rgb: np.ndarray, camera: Camera, turn_rad: float) -> None:
        """Fill the picture above the horizon."""
        shift = round(float(np.clip(turn_rad * camera.focal_px, -self._margin, self._margin)))
        rows = min(int(np.ceil(camera.horizon_px + 1.5)), camera.height)
        source = self._picture[-rows:, self._margin + shift : self._margin + shift + camera.width]
        rgb[:rows] = source
