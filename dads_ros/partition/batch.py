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

"""Totals of many cuts at once, in floats: what searching and tabulating cuts is made of."""

from __future__ import annotations

from collections.abc import Iterable

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.costs import CutTotals
from dads_ros.partition.costs import Exact
import numpy as np
from scipy import sparse


class CutBatch:
    """
    Evaluates cuts given as rows of a boolean matrix [cuts, layers], True on the edge.

    Floats serve to rank cuts; whoever picks one evaluates it exactly afterwards.
    """

    def __init__(self, graph: CostGraph) -> None:
        size = len(graph)
        producers = np.array([edge[0] for edge in graph.edges], dtype=np.intp)
        consumers = np.array([edge[1] for edge in graph.edges], dtype=np.intp)
        ones = np.ones(len(graph.edges), dtype=np.float32)
        # Rows are consumers: cuts @ reads counts each tensor's consumers on the edge.
        self._reads = sparse.csr_array((ones, (consumers, producers)), shape=(size, size))
        self._readers = np.array([len(row) for row in graph.consumers], dtype=np.float32)
        self._edge = np.array([float(x) for x in graph.edge_ns])
        self._cloud = np.array([float(x) for x in graph.cloud_ns])
        per_tensor = (graph.encode_ns, graph.output_bytes, graph.peak_bytes, graph.decode_ns)
        self._per_tensor = np.array([[float(x) for x in column] for column in per_tensor]).T
        self._forbidden = np.zeros(size, dtype=bool)
        self._forbidden[list(graph.forbidden)] = True

    def crossing(self, cuts: np.ndarray) -> np.ndarray:
        """Return [cuts, layers]: which tensors cross."""
        crossing: np.ndarray = cuts & (cuts.astype(np.float32) @ self._reads < self._readers)
        return crossing

    def totals(self, cuts: np.ndarray) -> np.ndarray:
        """
        Return [cuts, 4]: edge nanoseconds, mean bytes, peak bytes, cloud nanoseconds.

        A cut that sends a forbidden tensor has infinite bytes.
        """
        crossing = self.crossing(cuts)
        # As floats, because products with booleans are many times as slow.
        sums = crossing.astype(np.float64) @ self._per_tensor
        out = np.empty((len(cuts), 4))
        out[:, 0] = cuts.astype(np.float64) @ self._edge + sums[:, 0]
        out[:, 1:3] = sums[:, 1:3]
        out[:, 3] = (~cuts).astype(np.float64) @ self._cloud + sums[:, 3]
        out[crossing[:, self._forbidden].any(axis=1), 1:3] = np.inf
        return out


_CHUNK = 1000
_INT64_MAX = 2**63 - 1


def exact_rows(
    graph: CostGraph, cuts: np.ndarray
) -> Iterable[tuple[tuple[int, ...], int, CutTotals]]:
    """
    Yield each cut's boundary, its mask (bit i for layer i), and its exact totals.

    :param cuts: closed edge sets as a boolean matrix [cuts, layers].
    """
    batch = CutBatch(graph)
    edge, encode, mean, peak, decode, cloud = (
        _exact(column)
        for column in (
            graph.edge_ns,
            graph.encode_ns,
            graph.output_bytes,
            graph.peak_bytes,
            graph.decode_ns,
            graph.cloud_ns,
        )
    )
    for start in range(0, len(cuts), _CHUNK):
        here = cuts[start : start + _CHUNK]
        crossing = batch.crossing(here)
        sums = zip(
            (here @ edge).tolist(),
            (crossing @ encode).tolist(),
            (crossing @ mean).tolist(),
            (crossing @ peak).tolist(),
            (crossing @ decode).tolist(),
            (~here @ cloud).tolist(),
            strict=True,
        )
        masks = np.packbits(here, axis=1, bitorder='little')
        for cut, sent, mask, (e, en, m, p, d, c) in zip(here, crossing, masks, sums, strict=True):
            totals = CutTotals(e + en, m, p, c + d, not cut.all())
            boundary = tuple(np.flatnonzero(sent).tolist())
            yield boundary, int.from_bytes(mask.tobytes(), 'little'), totals


def _exact(column: tuple[Exact, ...]) -> np.ndarray:
    """Return a column whose products with booleans are exact."""
    whole = all(isinstance(value, int) for value in column)
    fits = whole and sum(column) <= _INT64_MAX
    return np.array(column, dtype=np.int64 if fits else object)
