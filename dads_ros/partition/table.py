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
Every cut that can win, with its costs, and one vectorised argmin to choose among them.

Row 0 is the plan that keeps everything on the edge; every other row is a (cut, codec) pair. The
rows hold every supported cut, so a light plan is the true minimum. A heavy plan is the true
minimum when the rows hold every Pareto-optimal cut (``complete``); otherwise it is the best of the
rows and carries a bound, until the exact solution for the present situation is added as a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
import math
from typing import Any

from dads_ros.errors import PlanError
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.costs import CutTotals
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Load
from dads_ros.partition.plan import Mode
from dads_ros.partition.situation import Situation
import numpy as np

_FORMAT = 1

# Weights of (edge, transfer, cloud) on a simplex grid: each gives a lower bound on the longest
# stage, because a weighted mean is at most the maximum and is minimal at a supported row.
_BOUND_WEIGHTS = np.array([(i, j, 4 - i - j) for i in range(5) for j in range(5 - i)]) / 4.0
_NEVER = 1e9  # a cost that keeps a row from being chosen; with infinity, bounds would be nan


@dataclass(frozen=True, slots=True)
class Row:
    """One cut with one codec; bit i of the mask says that layer i is on the edge."""

    boundary: tuple[str, ...]
    mask: int
    codec: str
    totals: CutTotals

    @classmethod
    def of(cls, graph: CostGraph, plan: CutPlan) -> Row:
        """
        Return a plan's row.

        :param graph: the costs that the plan was solved for, in its codec.
        """
        edge = frozenset(graph.index[name] for name in plan.edge)
        mask = sum(1 << i for i in edge)
        return cls(plan.boundary, mask, plan.codec, graph.totals(edge))


class PlanTable:
    """
    A set of plans, answered in microseconds.

    :param ids: the network's layer ids in topological order.
    :param rows: the first is the all-local plan.
    :param complete: whether the rows hold every cut that can have the shortest longest stage.
    """

    local_row = 0

    def __init__(self, ids: Sequence[str], rows: Iterable[Row], complete: bool) -> None:
        self.ids = tuple(ids)
        self.rows = tuple(rows)
        self.complete = complete
        if not self.rows or self.rows[0].totals.uses_cloud:
            raise PlanError('the first row of a plan table must keep everything on the edge')
        self._edges: dict[int, tuple[str, ...]] = {}
        self._light, self._heavy = _columns(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def plan(self, situation: Situation, mode: Mode = 'auto') -> CutPlan:
        """
        Return the best row for a situation.

        :param mode: 'light' minimises the delay, 'heavy' the longest stage; 'auto' is the paper's
            test: light while the light plan's longest stage is shorter than a frame period.
        """
        if mode == 'heavy':
            return self._plan_heavy(situation)
        light = self._plan_light(situation)
        if mode == 'light' or light.max_stage_s * situation.rate_hz < 1.0:
            return light
        return self._plan_heavy(situation)

    def plan_soonest(self, situation: Situation, enough_s: float, nearly: float) -> CutPlan:
        """
        Return the heavy plan of least delay among those that give as many frames as the best.

        :param enough_s: a longest stage of no more than this is short enough, whichever it is.
        :param nearly: share by which a longest stage may exceed the shortest one.
        """
        least = self.plan(situation, 'heavy')
        if not situation.has_link:
            return least
        limit_s = max(enough_s, least.max_stage_s * (1 + nearly + 1e-12))
        row = self._soonest(self._stages_s(situation), limit_s, situation)
        return self._at(row, situation, 'heavy', least.lower_bound_s)

    def evaluate(self, row: int, situation: Situation, mode: Load) -> CutPlan:
        """
        Return what a row costs in a situation; its lower bound is 0, as nothing was minimised.

        Without a link, a row that uses the cloud takes infinitely long.
        """
        return self._at(row, situation, mode, 0.0)

    def row_of(self, boundary: Iterable[str], codec: str) -> int:
        """Return the row with this boundary and codec; raise PlanError when there is none."""
        wanted = tuple(boundary)
        for number, row in enumerate(self.rows):
            if row.boundary == wanted and (row.codec == codec or not wanted):
                return number
        raise PlanError(f'no row of the plan table sends {", ".join(wanted)!r} as {codec!r}')

    def with_row(self, graphs: Mapping[str, CostGraph], plan: CutPlan) -> PlanTable:
        """Return a table that also holds a plan, solved for the costs of these graphs."""
        # Any graph has the layers of the all-local plan, which has no codec.
        row = Row.of(graphs.get(plan.codec, next(iter(graphs.values()))), plan)
        if self.find(row) is not None:
            return self
        grown = copy(self)
        grown.add(row)
        return grown

    def find(self, row: Row) -> int | None:
        """Return the number of the row with the same cut and codec, if there is one."""
        for number, other in enumerate(self.rows):
            if other.mask == row.mask and other.codec == row.codec:
                return number
        return None

    def add(self, row: Row, *, is_choice: bool = True) -> int:
        """
        Add a row in place and return its number; the numbers of the others stay.

        :param is_choice: whether it may be chosen; else it is there to be evaluated by number.
        """
        light, heavy = (c if is_choice else np.full_like(c, _NEVER) for c in _columns([row]))
        self.rows = (*self.rows, row)
        self._light = np.concatenate([self._light, light])
        self._heavy = np.concatenate([self._heavy, heavy], axis=1)
        self._edges = dict(self._edges)  # a copy of this table may number its rows differently
        return len(self) - 1

    def to_json(self) -> dict[str, Any]:
        """Return the table as a dict of JSON types; an edge set is a bit mask in hexadecimal."""
        return {
            'format': _FORMAT,
            'ids': list(self.ids),
            'complete': self.complete,
            'rows': [
                {
                    'boundary': list(row.boundary),
                    'edge': hex(row.mask),
                    'codec': row.codec,
                    'edge_ns': int(row.totals.edge_ns),
                    'mean_bytes': int(row.totals.mean_bytes),
                    'peak_bytes': int(row.totals.peak_bytes),
                    'cloud_ns': int(row.totals.cloud_ns),
                }
                for row in self.rows
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PlanTable:
        """
        Return the table that ``to_json`` wrote.

        Raises PlanError when the data is of another format or malformed.
        """
        if not isinstance(data, Mapping) or data.get('format') != _FORMAT:
            raise PlanError('this is not a plan table of this version; build it again')
        try:
            ids = tuple(str(name) for name in data['ids'])
            rows = []
            for entry in data['rows']:
                mask = int(entry['edge'], 16)
                totals = CutTotals(
                    edge_ns=int(entry['edge_ns']),
                    mean_bytes=int(entry['mean_bytes']),
                    peak_bytes=int(entry['peak_bytes']),
                    cloud_ns=int(entry['cloud_ns']),
                    uses_cloud=mask != (1 << len(ids)) - 1,
                )
                rows.append(Row(tuple(entry['boundary']), mask, str(entry['codec']), totals))
            return cls(ids, rows, bool(data['complete']))
        except (KeyError, TypeError, ValueError) as error:
            raise PlanError(f'malformed plan table ({error!r}); build it again') from error

    def _plan_light(self, situation: Situation) -> CutPlan:
        if not situation.has_link:
            return self._local(situation, 'light')
        edge_s, bits, cloud_s, uses_cloud = self._light.T
        extra_bits = situation.overhead_bits - situation.head_start_bits
        sent = np.maximum(bits + uses_cloud * extra_bits, 0.0)
        delays = edge_s * situation.edge_factor + cloud_s * situation.cloud_factor
        delays += sent / situation.uplink_bps + uses_cloud * situation.rtt_s
        row = int(delays.argmin())
        return self._at(row, situation, 'light', None)

    def _plan_heavy(self, situation: Situation) -> CutPlan:
        if not situation.has_link:
            return self._local(situation, 'heavy')
        stages = self._stages_s(situation)
        least_s = np.minimum.reduce(np.maximum.reduce(stages))
        row = self._soonest(stages, least_s * (1 + 1e-12), situation)
        bound = None if self.complete else float((_BOUND_WEIGHTS @ stages).min(axis=1).max())
        return self._at(row, situation, 'heavy', bound)

    def _stages_s(self, situation: Situation) -> np.ndarray:
        """Return every row's car, link and cloud under heavy load, [3, rows]."""
        scale = np.array(
            [[situation.edge_factor], [1.0 / situation.uplink_bps], [situation.cloud_factor]]
        )
        stages = self._heavy * scale
        stages[1] += self._light[:, 3] * (situation.overhead_bits / situation.uplink_bps)
        return stages

    def _soonest(self, stages: np.ndarray, limit_s: float, situation: Situation) -> int:
        """Return the row of least delay among those whose longest stage is within a limit."""
        # Methods of the ufuncs: on small tables, what wraps them takes longer than they do.
        (rows,) = (np.maximum.reduce(stages) <= limit_s).nonzero()
        delays = np.add.reduce(stages[:, rows]) + self._light[rows, 3] * situation.rtt_s
        return int(rows[delays.argmin()])

    def _local(self, situation: Situation, mode: Load) -> CutPlan:
        return self._at(self.local_row, situation, mode, None)

    def _edge(self, row: int) -> tuple[str, ...]:
        """Return a row's edge set, spelled out on first use: large tables have thousands."""
        edge = self._edges.get(row)
        if edge is None:
            mask = self.rows[row].mask
            edge = tuple(name for i, name in enumerate(self.ids) if mask >> i & 1)
            self._edges[row] = edge
        return edge

    def _at(self, row: int, situation: Situation, mode: Load, bound: float | None) -> CutPlan:
        """Evaluate a row; a bound of None says that it is the minimum."""
        entry, totals = self.rows[row], self.rows[row].totals
        edge_s = float(totals.edge_ns) * 1e-9 * situation.edge_factor
        cloud_s = float(totals.cloud_ns) * 1e-9 * situation.cloud_factor
        transfer_s, delay_s = 0.0, edge_s
        if totals.uses_cloud:
            size_bytes = totals.peak_bytes if mode == 'heavy' else totals.mean_bytes
            head_start_bits = 0.0 if mode == 'heavy' else situation.head_start_bits
            bits = max(0.0, float(size_bytes) * 8.0 + situation.overhead_bits - head_start_bits)
            transfer_s = bits / situation.uplink_bps if situation.has_link else math.inf
            delay_s = edge_s + transfer_s + cloud_s + situation.rtt_s
        if bound is None:
            bound = delay_s if mode == 'light' else max(edge_s, transfer_s, cloud_s)
        return CutPlan(
            mode=mode,
            boundary=entry.boundary,
            edge=self._edge(row),
            codec=entry.codec,
            edge_s=edge_s,
            transfer_s=transfer_s,
            cloud_s=cloud_s,
            delay_s=delay_s,
            lower_bound_s=bound,
            row=row,
        )


def _columns(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Return what a situation's weights multiply: [rows, 4] when light, [3, rows] when heavy."""
    totals = [row.totals for row in rows]
    edge_s = np.array([float(t.edge_ns) for t in totals]) * 1e-9
    cloud_s = np.array([float(t.cloud_ns) for t in totals]) * 1e-9
    mean_bits = np.array([float(t.mean_bytes) for t in totals]) * 8.0
    peak_bits = np.array([float(t.peak_bytes) for t in totals]) * 8.0
    uses_cloud = np.array([float(t.uses_cloud) for t in totals])
    light = np.stack([edge_s, mean_bits, cloud_s, uses_cloud], axis=1)
    return light, np.stack([edge_s, peak_bits, cloud_s])
