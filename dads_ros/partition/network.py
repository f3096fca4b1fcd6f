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
OR-tools counts in 64 bits; larger capacities are shifted to fit, and the flow found is then carried
on by augmenting paths in unbounded integers, so that the cut is exact whatever the numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np
from ortools.graph.python import max_flow

from dads_ros.partition.costs import CostGraph

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
                endless += [(vertices, consumer) for consumer in consumers]
                vertices += 1
            endless += [(consumer, tensor) for consumer in consumers]
        self._sends = np.array(sends, dtype=np.intp)
        self._source = vertices
        self._sink = vertices + 1
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
        # The source can push at most one clipped capacity per layer.
        shift = max(0, (endless * (self._size + 1)).bit_length() - _MAX_BITS)
        shifted = np.array([value >> shift for value in capacities], dtype=np.int64)
        solver, tails, heads = self._push(np.array([g > 0 for g in gain], dtype=bool), shifted)
        if shift == 0:
            return self._edge_side(solver.get_source_side_min_cut())
        flow = [int(value) << shift for value in solver.flows(self._arcs)]
        residual = _Residual(self._sink + 1, tails.tolist(), heads.tolist(), capacities, flow)
        return self._edge_side(residual.source_side(self._source, self._sink))

    def near_least_cut(
        self, edge: np.ndarray, send: np.ndarray, cloud: np.ndarray
    ) -> frozenset[int]:
        """
        Return a closed edge set whose total weight is least but for rounding the floats given.

        Several times faster than :meth:`least_cut`. Each float is rounded by at most 2**-58 of the
        all-edge weight times the number of layers.
        """
        unit = 2.0**_MAX_BITS / (8 * (self._size + 1) * (float(edge.sum()) or 1.0))
        endless = int(float(edge.sum()) * unit) + self._size
        gain = (cloud - edge) * unit
        gain[self._pinned] = endless
        cost = send * unit
        cost[self._forbidden] = endless
        capacities = np.full(len(self._tails), endless, dtype=np.int64)
        ends = self._size + len(self._sends)
        capacities[: self._size] = np.minimum(np.abs(gain), endless)
        capacities[self._size : ends] = np.minimum(cost[self._sends], endless)
        capacities[-1] = 0
        solver, _, _ = self._push(gain > 0, capacities)
        return self._edge_side(solver.get_source_side_min_cut())

    def _push(
        self, from_source: np.ndarray, capacities: np.ndarray
    ) -> tuple[max_flow.SimpleMaxFlow, np.ndarray, np.ndarray]:
        """Find a maximum flow; ``from_source`` says which layers have their arc from e."""
        tails, heads = self._tails.copy(), self._heads.copy()
        layers = self._arcs[: self._size]
        tails[: self._size] = np.where(from_source, self._source, layers)
        heads[: self._size] = np.where(from_source, layers, self._sink)
        solver = max_flow.SimpleMaxFlow()
        solver.add_arcs_with_capacity(tails, heads, capacities)
        status = solver.solve(self._source, self._sink)
        if status != solver.OPTIMAL:
            raise RuntimeError(f'maximum flow ended with {status}')
        return solver, tails, heads

    def _edge_side(self, vertices: Iterable[int]) -> frozenset[int]:
        return frozenset(int(v) for v in vertices if v < self._size)


class _Residual:
    """A residual network in unbounded integers: arc 2k is the k-th arc, arc 2k + 1 its reverse."""

    def __init__(
        self,
        vertices: int,
        tails: Sequence[int],
        heads: Sequence[int],
        capacities: Sequence[int],
        flow: Sequence[int],
    ) -> None:
        self._room: list[int] = []
        self._head: list[int] = []
        self._out: list[list[int]] = [[] for _ in range(vertices)]
        for tail, head, capacity, used in zip(tails, heads, capacities, flow, strict=True):
            self._out[tail].append(len(self._head))
            self._out[head].append(len(self._head) + 1)
            self._head += [head, tail]
            self._room += [capacity - used, used]

    def source_side(self, source: int, sink: int) -> list[int]:
        """Push the flow to its maximum (Dinic) and return the source's side of the cut."""
        while True:
            level = self._levels(source)
            if level[sink] < 0:
                return [v for v, depth in enumerate(level) if depth >= 0]
            self._block(source, sink, level)

    def _levels(self, source: int) -> list[int]:
        level = [-1] * len(self._out)
        level[source] = 0
        queue = deque([source])
        while queue:
            vertex = queue.popleft()
            for arc in self._out[vertex]:
                head = self._head[arc]
                if self._room[arc] > 0 and level[head] < 0:
                    level[head] = level[vertex] + 1
                    queue.append(head)
        return level

    def _block(self, source: int, sink: int, level: list[int]) -> None:
        """Add a blocking flow along the levels, by depth-first search without recursion."""
        following = [iter(arcs) for arcs in self._out]
        path: list[int] = []
        vertex = source
        while True:
            if vertex == sink:
                pushed = min(self._room[arc] for arc in path)
                for arc in path:
                    self._room[arc] -= pushed
                    self._room[arc ^ 1] += pushed
                first = next(k for k, arc in enumerate(path) if self._room[arc] == 0)
                vertex = self._head[path[first] ^ 1]
                # The saturated arc stays next in line at its tail, where it is found full.
                del path[first:]
                continue
            for arc in following[vertex]:
                if self._room[arc] > 0 and level[self._head[arc]] == level[vertex] + 1:
                    path.append(arc)
                    vertex = self._head[arc]
                    break
            else:
                if vertex == source:
                    return
                vertex = self._head[path.pop() ^ 1]
