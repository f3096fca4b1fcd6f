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
Time the layers of a network on a GPU, and what it takes to bring tensors there and back.

Run one by one, the layers of a small network take as long as it takes to start them, many times
what they take in a recorded graph. So the graph up to each layer is recorded, and the layer takes
what the GPU is busy longer with it. Sums over the first layers are then what was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
import time

from dads_ros.graph import Layer
from dads_ros.model import surgery
from dads_ros.model.capture import Model
from dads_ros.model.cuda import fetch
from dads_ros.model.cuda import Graphed
from dads_ros.model.cuda import send
from dads_ros.model.devices import find_device
import numpy as np
import torch


@dataclass(frozen=True, slots=True)
class Way:
    """
    Seconds that a tensor takes to a GPU and back, the host waiting for it.

    :param load_s: from ordinary memory, as a decoded bundle's is.
    :param fetch_s: 0 for inputs of the network, which no half has to fetch.
    """

    load_s: float
    fetch_s: float


def layer_seconds(
    model: Model, device: str, frame: np.ndarray, repeats: int, done: Callable[[], object]
) -> dict[str, float]:
    """
    Return what each layer adds to the recorded graph of all before it, 0 for the inputs.

    :param done: called once for each layer, inputs too: recording takes a while.
    """
    whole = surgery.tail(model, model.graph.inputs, device=device)
    inputs = whole.load(frame)
    half_precision = find_device(device).half_precision

    def replay_s(boundary: tuple[str, ...]) -> float:
        module = surgery.part(whole.module, model.graph.inputs, boundary)
        dtypes = [getattr(torch, model.graph[name].dtype) for name in boundary]
        return Graphed(module, inputs, dtypes, half_precision).replay_s(repeats)

    ids = [layer.id for layer in model.graph.layers if layer.op != 'detections']
    found = dict.fromkeys(model.graph.inputs, 0.0)
    reached_s = replay_s(model.graph.inputs)  # of a graph without operators
    for count, layer_id in enumerate(ids, 1):
        done()
        if layer_id in found:
            continue
        # Layers that only look at a tensor in another way take nothing, and noise less than that.
        now_s = max(reached_s, replay_s(model.graph.boundary(ids[:count])))
        found[layer_id] = now_s - reached_s
        reached_s = now_s
    return found


def ways(model: Model, device: str, repeats: int) -> dict[str, Way]:
    """Return the way of every tensor that may cross a cut."""
    layers = [layer for layer in model.graph.layers if layer.op != 'detections']
    return {layer.id: _way(model, layer, device, repeats) for layer in layers}


def _way(model: Model, layer: Layer, device: str, repeats: int) -> Way:
    where = find_device(device).torch
    array = np.zeros(layer.shape, layer.dtype)
    load_s, fetch_s = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        there = send(surgery.load(model, layer.id, array.copy()), where)
        torch.cuda.synchronize(where)
        loaded = time.perf_counter()
        fetch([there])
        load_s.append(loaded - start)
        fetch_s.append(time.perf_counter() - loaded)
    return Way(median(load_s), 0.0 if layer.op == 'input' else median(fetch_s))
