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

"""DSL: the cut of least total delay, by one minimum cut per codec (paper, section IV)."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
import math

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.costs import Exact
from dads_ros.partition.evaluate import make_plan
from dads_ros.partition.evaluate import stages
from dads_ros.partition.network import FlowNetwork
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation


@dataclass(frozen=True, slots=True)
class Weights:
    """Integer weights of one minimum cut: the same exact costs times a common factor."""

    edge: list[int]
    send: list[int]
    cloud: list[int]


def integers(columns: Sequence[Iterable[Exact]]) -> list[list[int]]:
    """Return the columns times their least common denominator."""
    rows = [list(column) for column in columns]
    scale = math.lcm(*(value.denominator for row in rows for value in row))
    return [[int(value * scale) for value in row] for row in rows]


def delay_weights(graph: CostGraph, situation: Situation) -> Weights:
    """Return the weights that make a cut's value its delay without the round trip."""
    return stage_weights(graph, situation, (1, 1, 1))


def stage_weights(graph: CostGraph, situation: Situation, shares: tuple[int, int, int]) -> Weights:
    """
    Return the weights that make a cut's value the weighted sum of its stages, with mean sizes.

    :param shares: weights of the edge stage, the transfer and the cloud stage.
    """
    factors = (
        shares[0] * Fraction(situation.edge_factor),
        shares[1] * situation.ns_per_byte,
        shares[2] * Fraction(situation.cloud_factor),
    )
    ((per_edge, per_byte, per_cloud),) = integers((factors,))
    return Weights(
        *integers(
            (
                (per_edge * time for time in graph.edge_ns),
                (
                    per_edge * encode + per_byte * size + per_cloud * decode
                    for encode, size, decode in zip(
                        graph.encode_ns, graph.output_bytes, graph.decode_ns, strict=True
                    )
                ),
                (per_cloud * time for time in graph.cloud_ns),
            )
        )
    )


def dsl(graphs: Mapping[str, CostGraph], situation: Situation) -> CutPlan:
    """
    Return the plan of least delay over all cuts and codecs; it is exact.

    The round trip is a fixed cost of using the cloud at all, so the best plan is the all-local one
    or the minimum cut: should that cut be all-local too, no other can be better.

    :param graphs: one cost graph per codec, of the same layers.
    """
    first = next(iter(graphs))
    best = make_plan(graphs, first, graphs[first].all_edge, situation, 'light')
    if not situation.has_link:
        return best
    least = stages(graphs[first].totals(graphs[first].all_edge), situation, 'light').delay
    for codec, graph in graphs.items():
        weights = delay_weights(graph, situation)
        edge = FlowNetwork(graph).least_cut(weights.edge, weights.send, weights.cloud)
        delay = stages(graph.totals(edge), situation, 'light').delay
        if delay < least:
            least = delay
            best = make_plan(graphs, codec, edge, situation, 'light')
    return best
