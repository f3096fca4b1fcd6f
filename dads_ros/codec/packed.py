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
Entropy coder for tensors of few levels, made for a detector's waist.

Values are coded on lattices that get finer by a factor of two, so that all but the coarsest have
four decoded neighbours around them. A value's context is the neighbours' sum and spread; its
frequencies start from a prior centred on the neighbours' mean and are counted as decoding goes on,
so nothing but the range coder's words is sent. All counts are integers and the range coder
(constriction) works on integers, so both sides agree on every machine. Whole lattices are coded
with vectorised calls: about a millisecond for 6x24x40 values.
"""

from __future__ import annotations

from functools import lru_cache
import math
from typing import TYPE_CHECKING

import constriction
import numpy as np

from dads_ros.errors import CodecError

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_LEVELS = 16
_COARSEST = 8  # spacing of the first lattice
_SPREADS = np.array([0, 1, 2, 2, 3, 3, 3, 3] + [4] * 8)  # spread of the neighbours -> class
_SPREAD_CLASSES = 5
_PRIOR_COUNT = 64
_STEP_COUNT = 32
_FAMILY = constriction.stream.model.Categorical(perfect=False)


class Packed:
    """
    Code uint8 values below 16, rounded to multiples of ``step`` first.

    A step of 1 is lossless. With a larger one a value v becomes (v + step // 2) // step, and comes
    back as that times the step, but no larger than the tensor's maximum.
    """

    def __init__(self, step: int) -> None:
        self._step = step

    def supports(self, shape: tuple[int, ...], dtype: str) -> bool:  # noqa: ARG002
        """Take every uint8 tensor; encoding refuses those with values above 15."""
        return dtype == 'uint8'

    def lossless(self, dtype: str) -> bool:  # noqa: ARG002
        """Keep every bit at step 1."""
        return self._step == 1

    def encode(self, array: np.ndarray) -> Buffer:
        """
        Return the range coder's words behind two bytes: the step and the largest value.

        Raises CodecError when a value is above 15.
        """
        if not array.size:
            return b''
        top = int(array.max())
        if top >= MAX_LEVELS:
            raise CodecError(f'packed codecs take values up to {MAX_LEVELS - 1}, not {top}')
        symbols = (array.astype(np.int32) + self._step // 2) // self._step
        planes = symbols.reshape(_planes(array.shape))
        encoder = constriction.stream.queue.RangeEncoder()
        model = _Counts(_alphabet(top, self._step))
        flat = planes.reshape(len(planes), -1)
        for positions, neighbours in _lattices(*planes.shape[1:]):
            contexts = model.contexts(flat, neighbours, len(positions))
            values = np.ascontiguousarray(flat[:, positions]).reshape(-1)
            encoder.encode(values, _FAMILY, model.frequencies(contexts))
            model.count(contexts, values)
        words = encoder.get_compressed().astype('<u4').tobytes()
        return bytes([self._step, top]) + words.rstrip(b'\0')

    def decode(self, data: memoryview, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Decode lattice by lattice. Raises CodecError when the words are not a valid stream."""
        if not math.prod(shape):
            if len(data):
                raise CodecError('packed tensor has bytes but no values')
            return np.zeros(shape, dtype)
        if len(data) < 2 or data[0] != self._step or data[1] >= MAX_LEVELS:
            raise CodecError('packed tensor has a damaged header')
        top = data[1]
        model = _Counts(_alphabet(top, self._step))
        planes = np.zeros(_planes(shape), np.int32)
        flat = planes.reshape(len(planes), -1)
        decoder = constriction.stream.queue.RangeDecoder(_words(data[2:]))
        for positions, neighbours in _lattices(*planes.shape[1:]):
            contexts = model.contexts(flat, neighbours, len(positions))
            try:
                values = decoder.decode(_FAMILY, model.frequencies(contexts))
            except (AssertionError, ValueError) as error:
                raise CodecError('packed tensor is damaged') from error
            flat[:, positions] = values.reshape(len(planes), -1)
            model.count(contexts, values)
        if not decoder.maybe_exhausted():
            raise CodecError('packed tensor has bytes left over')
        return np.minimum(planes * self._step, top).astype(np.uint8).reshape(shape)


class _Counts:
    """Frequencies by context, the same on both sides after the same values."""

    def __init__(self, levels: int) -> None:
        self._levels = levels
        self._counts = _prior(levels).copy()

    def contexts(self, flat: np.ndarray, neighbours: np.ndarray | None, count: int) -> np.ndarray:
        """Return the context of each value: by channel, then position."""
        if neighbours is None:
            return np.full(len(flat) * count, len(self._counts) - 1)
        around = flat[:, neighbours]
        spread = around.max(axis=1) - around.min(axis=1)
        return (around.sum(axis=1) * _SPREAD_CLASSES + _SPREADS[spread]).reshape(-1)

    def frequencies(self, contexts: np.ndarray) -> np.ndarray:
        """Return one row of probabilities per value."""
        totals = self._counts.sum(axis=1, keepdims=True)
        return (self._counts / totals).astype(np.float32)[contexts]

    def count(self, contexts: np.ndarray, values: np.ndarray) -> None:
        """Learn from values that both sides now know."""
        cells = np.bincount(contexts * self._levels + values, minlength=self._counts.size)
        self._counts += _STEP_COUNT * cells.reshape(self._counts.shape)


@lru_cache(maxsize=MAX_LEVELS)
def _prior(levels: int) -> np.ndarray:
    """
    Return starting counts by context: a two-sided geometric around the neighbours' mean.

    Integers from repeated multiplication, not exp(), whose last bit differs between machines. The
    last row, for values without neighbours, is flat.
    """
    rows = []
    for total in range(4 * (levels - 1) + 1):
        for ratio in (4, 6, 9, 11, 13):  # sixteenths kept per level of distance
            distance = np.abs(4 * np.arange(levels) - total)  # in quarter levels
            weight = np.array([_power(ratio, int(d)) for d in distance])
            rows.append(1 + _PRIOR_COUNT * weight // weight.sum())
    rows.append(np.full(levels, 1 + _PRIOR_COUNT // levels))
    return np.array(rows, np.int64)


def _power(ratio: int, quarters: int) -> int:
    """Return 2**20 * (ratio / 16) ** (quarters / 4), linear between whole powers."""
    value = 1 << 20
    for _ in range(quarters // 4):
        value = value * ratio >> 4
    return value - (value - (value * ratio >> 4)) * (quarters % 4) // 4


@lru_cache(maxsize=32)
def _lattices(height: int, width: int) -> tuple[tuple[np.ndarray, np.ndarray | None], ...]:
    """Return, for each pass, flat positions and the four decoded neighbours of each, [4, n]."""
    rows, columns = np.indices((height, width)).reshape(2, -1)
    passes: list[tuple[np.ndarray, np.ndarray | None]] = []
    spacing = _COARSEST
    passes.append((np.flatnonzero((rows % spacing == 0) & (columns % spacing == 0)), None))
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
                passes.append((positions, _around(rows, columns, positions, offsets, width)))
        spacing = half
    return tuple(passes)


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


def _planes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (planes, height, width)."""
    height, width = (1, 1, *shape)[-2:]
    return math.prod(shape) // (height * width), height, width


def _alphabet(top: int, step: int) -> int:
    return max(2, (top + step // 2) // step + 1)


def _words(data: memoryview) -> np.ndarray:
    """Return 32-bit words; the encoder leaves out trailing zero bytes."""
    padded = bytes(data) + b'\0' * (-len(data) % 4)
    return np.frombuffer(padded, '<u4').astype(np.uint32)
