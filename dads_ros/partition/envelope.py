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

"""
All supported cuts: those that some weighting of edge time, bytes and cloud time makes the best.

A weighting is a point of a triangle (three weights of sum 1). The least weighted cost over all cuts
is concave and piecewise linear on it, so each supported cut is the best on one convex polygon, its
cell. Starting with one cut that owns the triangle, a minimum cut is solved at every corner of a
cell: a better cut found there takes its cell out of the others. When no corner yields a better cut,
none exists anywhere, because between corners the known costs are linear and the true ones concave.
This is the parametric minimum cut in two parameters; it uses no grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_TOLERANCE = 1e-11
_CORNERS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True, slots=True)
class Point:
    """A cut's (edge time, bytes, cloud time), each scaled to about 1, and what it stands for."""

    cost: np.ndarray
    codec: str
    edge: frozenset[int]


class _Cells:
    """The cells' corners in one array, so that a new cut finds the cells it cuts in one product."""

    def __init__(self) -> None:
        self._corners = np.empty((64, 3))
        self._least = np.full(64, -np.inf)  # the least known cost at the corner; -inf once replaced
        self._owner = np.zeros(64, dtype=np.intp)
        self._used = 0

    def add(self, owner: int, cell: np.ndarray, least: np.ndarray) -> None:
        """Append the corners of the owner's cell with the cost at each."""
        end = self._used + len(cell)
        if end > len(self._least):
            self._compact(end)
            end = self._used + len(cell)
        self._corners[self._used : end] = cell
        self._least[self._used : end] = least
        self._owner[self._used : end] = owner
        self._used = end

    def take(self, cost: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """Remove and return the cells in which a cut of this cost is better at some corner."""
        used = slice(0, self._used)
        worse = self._corners[used] @ cost < self._least[used]
        owners = np.unique(self._owner[used][worse])
        taken = np.isin(self._owner[used], owners) & (self._least[used] > -np.inf)
        places = np.flatnonzero(taken)
        self._least[places] = -np.inf
        return [
            (int(owner), self._corners[places[self._owner[places] == owner]]) for owner in owners
        ]

    def _compact(self, wanted: int) -> None:
        kept = np.flatnonzero(self._least[: self._used] > -np.inf)
        room = 2 * max(len(kept) + wanted - self._used, len(self._least) // 2)
        corners, least, owner = np.empty((room, 3)), np.full(room, -np.inf), np.zeros(room, np.intp)
        self._used = len(kept)
        corners[: self._used] = self._corners[kept]
        least[: self._used] = self._least[kept]
        owner[: self._used] = self._owner[kept]
        self._corners, self._least, self._owner = corners, least, owner


def supported_points(first: Point, best_at: Callable[[np.ndarray], Point]) -> list[Point]:
    """
    Return the supported points.

    :param first: any point.
    :param best_at: returns a point of least weighted cost for three weights of sum 1.
    """
    points: list[Point] = []
    costs = np.empty((0, 3))
    cells = _Cells()
    pending: list[tuple[np.ndarray, float]] = []
    settled: set[bytes] = set()

    def keep(owner: int, cell: np.ndarray, cost: np.ndarray) -> None:
        least = cell @ cost
        cells.add(owner, cell, least)
        pending.extend(zip(cell, least.tolist(), strict=True))

    def insert(point: Point) -> None:
        nonlocal costs
        cell = _CORNERS
        for owner, other in cells.take(point.cost):
            difference = point.cost - costs[owner]
            cell = _clip(cell, difference)
            keep(owner, _clip(other, -difference), costs[owner])
        keep(len(points), cell, point.cost)
        points.append(point)
        costs = np.vstack([costs, point.cost])

    insert(first)
    while pending:
        corner, least = pending.pop()
        known = float((costs @ corner).min())
        key = np.round(corner, 9).tobytes()
        if key in settled or known < least - _TOLERANCE * abs(least):
            continue  # another cell has the same corner, or it is a corner no more
        settled.add(key)
        found = best_at(corner)
        if float(found.cost @ corner) < known - _TOLERANCE * abs(known):
            insert(found)
    return points


def _clip(cell: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return the part of a convex polygon of weights where the normal's product is at most 0."""
    side = cell @ normal
    if (side <= 0).all():
        return cell
    corners = []
    values = side.tolist()
    for i, (a, b) in enumerate(zip(values, values[1:] + values[:1], strict=True)):
        if a <= 0:
            corners.append(cell[i])
        if (a < 0 < b) or (b < 0 < a):
            corners.append(cell[i] + (cell[(i + 1) % len(cell)] - cell[i]) * (a / (a - b)))
    return np.array(corners) if len(corners) > 2 else np.empty((0, 3))
