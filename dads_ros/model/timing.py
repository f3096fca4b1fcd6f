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
Time the layers and halves of a captured network.

Layer by layer, a network takes less time than as a whole: calls, arguments and memory between
layers are not seen. So whole halves are timed at several cuts in the same rounds, and a line
through (sum of layer times, measured half) corrects the layers. What a round takes as a whole
tells how slow the machine was just then, and is divided out. Before each half there is a pause, as
a node waits for its camera: what runs then starts with cold caches, which costs a tenth and more.

On a GPU layers are timed otherwise (:mod:`dads_ros.model.cuda_timing`), halves in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
import itertools
import operator
import time
from typing import Any

from dads_ros.model import surgery
from dads_ros.model.capture import Model
from dads_ros.model.devices import find_device
import numpy as np
import torch
from torch import fx

Clock = Callable[[], float]
# A pause before each half. A camera leaves longer ones; much longer ones cost hardly more.
IDLE_S = 0.05


@dataclass(frozen=True)
class HalfTime:
    """A measured half: the layers it runs, the tensors it gives, and its median seconds."""

    layers: frozenset[str]
    outputs: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Correction:
    """
    What layer times must be multiplied by, and what every call of a half adds.

    ``error`` is the 90% quantile of |predicted / measured - 1| over the measured halves.
    """

    scale: float
    call_s: float
    error: float


def clock(device: str) -> Clock:
    """
    Return a clock in seconds.

    On one CPU thread it counts the thread's own time, which is what the work takes on a machine
    that does nothing else; with more threads, or a GPU, it is the wall clock.
    """
    where = find_device(device).torch
    if where.type == 'cpu':
        return time.thread_time if torch.get_num_threads() == 1 else time.perf_counter

    def synchronised() -> float:
        torch.cuda.synchronize(where)
        return time.perf_counter()

    return synchronised


class LayerTimer(fx.Interpreter):
    """Runs a reference graph on the CPU node by node and keeps the seconds of each."""

    def __init__(self, model: Model) -> None:
        self._half = surgery.tail(model, model.graph.inputs)
        super().__init__(self._half.module)
        self._clock = clock('cpu')
        self._nodes = {node.name: node for node in self._half.module.graph.nodes}
        self._seconds: dict[str, list[float]] = {}

    def round(self, frame: np.ndarray) -> None:
        """Time every node once."""
        with torch.inference_mode():
            self.run(*self._half.load(frame))

    def run_node(self, n: fx.Node) -> Any:
        """Run one node with the clock around nothing but its operator."""
        if n.op != 'call_function':
            return super().run_node(n)
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        assert callable(n.target)
        start = self._clock()
        result = n.target(*args, **kwargs)
        self._seconds.setdefault(n.name, []).append(self._clock() - start)
        return result

    def medians(self, layer_ids: Sequence[str], pace: np.ndarray) -> dict[str, float]:
        """Return each layer's seconds; items of one operator share its time evenly."""
        node_s = {name: median(times, pace) for name, times in self._seconds.items()}
        return {name: self._with_makers(name, node_s) for name in layer_ids}

    def _with_makers(self, name: str, node_s: dict[str, float]) -> float:
        seconds = node_s.get(name, 0.0)
        node = self._nodes.get(name)
        while node is not None and node.op == 'call_function' and node.target is operator.getitem:
            (node,) = node.all_input_nodes
            seconds += node_s.get(node.name, 0.0) / len(node.users)
        return seconds


class HalfTimer:
    """
    Times the whole network, and both halves of cuts that are spread over it.

    Loading a half's inputs is part of what comes before: of the frame's arrival, of a codec's
    decoding. What it takes to fetch a half's outputs from a GPU is part of it.
    """

    def __init__(self, model: Model, device: str, cuts: int) -> None:
        self._clock = clock(device)
        ids = [layer.id for layer in model.graph.layers if layer.op != 'detections']
        self._whole = surgery.tail(model, model.graph.inputs, device=device)
        self._pairs = []
        self._made = [(frozenset(ids), model.outputs)]
        for last in _spread(len(ids), cuts):
            boundary = model.graph.boundary(ids[:last])
            head = surgery.head(model, boundary, device=device)
            self._pairs.append((head, surgery.tail(model, boundary, device=device)))
            self._made.append((frozenset(ids[:last]), boundary))
            self._made.append((frozenset(ids[last:]), model.outputs))
        self._seconds: list[list[float]] = [[] for _ in self._made]

    def round(self, frame: np.ndarray) -> None:
        """Time every half once, in one go, so that they meet the same machine."""
        self._time(0, self._whole, (frame,))
        for number, (head, tail) in enumerate(self._pairs):
            tensors = self._time(2 * number + 1, head, (frame,))
            self._time(2 * number + 2, tail, tensors)

    def pace(self) -> np.ndarray:
        """Return how slow the machine was in each round; 1 is the median."""
        rounds_s = np.sum(self._seconds, axis=0)
        return rounds_s / np.median(rounds_s)

    def results(self) -> list[HalfTime]:
        """Return the medians of all rounds; the first is the whole network."""
        pace = self.pace()
        return [
            HalfTime(*made, median(seconds, pace))
            for made, seconds in zip(self._made, self._seconds, strict=True)
        ]

    def _time(
        self, slot: int, half: surgery.Half, arrays: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, ...]:
        with torch.inference_mode():
            tensors = half.load(*arrays)
            time.sleep(IDLE_S)
            start = self._clock()
            results = half.run(tensors)
            self._seconds[slot].append(self._clock() - start)
        return results


def _spread(layers: int, cuts: int) -> list[int]:
    """Return numbers of layers on the edge, spread evenly over 1 to layers - 1."""
    return sorted({max(1, round(layers * i / (cuts + 1))) for i in range(1, cuts + 1)} - {layers})


def median(seconds: Sequence[float], pace: np.ndarray) -> float:
    """
    Return the median of one measurement per round, at the usual pace of the machine.

    On a shared machine whole rounds are slower than others. Medians of raw seconds then come from
    different rounds for different layers and do not add up; shares of a round do.
    """
    return float(np.median(np.asarray(seconds) / pace))


def fit(layer_s: dict[str, float], halves: Sequence[HalfTime]) -> Correction:
    """Return the line, least in squared relative error, from layer sums to measured halves."""
    sums = np.array([sum(layer_s[name] for name in half.layers) for half in halves])
    measured = np.array([half.seconds for half in halves])
    design = np.stack([sums, np.ones_like(sums)], axis=1) / measured[:, None]
    scale, call_s = np.linalg.lstsq(design, np.ones_like(sums), rcond=None)[0]
    if call_s < 0 or scale <= 0:
        scale, call_s = float(np.median(measured / sums)), 0.0
    error = np.abs((scale * sums + call_s) / measured - 1)
    return Correction(float(scale), float(call_s), float(np.quantile(error, 0.9)))


def rounds(frames: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
    """Return ``count`` frames, repeated as often as needed."""
    return list(itertools.islice(itertools.cycle(frames), count))
