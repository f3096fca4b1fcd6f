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

"""Local search for heavy cuts: quick, with no promise, to start exact solvers and fill tables."""

from __future__ import annotations

from dataclasses import dataclass

from dads_ros.partition.batch import CutBatch
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.situation import Situation
import numpy as np

_TINY = 1e-12
_MAX_MOVES = 100


def stage_scale(situation: Situation) -> np.ndarray:
    """Return the factors from (edge ns, bytes, cloud ns) to nanoseconds in the situation."""
    return np.array([situation.edge_factor, 8e9 / situation.uplink_bps, situation.cloud_factor])


@dataclass
class Climber:
    """Local search: move a layer across the cut, together with what closure then requires."""

    graph: CostGraph
    batch: CutBatch

    def __post_init__(self) -> None:
        size = len(self.graph)
        before = np.eye(size, dtype=bool)  # row v: v and its ancestors
        for v in range(size):
            for u in self.graph.producers[v]:
                before[v] |= before[u]
        self._before = before
        self._after = before.T.copy()
        fixed = np.zeros(size, dtype=bool)
        fixed[list(self.graph.pinned)] = True
        # Moving to the cloud is barred for whatever has an input among its descendants.
        self._stays = (self._after & fixed).any(axis=1)

    def climb(self, start: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """
        Return a cut that no single move improves, or what a hundred moves have reached.

        :param start: a closed edge set as a boolean vector.
        :param scale: what turns edge ns, bytes and cloud ns into comparable stages.
        """
        current = start
        least = float(self._rank(current[None], scale)[0])
        for _ in range(_MAX_MOVES):
            moves = self._neighbours(current)
            if not len(moves):
                return current
            ranks = self._rank(moves, scale)
            chosen = int(ranks.argmin())
            if not ranks[chosen] < least * (1 - _TINY):
                return current
            current, least = moves[chosen], float(ranks[chosen])
        return current

    def _neighbours(self, current: np.ndarray) -> np.ndarray:
        joins = current | self._before[~current]
        leaves = current & ~self._after[current & ~self._stays]
        return np.concatenate([joins, leaves])

    def _rank(self, cuts: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the longest stage plus a small share of their sum, which crosses plateaus."""
        stages = self.batch.totals(cuts)[:, [0, 2, 3]] * scale
        return stages.max(axis=1) + 1e-3 * stages.sum(axis=1)
