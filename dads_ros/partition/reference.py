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
DSL written for reading: the paper's auxiliary graph, corrected, and networkx's minimum cut.

Kept for tests and for comparison. It follows section IV of the paper arc by arc, where
:mod:`~dads_ros.partition.network` takes short cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.evaluate import make_plan
from dads_ros.partition.evaluate import stages
from dads_ros.partition.light import delay_weights
from dads_ros.partition.light import Weights
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation
import networkx as nx


def reference_dsl(graph: CostGraph, situation: Situation) -> CutPlan:
    """Return the plan of least delay."""
    graphs = {'raw': graph}
    best = make_plan(graphs, 'raw', graph.all_edge, situation, 'light')
    if not situation.has_link:
        return best
    edge = _source_side(auxiliary_graph(graph, delay_weights(graph, situation)), len(graph))
    cost = stages(graph.totals(edge), situation, 'light')
    if cost.delay < stages(graph.totals(graph.all_edge), situation, 'light').delay:
        best = make_plan(graphs, 'raw', edge, situation, 'light')
    return best


def printed_dsl(graph: CostGraph, situation: Situation) -> CutPlan:
    """
    Return the plan of the algorithm as printed: no reverse arcs, the input not pinned.

    Its cut may put a layer on the edge that reads one in the cloud, which no pipeline can run;
    such layers, and what depends on them, then run in the cloud. It proves nothing: lower bound 0.
    """
    graphs = {'raw': graph}
    side: frozenset[int] = graph.all_edge
    if situation.has_link:
        weights = delay_weights(graph, situation)
        side = _source_side(auxiliary_graph(graph, weights, corrected=False), len(graph))
    edge = set(graph.least_edge)
    for layer, reads in enumerate(graph.producers):
        if layer in side and edge.issuperset(reads):
            edge.add(layer)
    bound = stages(graph.totals(graph.all_edge), situation, 'light').delay * 0
    return make_plan(graphs, 'raw', frozenset(edge), situation, 'light', bound)


def auxiliary_graph(graph: CostGraph, weights: Weights, corrected: bool = True) -> nx.DiGraph:
    """
    Return the auxiliary graph with source 'e' and sink 'c'.

    :param corrected: with the three corrections; otherwise as printed, which has only the
        auxiliary vertex per tensor with several consumers.
    """
    network = nx.DiGraph()
    network.add_nodes_from('ec')
    for layer in range(len(graph)):
        network.add_edge('e', layer, capacity=weights.cloud[layer])
        network.add_edge(layer, 'c', capacity=weights.edge[layer])
    for tensor, consumers in enumerate(graph.consumers):
        sent = {} if tensor in graph.forbidden else {'capacity': weights.send[tensor]}
        if len(consumers) == 1:
            network.add_edge(tensor, consumers[0], **sent)
        elif consumers:
            network.add_edge(tensor, ('sent', tensor), **sent)
            _add_endless(network, [(('sent', tensor), consumer) for consumer in consumers])
        if corrected:
            _add_endless(network, [(consumer, tensor) for consumer in consumers])
    if corrected:
        _add_endless(network, [('e', layer) for layer in graph.pinned])
    return network


def _add_endless(network: nx.DiGraph, arcs: Sequence[tuple[Any, Any]]) -> None:
    """Add arcs without a capacity, which is networkx's infinity."""
    for tail, head in arcs:
        network.add_edge(tail, head)
        network[tail][head].pop('capacity', None)


def _source_side(network: nx.DiGraph, size: int) -> frozenset[int]:
    _, (side, _) = nx.minimum_cut(network, 'e', 'c')
    return frozenset(v for v in side if isinstance(v, int) and v < size)
