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
The few statistics of the report: quantiles, the age of what the car knows, ratios with intervals.

Latency alone flatters a method that drops frames, and a frame count alone one that answers late.
The age of the newest detections takes both into account: at any moment, how long ago did the
frame arrive whose detections are the newest that the car has?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

AGE_STEP_S = 0.01
_BLOCK_S = 1.0
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Quantiles of n values in seconds; ``p25_s`` to ``p75_s`` is the middle half."""

    n: int
    p25_s: float
    p50_s: float
    p75_s: float
    p95_s: float


def quantiles(values_s: Sequence[float]) -> Quantiles | None:
    """Return the quantiles of some durations; None when there are none."""
    if not len(values_s):
        return None
    low, middle, high, tail = np.quantile(values_s, [0.25, 0.5, 0.75, 0.95])
    return Quantiles(len(values_s), float(low), float(middle), float(high), float(tail))


def age_series(
    publications: Sequence[tuple[float, float]], start_s: float, end_s: float
) -> np.ndarray:
    """
    Return the age of the newest detections in seconds, every AGE_STEP_S from start to end.

    :param publications: (arrival of the frame, publication of its detections) on one clock.
    :return: before the first publication the time since the start, the least that the car has been
        blind for; not a number where nothing was ever published.
    """
    times_s = np.arange(start_s, end_s, AGE_STEP_S)
    if not publications:
        return np.full(len(times_s), np.nan)
    arrived_s, published_s = np.array(sorted(publications, key=lambda pair: pair[1])).T
    newest_s = np.maximum.accumulate(arrived_s)
    count = np.searchsorted(published_s, times_s, side='right')
    return times_s - np.where(count > 0, newest_s[np.maximum(count, 1) - 1], start_s)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two means, its 95 % interval, and the seconds it was measured over."""

    value: float
    low: float
    high: float
    seconds: float


def ratio_of_means(numerator: np.ndarray, denominator: np.ndarray) -> Ratio | None:
    """
    Return mean(numerator) / mean(denominator) of two series on the same clock.

    Neighbouring samples are not independent, so whole blocks of a second are resampled, the same
    ones of both series; the seed is fixed, so equal data give an equal interval.
    :return: None when the series share less than two blocks.
    """
    length = min(len(numerator), len(denominator))
    both = np.stack([numerator[:length], denominator[:length]])
    per_block = round(_BLOCK_S / AGE_STEP_S)
    blocks = length // per_block
    sums = both[:, : blocks * per_block].reshape(2, blocks, per_block).sum(axis=2)
    sums = sums[:, np.isfinite(sums).all(axis=0)]
    if sums.shape[1] < 2:
        return None
    picks = np.random.default_rng(0).integers(sums.shape[1], size=(_RESAMPLES, sums.shape[1]))
    tops, bottoms = sums[:, picks].sum(axis=2)
    low, high = np.quantile(tops / bottoms, [0.025, 0.975])
    top, bottom = sums.sum(axis=1)
    return Ratio(float(top / bottom), float(low), float(high), sums.shape[1] * _BLOCK_S)
