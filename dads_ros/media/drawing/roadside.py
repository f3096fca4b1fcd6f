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

"""What stands beside the road of a generated scene: trees, buildings, poles and signs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
from dads_ros.media.drawing.camera import Camera
from dads_ros.media.drawing.canvas import bounds
from dads_ros.media.drawing.canvas import Canvas
from dads_ros.media.drawing.canvas import fill
from dads_ros.media.drawing.world import noise
import numpy as np

_NEAR_M = 1.5
_TREE_PX = 192
STOREY_PX = 40
_LEAVES = ((72, 92, 48), (58, 84, 44), (92, 100, 56), (50, 70, 50))
_WALLS = (
    (168, 160, 146), (132, 84, 66), (190, 186, 176), (120, 118, 116), (176, 148, 116),
    (98, 104, 112),
)  # fmt: skip


Levels = tuple[np.ndarray, ...]  # a premultiplied RGBA picture, and each time half as large


def _levels(picture: np.ndarray) -> Levels:
    levels = [picture]
    while min(levels[-1].shape[:2]) > 12:
        half = (levels[-1].shape[1] // 2, levels[-1].shape[0] // 2)
        levels.append(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA))
    return tuple(levels)


def _level(levels: Levels, height_px: float) -> np.ndarray:
    """Return the smallest level that is not stretched when drawn so high."""
    return next((p for p in reversed(levels) if p.shape[0] >= height_px), levels[0])


def tree(rng: np.random.Generator, light: float) -> Levels:
    """Return a picture of a tree, its trunk at the middle of the lower edge."""
    size = _TREE_PX
    alpha = np.zeros((size, size), np.float32)
    shade = np.zeros((size, size), np.float32)
    cv2.line(alpha, (size // 2, size - 1), (size // 2, size // 2), 1.0, 9)
    trunk = alpha.copy()
    tall = rng.random() < 0.4
    for _ in range(70):
        height = float(rng.uniform(0.08, 0.72))
        reach = (0.34 if tall else 0.44) * np.sqrt(max(1 - ((height - 0.4) / 0.36) ** 2, 0.02))
        centre = (int(size * (0.5 + rng.uniform(-reach, reach) * 0.8)), int(size * height))
        radius = int(size * rng.uniform(0.04, 0.10))
        cv2.circle(alpha, centre, radius, 1.0, -1)
        bright = 0.75 + 0.35 * rng.random() - 0.5 * height + 0.25 * (centre[0] / size - 0.5)
        cv2.circle(shade, centre, radius, float(bright), -1)
    grain = noise(rng, size, size, (2, 4, 9))
    alpha[(grain < -1.1) & (trunk == 0)] = 0
    leaf = np.asarray(_LEAVES[int(rng.integers(len(_LEAVES)))], np.float32)
    colour = leaf * np.clip(0.55 + 0.65 * shade + 0.22 * grain, 0.15, 1.6)[..., None] * light
    colour = np.where((trunk > 0)[..., None] & (shade == 0)[..., None], (64, 54, 44), colour)
    soft = cv2.GaussianBlur(alpha, (3, 3), 0.8)[..., None]
    picture = np.concatenate([np.clip(colour, 0, 255) * soft, soft * 255], axis=-1)
    return _levels(picture.astype(np.uint8))


def draw_tree(
    canvas: Canvas, camera: Camera, levels: Levels, x_m: float, z_m: float, height_m: float
) -> None:
    """Stand a tree on the ground."""
    if z_m < _NEAR_M:
        return
    width_m = height_m * levels[0].shape[1] / levels[0].shape[0]
    corners = np.array([(x_m - width_m / 2, height_m, z_m), (x_m + width_m / 2, 0.0, z_m)])
    pixels = camera.project(corners)
    (x0, y0), (x1, _) = pixels
    left, top, right, bottom = bounds(pixels, camera.width, camera.height)
    if min(right - left, bottom - top) < 1 or x1 - x0 < 2:
        return
    picture = _level(levels, pixels[1, 1] - pixels[0, 1])
    scale = picture.shape[1] / (x1 - x0)
    warp = np.array([[scale, 0, (left - x0) * scale], [0, scale, (top - y0) * scale]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(picture, warp, (right - left, bottom - top), flags=flags)
    canvas.blend(patch, left, top, z_m)


def facade(rng: np.random.Generator, light: float) -> Levels:
    """Return a picture of a building's front, STOREY_PX for a storey."""
    storeys, bays = int(rng.integers(2, 6)), int(rng.integers(5, 9))
    cell = STOREY_PX
    height, width = storeys * cell, bays * cell
    wall = np.asarray(_WALLS[int(rng.integers(len(_WALLS)))], np.float32)
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = wall + 6 * noise(rng, height, width, (2, 8, 60))[..., None]
    for floor in range(storeys):
        for bay in range(bays):
            y, x = floor * cell, bay * cell
            ground = floor == storeys - 1
            top, left = (8, 3) if ground else (9, 9)
            glass = rng.uniform(30, 90) * np.array([0.9, 1.0, 1.1])
            picture[y + top : y + cell - 4, x + left : x + cell - left] = glass
            picture[y + top : y + top + 2, x + left : x + cell - left] = wall * 0.6
        picture[floor * cell : floor * cell + 3] = wall * 1.12
    if rng.random() < 0.5:
        sign = rng.uniform(40, 210, 3)
        x = int(rng.integers(0, max(width - 100, 1)))
        picture[height - cell : height - cell + 10, x : x + 100] = sign
    opaque = np.full((height, width, 1), 255.0)
    rgba = np.concatenate([np.clip(picture * light, 0, 255), opaque], axis=-1)
    return _levels(rgba.astype(np.uint8))


def draw_wall(
    canvas: Canvas,
    camera: Camera,
    levels: Levels,
    foot: tuple[tuple[float, float], tuple[float, float]],
    height_m: float,
) -> None:
    """
    Stand a flat picture on the ground.

    :param foot: x and z of its left and right lower corners as seen from the front.
    """
    (x0, z0), (x1, z1) = foot
    if max(z0, z1) <= _NEAR_M:
        return
    span = [0.0, 1.0]
    if z0 < _NEAR_M:
        span[0] = (_NEAR_M - z0) / (z1 - z0)
    if z1 < _NEAR_M:
        span[1] = (_NEAR_M - z0) / (z1 - z0)
    ends = [(x0 + t * (x1 - x0), z0 + t * (z1 - z0)) for t in span]
    solid = np.array([
        (ends[0][0], height_m, ends[0][1]), (ends[1][0], height_m, ends[1][1]),
        (ends[1][0], 0.0, ends[1][1]), (ends[0][0], 0.0, ends[0][1]),
    ])  # fmt: skip
    quad = camera.project(solid)
    left, top, right, bottom = bounds(quad, camera.width, camera.height)
    if min(right - left, bottom - top) < 2:
        return
    picture = _level(levels, float(quad[:, 1].max() - quad[:, 1].min()))
    tall, wide = picture.shape[:2]
    source = np.array([
        (span[0] * wide, 0), (span[1] * wide, 0), (span[1] * wide, tall), (span[0] * wide, tall)
    ], np.float32)  # fmt: skip
    warp = cv2.getPerspectiveTransform(source, (quad - (left, top)).astype(np.float32))
    size = (right - left, bottom - top)
    patch = cv2.warpPerspective(picture, warp, size, flags=cv2.INTER_LINEAR)
    canvas.blend(patch, left, top, min(ends[0][1], ends[1][1]))


def draw_pole(canvas: Canvas, camera: Camera, x_m: float, z_m: float, height_m: float) -> None:
    """Stand a lamp post on the ground, its arm over the road."""
    if z_m < 2 * _NEAR_M:
        return
    arm = x_m - 1.8 * float(np.sign(x_m))
    bars = (
        (x_m - 0.09, x_m + 0.09, 0.0, height_m),
        (min(x_m, arm), max(x_m, arm), height_m - 0.12, height_m),
        (arm - 0.35, arm + 0.35, height_m - 0.2, height_m - 0.04),
    )
    _draw_quads(
        canvas,
        camera,
        [[(a, c, z_m), (b, c, z_m), (b, d, z_m), (a, d, z_m)] for a, b, c, d in bars],
        [(86, 88, 88)] * len(bars),
    )


def draw_barrier(canvas: Canvas, camera: Camera, x_m: float, z_m: float, length_m: float) -> None:
    """Stand a piece of a concrete barrier along the road."""
    near, far = max(z_m, _NEAR_M), z_m + length_m
    if far <= _NEAR_M:
        return
    a, b = camera.lateral_m(x_m, near), camera.lateral_m(x_m, far)
    side, top = 0.82, 0.9
    _draw_quads(
        canvas,
        camera,
        [
            [(a, 0.0, near), (b, 0.0, far), (b, side, far), (a, side, near)],
            [(a, side, near), (b, side, far), (b - 0.2, top, far), (a - 0.2, top, near)],
        ],
        [(128, 126, 120), (176, 173, 165)],
    )


def _draw_quads(
    canvas: Canvas,
    camera: Camera,
    quads: list[list[tuple[float, float, float]]],
    colours: list[tuple[int, int, int]],
) -> None:
    polygons = [camera.project(np.array(quad)) for quad in quads]

    def paint(patch: np.ndarray, to_layer: Callable[[np.ndarray], np.ndarray]) -> None:
        for polygon, colour in zip(polygons, colours, strict=True):
            fill(patch, to_layer(polygon), colour)

    canvas.layer(np.concatenate(polygons), quads[0][0][2], paint)
