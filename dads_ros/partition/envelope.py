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

A weighting is a point of a triangle (three weights of sum 1). The least weighted cost over all
cuts is concave and piecewise linear on it, so each supported cut is the best on one convex
polygon, its cell. Starting with one cut that owns the triangle, a minimum cut is solved at every
corner of a cell: a better cut found there takes its cell out of the others. When no corner yields
a better cut, none exists anywhere, because between corners the known costs are linear and the
true ones concave. This is the parametric minimum cut in two parameters; it uses no grid.
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
    edge: np.ndarray


class _Cells:
    """The cells' corners in one array: a new cut finds the cells it cuts in one product."""

    def __init__(self) -> None:
        self._corners = np.empty((64, 3))
        self._least = np.full(
            64, -np.inf
        )  # the least known cost at the corner; -inf once replaced
        self._owner = np.zeros(64, dtype=np.intp)
        self._used = 0
        self._places: dict[int, slice] = {}
        self._version: dict[int, int] = {}

    def put(self, owner: int, cell: np.ndarray, least: np.ndarray) -> int:
        """Set the corners of the owner's cell, with the cost at each; return its version."""
        end = self._used + len(cell)
        if end > len(self._least):
            self._compact(len(cell))
            end = self._used + len(cell)
        places = slice(self._used, end)
        self._corners[places] = cell
        self._least[places] = least
        self._owner[places] = owner
        self._places[owner] = places
        self._used = end
        self._version[owner] = self._version.get(owner, 0) + 1
        return self._version[owner]

    def is_current(self, owner: int, version: int) -> bool:
        """Return whether the owner's cell has not been replaced since."""
        return self._version[owner] == version

    def take(self, cost: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """Remove and return the cells in which a cut of this cost is better at some corner."""
        worse = self._corners[: self._used] @ cost < self._least[: self._used]
        taken = []
        for owner in np.unique(self._owner[: self._used][worse]).tolist():
            places = self._places.pop(owner)
            self._least[places] = -np.inf
            taken.append((owner, self._corners[places]))
        return taken

    def _compact(self, wanted: int) -> None:
        """Move the cells that are left into new arrays, with as much room again."""
        kept = [(owner, self._corners[at], self._least[at]) for owner, at in self._places.items()]
        room = 2 * (sum(len(corners) for _, corners, _ in kept) + wanted) + 64
        self._corners = np.empty((room, 3))
        self._least = np.full(room, -np.inf)
        self._owner = np.zeros(room, dtype=np.intp)
        self._used = 0
        for owner, corners, least in kept:
            places = slice(self._used, self._used + len(corners))
            self._corners[places], self._least[places] = corners, least
            self._owner[places] = owner
            self._places[owner] = places
            self._used = places.stop


def supported_points(first: Point, best_at: Callable[[np.ndarray], Point]) -> list[Point]:
    """
    Return the supported points.

    :param first: any point.
    :param best_at: returns a point of least weighted cost for three weights of sum 1.
    """
    points: list[Point] = []
    cells = _Cells()
    pending: list[tuple[int, int, np.ndarray, np.ndarray]] = []
    settled: set[bytes] = set()

    def keep(owner: int, cell: np.ndarray) -> None:
        least = cell @ points[owner].cost
        pending.append((owner, cells.put(owner, cell, least), cell, least))

    def insert(point: Point) -> None:
        points.append(point)
        cell = _CORNERS
        for owner, other in cells.take(point.cost):
            difference = point.cost - points[owner].cost
            cell = _clip(cell, difference)
            keep(owner, _clip(other, -difference))
        keep(len(points) - 1, cell)

    insert(first)
    while pending:
        owner, version, cell, least = pending.pop()
        keys = np.round(cell, 9)
        for corner, known, key in zip(cell, least.tolist(), keys, strict=True):
            if not cells.is_current(owner, version):
                break  # the cell has been replaced, and its new corners are pending
            place = key.tobytes()
            if place in settled:
                continue  # another cell has the same corner
            settled.add(place)
            found = best_at(corner)
            if float(found.cost @ corner) < known - _TOLERANCE * abs(known):
                insert(found)
    return points


def _clip(cell: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return the part of a convex polygon of weights where the normal's product is at most 0."""
    values = (cell @ normal).tolist()
    if max(values, default=0.0) <= 0:
        return cell
    corners = []
    for i, (a, b) in enumerate(zip(values, values[1:] + values[:1], strict=True)):
        if a <= 0:
            corners.append(cell[i])
        if (a < 0 < b) or (b < 0 < a):
            corners.append(cell[i] + (cell[(i + 1) % len(cell)] - cell[i]) * (a / (a - b)))
    return np.array(corners) if len(corners) > 2 else np.empty((0, 3))
