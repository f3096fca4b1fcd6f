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
from typing import TypeAlias

from dads_ros.partition.batch import CutBatch
from dads_ros.partition.batch import exact_rows
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.envelope import Point
from dads_ros.partition.envelope import supported_points
from dads_ros.partition.ideals import closed_sets
from dads_ros.partition.plan import LOCAL_CODEC
from dads_ros.partition.search import Climber
from dads_ros.partition.table import PlanTable
from dads_ros.partition.table import Row
from dads_ros.partition.weighted import WeightedCuts
import numpy as np

Cut: TypeAlias = tuple[str, np.ndarray]
"""A codec, and which layers are on the edge as a boolean vector."""

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
    listed = {codec: closed_sets(graph) for codec, graph in graphs.items()}
    complete = all(cuts is not None for cuts in listed.values())
    if complete:
        cuts = _pareto(graphs, {k: v for k, v in listed.items() if v is not None})
    else:
        cuts = [cut for graphs_at in _mean_and_peak(graphs) for cut in _supported(graphs_at)]
        cuts += _between(graphs, cuts)
    first = next(iter(graphs.values()))
    rows = [Row((), (1 << len(first)) - 1, LOCAL_CODEC, first.totals(first.all_edge))]
    return PlanTable(first.ids, rows + _rows(graphs, cuts), complete)


def _rows(graphs: Mapping[str, CostGraph], cuts: list[Cut]) -> list[Row]:
    """Return a row for each different cut that uses the cloud."""
    rows = {}
    for codec, graph in graphs.items():
        own = [cut for name, cut in cuts if name == codec]
        for sent, mask, totals in exact_rows(graph, np.array(own).reshape(-1, len(graph))):
            if totals.uses_cloud:
                boundary = tuple(graph.ids[i] for i in sent)
                rows[codec, mask] = Row(boundary, mask, codec, totals)
    return list(rows.values())


def _mean_and_peak(graphs: Mapping[str, CostGraph]) -> list[Mapping[str, CostGraph]]:
    """Return the graphs with mean sizes and, where they differ, the graphs with peak sizes."""
    peak = {k: replace(g, output_bytes=g.peak_bytes) for k, g in graphs.items()}
    return [graphs] if peak == graphs else [graphs, peak]


def _supported(graphs: Mapping[str, CostGraph]) -> list[Cut]:
    """Return the supported cuts over all codecs, by mean bytes."""
    solvers = [WeightedCuts(codec, graph) for codec, graph in graphs.items()]
    scale = np.max([solver.sums for solver in solvers], axis=0)
    scale[scale == 0] = 1.0

    def best_at(weights: np.ndarray) -> Point:
        points = [solver.best_at(weights, scale) for solver in solvers]
        return min(points, key=lambda point: float(point.cost @ weights))

    points = supported_points(solvers[0].everything(scale), best_at)
    return [(point.codec, point.edge) for point in points]


def _between(graphs: Mapping[str, CostGraph], known: list[Cut]) -> list[Cut]:
    """Return cuts that beat the known ones under heavy load in some of the sampled situations."""
    size = len(next(iter(graphs.values())))
    climbers = {codec: Climber(graph, CutBatch(graph)) for codec, graph in graphs.items()}
    cuts = list(known)
    costs = np.empty((len(cuts), 3))
    for codec, climber in climbers.items():
        own = [i for i, (name, _) in enumerate(cuts) if name == codec]
        if own:
            costs[own] = climber.batch.totals(np.array([cuts[i][1] for i in own]))[:, _HEAVY]
    samples = max(16, min(_SAMPLES, _SAMPLE_CELLS // size**2))
    for scale in _directions(costs, samples):
        longest = (costs * scale).max(axis=1)
        codec, start = cuts[int(longest.argmin())]
        found = climbers[codec].climb(start, scale)
        cost = climbers[codec].batch.totals(found[None])[:, _HEAVY]
        if float((cost * scale).max()) < float(longest.min()) * (1 - _WORTH):
            cuts.append((codec, found))
            costs = np.vstack([costs, cost])
    return cuts[len(known) :]


def _directions(costs: np.ndarray, samples: int) -> np.ndarray:
    """Return stage scales, spread evenly in the logarithm over where two stages can be equal."""
    largest = costs.max(axis=0)
    largest[largest == 0] = 1.0
    sequence = np.outer(np.arange(1, samples + 1), _GOLDEN) % 1.0
    spread = np.exp((sequence - 0.5) * np.log(1e4))
    return np.column_stack([spread[:, 0], spread[:, 1], np.ones(samples)]) / largest


def _pareto(graphs: Mapping[str, CostGraph], listed: Mapping[str, np.ndarray]) -> list[Cut]:
    """Return the cuts that no other beats in edge time, cloud time, and mean or peak bytes."""
    cuts = [(codec, cut) for codec, rows in listed.items() for cut in rows]
    totals = np.vstack([CutBatch(graphs[codec]).totals(rows) for codec, rows in listed.items()])
    keep = _efficient(totals[:, _LIGHT]) | _efficient(totals[:, _HEAVY])
    return [cuts[i] for i in np.flatnonzero(keep)]


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
