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
The layer graph: which layers a network has, what each reads, and what may be a cut.

A cut sends the layers of a predecessor-closed set V_E to the edge (the car) and the others to the
cloud (paper, section III). It is named by its boundary tensors: the outputs of edge layers that
some cloud layer reads. Names, not positions, cross the wire, so both sides derive the same cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
import math

from dads_ros.errors import CutError
from dads_ros.errors import GraphError

_ITEM_BYTES = {
    'bool': 1, 'uint8': 1, 'int8': 1, 'int16': 2, 'float16': 2, 'bfloat16': 2,
    'int32': 4, 'float32': 4, 'int64': 8, 'float64': 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layer:
    """
    One layer and the one tensor it produces.

    ``id`` is its name in the captured graph, equal in every process that captures the same model.
    ``op`` is for people and pictures; ``'input'`` marks the network's input, ``'detections'`` the
    last layer of a detector, which turns the raw outputs into boxes. ``inputs`` are layer ids.
    """

    id: str
    op: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str

    @property
    def output_bytes(self) -> int:
        """Return the size of the uncompressed output tensor in bytes."""
        return math.prod(self.shape) * _ITEM_BYTES[self.dtype]


@dataclass(frozen=True)
class LayerGraph:
    """
    An immutable layer DAG.

    :param layers: in topological order; every layer's inputs come before it.
    :param outputs: ids of the layers whose tensors are the network's result.
    :param model_hash: names the network and its weights; both sides must hold the same one.
    """

    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]
    model_hash: str

    def __post_init__(self) -> None:
        """Raise GraphError when an id is repeated, unknown, or used before its definition."""
        seen: set[str] = set()
        for layer in self.layers:
            if layer.id in seen:
                raise GraphError(f'layer {layer.id!r} appears twice; give every layer its own id')
            for name in layer.inputs:
                if name not in seen:
                    raise GraphError(
                        f'layer {layer.id!r} reads {name!r}, which no earlier layer produces; '
                        'list the layers in topological order'
                    )
            seen.add(layer.id)
        for name in self.outputs:
            if name not in seen:
                raise GraphError(f'output {name!r} is not a layer of the graph')

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, layer_id: str) -> Layer:
        return self.layers[self.index[layer_id]]

    @cached_property
    def index(self) -> dict[str, int]:
        """Return each layer's position in topological order."""
        return {layer.id: i for i, layer in enumerate(self.layers)}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Return the ids of the network's inputs, which are always on the edge."""
        return tuple(layer.id for layer in self.layers if layer.op == 'input')

    @cached_property
    def consumers(self) -> dict[str, tuple[str, ...]]:
        """Return, for each layer, the layers that read its tensor, in topological order."""
        readers: dict[str, list[str]] = {layer.id: [] for layer in self.layers}
        for layer in self.layers:
            for name in dict.fromkeys(layer.inputs):
                readers[name].append(layer.id)
        return {name: tuple(ids) for name, ids in readers.items()}

    @property
    def all_edge(self) -> frozenset[str]:
        """Return the edge set of the plan that computes everything on the car."""
        return frozenset(self.index)

    def is_closed(self, edge: Iterable[str]) -> bool:
        """Return whether the set holds the inputs and every predecessor of its members."""
        members = set(edge)
        return set(self.inputs) <= members and all(
            name in members for layer_id in members for name in self[layer_id].inputs
        )

    def boundary(self, edge: Iterable[str]) -> tuple[str, ...]:
        """
        Return the tensors that cross the cut, each once, in topological order.

        :param edge: the layers on the edge; must be closed under predecessors.
        :return: empty when nothing is left for the cloud.
        Raises CutError when the set is not closed or names an unknown layer.
        """
        members = set(edge)
        unknown = sorted(members - set(self.index))
        if unknown:
            raise CutError(f'cut names {unknown[0]!r}, which is not a layer of this model')
        if not self.is_closed(members):
            raise CutError('cut is not closed: an edge layer reads a tensor made in the cloud')
        return tuple(
            layer.id
            for layer in self.layers
            if layer.id in members and any(c not in members for c in self.consumers[layer.id])
        )

    def cloud_layers(self, boundary: Iterable[str]) -> tuple[str, ...]:
        """
        Return the layers that the cloud runs when it is given the boundary tensors.

        Walks back from the outputs and stops at the boundary, so it needs the names alone.
        Raises CutError unless the names are exactly the boundary of a legal cut.
        """
        names = tuple(boundary)
        given = set(names)
        if len(given) != len(names) or not given <= set(self.index):
            raise CutError(f'{", ".join(names)} are not distinct layers of this model')
        needed: set[str] = set()
        reached: set[str] = set()
        stack = list(self.outputs)
        while stack:
            name = stack.pop()
            if name in given:
                reached.add(name)
            elif name not in needed:
                if self[name].op == 'input':
                    raise CutError(f'{", ".join(names)} do not separate the input from the output')
                needed.add(name)
                stack.extend(self[name].inputs)
        if reached != given:
            extra = ', '.join(sorted(given - reached))
            raise CutError(f'{extra} is not needed by the layers behind the cut')
        tail = tuple(layer.id for layer in self.layers if layer.id in needed)
        if not self.is_closed(self.all_edge - needed):
            raise CutError(f'{", ".join(names)} is not the boundary of a legal cut')
        return tail
