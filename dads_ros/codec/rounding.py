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
Rounding of few levels to fewer: multiples of a step away from the middle one.

A waist's values are most often at rest in the middle, so what lies half way between two multiples
goes to the one nearer to the middle: the error is the same, and the nearer one costs fewer bytes.
(The topmost multiple, cut to the largest level, counts where it would be.)
Where an earlier tensor is known, it goes to what it was there, if that is one of the two: what
hardly changes then costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

MAX_LEVELS = 16
MIDDLE = 8


@dataclass(frozen=True, slots=True)
class Rounding:
    """
    How values of ``MAX_LEVELS`` levels become fewer symbols, and values again.

    :param symbols: the symbol of each value, uint8 [MAX_LEVELS], in their order.
    :param values: what each symbol stands for, uint8, at most half a step off.
    :param against: of each value where an earlier tensor had some symbol, uint8 [MAX_LEVELS,
        symbols]: that symbol where it is as near as the value's own.
    """

    symbols: np.ndarray
    values: np.ndarray
    against: np.ndarray

    def restore(self, symbols: np.ndarray, top: int) -> np.ndarray:
        """Return the values of symbols, but none above a tensor's largest value."""
        return np.minimum(self.values, top)[symbols]


@lru_cache(maxsize=MAX_LEVELS)
def rounding(step: int) -> Rounding:
    """Return the rounding to multiples of a step; of 1 it keeps every value."""
    off = np.arange(MAX_LEVELS) - MIDDLE
    multiples = np.sign(off) * ((2 * np.abs(off) + step - 1) // (2 * step))
    kept = np.arange(multiples[0], multiples[-1] + 1)
    values = np.clip(MIDDLE + step * kept, 0, MAX_LEVELS - 1)
    symbols = multiples - multiples[0]
    distances = np.abs(np.arange(MAX_LEVELS)[:, None] - values)
    is_as_near = distances <= np.abs(np.arange(MAX_LEVELS) - values[symbols])[:, None]
    against = np.where(is_as_near, np.arange(len(values)), symbols[:, None])
    return Rounding(symbols.astype(np.uint8), values.astype(np.uint8), against.astype(np.uint8))
