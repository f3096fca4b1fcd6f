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

"""People on foot, and how they and what they ride are drawn: thick strokes in space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from dads_ros.media.drawing.camera import Camera
from dads_ros.media.drawing.camera import NEAR_M
from dads_ros.media.drawing.canvas import Canvas
from dads_ros.media.drawing.canvas import stroke
import numpy as np

Colour = tuple[float, float, float]
_SKIN = ((224, 178, 146), (188, 136, 100), (120, 80, 56), (236, 196, 170))
_CLOTH = (
    (36, 38, 46), (58, 66, 92), (150, 40, 44), (200, 196, 188), (70, 90, 70), (190, 150, 60),
    (90, 60, 110), (40, 80, 140), (110, 104, 96),
)  # fmt: skip
Part = tuple[tuple[float, ...], tuple[float, ...], float, Colour]


@dataclass(frozen=True)
class Figure:
    """Strokes about the figure's own origin."""

    ends: np.ndarray  # [n, 2, 3], metres
    widths: np.ndarray  # [n], metres
    colours: np.ndarray  # [n, 3]


@dataclass(frozen=True, slots=True)
class Looks:
    """The colours and size of one person."""

    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    scale: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Looks:
        """Return one person's looks."""
        hair = ((30, 24, 20), (80, 56, 36), (150, 120, 70), (60, 60, 62))[int(rng.integers(4))]
        top, legs = (_CLOTH[int(i)] for i in rng.integers(len(_CLOTH), size=2))
        skin = _SKIN[int(rng.integers(len(_SKIN)))]
        return cls(skin, hair, top, legs, float(rng.uniform(0.92, 1.06)))


def walker(looks: Looks, phase: float) -> Figure:
    """Return a person walking along z at ``phase`` radians of the step."""
    swing = math.sin(phase)
    parts: list[Part] = []
    for side, lead in ((-1, swing), (1, -swing)):
        hip, foot = (side * 0.09, 0.90, 0.0), (side * 0.10, 0.07, 0.36 * lead)
        knee = (side * 0.10, 0.48, 0.20 * lead + 0.06)
        parts.append((hip, knee, 0.17, looks.legs))
        parts.append((knee, foot, 0.13, looks.legs))
        parts.append((foot, (foot[0], 0.05, foot[2] + 0.14), 0.10, (30, 28, 28)))
        shoulder, hand = (side * 0.21, 1.40, 0.0), (side * 0.26, 0.86, -0.24 * lead)
        elbow = (side * 0.26, 1.12, -0.10 * lead - 0.03)
        parts.append((shoulder, elbow, 0.12, looks.top))
        parts.append((elbow, hand, 0.10, looks.top))
        parts.append((hand, (hand[0], 0.82, hand[2]), 0.09, looks.skin))
        parts.append(((side * 0.09, 0.98, 0.0), (side * 0.13, 1.36, 0.0), 0.25, looks.top))
    parts.append(((0.0, 1.45, 0.0), (0.0, 1.52, 0.01), 0.12, looks.skin))
    parts.append(((0.0, 1.58, 0.02), (0.0, 1.64, 0.02), 0.19, looks.skin))
    parts.append(((0.0, 1.66, -0.02), (0.0, 1.67, -0.01), 0.20, looks.hair))
    return figure_of(parts, looks.scale)


def draw_figure(
    canvas: Canvas, camera: Camera, figure: Figure, at: tuple[float, float, float], owner: int
) -> None:
    """Paint a figure; ``at`` is its x, z and heading as for a mesh."""
    x_m, z_m, heading = at
    if z_m < 2 * NEAR_M:
        return
    sine, cosine = math.sin(heading), math.cos(heading)
    turn = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    ends = figure.ends @ turn.T + (x_m, 0.0, z_m)
    order = np.argsort(-ends[..., 2].mean(axis=1), kind='stable')
    pixels = camera.project(ends)
    light = canvas.light
    lit = np.clip((ends[..., 0].mean(axis=1) - x_m) / 0.3, -1, 1) * np.sign(light.sun[0])
    bright = light.ambient + light.direct * (0.45 + 0.25 * lit)
    colours = np.clip(figure.colours * bright[:, None], 0, 255).astype(int).tolist()
    widths = figure.widths * camera.focal_px / z_m
    reach = widths.max()
    flat = pixels.reshape(-1, 2)
    outline = np.concatenate([flat - reach, flat + reach])

    def paint(patch: np.ndarray, to_layer: Callable[[np.ndarray], np.ndarray]) -> None:
        unit = np.diff(to_layer(np.array([[0.0, 0.0], [1.0, 0.0]])), axis=0)[0, 0] / 16
        placed = to_layer(pixels)
        for i in order:
            red, green, blue = colours[i]
            stroke(patch, placed[i], widths[i] * unit, (red, green, blue))

    canvas.layer(outline, z_m, paint, owner)


def figure_of(parts: list[Part], scale: float = 1.0) -> Figure:
    """Return a figure made of strokes, each from end to end, of a width in metres and a colour."""
    ends = np.array([(a, b) for a, b, _, _ in parts], np.float64) * scale
    widths = np.array([width for _, _, width, _ in parts]) * scale
    return Figure(ends, widths, np.array([colour for _, _, _, colour in parts], np.float64))
