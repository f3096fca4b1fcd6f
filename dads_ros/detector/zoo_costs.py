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
Costs of the zoo's networks on the paper's machines, scaled from what the paper published.

It gives seconds per layer for tiny YOLOv2 alone, and for each network by how much cloud-only (the
raw float32 input over 3G) beats edge-only. A scaled profile has the shape of the former and the
size of the latter: a layer takes tiny YOLOv2's mean seconds per multiply-accumulate, or per byte
for pools and sums, edge and cloud each; then one factor makes cloud-only beat edge-only by the
published figure. What it cannot know is how unevenly the real layers ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from dads_ros.detector.zoo import ZOO
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.costs import Exact
from dads_ros.partition.paper import published_speedups
from dads_ros.partition.paper import tiny_yolov2_costs
from dads_ros.partition.paper import UPLINK_MBPS
import torch
from torch import fx
from torch import nn


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a layer's time is made of."""

    name: str
    reads: tuple[int, ...]
    work: int  # multiply-accumulates
    moved: int  # bytes, of a layer that only moves data
    output_bytes: int


def zoo_costs(name: str) -> CostGraph:
    """Return a zoo network's costs: the paper's own for tiny YOLOv2, scaled for the others."""
    if name == 'tiny_yolov2':
        return tiny_yolov2_costs()
    layers = _layers(name)
    edge_ns = _by_work(layers, tiny_yolov2_costs().edge_ns)
    cloud_ns = _by_work(layers, tiny_yolov2_costs().cloud_ns)
    # edge-only = gain * cloud-only: factor * sum(edge) = gain * (upload + factor * sum(cloud))
    gain = published_speedups()['light', 'latency_speedup', 'cloud_only'][name]
    upload_ns = layers[0].output_bytes * 8e9 / (UPLINK_MBPS['3G'] * 1e6)
    factor = gain * upload_ns / (sum(edge_ns) - gain * sum(cloud_ns))
    return CostGraph(
        ids=tuple(layer.name for layer in layers),
        edges=tuple((read, i) for i, layer in enumerate(layers) for read in layer.reads),
        pinned=(0,),
        outputs=(len(layers) - 1,),
        edge_ns=tuple(round(factor * time) for time in edge_ns),
        cloud_ns=tuple(round(factor * time) for time in cloud_ns),
        output_bytes=tuple(layer.output_bytes for layer in layers),
    )


def _by_work(layers: list[_Cost], known: Sequence[Exact]) -> list[float]:
    """Return nanoseconds in proportion to work, at the mean speed of tiny YOLOv2's known times."""
    reference = _layers('tiny_yolov2')
    worked = sum(t for t, layer in zip(known, reference, strict=True) if layer.work)
    waited = sum(t for t, layer in zip(known, reference, strict=True) if layer.moved)
    per_work = float(worked) / sum(layer.work for layer in reference)
    per_byte = float(waited) / sum(layer.moved for layer in reference)
    return [layer.work * per_work + layer.moved * per_byte for layer in layers]


def _layers(name: str) -> list[_Cost]:
    """Return the network's layers as the paper counts them: with bias, norm and activation."""
    network = ZOO[name]
    with torch.device('meta'):
        module = network.make().eval()
    traced = fx.symbolic_trace(module)
    _Shapes(traced).run(network.example_input('meta'))
    layers: list[_Cost] = []
    made: dict[fx.Node, int] = {}  # node -> the layer that holds its value
    counts: dict[str, int] = {}
    for node in traced.graph.nodes:
        sources = tuple(dict.fromkeys(made[n] for n in node.all_input_nodes if n in made))
        kind, work = _kind(node, traced)
        if node.op == 'output':
            continue
        if not kind:  # part of the layer before it; its tensor is the one that crosses
            made[node] = sources[0]
            layers[sources[0]] = _with_output(layers[sources[0]], node)
            continue
        counts[kind] = counts.get(kind, 0) + 1
        title = kind if kind == 'input' else f'{kind}{counts[kind]}'
        moved = 0 if work or kind == 'input' else _bytes(node.all_input_nodes[0])
        made[node] = len(layers)
        layers.append(_Cost(title, sources, work, moved, _bytes(node)))
    return layers


def _kind(node: fx.Node, traced: fx.GraphModule) -> tuple[str, int]:
    """Return the layer's kind, empty if it belongs to the layer before, and its work."""
    if node.op == 'placeholder':
        return 'input', 0
    if node.op == 'call_module':
        module = traced.get_submodule(str(node.target))
        if isinstance(module, nn.Conv2d | nn.Linear):
            inputs = math.prod(module.weight.shape[1:])
            kind = 'conv' if isinstance(module, nn.Conv2d) else 'fc'
            return kind, inputs * math.prod(node.meta['shape'])
        if isinstance(module, nn.MaxPool2d):
            return 'max', 0
        if isinstance(module, nn.AdaptiveAvgPool2d):
            return 'avg', 0
    if node.op == 'call_function' and getattr(node.target, '__name__', '') == 'add':
        return 'add', 0
    return '', 0


def _with_output(layer: _Cost, node: fx.Node) -> _Cost:
    # Padding before the last pool of tiny YOLOv2 is no tensor that would cross.
    size = min(layer.output_bytes, _bytes(node)) if layer.name != 'input' else _bytes(node)
    return _Cost(layer.name, layer.reads, layer.work, layer.moved, size)


def _bytes(node: fx.Node) -> int:
    return 4 * math.prod(node.meta['shape'])


class _Shapes(fx.Interpreter):
    """Records every node's output shape."""

    def run_node(self, node: fx.Node) -> object:
        """Run a node and note its shape."""
        result = super().run_node(node)
        if isinstance(result, torch.Tensor):
            node.meta['shape'] = tuple(result.shape)
        return result
