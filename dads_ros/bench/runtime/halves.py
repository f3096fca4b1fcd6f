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

"""Measure halves: against the whole, against plain torch, and against what a profile predicts."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
import copy
from dataclasses import dataclass
import random
import time

from dads_ros import codec
from dads_ros.detector.api import Detector
from dads_ros.errors import CutError
from dads_ros.graph import LayerGraph
from dads_ros.model import surgery
from dads_ros.model import timing
from dads_ros.model.capture import Model
from dads_ros.model.cuda import precision
from dads_ros.model.devices import find_device
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
import numpy as np
import torch

Boundary = tuple[str, ...]
_ROUNDS = 15


def random_boundaries(graph: LayerGraph, count: int, seed: int) -> list[Boundary]:
    """Return the boundaries of distinct random legal cuts, fewer where there are fewer."""
    rng = random.Random(seed)
    found: dict[Boundary, None] = {}
    for _ in range(50 * count):
        if len(found) == count:
            break
        keep = rng.uniform(0.3, 1.0)
        edge = set(graph.inputs)
        for layer in graph.layers[:-1]:
            if edge.issuperset(layer.inputs) and rng.random() < keep:
                edge.add(layer.id)
        boundary = graph.boundary(edge)
        try:
            graph.cloud_layers(boundary)
        except CutError:
            continue
        found[boundary] = None
    return list(found)


def split_mismatches(
    model: Model, boundaries: Sequence[Boundary], frame: np.ndarray, device: str
) -> list[Boundary]:
    """
    Return the cuts whose output, sent as raw bytes, differs from the whole in any bit.

    Halves and whole run on the same device.
    """
    whole = surgery.tail(model, model.graph.inputs, device=device)(frame)
    wrong = []
    for boundary in boundaries:
        head = surgery.head(model, boundary, device=device)
        tail = surgery.tail(model, boundary, device=device)
        outputs = tail(*_sent(model, boundary, head(frame), 'raw'))
        if any(a.tobytes() != b.tobytes() for a, b in zip(outputs, whole, strict=True)):
            wrong.append(boundary)
    return wrong


def halves_over_whole(
    model: Model, boundaries: Sequence[Boundary], frames: Sequence[np.ndarray], device: str
) -> list[float]:
    """Return each cut's time, halves added, over the whole network's in the same rounds."""
    now = timing.clock(device)
    whole = surgery.tail(model, model.graph.inputs, device=device)
    ratios = []
    for boundary in boundaries:
        head = surgery.head(model, boundary, device=device)
        tail = surgery.tail(model, boundary, device=device)
        split_s, whole_s = [], []
        for frame in timing.rounds(frames, _ROUNDS):
            start = now()
            tail(*head(frame))
            middle = now()
            whole(frame)
            split_s.append(middle - start)
            whole_s.append(now() - middle)
        ratios.append(float(np.median(split_s) / np.median(whole_s)))
    return ratios


def largest_difference(model: Model, frames: Sequence[np.ndarray], device: str) -> float:
    """Return how far a device's raw outputs are from the CPU's, of the largest of each."""
    here = surgery.tail(model, model.graph.inputs)
    there = surgery.tail(model, model.graph.inputs, device=device)
    return max(
        float(np.abs(other - one).max() / np.abs(one).max())
        for frame in frames
        for one, other in zip(here(frame), there(frame), strict=True)
    )


def edge_only_over_plain_torch(
    detector: Detector, model: Model, frames: Sequence[np.ndarray], device: str
) -> tuple[float, str]:
    """
    Return the package's time for a frame over the fastest plain loop's, and that loop's name.

    Both decode their outputs. Plain torch is the detector's module in both memory layouts and as
    torch.export gives it back, on the same device and in the same precision.
    """
    where = find_device(device)
    eager = copy.deepcopy(detector.module).eval().to(where.torch)
    last = copy.deepcopy(eager).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    whole = surgery.tail(model, model.graph.inputs, device=device)

    def loop(module: torch.nn.Module) -> Callable[[np.ndarray], object]:
        def step(frame: np.ndarray) -> object:
            with torch.inference_mode(), precision(where.half_precision):
                outputs = module(torch.from_numpy(frame).to(where.torch))
            results = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
            return detector.decode(tuple(result.cpu().numpy() for result in results))

        return step

    loops = {
        'package': lambda frame: detector.decode(whole(frame)),
        'eager': loop(eager),
        'channels last': loop(last),
    }
    if not where.half_precision:  # what is exported insists on the types that it was exported with
        example = detector.example_input().to(where.torch)
        program = torch.export.export(copy.deepcopy(eager), (example,), strict=False)
        loops['exported'] = loop(program.module())
    seconds = _interleaved(loops, frames, device)
    package_s = seconds.pop('package')
    fastest = min(seconds, key=lambda name: seconds[name])
    return package_s / seconds[fastest], fastest


@dataclass(frozen=True, slots=True)
class Prediction:
    """
    How far a plan's predicted stage times, edge and cloud together, are from the measured median.

    :param share: |predicted / measured - 1|, both in shares of the all-local plan, taken in turns
        with this one: how fast the machine is just now cancels out, and what is left is what would
        choose a wrong plan. A profile that is wrong by one factor everywhere is not seen here.
    :param absolute: |predicted / measured - 1| of the seconds themselves, as a user sees it who
        profiles once and drives later.
    """

    share: float
    absolute: float


def predictions(
    detector: Detector,
    model: Model,
    table: PlanTable,
    frames: Sequence[np.ndarray],
    limit: int,
    device: str,
) -> list[Prediction]:
    """
    Hold plans of the table against their measured times.

    :param limit: rows to measure at most, spread evenly over the table.
    """
    situation = Situation(1e9)
    local = table.evaluate(table.local_row, situation, 'light').edge_s
    whole = Path(detector, model, (), '', device)
    found = []
    for row in np.unique(np.linspace(1, len(table) - 1, limit).round().astype(int)).tolist():
        plan = table.evaluate(row, situation, 'light')
        path = Path(detector, model, plan.boundary, plan.codec, device)
        taken, here = [], []
        for frame in timing.rounds(frames, _ROUNDS):
            time.sleep(timing.IDLE_S)  # as a node waits for its camera
            taken.append(sum(path.run(frame)[:2]))
            time.sleep(timing.IDLE_S)
            here.append(whole.run(frame)[0])
        predicted_s = plan.edge_s + plan.cloud_s
        share = float(np.median(np.array(taken) / np.array(here)))
        found.append(
            Prediction(
                abs(predicted_s / local / share - 1),
                abs(predicted_s / float(np.median(taken)) - 1),
            )
        )
    return found


class Path:
    """A frame's way through one cut and codec, stage by stage; all-local without a boundary."""

    def __init__(
        self, detector: Detector, model: Model, boundary: Boundary, name: str, device: str = 'cpu'
    ) -> None:
        self._detector = detector
        self._codec = name
        self._layers = [model.graph[layer_id] for layer_id in boundary]
        self._head = surgery.head(model, boundary, device=device) if boundary else None
        self._tail = surgery.tail(model, boundary or model.graph.inputs, device=device)
        self._now = timing.clock(device)

    def run(self, frame: np.ndarray) -> tuple[float, float, int]:
        """Return seconds on the edge, seconds in the cloud, and bytes in between."""
        start = self._now()
        if self._head is None:
            self._detector.decode(self._tail(frame))
            return self._now() - start, 0.0, 0
        data = [codec.encode(tensor, self._codec) for tensor in self._head(frame)]
        sent = self._now()
        tensors = [
            codec.decode(part, self._codec, layer.shape, layer.dtype)
            for part, layer in zip(data, self._layers, strict=True)
        ]
        self._detector.decode(self._tail(*tensors))
        return sent - start, self._now() - sent, sum(len(part) for part in data)


def _sent(
    model: Model, boundary: Boundary, tensors: Sequence[np.ndarray], name: str
) -> list[np.ndarray]:
    layers = [model.graph[layer_id] for layer_id in boundary]
    return [
        codec.decode(bytes(codec.encode(tensor, name)), name, layer.shape, layer.dtype)
        for tensor, layer in zip(tensors, layers, strict=True)
    ]


def _interleaved(
    loops: dict[str, Callable[[np.ndarray], object]], frames: Sequence[np.ndarray], device: str
) -> dict[str, float]:
    """Return each loop's median seconds; all take turns on every frame."""
    now = timing.clock(device)
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for frame in timing.rounds(frames, 2 * _ROUNDS):
        for name, step in loops.items():
            start = now()
            step(frame)
            seconds[name].append(now() - start)
    return {name: float(np.median(times[3:])) for name, times in seconds.items()}
