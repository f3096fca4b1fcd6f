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

"""Measure codecs on a detector's own tensors: speed, bytes, accuracy, and the resulting delay."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
from dads_ros import codec
from dads_ros.bench.runtime.halves import Boundary
from dads_ros.bench.runtime.halves import Path
from dads_ros.calibrate import Judge
from dads_ros.codec import zstd
from dads_ros.codec.image import WRITE
from dads_ros.codec.rounding import MAX_LEVELS
from dads_ros.detector.api import Detector
from dads_ros.graph import Layer
from dads_ros.model import timing
from dads_ros.model.capture import layer_tensors
from dads_ros.model.capture import Model
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.profiles.profile import Profile
from dads_ros.profiles.profiling import CODECS
import numpy as np
import torch
import zstandard

_ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Speed:
    """
    Megabytes of uncompressed tensor per second, one thread.

    ``library_mb_s`` is the compressor's own share of encoding on prepared bytes: zstd on the
    rounded tensor, OpenCV on the BGR picture; None where the package is the library.
    """

    encode_mb_s: float
    decode_mb_s: float
    library_mb_s: float | None


@dataclass(frozen=True, slots=True)
class Rate:
    """One cut with one codec."""

    boundary: Boundary
    codec: str
    bytes_mean: float
    bytes_p95: float
    encode_ms: float
    decode_ms: float
    ap50_change: float


@dataclass(frozen=True, slots=True)
class Latency:
    """One way to run the detector at one uplink, over all frames."""

    uplink_mbps: float
    method: str
    p50_ms: float
    p95_ms: float


def speeds(model: Model, frame: np.ndarray) -> dict[str, Speed]:
    """Return each codec's speed on a tensor it is meant for."""
    tensors = layer_tensors(model.module, torch.from_numpy(frame))
    arrays = {
        layer: tensors[layer.id].numpy() for layer in model.graph.layers if layer.id in tensors
    }
    found = {}
    for name in CODECS:
        array = _typical(arrays, name, frame.nbytes)
        if array is not None:
            found[name] = _speed(array, name)
    return found


def _typical(arrays: Mapping[Layer, np.ndarray], name: str, size_bytes: int) -> np.ndarray | None:
    """
    Return the tensor for a codec: the frame, the waist, or floats about as large as a frame.

    Of floats, outputs of ReLU where the network has any: they have zeros, as what is sent has.
    """
    if name.startswith(('jpeg', 'webp')):
        wanted = [a for layer, a in arrays.items() if layer.op == 'input']
    elif name.startswith(('packed', 'levels')):
        wanted = [a for a in arrays.values() if a.dtype == np.uint8 and a.max() < MAX_LEVELS]
    else:
        floats = {layer: a for layer, a in arrays.items() if a.dtype == np.float32 and a.ndim > 1}
        wanted = [a for layer, a in floats.items() if layer.op == 'relu'] or [*floats.values()]
    return min(wanted, key=lambda array: abs(array.nbytes - size_bytes), default=None)


def _speed(array: np.ndarray, name: str) -> Speed:
    now = timing.clock('cpu')
    encode_s, decode_s, library_s = [], [], []
    prepared = _prepared(array, name)
    for _ in range(_ROUNDS):
        start = now()
        data = codec.encode(array, name)
        encoded = now()
        codec.decode(data, name, array.shape, array.dtype.name)
        decoded = now()
        if isinstance(prepared, bytes):
            zstd.compress(prepared)
        elif prepared is not None:
            extension, flag, others = WRITE[name[:4]]
            cv2.imencode(extension, prepared, [flag, int(name[4:]), *others])
        library_s.append(now() - decoded)
        encode_s.append(encoded - start)
        decode_s.append(decoded - encoded)
    encode, decode, library = (
        array.nbytes / 1e6 / float(np.median(s)) for s in (encode_s, decode_s, library_s)
    )
    return Speed(encode, decode, None if prepared is None else library)


def _prepared(array: np.ndarray, name: str) -> bytes | np.ndarray | None:
    """Return what the codec hands to its library."""
    if name.endswith('+zstd'):
        data = codec.encode(array, name)
        return zstd.decompress(data, zstandard.frame_content_size(data))
    if name.startswith(('jpeg', 'webp')):
        return cv2.cvtColor(np.ascontiguousarray(array[0]), cv2.COLOR_RGB2BGR)
    return None


def rate_table(profile: Profile, boundaries: Sequence[Boundary], judge: Judge) -> list[Rate]:
    """
    Return, for every cut, every codec that takes all its tensors, once where two do the same.

    Bytes and seconds are the profile's; what changes in AP is measured here.
    """
    rates = []
    for boundary in boundaries:
        layers = [profile.graph[layer_id] for layer_id in boundary]
        for name in _names(layers):
            costs = [profile.codecs[layer_id].get(name) for layer_id in boundary]
            if None in costs:
                continue
            kept = [cost for cost in costs if cost is not None]
            lossless = all(codec.lossless(name, layer.dtype) for layer in layers)
            change = 0.0 if lossless else judge.accuracy(boundary, name) - judge.ap50
            rates.append(
                Rate(
                    boundary=boundary,
                    codec=name,
                    bytes_mean=sum(cost.bytes_mean for cost in kept),
                    bytes_p95=sum(cost.bytes_p95 for cost in kept),
                    encode_ms=1e3 * sum(cost.encode_s for cost in kept),
                    decode_ms=1e3 * sum(cost.decode_s for cost in kept),
                    ap50_change=change,
                )
            )
    return rates


def _names(layers: Sequence[Layer]) -> list[str]:
    names: dict[tuple[str, ...], str] = {}
    for name in CODECS:
        if all(codec.supported(name, layer.shape, layer.dtype) for layer in layers):
            names.setdefault(tuple(codec.plainest(name, layer.dtype) for layer in layers), name)
    return list(names.values())


def winners(table: PlanTable, edge_factors: Sequence[float]) -> list[Boundary]:
    """Return the cuts that give the least delay at some uplink, for the edge speeds given."""
    found: dict[Boundary, None] = {}
    for edge_factor in edge_factors:
        for uplink_bps in np.geomspace(5e4, 1e9, 60):
            plan = table.plan(Situation(float(uplink_bps), 0.0, edge_factor), 'light')
            if plan.boundary:
                found[plan.boundary] = None
    return list(found)


def latencies(
    detector: Detector,
    model: Model,
    rates: Sequence[Rate],
    frames: Sequence[np.ndarray],
    *,
    uplinks_mbps: Sequence[float],
    edge_factor: float,
    budget: float,
) -> list[Latency]:
    """
    Return the latency of edge-only, the best JPEG upload and the best split over real frames.

    Both computing stages are measured frame by frame, the edge's times ``edge_factor``; the link
    is arithmetic, bytes over the uplink. JPEG and split are those of least median latency among
    the rates that cost no more AP than the budget; if every JPEG costs more, the one that costs
    least.
    """
    pictures = model.graph.inputs
    jpegs = [rate for rate in rates if rate.codec.startswith('jpeg')]
    least = max((rate.ap50_change for rate in jpegs), default=0.0)
    jpegs = [rate for rate in jpegs if rate.ap50_change >= min(-budget, least)]
    splits = [r for r in rates if r.boundary != pictures and r.ap50_change >= -budget]
    chosen: list[tuple[str, Boundary, str]] = [('edge only', (), '')]
    chosen += [('JPEG upload', rate.boundary, rate.codec) for rate in _smallest(jpegs, 1)]
    chosen += [('best split', rate.boundary, rate.codec) for rate in _smallest(splits, 3)]
    paths = [Path(detector, model, boundary, name) for _, boundary, name in chosen]
    # All take turns on every frame, so that they meet the same machine.
    runs = np.array([[path.run(frame) for path in paths] for frame in frames])
    found: list[Latency] = []
    for uplink in uplinks_mbps:
        weights = np.array([1e3 * edge_factor, 1e3, 8e3 / (uplink * 1e6)])
        best: dict[str, Latency] = {}
        for way, total_ms in zip(chosen, (runs @ weights).T, strict=True):
            p50_ms, p95_ms = np.quantile(total_ms, (0.5, 0.95))
            method = ' '.join((f'{way[0]}:', *way[1], way[2])) if way[1] else way[0]
            one = Latency(uplink, method, float(p50_ms), float(p95_ms))
            if way[0] not in best or one.p50_ms < best[way[0]].p50_ms:
                best[way[0]] = one
        found += best.values()
    return found


def _smallest(rates: Sequence[Rate], count: int) -> list[Rate]:
    return sorted(rates, key=lambda rate: rate.bytes_mean)[:count]
