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
Bundles of one cut finished together: whether a tail can do it, and how many at once are fastest.

Both are found out by this process on this machine. Nobody waits for a batch to fill: only bundles
that wait already are taken along.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median
import time
from weakref import WeakKeyDictionary

from dads_ros.model.surgery import Half
import numpy as np
import torch

SIZES = (1, 2, 4, 8, 16)
# Measured runs of a size before it is compared, and kept to compare by.
SAMPLES = 5
# Every so often a size that is not the fastest runs, so that its figures do not grow old.
REVIEW = 32
# Of an output's largest value: other kernels may round differently by no more.
TOLERANCE = 1e-3
# What runs of a half take and give: arrays in the order of its inputs, of its outputs.
Arrays = tuple[np.ndarray, ...]


class Batches:
    """
    Runs tails on one or several bundles, and learns of each tail what that takes.

    For the one thread that computes.

    :param most: bundles that may be finished together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._records: WeakKeyDictionary[Half, _Record] = WeakKeyDictionary()

    def size(self, half: Half, waiting: int) -> int:
        """
        Return how many of the waiting bundles to finish together now.

        Tries the half out when several wait for it for the first time.
        """
        most = min(waiting, self._most)
        if most < 2:
            return 1
        record = self._record(half)
        if record.is_able is None:
            record.is_able = takes_batches(half)
        return record.size(most) if record.is_able else 1

    def run(self, half: Half, arrays: Arrays) -> Arrays:
        """
        Finish one bundle.

        Raises CutError when the arrays do not fit, and whatever the operators raise.
        """
        started_s = time.perf_counter()
        outputs = half(*arrays)
        self._record(half).note(1, time.perf_counter() - started_s)
        return outputs

    def run_together(self, half: Half, bundles: Sequence[Arrays]) -> list[Arrays] | None:
        """
        Finish several bundles.

        :return: the outputs of each, or None when that failed: they have to be finished one by
            one, which shows whose fault it was, and the half is given no batch any more.
        """
        record = self._record(half)
        started_s = time.perf_counter()
        try:
            outputs = together(half, bundles)
        except Exception:  # whatever operators raise that were captured for one frame
            record.is_able = False
            return None
        record.note(len(bundles), time.perf_counter() - started_s)
        return outputs

    def _record(self, half: Half) -> _Record:
        return self._records.setdefault(half, _Record())


class _Record:
    """What is known of one tail."""

    def __init__(self) -> None:
        self.is_able: bool | None = None
        self._choices = 0
        self._bundle_s: dict[int, deque[float]] = {n: deque(maxlen=SAMPLES) for n in SIZES}

    def note(self, size: int, run_s: float) -> None:
        """Note what a run took; a size that only bad bundles of a batch left over is ignored."""
        if size in self._bundle_s:
            self._bundle_s[size].append(run_s / size)

    def size(self, most: int) -> int:
        """Return the size that takes least for each bundle; first, and at times, another one."""
        sizes = [n for n in SIZES if n <= most]
        rarest = min(sizes, key=lambda n: len(self._bundle_s[n]))
        if len(self._bundle_s[rarest]) < SAMPLES:
            return rarest
        self._choices += 1
        reviews, rest = divmod(self._choices, REVIEW)
        if rest == 0:
            return sizes[reviews % len(sizes)]
        return min(sizes, key=lambda n: median(self._bundle_s[n]))


def takes_batches(half: Half) -> bool:
    """
    Return whether a half gives each of two bundles what it gives it alone, within TOLERANCE.

    Tried on random numbers that no vehicle chose. Only on the CPU: what runs on a GPU was recorded
    for tensors of one bundle.
    """
    if half.device.type != 'cpu':
        return False
    draw = torch.Generator().manual_seed(1)
    try:
        bundles = [_random(half, draw) for _ in range(2)]
        alone = [half(*arrays) for arrays in bundles]
        pairs = zip(alone, together(half, bundles), strict=True)
        # Outputs that hardly depend on the inputs would show nothing.
        return all(_are_close(a, t) for a, t in pairs) and not _are_close(*alone)
    except Exception:  # whatever operators raise that were captured for one frame
        return False


def together(half: Half, bundles: Sequence[Arrays]) -> list[Arrays]:
    """
    Return the outputs of each bundle, computed in one run of the half's plain operators.

    Raises ValueError when the outputs are not one for each bundle, CutError when arrays do not
    fit, and whatever the operators raise.
    """
    count = len(bundles)
    with torch.inference_mode():
        loaded = [half.load(*arrays) for arrays in bundles]
        # Never the compiled form, which was made for one bundle and checks nothing.
        outputs = half.module(*(torch.cat(tensors) for tensors in zip(*loaded, strict=True)))
        if any(output.ndim == 0 or len(output) != count for output in outputs):
            raise ValueError(f'outputs are not one for each of {count} bundles')
        arrays = [output.numpy() for output in outputs]
    return [tuple(array[i : i + 1] for array in arrays) for i in range(count)]


def _random(half: Half, draw: torch.Generator) -> Arrays:
    """Return inputs for a half: pixels and codes over their range, floats around zero."""
    tensors = half.zeros()
    for tensor in tensors:
        if tensor.is_floating_point():
            tensor.normal_(generator=draw)
        else:
            tensor.random_(0, 256 if tensor.dtype == torch.uint8 else 2, generator=draw)
    return tuple(tensor.numpy() for tensor in tensors)


def _are_close(one: Arrays, other: Arrays) -> bool:
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=0, atol=TOLERANCE * float(np.abs(a).max()))
        for a, b in zip(one, other, strict=True)
    )
