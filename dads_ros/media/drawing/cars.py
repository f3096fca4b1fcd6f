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

"""Passenger cars: a side profile lofted over a rounded plan, with glass, lights and wheels."""

from __future__ import annotations

from dataclasses import dataclass
import itertools

from dads_ros.media.drawing.fittings import CHROME
from dads_ros.media.drawing.fittings import DARK
from dads_ros.media.drawing.fittings import front
from dads_ros.media.drawing.fittings import GLASS
from dads_ros.media.drawing.fittings import paint_of
from dads_ros.media.drawing.fittings import rear
from dads_ros.media.drawing.fittings import span
from dads_ros.media.drawing.fittings import tone
from dads_ros.media.drawing.fittings import wheel
from dads_ros.media.drawing.mesh import Mesh
from dads_ros.media.drawing.mesh import MeshBuilder
import numpy as np


@dataclass(frozen=True, slots=True)
class Profile:
    """
    The shape of a car body.

    ``stations`` run from the tail (0) to the nose (1): share of the length, height of the top in
    metres, half width as a share of the widest.
    """

    length_m: float
    width_m: float
    belt_m: float
    bottom_m: float
    wheel_m: float
    stations: tuple[tuple[float, float, float], ...]
    pillars: tuple[float, ...]
    blind: tuple[float, float] = (0.0, 0.0)  # stretch without side windows


SEDAN = Profile(
    4.75, 1.84, 0.97, 0.24, 0.32,
    ((0.0, 0.92, 0.80), (0.012, 1.02, 0.90), (0.05, 1.08, 0.96), (0.17, 1.10, 1.0),
     (0.33, 1.41, 1.0), (0.44, 1.46, 1.0), (0.58, 1.44, 1.0), (0.75, 1.05, 1.0),
     (0.88, 0.94, 0.98), (0.96, 0.83, 0.91), (0.99, 0.74, 0.84), (1.0, 0.64, 0.76)),
    (0.50, 0.335),
)  # fmt: skip
HATCH = Profile(
    4.15, 1.78, 0.98, 0.24, 0.31,
    ((0.0, 0.95, 0.84), (0.015, 1.05, 0.93), (0.09, 1.42, 0.97), (0.22, 1.50, 1.0),
     (0.42, 1.53, 1.0), (0.58, 1.49, 1.0), (0.77, 1.06, 1.0), (0.90, 0.94, 0.97),
     (0.975, 0.80, 0.88), (1.0, 0.64, 0.76)),
    (0.47, 0.25),
)  # fmt: skip
SUV = Profile(
    4.75, 1.93, 1.10, 0.30, 0.37,
    ((0.0, 1.02, 0.86), (0.012, 1.16, 0.94), (0.07, 1.60, 0.97), (0.13, 1.70, 1.0),
     (0.35, 1.75, 1.0), (0.58, 1.70, 1.0), (0.74, 1.18, 1.0), (0.88, 1.10, 0.99),
     (0.965, 1.0, 0.93), (1.0, 0.76, 0.82)),
    (0.50, 0.30, 0.13),
)  # fmt: skip
PICKUP = Profile(
    5.60, 2.0, 1.15, 0.36, 0.40,
    ((0.0, 1.16, 0.93), (0.01, 1.20, 0.96), (0.06, 1.20, 0.99), (0.34, 1.22, 1.0),
     (0.375, 1.78, 1.0), (0.46, 1.86, 1.0), (0.60, 1.82, 1.0), (0.71, 1.25, 1.0),
     (0.90, 1.18, 1.0), (0.975, 1.10, 0.95), (1.0, 0.80, 0.88)),
    (0.52,),
)  # fmt: skip
VAN = Profile(
    5.3, 2.0, 1.20, 0.28, 0.35,
    ((0.0, 1.18, 0.93), (0.008, 1.28, 0.97), (0.03, 2.0, 0.98), (0.10, 2.08, 1.0),
     (0.5, 2.12, 1.0), (0.70, 2.02, 1.0), (0.86, 1.26, 1.0), (0.96, 1.08, 0.94),
     (1.0, 0.76, 0.84)),
    (0.66,),
    (0.02, 0.60),
)  # fmt: skip
CARS = ((SEDAN, 0.38), (SUV, 0.34), (HATCH, 0.16), (PICKUP, 0.07), (VAN, 0.05))


def car(rng: np.random.Generator, braking: bool = False) -> Mesh:
    """Return a passenger car of a random kind and colour."""
    profile = CARS[int(rng.choice(len(CARS), p=[share for _, share in CARS]))][0]
    builder = MeshBuilder()
    _body(builder, profile, paint_of(rng), braking, rng)
    return builder.build()


def _top_at(shape: Profile, share: float) -> float:
    """Return the height of the profile at a share of the length."""
    stations = np.asarray(shape.stations)
    return float(np.interp(share, stations[:, 0], stations[:, 1]))


def _body(
    builder: MeshBuilder,
    shape: Profile,
    paint: tuple[float, ...],
    braking: bool,
    rng: np.random.Generator,
) -> None:
    """Loft the sections and hang lights, plates, mirrors and wheels on them."""
    half = shape.width_m / 2
    sections = [_section(shape, *station) for station in shape.stations]
    for low, high in itertools.pairwise(sections):
        _loft(builder, shape, low, high, paint)
    for section in (sections[0], sections[-1]):
        builder.face([*section, *(section * (-1, 1, 1))[::-1]], paint, 0.14, -0.05)
    tail, nose = -shape.length_m / 2, shape.length_m / 2
    _tail(builder, shape, sections[0], tail, braking, rng)
    _nose(builder, shape, sections[-1], nose, rng)
    for share in shape.pillars:
        section = _section(shape, share, _top_at(shape, share), 1.0)
        for side in (-1, 1):
            low, high = section[3] * (side, 1, 1), section[4] * (side, 1, 1)
            offset = np.array([side * 0.012, 0.0, 0.0])
            step = np.array([0.0, 0.0, 0.06])
            corners = [low + offset - step, low + offset + step, high + offset + step]
            builder.face([*corners, high + offset - step], tone(paint, 0.35), 0.05, 0.2)
    for side in (-1, 1):
        inner, outer = sorted((side * half * 0.98, side * (half + 0.16)))
        z = tail + 0.69 * shape.length_m
        near, far = (inner, shape.belt_m + 0.02, z), (outer, shape.belt_m + 0.17, z + 0.1)
        builder.box(near, far, tone(paint, 0.8), 0.1, 0.25)
    for side in (-1, 1):
        for z in (tail + 0.19 * shape.length_m, tail + 0.80 * shape.length_m):
            wheel(builder, side, half, z, shape.wheel_m)


def _section(shape: Profile, share: float, top: float, width: float) -> np.ndarray:
    """Return six points from the sill to the middle of the roof, right side."""
    z = (share - 0.5) * shape.length_m
    half = shape.width_m / 2 * width
    cabin = min(max((top - shape.belt_m) / 0.45, 0.0), 1.0)
    belt = min(shape.belt_m, top - 0.04)
    upper = half * (0.97 - 0.20 * cabin)
    return np.array([
        (half * 0.90, shape.bottom_m, z),
        (half * 0.99, shape.bottom_m + 0.22, z),
        (half, shape.bottom_m + 0.62 * (belt - shape.bottom_m), z),
        (half * 0.97, belt, z),
        (upper, max(top - 0.07, belt + 0.01), z),
        (upper * 0.82, top, z),
    ])  # fmt: skip


def _loft(
    builder: MeshBuilder,
    shape: Profile,
    low: np.ndarray,
    high: np.ndarray,
    paint: tuple[float, ...],
) -> None:
    """Add the faces between two neighbouring sections."""
    cabin = min(low[5, 1], high[5, 1]) > shape.belt_m + 0.25
    slope = abs(high[5, 1] - low[5, 1]) > 0.3
    middle = (low[0, 2] + high[0, 2]) / 2 / shape.length_m + 0.5
    blind = shape.blind[0] < middle < shape.blind[1]
    dark = tone(paint, 0.25)
    for strip in range(5):
        colour, gloss = paint, 0.14
        if strip == 0:
            colour, gloss = dark, 0.0
        elif (strip == 3 and cabin and not blind) or (strip == 4 and slope):
            colour, gloss = GLASS, 0.42
        a, b, c, d = low[strip], low[strip + 1], high[strip + 1], high[strip]
        for side in (-1, 1):
            builder.face(np.array([a, b, c, d]) * (side, 1, 1), colour, gloss)  # type: ignore[arg-type]
    colour, gloss = (GLASS, 0.42) if slope else (paint, 0.2)
    mirror = np.array((-1, 1, 1))
    builder.face([low[5], high[5], high[5] * mirror, low[5] * mirror], colour, gloss)


def _tail(
    builder: MeshBuilder,
    shape: Profile,
    section: np.ndarray,
    z: float,
    braking: bool,
    rng: np.random.Generator,
) -> None:
    """Hang lamps, plate and bumper on the rear face."""
    half, top = float(section[3, 0]), float(section[5, 1])
    lamp = (255, 40, 30) if braking else (150, 18, 20)
    low = top - 0.10 - float(rng.uniform(0.14, 0.24))
    inner = half * float(rng.uniform(0.55, 0.72))
    for side in (-1, 1):
        rear(builder, span(side, inner, half * 0.99), (low, top - 0.08), z, lamp, 0.1)
        rear(
            builder, span(side, inner, inner + 0.1), (low, low + 0.07), z - 0.005, (210, 205, 190)
        )
    bottom = shape.bottom_m
    rear(builder, (-half, half), (bottom, bottom + 0.16), z, DARK)
    rear(builder, (-half, half), (bottom + 0.31, bottom + 0.34), z, (30, 30, 32))
    plate = low - 0.14 if rng.random() < 0.6 else bottom + 0.2
    rear(builder, (-0.17, 0.17), (plate, plate + 0.12), z - 0.006, (225, 225, 215))
    rear(builder, (-0.08, 0.08), (top - 0.18, top - 0.12), z, CHROME, 0.3)


def _nose(
    builder: MeshBuilder, shape: Profile, section: np.ndarray, z: float, rng: np.random.Generator
) -> None:
    """Hang lamps, grille, plate and bumper on the front face."""
    half, top = float(section[3, 0]), float(section[5, 1])
    on = rng.random() < 0.3
    lamp = (255, 252, 240) if on else (205, 210, 216)
    bottom = shape.bottom_m
    for side in (-1, 1):
        front(builder, span(side, half * 0.56, half), (top - 0.15, top), z, lamp, 0.2)
        front(builder, span(side, half * 0.6, half * 0.9), (bottom + 0.1, bottom + 0.2), z, DARK)
    front(builder, (-half * 0.52, half * 0.52), (top - 0.22, top - 0.02), z, DARK, 0.05)
    front(builder, (-half * 0.5, half * 0.5), (top - 0.13, top - 0.11), z + 0.01, CHROME, 0.2)
    front(builder, (-half * 0.7, half * 0.7), (bottom, bottom + 0.15), z, DARK)
    front(builder, (-0.17, 0.17), (bottom + 0.2, bottom + 0.31), z + 0.01, (225, 225, 215))
