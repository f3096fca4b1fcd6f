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

"""Where everything in a generated scene stands at a moment: a pure function of seed and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import functools
import math

from dads_ros.media.drawing import cars
from dads_ros.media.drawing import large
from dads_ros.media.drawing import people
from dads_ros.media.drawing import two_wheelers
from dads_ros.media.drawing.mesh import Mesh
from dads_ros.media.drawing.people import Figure
from dads_ros.media.drawing.people import Looks
import numpy as np

PERSON, BICYCLE, CAR, MOTORCYCLE, BUS, TRUCK = range(6)  # into scene.LABELS
REACH_M = 78.0
_FIRST_LAP = 100_000  # seeds are not negative
_BEHIND_M = 12.0  # things go on until they are this far behind the camera


@dataclass(frozen=True, slots=True)
class Row:
    """Things that move one behind another along a line of the road, or across it at places."""

    x_m: float
    speed_mps: float  # along the road, negative towards us
    gap_m: float
    kind: str  # 'traffic', 'parked', 'walkers', 'riders', 'bicycles'
    fill: float = 1.0  # share of the places that are taken
    motorcycles: float = 0.0  # share of the traffic
    reach_m: float = 0.0  # to either side of x_m, when they go across instead of along


@dataclass(frozen=True, slots=True)
class Actor:
    """One labelled thing; ``parts`` are drawn together, each with its own class."""

    x_m: float
    z_m: float
    turn_rad: float  # relative to the road
    parts: tuple[tuple[Mesh | Figure, int], ...]


def actors(rows: tuple[Row, ...], seed: int, time_s: float, travelled_m: float) -> Iterator[Actor]:
    """Yield what is between behind the camera and REACH_M ahead at a moment."""
    for index, row in enumerate(rows):
        loop_m = max(math.ceil((REACH_M + _BEHIND_M) / row.gap_m), 1) * row.gap_m
        moved = (0.0 if row.reach_m else row.speed_mps * time_s) - travelled_m
        for place in range(round(loop_m / row.gap_m)):
            # Its own share of the gap, -0.2 to 0.2.
            offset = 0.4 * _chance((seed, 11, index, place)) - 0.2
            start = (place + offset) * row.gap_m + moved
            lap = math.floor(start / loop_m)
            z_m = start - lap * loop_m - _BEHIND_M
            # A new lap is a new thing.
            key = (seed, index, place, lap + _FIRST_LAP)
            if z_m < REACH_M and _chance((*key, 12)) < row.fill:
                yield _actor(row, key, z_m, time_s)


def leaders(seed: int, time_s: float) -> Iterator[Actor]:
    """Yield the vehicles in the car's own lane, which it follows at a varying distance."""
    for place, base in enumerate((15.0, 34.0, 56.0)):
        rng = np.random.default_rng((seed, 13, place))
        phase, period = rng.uniform(0, 2 * math.pi), rng.uniform(11, 19)
        swing = math.sin(2 * math.pi * time_s / period + phase)
        z_m = base + 5.5 * swing
        braking = math.cos(2 * math.pi * time_s / period + phase) < -0.5
        if rng.random() < 0.85:
            mesh, class_id = _vehicle((seed, 99, place, 0), braking, base > 20)
            yield Actor(0.15 * math.sin(time_s / 3 + place), z_m, 0.0, ((mesh, class_id),))


def _actor(row: Row, key: tuple[int, ...], z_m: float, time_s: float) -> Actor:
    rng = np.random.default_rng((*key, 15))
    turn = math.pi if row.speed_mps < 0 else 0.0
    x_m = row.x_m + float(rng.uniform(-0.2, 0.2))
    if row.reach_m:
        x_m, turn = _crossing(row, key, time_s)
    if _chance((*key, 16)) < row.motorcycles:
        return Actor(x_m, z_m, turn, _motorcycle(key))
    if row.kind in ('traffic', 'parked'):
        moving = row.kind == 'traffic'
        if not moving and row.x_m < 0:
            turn = math.pi
        turn += float(rng.normal(0, 0.012 if moving else 0.03))
        return Actor(x_m, z_m, turn, (_vehicle(key, False, moving and row.gap_m > 17),))
    looks = Looks.random(rng)
    phase = float(rng.uniform(0, 2 * math.pi)) + 7.0 * time_s
    if row.kind == 'walkers':
        turn += float(rng.normal(0, 0.25))
        x_m += float(rng.uniform(-0.6, 0.6))
        return Actor(x_m, z_m, turn, ((people.walker(looks, phase), PERSON),))
    red, green, blue = rng.uniform(30, 220, 3).tolist()
    bicycle = two_wheelers.bicycle((red, green, blue))
    if row.kind == 'bicycles':
        stands = float(rng.uniform(0, math.tau))
        return Actor(x_m, z_m, stands, ((bicycle, BICYCLE),))
    rider = two_wheelers.cyclist(looks, phase)
    return Actor(x_m, z_m, turn, ((bicycle, BICYCLE), (rider, PERSON)))


def _crossing(row: Row, key: tuple[int, ...], time_s: float) -> tuple[float, float]:
    """Return where across the road a thing is that goes to and fro, and its heading."""
    rightwards = 1 if _chance((*key, 18)) < 0.5 else -1
    span_m = 2 * row.reach_m
    gone_m = (_chance((*key, 19)) * span_m + row.speed_mps * time_s) % span_m
    return row.x_m + rightwards * (gone_m - row.reach_m), rightwards * math.pi / 2


def _motorcycle(key: tuple[int, ...]) -> tuple[tuple[Figure, int], ...]:
    """Return a motorcycle and who rides it."""
    rng = np.random.default_rng((*key, 17))
    red, green, blue = rng.uniform(20, 210, 3).tolist()
    rider = two_wheelers.motorcyclist(Looks.random(rng), int(rng.integers(100)))
    return (two_wheelers.motorcycle((red, green, blue)), MOTORCYCLE), (rider, PERSON)


@functools.lru_cache(maxsize=4096)
def _chance(key: tuple[int, ...]) -> float:
    """Return a thing's own number from 0 to 1."""
    return float(np.random.default_rng(key).random())


@functools.lru_cache(maxsize=256)
def _vehicle(key: tuple[int, ...], braking: bool, large_too: bool) -> tuple[Mesh, int]:
    rng = np.random.default_rng((*key, 14))
    kind = rng.random()
    if large_too and kind < 0.09:
        return large.truck(rng), TRUCK
    if large_too and kind < 0.15:
        return large.bus(rng), BUS
    return cars.car(rng, braking), CAR
