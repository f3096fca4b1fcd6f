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
Exact minimum e-c cuts of a layer DAG: the paper's auxiliary graph with its three corrections.

Source e and sink c stand for edge and cloud; a layer on e's side of the cut runs on the edge. The
corrections to the printed construction are: the inputs are tied to e; every edge of the DAG has a
reverse arc of infinite capacity, so that the edge's side is closed under predecessors; a tensor
with several consumers gets one auxiliary vertex, so that sending it is paid once.

Two simplifications keep the minimum: a layer has one arc, from e or to c, with the difference of
its two times, and capacities are clipped just above the all-edge cut's value, which stands for
infinity. The flow is found by OR-tools' push-relabel: networkx takes hundreds of times as long
(``dads bench partition``), SciPy counts in 32 bits, PyMaxflow and igraph are as fast but GPL.
OR-tools counts in 64 bits; larger capacities are shifted to fit, and the flow found is then
carried on by augmenting paths in unbounded integers, so that the cut is exact whatever the
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from dads_ros.partition.costs import CostGraph
import numpy as np
from ortools.graph.python import max_flow

_MAX_BITS = 61


class FlowNetwork:
    """The arcs of a graph's auxiliary network, built once and solved for any integer weights."""

    def __init__(self, graph: CostGraph) -> None:
        self._size = len(graph)
        self._pinned = list(graph.pinned)
        self._forbidden = list(graph.forbidden)
        tails: list[int] = list(range(self._size))  # the arc from e or to c, set by the weights
        heads: list[int] = [0] * self._size
        sends: list[int] = []  # tensor of each sending arc
        spread: list[tuple[int, int]] = []  # auxiliary vertex to consumer
        endless: list[tuple[int, int]] = []
        vertices = self._size
        for tensor, consumers in enumerate(graph.consumers):
            if len(consumers) == 1:
                sends.append(tensor)
                tails.append(tensor)
                heads.append(consumers[0])
            elif consumers:
                sends.append(tensor)
                tails.append(tensor)
                heads.append(vertices)
                spread += [(vertices, consumer) for consumer in consumers]
                vertices += 1
            endless += [(consumer, tensor) for consumer in consumers]
        self._sends = np.array(sends, dtype=np.intp)
        self._spread = np.array(spread, dtype=np.int32).reshape(-1, 2)
        self._source = vertices
        self._sink = vertices + 1
        endless += spread
        # The last arc carries nothing: it makes e and c known to the solver whatever the weights.
        endless.append((self._source, self._sink))
        self._tails = np.array(tails + [tail for tail, _ in endless], dtype=np.int32)
        self._heads = np.array(heads + [head for _, head in endless], dtype=np.int32)
        self._arcs = np.arange(len(self._tails), dtype=np.int32)

    def least_cut(
        self, edge: Sequence[int], send: Sequence[int], cloud: Sequence[int]
    ) -> frozenset[int]:
        """
        Return the closed edge set of least total weight.

        :param edge: weight of each layer on the edge.
        :param send: weight of each tensor that crosses.
        :param cloud: weight of each layer in the cloud.
        """
        endless = sum(edge) + 1
        gain = [c - e for e, c in zip(edge, cloud, strict=True)]
        for i in self._pinned:
            gain[i] = endless
        cost = list(send)
        for i in self._forbidden:
            cost[i] = endless
        capacities = [min(abs(value), endless) for value in gain]
        capacities += [min(cost[i], endless) for i in self._sends]
        capacities += [endless] * (len(self._tails) - len(capacities) - 1) + [0]
        residual = _Residual(*self._arcs_of([g > 0 for g in gain]), capacities)
        # The source can push at most one clipped capacity per layer.
        most = endless * self._size
        while True:
            side, most = residual.push(self._source, self._sink, most)
            if not most:
                return frozenset(int(v) for v in side if v < self._size)

    def near_least_cut(
        self,
        edge: np.ndarray,
        send: np.ndarray,
        cloud: np.ndarray,
        inner: np.ndarray,
        outer: np.ndarray,
    ) -> np.ndarray:
        """
        Return a closed edge set whose total weight is least but for rounding the floats given.

        Several times faster than :meth:`least_cut`, the more so the closer the bounds are: what
        they decide is contracted into e and c. Each float is rounded by at most 2**-58 of the
        all-edge weight times the number of layers.

        :param inner: a closed set that the answer must hold, the inputs among it; boolean.
        :param outer: a closed set that must hold the answer; boolean.
        :return: the set as a boolean vector.
        """
        found = inner.copy()
        place, free = self._contracted(inner, outer)
        layers = free[: np.searchsorted(free, self._size)]
        if not len(layers):
            return found
        source, sink = len(free), len(free) + 1
        unit = 2.0**_MAX_BITS / (8 * (self._size + 1) * (float(edge.sum()) or 1.0))
        # Above the all-edge weight, however its sum in floats is rounded.
        endless = int(float(edge.sum()) * unit * (1 + 1e-9)) + self._size
        gain = (cloud[layers] - edge[layers]) * unit
        cost = send * unit
        cost[self._forbidden] = endless
        capacities = np.full(len(self._tails) - self._size, endless, dtype=np.int64)
        capacities[: len(self._sends)] = np.minimum(cost[self._sends], endless)
        capacities[-1] = 0
        tails, heads = place[self._tails[self._size :]], place[self._heads[self._size :]]
        kept = (tails != heads) & (tails != sink) & (heads != source)
        near = self._arcs[: len(layers)]
        solver = _solved(
            np.concatenate([np.where(gain > 0, source, near), tails[kept]]),
            np.concatenate([np.where(gain > 0, near, sink), heads[kept]]),
            np.concatenate([np.minimum(np.abs(gain), endless).astype(np.int64), capacities[kept]]),
            source,
            sink,
        )
        side = np.array(solver.get_source_side_min_cut(), dtype=np.intp)
        found[layers[side[side < len(layers)]]] = True
        return found

    def _contracted(self, inner: np.ndarray, outer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each vertex's number once the decided ones are merged, and those left."""
        place = np.full(self._sink + 1, -1, dtype=np.int32)
        decided = inner | ~outer
        place[: self._size][decided] = -2
        # An auxiliary vertex with a consumer in the cloud is bound to c.
        to_cloud = self._spread[~outer[self._spread[:, 1]], 0]
        place[to_cloud] = -2
        place[self._source :] = -2
        free = np.flatnonzero(place == -1)
        place[free] = self._arcs[: len(free)]
        place[: self._size][inner] = place[self._source] = len(free)
        place[: self._size][~outer] = place[to_cloud] = place[self._sink] = len(free) + 1
        return place, free

    def _arcs_of(self, from_source: list[bool]) -> tuple[np.ndarray, np.ndarray]:
        """Return all arcs' tails and heads; ``from_source`` says whose layer's arc is from e."""
        tails, heads = self._tails.copy(), self._heads.copy()
        layers = self._arcs[: self._size]
        tails[: self._size] = np.where(from_source, self._source, layers)
        heads[: self._size] = np.where(from_source, layers, self._sink)
        return tails, heads


class _Residual:
    """What is left of the capacities, in unbounded integers, while a flow grows to its maximum."""

    def __init__(self, tails: np.ndarray, heads: np.ndarray, capacities: list[int]) -> None:
        self._size = len(tails)
        self._tails = np.concatenate([tails, heads])  # the arcs, then their reverses
        self._heads = np.concatenate([heads, tails])
        self._room = np.array(capacities + [0] * self._size, dtype=object)

    def push(self, source: int, sink: int, most: int) -> tuple[np.ndarray, int]:
        """
        Push what 64 bits can tell of the flow that is left.

        :param most: no more flow than this is left.
        :return: the source's side of a minimum cut, and how much flow may still be left. Shifted
            by k bits, each arc of the cut hides less than 2**k of its room.
        """
        room = np.minimum(self._room, most)
        most = min(most, int(room[self._tails == source].sum()))  # what the solver may start with
        shift = max(0, most.bit_length() - _MAX_BITS)
        shifted = (np.minimum(room, most) >> shift).astype(np.int64)
        arcs = np.flatnonzero(shifted)
        arcs = np.append(arcs, self._size - 1)  # the arc that makes e and c known
        solver = _solved(self._tails[arcs], self._heads[arcs], shifted[arcs], source, sink)
        side = np.array(solver.get_source_side_min_cut(), dtype=np.intp)
        if not shift:
            return side, 0
        flow = np.zeros(2 * self._size, dtype=object)
        flow[arcs] = solver.flows(np.arange(len(arcs), dtype=np.int32)).astype(object) << shift
        flow[: self._size] -= flow[self._size :]
        flow[self._size :] = -flow[: self._size]
        self._room -= flow
        return side, len(arcs) << shift


def _solved(
    tails: np.ndarray, heads: np.ndarray, capacities: np.ndarray, source: int, sink: int
) -> max_flow.SimpleMaxFlow:
    """Return a solver that has found a maximum flow."""
    solver = max_flow.SimpleMaxFlow()
    solver.add_arcs_with_capacity(tails, heads, capacities)
    status = solver.solve(source, sink)
    if status != solver.OPTIMAL:
        raise RuntimeError(f'maximum flow ended with {status}')
    return solver
