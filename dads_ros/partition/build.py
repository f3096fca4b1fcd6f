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
Build a plan table: every supported cut, and those cuts in between that heavy load can need.

Where all cuts can be listed, the table holds the Pareto-optimal ones and is complete. Otherwise it
holds the supported cuts, which every light plan is among, and the cuts that local search finds for
a fixed, evenly spread set of situations; what is still missing then is found by a background
:func:`~dads_ros.partition.heavy.dsh` and added by ``PlanTable.with_row``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dads_ros.partition.batch import CutBatch
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.envelope import Point
from dads_ros.partition.envelope import supported_points
from dads_ros.partition.ideals import closed_sets
from dads_ros.partition.network import FlowNetwork
from dads_ros.partition.plan import LOCAL_CODEC
from dads_ros.partition.search import Climber
from dads_ros.partition.table import PlanTable
from dads_ros.partition.table import Row

_HEAVY = [0, 2, 3]  # columns of CutBatch.totals that heavy load counts: edge, peak bytes, cloud
_LIGHT = [0, 1, 3]

_SAMPLES = 256
_SAMPLE_CELLS = 256 * 100 * 100  # fewer samples where a step of the search is dear
_GOLDEN = (0.7548776662466927, 0.5698402909980532)  # of the plane: an even sequence of points
_WORTH = 1e-3


def build_table(graphs: Mapping[str, CostGraph]) -> PlanTable:
    """
    Return the plan table of a network.

    :param graphs: one cost graph per codec, of the same layers; what a codec must not send is
        ``forbidden`` in its graph.
    """
    first = next(iter(graphs.values()))
    found: dict[tuple[str, frozenset[int]], None] = {}
    listed = {codec: closed_sets(graph) for codec, graph in graphs.items()}
    complete = all(cuts is not None for cuts in listed.values())
    if complete:
        for codec, edge in _pareto(graphs, {k: v for k, v in listed.items() if v is not None}):
            found[codec, edge] = None
    else:
        for graphs_at in _mean_and_peak(graphs):
            for point in _supported(graphs_at):
                found[point.codec, point.edge] = None
        found.update(dict.fromkeys(_between(graphs, list(found))))
    return _table(first, graphs, list(found), complete)


def _table(
    first: CostGraph,
    graphs: Mapping[str, CostGraph],
    found: list[tuple[str, frozenset[int]]],
    complete: bool,
) -> PlanTable:
    everything = first.all_edge
    rows = [Row((), (1 << len(first)) - 1, LOCAL_CODEC, first.totals(everything))]
    for codec, edge in found:
        if edge != everything:
            graph = graphs[codec]
            boundary = tuple(graph.ids[i] for i in graph.boundary(edge))
            rows.append(Row(boundary, sum(1 << i for i in edge), codec, graph.totals(edge)))
    return PlanTable(first.ids, rows, complete)


def _mean_and_peak(graphs: Mapping[str, CostGraph]) -> list[Mapping[str, CostGraph]]:
    """Return the graphs with mean sizes and, where they differ, the graphs with peak sizes."""
    peak = {k: replace(g, output_bytes=g.peak_bytes) for k, g in graphs.items()}
    return [graphs] if peak == graphs else [graphs, peak]


def _supported(graphs: Mapping[str, CostGraph]) -> list[Point]:
    """Return the supported cuts over all codecs, by mean bytes."""
    solvers = [_Weighted(codec, graph) for codec, graph in graphs.items()]
    scale = np.max([solver.sums for solver in solvers], axis=0)
    scale[scale == 0] = 1.0

    def best_at(weights: np.ndarray) -> Point:
        points = [solver.best_at(weights, scale) for solver in solvers]
        return min(points, key=lambda point: float(point.cost @ weights))

    return supported_points(solvers[0].everything(scale), best_at)


class _Weighted:
    """One codec's graph, ready for weighted minimum cuts."""

    def __init__(self, codec: str, graph: CostGraph) -> None:
        self._codec = codec
        self._size = len(graph)
        self._network = FlowNetwork(graph)
        self._batch = CutBatch(graph)
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

    def everything(self, scale: np.ndarray) -> Point:
        """Return the all-local point."""
        return self._point(frozenset(range(self._size)), scale)

    def best_at(self, weights: np.ndarray, scale: np.ndarray) -> Point:
        """Return the cut of least weighted cost."""
        a, b, c = weights / scale
        edge = self._network.near_least_cut(
            a * self._edge,
            a * self._encode + b * self._send + c * self._decode,
            c * self._cloud,
        )
        return self._point(edge, scale)

    def _point(self, edge: frozenset[int], scale: np.ndarray) -> Point:
        row = _as_row(edge, self._size)
        return Point(self._batch.totals(row[None])[0, _LIGHT] / scale, self._codec, edge)


def _between(
    graphs: Mapping[str, CostGraph], known: list[tuple[str, frozenset[int]]]
) -> list[tuple[str, frozenset[int]]]:
    """Return cuts that beat the known ones under heavy load in some of the sampled situations."""
    size = len(next(iter(graphs.values())))
    climbers = {codec: Climber(graph, CutBatch(graph)) for codec, graph in graphs.items()}
    cuts = [(codec, _as_row(edge, size)) for codec, edge in known]
    costs = np.vstack([climbers[codec].batch.totals(cut[None])[:, _HEAVY] for codec, cut in cuts])
    samples = max(16, min(_SAMPLES, _SAMPLE_CELLS // size**2))
    new = []
    for scale in _directions(costs, samples):
        longest = (costs * scale).max(axis=1)
        codec, start = cuts[int(longest.argmin())]
        found = climbers[codec].climb(start, scale)
        cost = climbers[codec].batch.totals(found[None])[:, _HEAVY]
        if float((cost * scale).max()) < float(longest.min()) * (1 - _WORTH):
            cuts.append((codec, found))
            costs = np.vstack([costs, cost])
            new.append((codec, frozenset(np.flatnonzero(found).tolist())))
    return new


def _directions(costs: np.ndarray, samples: int) -> np.ndarray:
    """Return stage scales, spread evenly in the logarithm over where two stages can be equal."""
    largest = costs.max(axis=0)
    largest[largest == 0] = 1.0
    sequence = np.outer(np.arange(1, samples + 1), _GOLDEN) % 1.0
    spread = np.exp((sequence - 0.5) * np.log(1e4))
    return np.column_stack([spread[:, 0], spread[:, 1], np.ones(samples)]) / largest


def _as_row(edge: frozenset[int], size: int) -> np.ndarray:
    row = np.zeros(size, dtype=bool)
    row[list(edge)] = True
    return row


def _pareto(
    graphs: Mapping[str, CostGraph], listed: Mapping[str, np.ndarray]
) -> list[tuple[str, frozenset[int]]]:
    """Return the cuts that no other beats in edge time, cloud time, and mean or peak bytes."""
    cuts = [(codec, cut) for codec, rows in listed.items() for cut in rows]
    totals = np.vstack([CutBatch(graphs[codec]).totals(rows) for codec, rows in listed.items()])
    keep = _efficient(totals[:, _LIGHT]) | _efficient(totals[:, _HEAVY])
    return [
        (cuts[i][0], frozenset(np.flatnonzero(cuts[i][1]).tolist())) for i in np.flatnonzero(keep)
    ]


def _efficient(costs: np.ndarray) -> np.ndarray:
    """
    Return which rows of three columns no other row is at most as large as (first of equals).

    In lexicographic order a row can only be beaten by one before it; of those, the staircase of
    the least third column by second column is all that counts.
    """
    keep = np.zeros(len(costs), dtype=bool)
    finite = np.flatnonzero(np.isfinite(costs).all(axis=1))
    seconds: list[float] = []  # ascending, their least thirds descending
    thirds: list[float] = []
    for row in finite[np.lexsort(costs[finite].T[::-1])].tolist():
        _, second, third = costs[row].tolist()
        place = bisect_right(seconds, second)
        if place and thirds[place - 1] <= third:
            continue
        keep[row] = True
        end = place
        while end < len(thirds) and thirds[end] >= third:
            end += 1
        start = place - 1 if place and seconds[place - 1] == second else place
        seconds[start:end] = [second]
        thirds[start:end] = [third]
    return keep
