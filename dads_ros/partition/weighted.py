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

"""Weighted minimum cuts of one graph, each made small by those that were solved before it."""

from __future__ import annotations

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.envelope import Point
from dads_ros.partition.network import FlowNetwork
import numpy as np

_MOST_FINER = 1024.0


class WeightedCuts:
    """
    One codec's graph, ready for cuts of least a * edge time + b * bytes + c * cloud time.

    :param sums: all layers' edge time, bytes and cloud time.
    """

    def __init__(self, codec: str, graph: CostGraph) -> None:
        self._codec = codec
        self._network = FlowNetwork(graph)
        edges = np.array(graph.edges, dtype=np.intp).reshape(-1, 2)
        self._producers, self._consumers = edges[:, 0].copy(), edges[:, 1].copy()
        self._edge, self._encode, self._send, self._decode, self._cloud = (
            np.array([float(value) for value in column])
            for column in (
                graph.edge_ns,
                graph.encode_ns,
                graph.output_bytes,
                graph.decode_ns,
                graph.cloud_ns,
            )
        )
        self.sums = np.array([self._edge.sum(), self._send.sum(), self._cloud.sum()])
        least = np.zeros(len(graph), dtype=bool)
        least[list(graph.least_edge)] = True
        self._nested = _Nested(least, monotone=not (any(graph.encode_ns) or any(graph.decode_ns)))

    def everything(self, scale: np.ndarray) -> Point:
        """Return the all-local point."""
        return self._point(np.ones(len(self._edge), dtype=bool), scale)

    def best_at(self, weights: np.ndarray, scale: np.ndarray) -> Point:
        """Return the cut of least weighted cost, each cost divided by its scale."""
        a, b, c = (weights / scale).tolist()
        inner, outer = self._nested.bounds(a, b, c)
        edge = self._network.near_least_cut(
            a * self._edge,
            a * self._encode + b * self._send + c * self._decode,
            c * self._cloud,
            inner,
            outer,
        )
        self._nested.add(a, b, c, edge)
        return self._point(edge, scale)

    def _point(self, edge: np.ndarray, scale: np.ndarray) -> Point:
        sent = np.zeros(len(edge), dtype=bool)
        sent[self._producers[edge[self._producers] & ~edge[self._consumers]]] = True
        cost = np.array(
            [
                self._edge @ edge + self._encode @ sent,
                self._send @ sent,
                self._cloud @ ~edge + self._decode @ sent,
            ]
        )
        return Point(cost / scale, self._codec, edge)


class _Nested:
    """
    Bounds on the least cut at new weights from the cuts already known.

    Divide the weights by b. Then a dearer edge and a cheaper cloud can only shrink the smallest
    least cut, because its transfer cost stays and the rest is a sum over layers that grows. So a
    new cut lies between the known cuts on either side of it. This needs transfer costs in one
    proportion, hence no times to encode or decode (``monotone``). Rounding in a known cut's
    weights is magnified by the ratio of the b's: those too far off are left out.
    """

    def __init__(self, least: np.ndarray, monotone: bool) -> None:
        self._least = least
        self._monotone = monotone
        self._used = 0
        self._weights = np.empty((3, 64))
        self._cuts = np.empty((64, (len(least) + 63) // 64), dtype=np.uint64)

    def bounds(self, a: float, b: float, c: float) -> tuple[np.ndarray, np.ndarray]:
        """Return a set within the least cut at the weights, and a set around it."""
        inner, outer = self._least, np.ones_like(self._least)
        if self._monotone and self._used and b > 0:
            edge, send, cloud = self._weights[:, : self._used]
            near = send * _MOST_FINER >= b
            cuts = self._cuts[: self._used]
            dearer = near & (edge * b >= a * send) & (cloud * b <= c * send)
            inner = inner | self._row(np.bitwise_or.reduce(cuts[dearer], axis=0))
            cheaper = near & (edge * b <= a * send) & (cloud * b >= c * send)
            outer = self._row(np.bitwise_and.reduce(cuts[cheaper], axis=0))
        return inner, outer

    def add(self, a: float, b: float, c: float, cut: np.ndarray) -> None:
        """Remember the least cut at the weights."""
        if not self._monotone:
            return
        if self._used == len(self._cuts):
            self._weights = np.concatenate([self._weights, np.empty_like(self._weights)], axis=1)
            self._cuts = np.concatenate([self._cuts, np.empty_like(self._cuts)])
        self._weights[:, self._used] = a, b, c
        packed = np.zeros(self._cuts.shape[1] * 8, dtype=np.uint8)
        bits = np.packbits(cut)
        packed[: len(bits)] = bits
        self._cuts[self._used] = packed.view(np.uint64)
        self._used += 1

    def _row(self, packed: np.ndarray) -> np.ndarray:
        return np.unpackbits(packed.view(np.uint8), count=len(self._least)).astype(bool)
