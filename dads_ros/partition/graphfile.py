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
Bare graph files: a layer DAG with seconds and bytes from any source, read exactly.

    {"nodes": [{"id": "conv1", "edge_s": 0.0633, "cloud_s": 0.0095, "output_bytes": 5309000}, ...],
     "edges": [["input", "conv1"], ...], "input": "input", "outputs": ["conv9"]}

Numbers are taken as the decimals that they are written as, so no bit is lost to floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
import heapq
import json
from pathlib import Path
from typing import Any
from typing import NoReturn
from typing import TypeAlias

from dads_ros.errors import GraphError
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.costs import Exact

NodeId: TypeAlias = str | int

_MAX_NUMBER = 10**100
_LEAST_EXPONENT = -330  # below the smallest float; taken as 0 rather than as a huge denominator


@dataclass(frozen=True)
class GraphFile:
    """A graph file's costs, and its ids as the file writes them, both in topological order."""

    costs: CostGraph
    ids: tuple[NodeId, ...]


def read_graph(path: Path) -> GraphFile:
    """
    Return the costs in a graph file.

    Raises GraphError when the file cannot be read, is not of the form above, or has a cycle, an
    unknown or repeated id, or a number that is missing, negative or not finite.
    """
    try:
        text = path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise GraphError(f'graph file {str(path)!r} is not UTF-8 text') from error
    except OSError as error:
        raise GraphError(f'cannot read graph file {str(path)!r}: {error.strerror}') from error
    try:
        return parse_graph(text)
    except GraphError as error:
        raise GraphError(f'graph file {str(path)!r}: {error}') from error


def parse_graph(text: str) -> GraphFile:
    """
    Return the costs in the text of a graph file.

    Raises GraphError as :func:`read_graph` does.
    """
    try:
        data = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise GraphError('the JSON is nested too deeply') from error
    except ArithmeticError as error:
        raise GraphError('a number has an exponent that is out of range') from error
    except ValueError as error:
        raise GraphError(f'not valid JSON ({error})') from error
    if not isinstance(data, dict):
        raise GraphError('expected a JSON object with nodes, edges, input and outputs')
    nodes = _nodes(data)
    edges = _edges(data, nodes)
    source = _known(data.get('input'), nodes, "'input'")
    outputs = [_known(name, nodes, "'outputs'") for name in _list(data, 'outputs')]
    order = _topological(list(nodes), edges)
    position = {name: i for i, name in enumerate(order)}
    costs = CostGraph(
        ids=tuple(str(name) for name in order),
        edges=tuple(sorted((position[a], position[b]) for a, b in edges)),
        pinned=(position[source],),
        outputs=tuple(position[name] for name in dict.fromkeys(outputs)),
        edge_ns=tuple(nodes[name][0] * 10**9 for name in order),
        cloud_ns=tuple(nodes[name][1] * 10**9 for name in order),
        output_bytes=tuple(nodes[name][2] for name in order),
    )
    return GraphFile(costs, tuple(order))


def _refuse_constant(name: str) -> NoReturn:
    raise GraphError(f'{name} is not a number that a layer can cost')


def _list(data: dict[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise GraphError(f'{key!r} is missing or not a list')
    return value


def _nodes(data: dict[str, Any]) -> dict[NodeId, tuple[Exact, Exact, Exact]]:
    """Return each node's edge seconds, cloud seconds and output bytes."""
    nodes: dict[NodeId, tuple[Exact, Exact, Exact]] = {}
    written: set[str] = set()
    for number, node in enumerate(_list(data, 'nodes')):
        if not isinstance(node, dict):
            raise GraphError(f'node {number} is not an object with id, edge_s, cloud_s, ...')
        name = node.get('id')
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise GraphError(f"node {number}: 'id' is missing or neither text nor an integer")
        if str(name) in written:
            raise GraphError(f'node {name!r} appears twice; give every node its own id')
        written.add(str(name))
        nodes[name] = (
            _number(node, 'edge_s', name),
            _number(node, 'cloud_s', name),
            _number(node, 'output_bytes', name),
        )
    if not nodes:
        raise GraphError("'nodes' is empty; a graph has at least its input")
    return nodes


def _number(node: dict[str, Any], key: str, name: NodeId) -> Exact:
    value = node.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise GraphError(f'node {name!r}: {key!r} is missing or not a number')
    if value < 0:
        raise GraphError(f'node {name!r}: {key!r} is negative ({value}); costs are at least 0')
    if value > _MAX_NUMBER:
        raise GraphError(f'node {name!r}: {key!r} is above 1e100; check its unit')
    if isinstance(value, Decimal):
        return Fraction(value) if value and value.adjusted() > _LEAST_EXPONENT else 0
    return value


def _known(name: Any, nodes: dict[NodeId, Any], where: str) -> NodeId:
    if isinstance(name, bool) or not isinstance(name, str | int) or name not in nodes:
        shown = (
            'nothing' if name is None else str(name) if isinstance(name, Decimal) else repr(name)
        )
        raise GraphError(f'{where} names {shown}, which is not the id of a node')
    return name


def _edges(
    data: dict[str, Any], nodes: dict[NodeId, tuple[Exact, Exact, Exact]]
) -> set[tuple[NodeId, NodeId]]:
    edges = set()
    for number, pair in enumerate(_list(data, 'edges')):
        if not isinstance(pair, list) or len(pair) != 2:
            raise GraphError(f'edge {number} is not a pair [from, to]')
        where = f'edge {number}'
        edges.add((_known(pair[0], nodes, where), _known(pair[1], nodes, where)))
    return edges


def _topological(names: list[NodeId], edges: set[tuple[NodeId, NodeId]]) -> list[NodeId]:
    """Return the nodes with every edge pointing forward, in the file's order where it is free."""
    rank = {name: i for i, name in enumerate(names)}
    waiting = dict.fromkeys(names, 0)
    readers: dict[NodeId, list[NodeId]] = {name: [] for name in names}
    for producer, consumer in edges:
        waiting[consumer] += 1
        readers[producer].append(consumer)
    ready = [rank[name] for name in names if waiting[name] == 0]
    order = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for reader in readers[name]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, rank[reader])
    if len(order) < len(names):
        stuck = next(name for name in names if waiting[name] > 0)
        raise GraphError(f'the edges form a cycle that node {stuck!r} is on or behind')
    return order
