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

"""What all drawn vehicles have in common: paints, wheels, and patches on front, rear and sides."""

from __future__ import annotations

from collections.abc import Sequence
import math

from dads_ros.media.drawing.mesh import MeshBuilder
import numpy as np

GLASS = (26, 30, 34)
DARK = (20, 20, 22)
TYRE = (18, 18, 19)
CHROME = (150, 152, 155)
_PAINTS = (
    ((226, 228, 230), 18), ((30, 31, 34), 17), ((150, 153, 157), 16), ((84, 87, 92), 14),
    ((140, 26, 28), 8), ((28, 50, 104), 9), ((58, 74, 92), 6), ((176, 168, 150), 5),
    ((44, 66, 52), 4), ((196, 196, 190), 3),
)  # fmt: skip


def paint_of(rng: np.random.Generator) -> tuple[float, ...]:
    """Return a random body colour, as common as on the road."""
    weights = np.array([weight for _, weight in _PAINTS], float)
    base = _PAINTS[int(rng.choice(len(_PAINTS), p=weights / weights.sum()))][0]
    return tuple((np.asarray(base) * rng.uniform(0.85, 1.1)).clip(8, 240).tolist())


def tone(colour: Sequence[float], factor: float) -> tuple[float, ...]:
    """Return the colour made darker or lighter."""
    return tuple(factor * c for c in colour)


def wheel(builder: MeshBuilder, side: int, half: float, z: float, radius: float) -> None:
    """Add a wheel: arch, tyre, rim and hub as discs, the tread as a box."""
    inner, outer = sorted((side * (half - 0.24), side * half * 0.985))
    tread = radius * 0.8
    builder.box((inner, 0.0, z - tread), (outer, radius * 1.2, z + tread), TYRE)
    rings = (
        (radius * 1.16, DARK),
        (radius, TYRE),
        (radius * 0.64, CHROME),
        (radius * 0.2, DARK),
    )
    for layer, (size, colour) in enumerate(rings):
        angles = np.arange(12) * (2 * math.pi / 12)
        x = side * (half + 0.004 + 0.004 * layer)
        disc = [(x, max(radius + size * math.sin(a), 0.0), z + size * math.cos(a)) for a in angles]
        builder.face(disc, colour, 0.0, 0.3 + 0.1 * layer)


def span(side: int, inner: float, outer: float) -> tuple[float, float]:
    """Return the stretch across the vehicle, from left to right, on one of its sides."""
    return (inner, outer) if side > 0 else (-outer, -inner)


def rear(
    builder: MeshBuilder,
    x: tuple[float, float],
    y: tuple[float, float],
    z: float,
    colour: Sequence[float],
    gloss: float = 0.0,
) -> None:
    """Add a patch on the rear face at ``z``."""
    corners = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]
    builder.face([(a, b, z - 0.012) for a, b in corners], colour, gloss, 0.4)


def front(
    builder: MeshBuilder,
    x: tuple[float, float],
    y: tuple[float, float],
    z: float,
    colour: Sequence[float],
    gloss: float = 0.0,
) -> None:
    """Add a patch on the front face at ``z``."""
    corners = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]
    builder.face([(a, b, z + 0.012) for a, b in corners], colour, gloss, 0.4)
