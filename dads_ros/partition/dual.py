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

"""A quick bound below every heavy cut, and cuts near the best one: the Lagrangian dual of DSH."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from fractions import Fraction

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.evaluate import stages
from dads_ros.partition.light import stage_weights
from dads_ros.partition.network import FlowNetwork
from dads_ros.partition.search import stage_scale
from dads_ros.partition.situation import Situation
from dads_ros.partition.weighted import WeightedCuts
import numpy as np
from scipy import optimize

_MOST_CUTS = 60
_CONVERGED = 1e-9
_SHARES = 2**20


@dataclass(frozen=True, slots=True)
class Dual:
    """A bound, in ns, below every cut's longest stage, and the cuts (boolean) met on the way."""

    bound: Fraction
    cuts: list[np.ndarray]


def dual(graph: CostGraph, situation: Situation) -> Dual:
    """
    Return the greatest least weighted mean of the stages, over all weights, with peak bytes.

    A mean is at most the longest stage. The weights are found by cutting planes: each minimum cut
    bounds the dual function from above, and the next weights are the best for those bounds. The
    last weights are made whole and the bound solved for exactly.
    """
    peak = replace(graph, output_bytes=graph.peak_bytes)
    scale = stage_scale(situation)
    solver = WeightedCuts('', peak)
    first = solver.everything(np.ones(3))
    cuts, costs = [first.edge], [first.cost * scale]
    best, chosen = -1.0, np.array([1.0, 0.0, 0.0])
    while len(cuts) < _MOST_CUTS:
        weights, ceiling = _best_weights(np.array(costs))
        found = solver.best_at(weights * scale, np.ones(3))
        cuts.append(found.edge)
        costs.append(found.cost * scale)
        value = float(costs[-1] @ weights)
        if value > best:
            best, chosen = value, weights
        if ceiling - best <= _CONVERGED * ceiling:
            break
    return Dual(_exact_bound(peak, situation, chosen), cuts)


def _best_weights(costs: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the weights of greatest least weighted cost over the rows, and that cost."""
    unit = float(costs.max()) or 1.0
    solved = optimize.linprog(
        [0, 0, 0, -1],
        A_ub=np.column_stack([-costs / unit, np.ones(len(costs))]),
        b_ub=np.zeros(len(costs)),
        A_eq=[[1, 1, 1, 0]],
        b_eq=[1],
        bounds=[(0, 1)] * 3 + [(0, None)],
    )
    weights = np.maximum(solved.x[:3], 0.0)
    return weights / weights.sum(), float(-solved.fun) * unit


def _exact_bound(peak: CostGraph, situation: Situation, weights: np.ndarray) -> Fraction:
    one, two, three = np.round(weights * _SHARES).astype(int).tolist()
    exact = stage_weights(peak, situation, (one, two, three))
    edge = FlowNetwork(peak).least_cut(exact.edge, exact.send, exact.cloud)
    cost = stages(peak.totals(edge), situation, 'heavy')
    return (one * cost.edge + two * cost.transfer + three * cost.cloud) / (one + two + three)
