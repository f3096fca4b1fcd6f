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

"""Bicycles, motorcycles and who rides them: strokes in space, each pointing along z."""

from __future__ import annotations

import itertools
import math

from dads_ros.media.drawing.people import Colour
from dads_ros.media.drawing.people import Figure
from dads_ros.media.drawing.people import figure_of
from dads_ros.media.drawing.people import Looks
from dads_ros.media.drawing.people import Part
import numpy as np

_TYRE, _BLACK, _STEEL = (24, 24, 24), (26, 26, 26), (120, 120, 120)
_RED, _WHITE, _AMBER = (196, 36, 30), (240, 236, 214), (220, 130, 40)
_HELMETS = ((30, 30, 34), (214, 212, 206), (170, 36, 40), (44, 74, 140), (196, 150, 40))
_TUBES = (
    ('rear', 'pedals'), ('rear', 'seat'), ('pedals', 'seat'), ('pedals', 'head'),
    ('seat', 'head'), ('head', 'front'),
)  # fmt: skip


def cyclist(looks: Looks, phase: float) -> Figure:
    """Return a person on a bicycle that points along z, pedalling."""
    parts: list[Part] = []
    for side, angle in ((-1, phase), (1, phase + math.pi)):
        foot = (side * 0.12, 0.30 + 0.16 * math.sin(angle), 0.05 + 0.16 * math.cos(angle))
        knee = (side * 0.14, 0.62 + 0.10 * math.sin(angle), 0.22)
        parts.append(((side * 0.10, 0.98, -0.15), knee, 0.16, looks.legs))
        parts.append((knee, foot, 0.12, looks.legs))
        parts.append((foot, (foot[0], foot[1], foot[2] + 0.14), 0.09, (32, 30, 30)))
        shoulder = (side * 0.19, 1.42, 0.12)
        parts.append((shoulder, (side * 0.24, 1.18, 0.32), 0.10, looks.top))
        parts.append(((side * 0.24, 1.18, 0.32), (side * 0.22, 1.05, 0.52), 0.09, looks.skin))
        parts.append(((side * 0.08, 1.02, -0.14), (side * 0.11, 1.38, 0.10), 0.24, looks.top))
    parts.append(((0.0, 1.52, 0.18), (0.0, 1.60, 0.22), 0.18, looks.skin))
    parts.append(((0.0, 1.66, 0.16), (0.0, 1.67, 0.24), 0.21, looks.hair))
    return figure_of(parts, looks.scale)


def bicycle(frame: Colour) -> Figure:
    """Return a bicycle that points along z."""
    parts: list[Part] = []
    for hub in (-0.52, 0.52):
        parts += _wheel(hub, 0.34, 0.32, 0.05)
        parts.append(((-0.05, 0.34, hub), (0.05, 0.34, hub), 0.06, _STEEL))
    joints = {
        'rear': (0.0, 0.34, -0.52), 'front': (0.0, 0.34, 0.52), 'pedals': (0.0, 0.30, -0.05),
        'seat': (0.0, 0.92, -0.18), 'head': (0.0, 0.88, 0.40),
    }  # fmt: skip
    for a, b in _TUBES:
        parts.append((joints[a], joints[b], 0.05, frame))
    parts.append(((-0.28, 1.02, 0.46), (0.28, 1.02, 0.46), 0.05, (30, 30, 30)))
    parts.append(((0.0, 0.88, 0.40), (0.0, 1.02, 0.46), 0.05, (30, 30, 30)))
    parts.append(((0.0, 0.95, -0.26), (0.0, 0.95, -0.06), 0.10, (26, 26, 26)))
    return figure_of(parts)


def motorcyclist(looks: Looks, helmet: int) -> Figure:
    """
    Return a person who sits on a motorcycle.

    :param helmet: any number; its colour follows from it.
    """
    parts: list[Part] = []
    for side in (-1, 1):
        hip, knee = (side * 0.13, 0.86, -0.22), (side * 0.27, 0.72, 0.18)
        foot = (side * 0.24, 0.34, -0.04)
        shoulder, elbow = (side * 0.21, 1.36, -0.02), (side * 0.34, 1.12, 0.20)
        parts.append((hip, knee, 0.19, looks.legs))
        parts.append((knee, foot, 0.15, looks.legs))
        parts.append((foot, (foot[0], foot[1], foot[2] + 0.14), 0.11, _BLACK))
        parts.append((shoulder, elbow, 0.14, looks.top))
        parts.append((elbow, (side * 0.34, 1.02, 0.46), 0.11, looks.top))
        parts.append(((side * 0.10, 0.92, -0.24), (side * 0.14, 1.32, -0.06), 0.28, looks.top))
    shell = _HELMETS[helmet % len(_HELMETS)]
    parts.append(((0.0, 1.50, 0.02), (0.0, 1.58, 0.03), 0.28, shell))
    parts.append(((-0.05, 1.54, 0.12), (0.05, 1.54, 0.12), 0.13, _BLACK))
    return figure_of(parts, looks.scale)


def motorcycle(paint: Colour) -> Figure:
    """Return a motorcycle."""
    parts: list[Part] = []
    for hub in (-0.68, 0.72):
        parts += _wheel(hub, 0.31, 0.245, 0.13)
        parts.append(((-0.06, 0.31, hub), (0.06, 0.31, hub), 0.12, _STEEL))
    for side in (-1, 1):
        parts.append(((side * 0.09, 0.31, 0.72), (side * 0.09, 0.92, 0.48), 0.07, _STEEL))
        parts.append(((side * 0.11, 0.31, -0.68), (side * 0.09, 0.46, -0.10), 0.08, _BLACK))
        parts.append(((side * 0.20, 0.33, 0.06), (side * 0.22, 0.40, -0.72), 0.10, _STEEL))
        mirror = (side * 0.36, 1.20, 0.46)
        parts.append(((side * 0.26, 1.02, 0.46), mirror, 0.03, _BLACK))
        parts.append((mirror, (side * 0.42, 1.20, 0.46), 0.08, _BLACK))
        parts.append(((side * 0.16, 0.70, -0.70), (side * 0.22, 0.70, -0.70), 0.06, _AMBER))
    parts.append(((-0.12, 0.42, 0.10), (0.12, 0.42, 0.10), 0.36, (70, 70, 74)))
    parts.append(((0.0, 0.52, -0.12), (0.0, 0.52, 0.28), 0.30, (52, 52, 56)))
    parts.append(((0.0, 0.82, 0.04), (0.0, 0.86, 0.34), 0.30, paint))
    parts.append(((0.0, 0.78, -0.62), (0.0, 0.78, -0.06), 0.24, _BLACK))
    parts.append(((0.0, 0.72, -0.74), (0.0, 0.76, -0.50), 0.22, paint))
    parts.append(((0.0, 0.64, 0.80), (0.0, 0.62, 0.56), 0.15, paint))
    parts.append(((-0.34, 1.02, 0.46), (0.34, 1.02, 0.46), 0.06, _BLACK))
    parts.append(((0.0, 0.92, 0.54), (0.0, 1.00, 0.54), 0.24, paint))
    parts.append(((-0.05, 0.90, 0.66), (0.05, 0.90, 0.66), 0.17, _WHITE))
    parts.append(((-0.07, 0.74, -0.86), (0.07, 0.74, -0.86), 0.11, _RED))
    parts.append(((-0.08, 0.52, -0.90), (0.08, 0.52, -0.90), 0.14, (206, 204, 196)))
    return figure_of(parts)


def _wheel(axle_z_m: float, axle_m: float, radius_m: float, tyre_m: float) -> list[Part]:
    """Return a tyre; its axle is so high, and its middle so far from the axle."""
    angles = np.arange(17) * (2 * math.pi / 16)
    ring = [
        (0.0, axle_m + radius_m * math.sin(a), axle_z_m + radius_m * math.cos(a)) for a in angles
    ]
    return [(a, b, tyre_m, _TYRE) for a, b in itertools.pairwise(ring)]
