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

"""Finish a maximum flow in unbounded integers, where 64 bits do not hold the capacities."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


class Residual:
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
