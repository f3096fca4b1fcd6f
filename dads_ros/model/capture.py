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
Capture a torch network as a Model: one reference graph, its layers, and a hash of both.

``torch.export`` records the network, :mod:`dads_ros.model.lowering` makes it functional and folds
it. The folded graph is the reference: every half is cut from it and agrees with it bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
import copy
from dataclasses import dataclass
import hashlib
import operator
from pathlib import Path
import re
from typing import Any
import warnings

from dads_ros.detector.api import Detector
from dads_ros.errors import CaptureError
from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.model.lowering import dependents
from dads_ros.model.lowering import lower
import torch
from torch import fx
from torch import nn
from torch.export import ExportedProgram
from torch.utils._pytree import tree_leaves

DETECTIONS = 'detections'

# How torch.export points at the call that it could not follow.
_BLAMED = re.compile(
    r'The following call raised this error:\s+'
    r'File "(?P<file>[^"]+)", line (?P<line>\d+), in .*\n\s*(?P<call>.+)'
)


@dataclass(frozen=True, eq=False)
class Model:
    """
    A captured network.

    ``module`` maps the inputs to the flat tuple of raw outputs. ``strides`` gives, by layer id,
    the memory layout in which the reference computes a tensor; halves rebuild it, since a kernel's
    last bits depend on it. ``outputs`` are the nodes of the raw outputs, in order.
    """

    graph: LayerGraph
    module: fx.GraphModule
    strides: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]

    @property
    def hash(self) -> str:
        """Return the hash that names this network with its weights on every machine."""
        return self.graph.model_hash


def capture(module: nn.Module, example_input: torch.Tensor) -> Model:
    """
    Return the layer graph of a network, and its reference module.

    The network is copied first, so it is never changed. The same network with the same weights
    gives the same ids and the same hash in every process and on every machine.

    :param module: any module that torch.export accepts, with tensor outputs of fixed shapes.
    Raises CaptureError naming the operator or buffer that stands in the way.
    """
    return _model(_export(module, example_input), example_input, sink=None, facts=())


def capture_detector(detector: Detector) -> Model:
    """
    Return the model of a detector; its last layer ``detections`` reads all raw outputs.

    The hash also covers the name, the labels and the input's size, so that two detectors that
    would read the same raw outputs differently never answer each other. Raises CaptureError.
    """
    example = detector.example_input()
    facts = (detector.name, *detector.labels, f'{tuple(example.shape)}')
    return _model(_export(detector.module, example), example, sink=DETECTIONS, facts=facts)


def load_program(path: Path, example_input: torch.Tensor) -> Model:
    """
    Return the model of a network saved by ``torch.export.save`` (a ``.pt2`` file).

    Raises CaptureError when the file is unreadable or its network cannot be split.
    """
    try:
        program = torch.export.load(path)
    except Exception as error:  # torch raises whatever its unpacking meets
        raise CaptureError(
            f'{str(path)!r} is not a program saved by torch.export.save: {_in_short(error)}'
        ) from error
    return _model(program, example_input, sink=None, facts=())


def _export(module: nn.Module, example_input: torch.Tensor) -> ExportedProgram:
    # A copy: exporting may leave fake tensors behind in the module's attributes.
    private = copy.deepcopy(module).eval().requires_grad_(False)
    try:
        return torch.export.export(private, (example_input,), strict=False)
    except Exception as error:  # torch.export raises many kinds, and the module's own errors
        raise CaptureError(
            f'torch.export cannot capture {type(module).__name__}: {_in_short(error)}; '
            'control flow that depends on the data belongs in decode'
        ) from error


def _in_short(error: Exception) -> str:
    """Return the first line of an error, and the line of the network that torch blames for it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f'{type(error).__name__}: {lines[0][:160] if lines else "no message"}'
    blamed = _BLAMED.search(str(error))
    if blamed is None:
        return text
    return f'{text}, at {blamed["call"]!r} ({Path(blamed["file"]).name}, line {blamed["line"]})'


def _model(
    program: ExportedProgram,
    example_input: torch.Tensor,
    *,
    sink: str | None,
    facts: tuple[str, ...],
) -> Model:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)  # torch's own, on its own tree specs
        original = program.module(check_guards=False)
        module = lower(program)
    tensors = layer_tensors(module, example_input)
    outputs = _output_names(module.graph)
    _check_same([tensors[name] for name in outputs], tree_leaves(original(example_input)))
    layers = _layers(module.graph, tensors)
    known = {layer.id for layer in layers}
    sources = tuple(dict.fromkeys(name for name in outputs if name in known))
    if not sources:
        raise CaptureError(
            'no output of the network depends on its input; there is nothing to cut'
        )
    if sink is not None:
        name = sink if sink not in known else f'{sink}_1'
        layers.append(Layer(name, DETECTIONS, sources, (), 'float32'))
        sources = (name,)
    digest = _digest(program, layers, outputs, facts)
    strides = {layer_id: tuple(t.stride()) for layer_id, t in tensors.items()}
    return Model(LayerGraph(tuple(layers), sources, digest), module, strides, outputs)


def layer_tensors(module: fx.GraphModule, *inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return every tensor of one run of a reference module, by layer id."""
    recorder = _Recorder(module)
    with torch.inference_mode():
        recorder.run(*inputs)
    return recorder.tensors


def _check_same(results: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> None:
    """Raise CaptureError when lowering changed the network by more than folding's rounding."""
    for position, (result, wanted) in enumerate(zip(results, expected, strict=True)):
        scale = float(wanted.abs().max()) if wanted.numel() else 0.0
        if not torch.allclose(result, wanted, rtol=1e-3, atol=1e-3 * scale, equal_nan=True):
            raise CaptureError(
                f'output {position} of the captured network differs from the original by more '
                'than rounding; it probably depends on the memory layout of a tensor'
            )


def _output_names(graph: fx.Graph) -> tuple[str, ...]:
    nodes: Any = graph.output_node().args[0]
    return tuple(node.name for node in nodes)


class _Recorder(fx.Interpreter):
    """Keeps every tensor of one run."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.tensors: dict[str, torch.Tensor] = {}

    def run_node(self, n: fx.Node) -> object:
        """Run one node and keep its value if it is one tensor."""
        value = super().run_node(n)
        if isinstance(value, torch.Tensor):
            self.tensors[n.name] = value
        return value


def _layers(graph: fx.Graph, tensors: dict[str, torch.Tensor]) -> list[Layer]:
    """
    Return the layers: operators that depend on the input and make one tensor.

    An operator with several results (split, chunk) makes no tensor of its own. Each of its items
    is a layer that reads what the operator reads, and each half that needs an item runs it.
    """
    layers = []
    dependent = dependents(graph)
    for node in graph.nodes:
        if node not in dependent or node.name not in tensors or node.op == 'output':
            continue
        tensor = tensors[node.name]
        shape, dtype = tuple(tensor.shape), str(tensor.dtype).removeprefix('torch.')
        op = 'input' if node.op == 'placeholder' else _op(_maker(node))
        layers.append(Layer(node.name, op, _reads(node, dependent), shape, dtype))
    return layers


def _maker(node: fx.Node) -> fx.Node:
    """Return the operator behind a chain of getitems."""
    while node.op == 'call_function' and node.target is operator.getitem:
        (node,) = node.all_input_nodes
    return node


def _reads(node: fx.Node, dependent: set[fx.Node]) -> tuple[str, ...]:
    names: list[str] = []
    for source in _maker(node).all_input_nodes:
        if source in dependent:
            names.append(source.name)
    return tuple(dict.fromkeys(names))


def _op(node: fx.Node) -> str:
    schema = getattr(node.target, '_schema', None)
    return schema.name.split('::')[1] if schema is not None else str(node.target)


def _digest(
    program: ExportedProgram,
    layers: Iterable[Layer],
    outputs: tuple[str, ...],
    facts: tuple[str, ...],
) -> str:
    """
    Hash the layers, the exported operators and the weights as they were before folding.

    Folding is arithmetic, whose last bit may differ between machines; what was exported does not.
    """
    digest = hashlib.sha256()
    for text in (*facts, repr(tuple(layers)), repr(outputs)):
        digest.update(text.encode() + b'\0')
    for node in program.graph.nodes:
        line = (node.op, node.name, str(node.target), repr(node.args), repr(node.kwargs))
        digest.update('\0'.join(line).encode() + b'\n')
    stored = {**program.state_dict, **program.constants}
    for name in sorted(stored):
        value = stored[name]
        if isinstance(value, torch.Tensor):
            array = value.detach().cpu().contiguous()
            digest.update(f'{name} {array.dtype} {tuple(array.shape)}\0'.encode())
            digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:32]
