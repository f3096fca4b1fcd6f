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

"""Trucks and buses: boxes with what makes them known as such."""

from __future__ import annotations

from dads_ros.media.drawing.fittings import DARK
from dads_ros.media.drawing.fittings import front
from dads_ros.media.drawing.fittings import GLASS
from dads_ros.media.drawing.fittings import paint_of
from dads_ros.media.drawing.fittings import rear
from dads_ros.media.drawing.fittings import span
from dads_ros.media.drawing.fittings import wheel
from dads_ros.media.drawing.mesh import Mesh
from dads_ros.media.drawing.mesh import MeshBuilder
import numpy as np


def truck(rng: np.random.Generator) -> Mesh:
    """Return a box truck."""
    builder = MeshBuilder()
    length, width, top = float(rng.uniform(7.0, 9.5)), 2.45, float(rng.uniform(3.1, 3.7))
    cab = 2.0
    box = np.array((225, 226, 224)) if rng.random() < 0.7 else np.asarray(paint_of(rng))
    paint = paint_of(rng)
    tail, nose = -length / 2, length / 2
    builder.box((-width / 2, 1.0, tail), (width / 2, top, nose - cab - 0.3), box.tolist(), 0.05)
    builder.box((-1.0, 0.55, tail), (1.0, 1.0, nose - cab), DARK)
    builder.box((-1.1, 0.5, nose - cab), (1.1, 2.5, nose), paint, 0.12)
    seam = (box * 0.72).tolist()
    for x in (-0.02, -width / 2 + 0.03, width / 2 - 0.07):
        rear(builder, (x, x + 0.04), (1.05, top - 0.05), tail, seam)
    rear(builder, (-width / 2, width / 2), (top - 0.1, top), tail, seam)
    rear(builder, (-width / 2, width / 2), (0.92, 1.06), tail, (60, 60, 62))
    rear(builder, (-0.9, 0.9), (0.5, 0.62), tail, (95, 95, 96))
    for side in (-1, 1):
        rear(builder, span(side, 0.85, 1.15), (0.78, 0.92), tail, (190, 24, 22))
        front(builder, span(side, 0.6, 1.0), (0.8, 1.0), nose, (235, 235, 225))
        x = side * 1.11
        window = ((x, 1.6, nose - 1.4), (x, 1.6, nose - 0.3), (x, 2.3, nose - 0.5))
        builder.face((*window, (x, 2.3, nose - 1.4)), GLASS, 0.35, 0.3)
        for z in (tail + 1.3, tail + 2.5, nose - 1.0):
            wheel(builder, side, 1.16, z, 0.48)
    front(builder, (-0.95, 0.95), (1.6, 2.35), nose, GLASS, 0.35)
    front(builder, (-0.7, 0.7), (0.75, 1.3), nose, DARK)
    front(builder, (-1.1, 1.1), (0.45, 0.7), nose, (70, 71, 73))
    return builder.build()


def bus(rng: np.random.Generator) -> Mesh:
    """Return a city bus."""
    builder = MeshBuilder()
    length, half, top = 11.0, 1.26, 3.1
    paint = np.asarray(((210, 212, 214), (200, 60, 40), (40, 90, 150), (230, 180, 40))[
        int(rng.integers(4))
    ])  # fmt: skip
    tail, nose = -length / 2, length / 2
    builder.box((-half, 0.32, tail), (half, top, nose), paint.tolist(), 0.12)
    skirt = (paint * 0.45).tolist()
    for side in (-1, 1):
        x = side * (half + 0.01)
        builder.face(_side_quad(x, 0.32, 0.75, tail, nose), skirt, 0.05, 0.5)
        builder.face(_side_quad(x, 1.35, 2.45, tail + 0.6, nose - 0.3), GLASS, 0.35, 0.5)
        for z in np.arange(tail + 2.0, nose - 0.5, 1.5):
            builder.face(_side_quad(x, 1.35, 2.45, z, z + 0.1), (36, 36, 38), 0.0, 0.6)
        rear(builder, span(side, 0.95, 1.2), (0.85, 1.25), tail, (185, 22, 22))
        front(builder, span(side, 0.75, 1.1), (0.7, 0.92), nose, (240, 240, 228))
        for z in (tail + 2.6, nose - 2.6):
            wheel(builder, side, half, z, 0.48)
    rear(builder, (-1.0, 1.0), (1.55, 2.45), tail, GLASS, 0.3)
    rear(builder, (-0.9, 0.9), (0.7, 1.35), tail, (60, 61, 62))
    rear(builder, (-0.8, 0.8), (2.6, 2.85), tail, (24, 22, 20))
    front(builder, (-1.15, 1.15), (1.1, 2.5), nose, GLASS, 0.35)
    front(builder, (-0.9, 0.9), (2.6, 2.92), nose, (24, 22, 18))
    front(builder, (-0.5, 0.5), (2.68, 2.84), nose, (240, 160, 40))
    front(builder, (-1.2, 1.2), (0.36, 0.62), nose, skirt)
    return builder.build()


def _side_quad(x: float, low: float, high: float, z0: float, z1: float) -> list[list[float]]:
    return [[x, low, z0], [x, low, z1], [x, high, z1], [x, high, z0]]
