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
How far values are off their predicted means: a family of laws, and which of them holds where.

Probabilities come from decimal arithmetic, which is correctly rounded everywhere; exp() is not.
"""

from __future__ import annotations

from decimal import Context
from decimal import Decimal
from functools import lru_cache

import constriction
import numpy as np

FAMILY = constriction.stream.model.Categorical(perfect=False)
"""Codes symbols by one row of probabilities each."""

_LEVELS = 16
_WIDTHS = 32
_NARROWEST, _WIDEST = Decimal('0.05'), Decimal('8')
# The class of a value by its neighbours' spread, and by the mean error of the channels before, in
# 1/8 level. Tables of all that these can be, which are looked up in a third of a search's time.
_BY_SPREAD = np.searchsorted([1, 2, 3, 5], np.arange(2 * _LEVELS), side='right')
_BY_OFF = np.searchsorted([4, 8, 16, 32], np.arange(8 * _LEVELS), side='right')
_SPREADS, _OFFS = int(_BY_SPREAD[-1]) + 1, int(_BY_OFF[-1]) + 1
_CLASSES = _SPREADS * _OFFS
_FAR = 40  # errors from so many eighths of a level are taken for such
# What is believed of a class before anything of it is coded: so many values, for whose law its
# mean error is given in 1/64 level. Low, as most of a frame is at rest.
_START = 3 + 3 * np.arange(_CLASSES)
_START_COUNT = 6
# So many values of all channels are added to what is known of one.
_SHARED_COUNT = 16


class Widths:
    """
    The laws' widths by channel and class, learned from what was coded.

    :param levels: how many values there are.
    """

    def __init__(self, channels: int, levels: int) -> None:
        self._top = levels - 1
        self._laws = _laws(levels)
        self._bits = np.zeros((channels, _CLASSES, _WIDTHS), np.int64)  # had each law been taken
        self._counts = np.zeros((channels, _CLASSES, 1), np.int64)
        self._choose()

    def means(self, fine: np.ndarray) -> np.ndarray:
        """Return means in 1/8 level that a value can have, from such in 1/256 level."""
        return np.minimum(np.maximum((fine + 16) >> 5, 0), 8 * self._top)

    def by_spread(self, spreads: np.ndarray) -> np.ndarray:
        """Return the first (channel, class) of each value, by its neighbours' spread."""
        return (np.arange(len(spreads))[:, None] * _SPREADS + _BY_SPREAD[spreads]) * _OFFS

    def by_off(self, off_before: np.ndarray, channels: int) -> np.ndarray:
        """
        Return what to add to it, by the summed error of the channels before, in 1/8 level.

        :param channels: how many these are.
        """
        return _BY_OFF[off_before // max(1, channels)]

    def laws(self, classes: np.ndarray, means: np.ndarray) -> np.ndarray:
        """Return one row of probabilities per value."""
        widths = self._chosen.reshape(-1)[classes]
        return self._laws[widths.reshape(-1), means.reshape(-1)]

    def learn(self, classes: np.ndarray, off: np.ndarray) -> None:
        """Take in the errors, in 1/8 level, of values that both sides now know."""
        places = _FAR * classes.reshape(-1) + np.minimum(off.reshape(-1), _FAR - 1)
        seen = np.bincount(places, minlength=_FAR * self._counts.size).reshape(-1, _FAR)
        self._counts += seen.sum(axis=1).reshape(self._counts.shape)
        # Sums of small integers are exact in doubles, in whatever order they are added.
        bits = (seen.astype(np.float64) @ _bits()).astype(np.int64)
        self._bits += bits.reshape(self._bits.shape)
        self._choose()

    def _choose(self) -> None:
        """Choose each class's law: that of the fewest bits for its own and all values."""
        counts = self._counts.sum(axis=0) + _START_COUNT
        shared = (self._bits.sum(axis=0) + _bits_at_first()) * _SHARED_COUNT // counts
        self._chosen = (self._bits + shared).argmin(axis=2)


@lru_cache(maxsize=1)
def _widths() -> tuple[Decimal, ...]:
    """Return the laws' widths in levels, geometrically spaced."""
    context = Context(prec=20)
    ratio = context.power(_WIDEST / _NARROWEST, Decimal(1) / (_WIDTHS - 1))
    return tuple(_NARROWEST * context.power(ratio, i) for i in range(_WIDTHS))


@lru_cache(maxsize=1)
def _cumulative() -> np.ndarray:
    """Return, by 2**20, each law's chance to be at most i - 132 eighths of a level off."""
    context = Context(prec=20)

    def logistic(distance: Decimal, width: Decimal) -> Decimal:
        return 1 / (1 + context.exp(-distance / width))

    table = [
        [
            Decimal('0.92') * logistic(d, width * Decimal('0.6'))
            + Decimal('0.08') * logistic(d, width * Decimal('2.5'))
            for d in (Decimal(i) / 8 for i in range(133))
        ]
        for width in _widths()
    ]
    right = np.array([[int(p * 2**20) for p in row] for row in table])
    return np.concatenate([2**20 - right[:, :0:-1], right], axis=1)


@lru_cache(maxsize=_LEVELS)
def _laws(levels: int) -> np.ndarray:
    """Return probabilities [widths, means in 1/8 level, values], none of them nearly 0."""
    means, values = np.arange(8 * levels - 7)[:, None], np.arange(levels)[None]
    below = 8 * values - 4 - means + 132
    cumulative = _cumulative()
    counts = cumulative[:, below + 8] - cumulative[:, below]
    totals = counts.sum(axis=2, keepdims=True)
    return ((counts / totals + 2e-4) / (1 + levels * 2e-4)).astype(np.float32)


@lru_cache(maxsize=1)
def _chances() -> np.ndarray:
    """Return each law's chance, by 2**20, of a value so many eighths off, [widths, _FAR]."""
    off = np.arange(_FAR)
    cumulative = _cumulative()
    return cumulative[:, off + 4 + 132] - cumulative[:, off - 4 + 132]


@lru_cache(maxsize=1)
def _bits() -> np.ndarray:
    """Return what a value so many eighths off costs by each law, in 1/64 bit, [_FAR, widths]."""
    context = Context(prec=20)
    two = context.ln(Decimal(2))
    floor = 2**20 * 2 // 10**4  # as in _laws
    costs = [
        [round(64 * (20 - context.ln(Decimal(int(chance) + floor)) / two)) for chance in row]
        for row in _chances()
    ]
    return np.array(costs, np.float64).T


@lru_cache(maxsize=1)
def _bits_at_first() -> np.ndarray:
    """Return what is believed of each class by each law, in 1/64 bit, [classes, widths]."""
    chances = _chances()
    central = chances[:, ::8]  # of values predicted in the middle
    errors = (64 * central * np.arange(central.shape[1])).sum(axis=1) // central.sum(axis=1)
    believed = chances[np.minimum(np.searchsorted(errors, _START), _WIDTHS - 1)]
    bits = _START_COUNT * (believed @ _bits().astype(np.int64))
    return bits // believed.sum(axis=1, keepdims=True)
