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

"""The order in which a plane's values are coded: lattices, each between the points of the last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_COARSEST = 8  # spacing of the first lattice


@dataclass(frozen=True, slots=True)
class Around:
    """What the four neighbours of each value say: [channels, values] each."""

    sums: np.ndarray
    spreads: np.ndarray


@dataclass(frozen=True, slots=True)
class Pass:
    """Positions in the flat plane that are coded together, and their neighbours [4, n]."""

    positions: np.ndarray
    neighbours: np.ndarray | None

    def look(self, planes: np.ndarray, rest: np.ndarray) -> Around:
        """
        Return the sum and spread of the neighbours; the first lattice has none.

        :param planes: [channels, positions], decoded up to this lattice.
        :param rest: each channel's usual value, taken for neighbours where there are none.
        """
        if self.neighbours is None:
            shape = (len(planes), len(self.positions))
            return Around(np.broadcast_to(4 * rest[:, None], shape), np.full(shape, 4))
        around = planes[:, self.neighbours]
        return Around(around.sum(axis=1), around.max(axis=1) - around.min(axis=1))

    def surprises(self, planes: np.ndarray) -> np.ndarray:
        """Return four times the values less their neighbours' sums, of planes that are known."""
        rest = np.zeros(len(planes), np.int64)
        return 4 * planes[:, self.positions] - self.look(planes, rest).sums


@dataclass(frozen=True, slots=True)
class All:
    """
    All lattices of a plane: the first, which has no neighbours, and the others as one.

    It serves who knows all values from the start.

    ``positions`` are those of all, in the order of coding, and ``parts`` each lattice's share.
    """

    first: Pass
    others: Pass | None
    positions: np.ndarray
    parts: tuple[slice, ...]

    def look(self, planes: np.ndarray, rest: np.ndarray) -> Around:
        """Return what each lattice's look is, side by side."""
        first = self.first.look(planes, rest)
        if self.others is None:
            return first
        others = self.others.look(planes, rest)
        return Around(
            np.concatenate([first.sums, others.sums], axis=1),
            np.concatenate([first.spreads, others.spreads], axis=1),
        )

    def surprises(self, planes: np.ndarray) -> np.ndarray:
        """Return each lattice's surprises, side by side."""
        found = [each.surprises(planes) for each in (self.first, self.others) if each is not None]
        return np.concatenate(found, axis=1)


@lru_cache(maxsize=32)
def lattices(height: int, width: int) -> tuple[Pass, ...]:
    """Return the passes that together visit every position of a plane once."""
    rows, columns = np.indices((height, width)).reshape(2, -1)
    spacing = _COARSEST
    passes = [Pass(np.flatnonzero((rows % spacing == 0) & (columns % spacing == 0)), None)]
    while spacing > 1:
        half = spacing // 2
        on_row, on_column = rows % spacing == half, columns % spacing == half
        off_row, off_column = rows % spacing == 0, columns % spacing == 0
        diagonal = ((-half, -half), (-half, half), (half, -half), (half, half))
        axial = ((-half, 0), (0, -half), (0, half), (half, 0))
        for chosen, offsets in (
            (on_row & on_column, diagonal),
            ((on_row & off_column) | (off_row & on_column), axial),
        ):
            positions = np.flatnonzero(chosen)
            if len(positions):
                passes.append(Pass(positions, _around(rows, columns, positions, offsets, width)))
        spacing = half
    return tuple(passes)


@lru_cache(maxsize=32)
def together(height: int, width: int) -> All:
    """Return the lattices of a plane as one."""
    first, *others = lattices(height, width)
    ends = np.cumsum([len(each.positions) for each in (first, *others)]).tolist()
    parts = tuple(slice(start, end) for start, end in zip([0, *ends], ends, strict=False))
    if not others:
        return All(first, None, first.positions, parts)
    positions = np.concatenate([each.positions for each in others])
    neighbours = np.concatenate(
        [each.neighbours for each in others if each.neighbours is not None], axis=1
    )
    joined = np.concatenate([first.positions, positions])
    return All(first, Pass(positions, neighbours), joined, parts)


def _around(
    rows: np.ndarray,
    columns: np.ndarray,
    positions: np.ndarray,
    offsets: tuple[tuple[int, int], ...],
    width: int,
) -> np.ndarray:
    """Return flat neighbour positions [4, n]; one beyond the border is replaced by another."""
    height = int(rows.max()) + 1
    down, right = np.array(offsets).T[:, :, None]
    row, column = rows[positions] + down, columns[positions] + right
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    places = row * width + column
    places = np.where(inside, places, places[::-1])  # the opposite neighbour ...
    inside = inside | inside[::-1]
    first = places[inside.argmax(axis=0), np.arange(len(positions))]
    return np.where(inside, places, first)  # ... or any, in one row or column
