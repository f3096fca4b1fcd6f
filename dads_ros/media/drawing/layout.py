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

"""The kinds of road that a generated scene can show: what lies where across it."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace

from dads_ros.media.drawing.traffic import Row
from dads_ros.media.drawing.world import Marking
from dads_ros.media.drawing.world import Strip
import numpy as np

_WHITE = (214.0, 214.0, 208.0)
_YELLOW = (206.0, 164.0, 60.0)
_FAR = 100.0
# Of a busy road.
_MOTORCYCLES = 1 / 12
_CYCLISTS_GAP_M = 18.0
_BUSY_STREET = (
    Row(1.9, 4.0, 27.0, 'riders', 0.5),
    Row(-8.3, -4.5, 24.0, 'riders', 0.6),
    Row(-1.5, 3.5, 26.0, 'riders', 0.5, reach_m=11.0),
    Row(-1.5, 1.3, 17.0, 'walkers', 0.5, reach_m=11.0),
    Row(8.5, 0.0, 8.0, 'bicycles', 0.45),
    Row(-11.9, 0.0, 9.0, 'bicycles', 0.45),
)


@dataclass(frozen=True)
class Layout:
    """A road and its sides; distances across it from the middle of the car's own lane."""

    speed_mps: float
    strips: tuple[Strip, ...]
    markings: tuple[Marking, ...]
    lanes_m: tuple[float, ...]
    rows: tuple[Row, ...]
    trees_m: tuple[float, ...]
    tree_gap_m: float
    poles_m: tuple[float, ...]
    walls_m: tuple[float, ...] = ()  # where fronts of buildings stand
    barrier_m: float | None = None


def choose(rng: np.random.Generator, *, busy: bool) -> Layout:
    """Return a random road."""
    street = rng.random() < 0.6
    layout = (_street if street else _highway)(rng)
    if not busy:
        return layout
    rows = (*(_busier(row) for row in layout.rows), *(_BUSY_STREET if street else ()))
    return replace(layout, rows=rows)


def _busier(row: Row) -> Row:
    """Return a row of traffic with motorcycles among it, or one of cyclists with more of them."""
    if row.kind == 'traffic':
        return replace(row, motorcycles=_MOTORCYCLES)
    return replace(row, gap_m=_CYCLISTS_GAP_M) if row.kind == 'riders' else row


def _street(rng: np.random.Generator) -> Layout:
    grey = float(rng.uniform(84, 112))
    road = (grey, grey - 1, grey - 3)
    walk = (grey + 52, grey + 48, grey + 40)
    strips = (
        Strip(-_FAR, -15.0, (92.0, 96.0, 62.0), 16.0),
        Strip(-15.0, -11.4, walk, 5.0),
        Strip(-11.4, -11.1, (150.0, 148.0, 142.0), 4.0),
        Strip(-11.1, 7.7, road, 5.5),
        Strip(7.7, 8.0, (150.0, 148.0, 142.0), 4.0),
        Strip(8.0, 11.4, walk, 5.0),
        Strip(11.4, _FAR, (92.0, 96.0, 62.0), 16.0),
    )
    markings = (
        Marking(-1.85, _YELLOW), Marking(-1.6, _YELLOW), Marking(1.7, _WHITE, 3.0, 9.0),
        Marking(-5.1, _WHITE, 3.0, 9.0), Marking(5.2, _WHITE), Marking(-8.6, _WHITE),
    )  # fmt: skip
    speed = float(rng.uniform(6, 10))
    rows = (
        Row(3.4, speed + float(rng.uniform(-2.5, 2.5)), 21.0, 'traffic', 0.75),
        Row(-3.4, -float(rng.uniform(7, 11)), 24.0, 'traffic', 0.7),
        Row(-6.8, -float(rng.uniform(7, 11)), 27.0, 'traffic', 0.7),
        Row(6.45, 0.0, 7.2, 'parked', 0.6),
        Row(-9.9, 0.0, 7.2, 'parked', 0.6),
        Row(9.6, 1.3, 13.0, 'walkers', 0.5),
        Row(10.2, -1.2, 17.0, 'walkers', 0.5),
        Row(-13.2, 1.2, 12.0, 'walkers', 0.5),
        Row(5.25, 4.5, 46.0, 'riders', 0.6),
    )
    built = rng.random() < 0.75
    return Layout(
        speed, strips, markings, (-6.8, -3.4, 0.0, 3.4), rows,
        trees_m=(8.7, -12.0) if built else (8.7, -12.0, 15.0, -18.0),
        tree_gap_m=float(rng.uniform(14, 26)),
        poles_m=(8.4,),
        walls_m=(12.0, -16.0) if built else (),
    )  # fmt: skip


def _highway(rng: np.random.Generator) -> Layout:
    grey = float(rng.uniform(98, 140))
    road = (grey, grey - 1, grey - 4)
    grass = ((116.0, 112.0, 70.0), (84.0, 98.0, 58.0), (150.0, 132.0, 88.0))[int(rng.integers(3))]
    first = -3.6 * int(rng.integers(0, 2))
    lanes = tuple(first + 3.6 * i for i in range(3))
    left, right = lanes[0] - 1.8, lanes[-1] + 1.8
    away = left - 4.6
    strips = (
        Strip(-_FAR, away - 13.0, grass, 14.0),
        Strip(away - 13.0, right + 2.6, road, 5.0),
        Strip(right + 2.6, _FAR, grass, 14.0),
    )
    between = [Marking(x + 1.8, _WHITE, 3.2, 12.0, 0.16) for x in lanes[:-1]]
    markings = (
        Marking(left, _YELLOW, width_m=0.18),
        Marking(right, _WHITE, width_m=0.18),
        *between,
    )
    speed = float(rng.uniform(22, 28))
    rows = (
        *(
            Row(x, speed + float(rng.uniform(-3, 3)), 23.0, 'traffic', 0.7)
            for x in lanes
            if x != 0.0
        ),
        Row(away - 3.0, -speed, 26.0, 'traffic', 0.6),
        Row(away - 6.6, -speed * 1.08, 31.0, 'traffic', 0.6),
    )
    return Layout(
        speed, strips, markings, lanes, rows,
        trees_m=(right + 9.0, right + 15.0, away - 19.0, away - 26.0),
        tree_gap_m=float(rng.uniform(7, 15)),
        poles_m=(right + 4.0,),
        barrier_m=left - 1.4,
    )  # fmt: skip
