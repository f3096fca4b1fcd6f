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
What every layer and tensor of a network costs: the partitioner's only input.

Costs are exact: integers from a profile, fractions from a graph file. Times are nanoseconds on the
machines as they were profiled; a :class:`~dads_ros.partition.situation.Situation` scales them.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from dads_ros.errors import GraphError
from dads_ros.graph import LayerGraph

Exact: TypeAlias = int | Fraction


@dataclass(frozen=True, slots=True)
class CutTotals:
    """The exact sums that fix a cut's stage times in every situation."""

    edge_ns: Exact
    mean_bytes: Exact
    peak_bytes: Exact
    cloud_ns: Exact
    uses_cloud: bool


@dataclass(frozen=True)
class CostGraph:
    """
    A layer DAG with its costs under one codec; layers are numbered in topological order.

    :param ids: layer ids; every edge goes from a lower to a higher position.
    :param edges: (producer, consumer) positions, each pair once.
    :param pinned: positions of the network's inputs, which stay on the edge.
    :param outputs: positions of the layers whose tensors are the result.
    :param edge_ns: a layer's time on the edge.
    :param cloud_ns: a layer's time in the cloud.
    :param output_bytes: a tensor's mean size as the codec sends it.
    :param peak_bytes: a high quantile of that size; the mean where it is left empty.
    :param encode_ns: time on the edge to encode a tensor, part of the edge stage.
    :param decode_ns: time in the cloud to decode a tensor, part of the cloud stage.
    :param forbidden: tensors that must not cross, for privacy or because the codec cannot take
        them. The result's way back is part of the situation's round trip; its bytes count nothing.
    """

    ids: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    pinned: tuple[int, ...]
    outputs: tuple[int, ...]
    edge_ns: tuple[Exact, ...]
    cloud_ns: tuple[Exact, ...]
    output_bytes: tuple[Exact, ...]
    peak_bytes: tuple[Exact, ...] = ()
    encode_ns: tuple[Exact, ...] = ()
    decode_ns: tuple[Exact, ...] = ()
    forbidden: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """
        Fill in the optional costs.

        Raises GraphError when an edge goes backwards or a cost is negative or missing.
        """
        size = len(self.ids)
        for name, fallback in (
            ('peak_bytes', self.output_bytes),
            ('encode_ns', (0,) * size),
            ('decode_ns', (0,) * size),
        ):
            if not getattr(self, name):
                object.__setattr__(self, name, fallback)
        for name in (
            'edge_ns', 'cloud_ns', 'output_bytes', 'peak_bytes', 'encode_ns', 'decode_ns'
        ):  # fmt: skip
            values = getattr(self, name)
            if len(values) != size:
                raise GraphError(f'{name} has {len(values)} values for {size} layers')
            for layer_id, value in zip(self.ids, values, strict=True):
                if value < 0:
                    raise GraphError(f'layer {layer_id!r}: {name} is negative ({value})')
        for producer, consumer in self.edges:
            if not 0 <= producer < consumer < size:
                raise GraphError(
                    f'edge {producer} -> {consumer} does not follow the topological order '
                    f'of {size} layers'
                )

    @classmethod
    def from_layers(
        cls,
        graph: LayerGraph,
        *,
        edge_ns: Mapping[str, int],
        cloud_ns: Mapping[str, int],
        output_bytes: Mapping[str, int],
        peak_bytes: Mapping[str, int] | None = None,
        encode_ns: Mapping[str, int] | None = None,
        decode_ns: Mapping[str, int] | None = None,
        forbidden: Iterable[str] = (),
    ) -> CostGraph:
        """
        Return the costs of a captured network; every mapping has an entry for every layer.

        Raises GraphError when a layer has no entry or a cost is negative.
        """
        ids = tuple(layer.id for layer in graph.layers)

        def column(name: str, costs: Mapping[str, int] | None) -> tuple[int, ...]:
            if costs is None:
                return ()
            for layer_id in ids:
                if layer_id not in costs:
                    raise GraphError(
                        f'layer {layer_id!r} has no {name}; measure the profile again'
                    )
            return tuple(costs[layer_id] for layer_id in ids)

        return cls(
            ids=ids,
            edges=tuple(
                (graph.index[layer.id], graph.index[consumer])
                for layer in graph.layers
                for consumer in graph.consumers[layer.id]
            ),
            pinned=tuple(graph.index[name] for name in graph.inputs),
            outputs=tuple(graph.index[name] for name in graph.outputs),
            edge_ns=column('edge_ns', edge_ns),
            cloud_ns=column('cloud_ns', cloud_ns),
            output_bytes=column('output_bytes', output_bytes),
            peak_bytes=column('peak_bytes', peak_bytes),
            encode_ns=column('encode_ns', encode_ns),
            decode_ns=column('decode_ns', decode_ns),
            forbidden=frozenset(graph.index[name] for name in forbidden),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> dict[str, int]:
        """Return each layer's position."""
        return {layer_id: i for i, layer_id in enumerate(self.ids)}

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """Return, for each layer, the positions of the layers that read its tensor."""
        readers: list[list[int]] = [[] for _ in self.ids]
        for producer, consumer in self.edges:
            readers[producer].append(consumer)
        return tuple(tuple(sorted(set(row))) for row in readers)

    @cached_property
    def producers(self) -> tuple[tuple[int, ...], ...]:
        """Return, for each layer, the positions of the layers it reads."""
        read: list[list[int]] = [[] for _ in self.ids]
        for producer, consumer in self.edges:
            read[consumer].append(producer)
        return tuple(tuple(sorted(set(row))) for row in read)

    @property
    def all_edge(self) -> frozenset[int]:
        """Return the edge set of the plan that computes everything on the edge."""
        return frozenset(range(len(self.ids)))

    @cached_property
    def least_edge(self) -> frozenset[int]:
        """Return the smallest legal edge set: the inputs and whatever they read."""
        edge = set(self.pinned)
        for layer in reversed(range(len(self))):
            if layer in edge:
                edge.update(self.producers[layer])
        return frozenset(edge)

    def is_closed(self, edge: frozenset[int]) -> bool:
        """Return whether the set holds the inputs and every predecessor of its members."""
        return edge.issuperset(self.pinned) and all(
            edge.issuperset(self.producers[i]) for i in edge
        )

    def boundary(self, edge: frozenset[int]) -> tuple[int, ...]:
        """Return the tensors that cross when the closed set ``edge`` is on the edge."""
        return tuple(i for i in sorted(edge) if not edge.issuperset(self.consumers[i]))

    def totals(self, edge: frozenset[int]) -> CutTotals:
        """Return the exact sums of the cut that has the closed set ``edge`` on the edge."""
        crossing = self.boundary(edge)
        return CutTotals(
            edge_ns=sum(self.edge_ns[i] for i in edge) + sum(self.encode_ns[i] for i in crossing),
            mean_bytes=sum(self.output_bytes[i] for i in crossing),
            peak_bytes=sum(self.peak_bytes[i] for i in crossing),
            cloud_ns=sum(cost for i, cost in enumerate(self.cloud_ns) if i not in edge)
            + sum(self.decode_ns[i] for i in crossing),
            uses_cloud=len(edge) < len(self.ids),
        )
