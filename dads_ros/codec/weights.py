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

"""The linear prediction of a value: fitted by the encoder, sent as small integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import constriction
from dads_ros.codec.residuals import FAMILY
import numpy as np

_ONE = 64  # what a weight of 1 is in arithmetic
# Sent in eighths: finer ones cost more bytes than they save.
_UNIT = _ONE // 8
_LIMIT = 15  # weights are sent as -15 to 15
# So many channels are coded together, by what is known of those before: four times fewer steps
# to decode, for a hundredth more bytes.
_GROUP = 4
_REACH = 16  # channels before a group that help to predict its own
_RIDGE = 2.0
_FEW = 2048  # tensors of fewer values are not worth the weights' bytes


@dataclass(frozen=True, slots=True)
class Weights:
    """
    A value's mean in terms of its neighbours' sum and earlier channels' surprises.

    Values are changes from a reference, or what they are without one. ``rest`` is the value usual
    in each channel, from which all else is counted. A surprise is four times the value less the
    neighbours' sum. ``scale``, ``offset`` and ``own`` are [channels]: the neighbours' weight, a
    constant in 1/64 level, and the weight of the reference's own surprise: -1 undoes the
    reference. ``across`` is [channels, channels], 0 but for channels of earlier groups. All
    weights by 64.
    """

    rest: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    own: np.ndarray
    across: np.ndarray

    @classmethod
    def fit(
        cls, changes: np.ndarray, sums: np.ndarray, rest: np.ndarray, own: np.ndarray | None
    ) -> Weights:
        """
        Return the weights of least squared error for a tensor, plain ones for a small one.

        :param changes: from the reference, [channels, values], in the order of coding.
        :param sums: of each value's neighbours.
        :param rest: each channel's usual value.
        :param own: the reference's own surprises; None without one.
        """
        channels, count = changes.shape
        plain = cls(rest, *_plain(channels))
        if changes.size < _FEW:
            return plain
        values = changes - 1.0 * rest[:, None]
        means = sums / 4.0 - rest[:, None]
        features = np.concatenate([means, values - means, np.ones((1, count))])
        if own is not None:
            features = np.concatenate([features, own / 4.0])
        gram, wanted = features @ features.T, features @ values.T
        for group in groups(channels):
            mine, near = np.arange(channels)[group], np.arange(channels)[_near(group)]
            columns = [mine, np.full_like(mine, 2 * channels)]
            if own is not None:
                columns.append(2 * channels + 1 + mine)
            columns += [np.full_like(mine, channels + other) for other in near]
            chosen = np.stack(columns, axis=1)
            start = np.zeros((*chosen.shape, 1))
            start[:, 0] = 1
            solution = np.linalg.solve(
                gram[chosen[:, :, None], chosen[:, None]] + _RIDGE * np.eye(chosen.shape[1]),
                wanted[chosen, mine[:, None]][:, :, None] + _RIDGE * start,
            )
            units = np.rint((solution - start)[:, :, 0] * (_ONE // _UNIT)).astype(np.int64)
            sent = np.clip(units, -_LIMIT, _LIMIT) * _UNIT
            plain.scale[group] += sent[:, 0]
            plain.offset[group] = sent[:, 1]
            if own is not None:
                plain.own[group] = sent[:, 2]
            plain.across[group, _near(group)] = sent[:, chosen.shape[1] - len(near) :]
        return plain

    def of_neighbours(self, sums: np.ndarray) -> np.ndarray:
        """Return what the neighbours' sums tell of the means, in 1/256 level."""
        rest = 4 * self.rest[:, None]
        return self.scale[:, None] * (sums - rest) + (_ONE * rest + 4 * self.offset[:, None])

    def of_channels(self, surprises: np.ndarray, group: slice) -> np.ndarray:
        """Return what the surprises of the channels before a group add to its means."""
        near = _near(group)
        return self.across[group, near] @ surprises[near]

    def of_reference(self, values: np.ndarray, surprises: np.ndarray) -> np.ndarray:
        """Return what a reference's values and surprises add to the means, in 1/256 level."""
        return 4 * _ONE * values + self.own[:, None] * surprises

    def write(self, encoder: constriction.stream.queue.RangeEncoder, *, refers: bool) -> None:
        """Encode the weights."""
        encoder.encode(
            (self.rest + _lowest(refers)).astype(np.int32), FAMILY, _flat(len(self.rest), refers)
        )
        fitted = bool(
            (self.scale != _ONE).any() or self.offset.any() or self.own.any() or self.across.any()
        )
        encoder.encode(np.array([int(fitted)], np.int32), FAMILY, _flat(1, False))
        if fitted:
            own = self.own if refers else self.own[:0]
            across = self.across[_lower(len(self.rest))]
            units = np.concatenate([self.scale - _ONE, self.offset, own, across]) // _UNIT
            encoder.encode((units + _LIMIT).astype(np.int32), FAMILY, _peaked(len(units)))

    @classmethod
    def read(
        cls,
        decoder: constriction.stream.queue.RangeDecoder,
        channels: int,
        positions: int,
        *,
        refers: bool,
    ) -> Weights:
        """Decode the weights. Raises ValueError when no encoder writes such."""
        rest = decoder.decode(FAMILY, _flat(channels, refers)).astype(np.int64) - _lowest(refers)
        fitted = int(decoder.decode(FAMILY, _flat(1, False))[0])
        weights = cls(rest, *_plain(channels))
        if not fitted:
            return weights
        if fitted != 1 or channels * positions < _FEW:
            raise ValueError('weights where there can be none')
        used = _lower(channels)
        parts = (weights.scale, weights.offset, *([weights.own] if refers else []))
        count = len(parts) * channels + len(used[0])
        sent = (decoder.decode(FAMILY, _peaked(count)).astype(np.int64) - _LIMIT) * _UNIT
        for part, values in zip(
            parts, sent[: len(parts) * channels].reshape(-1, channels), strict=True
        ):
            part += values
        weights.across[used] = sent[len(parts) * channels :]
        return weights


@lru_cache(maxsize=8)
def groups(channels: int) -> tuple[slice, ...]:
    """Return the channels that are coded together, group after group."""
    starts = range(0, channels, _GROUP)
    return tuple(slice(start, min(start + _GROUP, channels)) for start in starts)


def usual(planes: np.ndarray) -> np.ndarray:
    """Return the value usual in each channel; sums of small integers are exact everywhere."""
    return np.rint(planes.mean(axis=1)).astype(np.int64)


def _plain(channels: int) -> tuple[np.ndarray, ...]:
    """Return the weights that predict the neighbours' mean."""
    return (
        np.full(channels, _ONE, np.int64),
        np.zeros(channels, np.int64),
        np.zeros(channels, np.int64),
        np.zeros((channels, channels), np.int64),
    )


@lru_cache(maxsize=8)
def _lower(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of ``across`` that are sent."""
    used = np.zeros((channels, channels), bool)
    for group in groups(channels):
        used[group, _near(group)] = True
    rows, columns = np.nonzero(used)
    return rows, columns


def _near(group: slice) -> slice:
    """Return the channels before a group that help to predict it."""
    return slice(max(0, group.start - _REACH), group.start)


def _lowest(refers: bool) -> int:
    """Return how far below 0 a usual value can be: changes may be either way."""
    return 15 if refers else 0


def _flat(count: int, refers: bool) -> np.ndarray:
    values = 16 + _lowest(refers)
    return np.full((count, values), 1 / values, np.float32)


def _peaked(count: int) -> np.ndarray:
    """Return laws of a weight: the squared 1 / (1 + distance from 0), as fitted ones fall off."""
    law = 2**20 // (1 + np.abs(np.arange(-_LIMIT, _LIMIT + 1))) ** 2
    return np.broadcast_to((law / law.sum()).astype(np.float32), (count, len(law))).copy()
