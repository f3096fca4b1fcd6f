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
Surgery: a cut, named by its boundary tensors, becomes two runnable halves.

Each half is a graph of its own that owns nothing but its operators; weights are shared with the
reference, so halves cost milliseconds and almost no memory. With lossless tensors between them,
head and tail give the reference's output bit for bit on one kind of machine and thread count:
they run the same kernels on tensors of the same memory layout.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

from dads_ros.errors import CutError
from dads_ros.model.capture import Model
from dads_ros.model.cuda import Graphed
from dads_ros.model.cuda import send
from dads_ros.model.devices import find_device
import numpy as np
import torch
from torch import fx

_ALIGNMENT = 64  # bytes; what torch gives its own tensors

# Tensors in, tensors out: the operators of a half in some form.
Compute = Callable[..., Sequence[torch.Tensor]]


@dataclass(frozen=True, slots=True)
class _Port:
    """One tensor that enters a half: what it must look like."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    strides: tuple[int, ...]


class Half:
    """
    One side of a cut, on NumPy arrays.

    Call it with the arrays in :attr:`input_names` order; it returns those of
    :attr:`output_names`. Arguments may have any strides and be read-only; they are never written
    to, and copied only where they do not lie in memory as the reference has them. Results have
    their logical shape over whatever layout they were computed in, own or keep alive their memory,
    and may share it with each other or with an argument. A half keeps no state between calls and
    may be used from several threads.
    """

    def __init__(
        self, module: fx.GraphModule, ports: Sequence[_Port], output_names: tuple[str, ...],
        device: torch.device,
    ) -> None:  # fmt: skip
        self.module = module
        self.device = device
        self._compute: Compute = module
        self.input_names = tuple(port.name for port in ports)
        self.output_names = output_names
        self._ports = tuple(ports)
        self._passes_on = self.input_names == output_names

    def __call__(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """
        Load the arrays and run the half; what it would only pass on is returned as it is.

        Raises CutError when the arrays are not of the shapes and types of its inputs.
        """
        if self._passes_on:
            self._check(arrays)
            return arrays
        with torch.inference_mode():
            return self.run(self.load(*arrays))

    def load(self, *arrays: np.ndarray) -> list[torch.Tensor]:
        """
        Return the arrays as tensors on the half's device, laid out as the reference has them.

        Raises CutError when they are not of the shapes and types of the half's inputs.
        """
        self._check(arrays)
        tensors = [_load(p, a) for p, a in zip(self._ports, arrays, strict=True)]
        if self.device.type == 'cpu':
            return tensors
        return [send(tensor, self.device) for tensor in tensors]

    def run(self, tensors: Sequence[torch.Tensor]) -> tuple[np.ndarray, ...]:
        """Run the half on loaded tensors, within ``torch.inference_mode``."""
        return tuple(result.numpy() for result in self._compute(*tensors))

    def warm_up(self) -> None:
        """Run twice on zeros, so that the first real frame meets warm caches."""
        with torch.inference_mode():
            for _ in range(2):
                self.run(self.zeros())

    def zeros(self) -> tuple[torch.Tensor, ...]:
        """Return inputs of zeros, laid out as the half reads them."""
        return tuple(
            torch.empty_strided(p.shape, p.strides, dtype=p.dtype, device=self.device).zero_()
            for p in self._ports
        )

    def _check(self, arrays: Sequence[np.ndarray]) -> None:
        if len(arrays) != len(self._ports):
            raise CutError(f'this half takes {len(self._ports)} tensors but got {len(arrays)}')
        for port, array in zip(self._ports, arrays, strict=True):
            _check(port, array)

    def take(self, compute: Compute) -> None:
        """Run another form of the same operators from now on; calls under way go on."""
        self._compute = compute


def head(model: Model, boundary: Iterable[str], *, device: str = 'cpu') -> Half:
    """
    Return the half that computes the boundary tensors from the network's inputs.

    Its inputs are ``model.graph.inputs``, its outputs the boundary tensors in the order given.
    Raises CutError unless the names are the boundary of a legal cut, ConfigError when the machine
    lacks the device.
    """
    names = _checked(model, boundary)
    return _half(model, model.graph.inputs, names, device)


def tail(model: Model, boundary: Iterable[str], *, device: str = 'cpu') -> Half:
    """
    Return the half that computes the raw outputs from the boundary tensors.

    Its inputs are the boundary tensors in the order given, its outputs the network's raw outputs
    in order, as ``Detector.decode`` takes them. With the network's inputs as boundary it is the
    whole network. Raises CutError unless the names are the boundary of a legal cut, ConfigError
    when the machine lacks the device.
    """
    names = _checked(model, boundary)
    return _half(model, names, model.outputs, device)


def load(model: Model, name: str, array: np.ndarray) -> torch.Tensor:
    """Return one tensor of the model in the memory layout in which its half reads it."""
    port = _port(model, name)
    _check(port, array)
    return _load(port, array)


def part(module: fx.GraphModule, inputs: Sequence[str], outputs: Sequence[str]) -> fx.GraphModule:
    """Return operators between tensors of a graph as a graph of its own; weights are shared."""
    nodes = {node.name: node for node in module.graph.nodes}
    graph = fx.Graph()
    copies = {nodes[name]: graph.placeholder(name) for name in inputs}
    for node in _needed(module.graph, [nodes[n] for n in outputs], set(copies)):
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(tuple(copies[nodes[name]] for name in outputs))
    return fx.GraphModule(module, graph, 'Half')


def _checked(model: Model, boundary: Iterable[str]) -> tuple[str, ...]:
    names = tuple(boundary)
    if not model.graph.cloud_layers(names):
        raise CutError(f'{", ".join(names)} leaves nothing to the cloud')
    return names


def _half(model: Model, inputs: tuple[str, ...], outputs: tuple[str, ...], device: str) -> Half:
    module = part(model.module, inputs, outputs)
    where = find_device(device)
    # A half that only passes on what it is given would go to a GPU and back for nothing.
    computes = any(node.op == 'call_function' for node in module.graph.nodes)
    place = where.torch if computes else torch.device('cpu')
    half = Half(module, [_port(model, name) for name in inputs], outputs, place)
    if place.type == 'cuda':
        _move(module, place)
        dtypes = [_port(model, name).dtype for name in outputs]
        half.take(Graphed(module, half.zeros(), dtypes, where.half_precision))
    return half


def _needed(graph: fx.Graph, targets: list[fx.Node], given: set[fx.Node]) -> list[fx.Node]:
    """Return the nodes that the targets need and that are not given, in order."""
    needed: set[fx.Node] = set()
    stack = list(targets)
    while stack:
        node = stack.pop()
        if node not in given and node not in needed:
            needed.add(node)
            stack.extend(node.all_input_nodes)
    return [node for node in graph.nodes if node in needed]


def _port(model: Model, name: str) -> _Port:
    layer = model.graph[name]
    dtype = getattr(torch, layer.dtype)
    strides = _dense(layer.shape, model.strides[name])
    return _Port(name, layer.shape, dtype, strides)


def _check(port: _Port, array: np.ndarray) -> None:
    if array.shape != port.shape or array.dtype.name != _name(port.dtype):
        raise CutError(
            f'tensor {port.name!r} must be {_name(port.dtype)} {port.shape} '
            f'but is {array.dtype} {array.shape}'
        )


def _load(port: _Port, array: np.ndarray) -> torch.Tensor:
    if _lies_as(port, array):
        return torch.from_numpy(array)
    tensor = torch.empty_strided(port.shape, port.strides, dtype=port.dtype)
    np.copyto(tensor.numpy(), array)
    return tensor


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix('torch.')


def _lies_as(port: _Port, array: np.ndarray) -> bool:
    """Return whether an array can be taken as it is: laid out alike, aligned for kernels."""
    return (
        array.flags.writeable  # torch warns about others, though nothing is ever written
        and array.ctypes.data % _ALIGNMENT == 0
        and all(
            size == 1 or stride == wanted * array.itemsize
            for size, stride, wanted in zip(array.shape, array.strides, port.strides, strict=True)
        )
    )


def _dense(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, or contiguous ones where elements overlap (expanded tensors)."""
    if any(stride == 0 and size > 1 for size, stride in zip(shape, strides, strict=True)):
        return tuple(torch.empty(shape, device='meta').stride())
    return strides


def _move(module: fx.GraphModule, device: torch.device) -> None:
    """Move weights to a device, and operators that name one."""
    module.to(device)
    for node in module.graph.nodes:
        if 'device' in node.kwargs:
            node.kwargs = {**node.kwargs, 'device': device}
    module.recompile()
