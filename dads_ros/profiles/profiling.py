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
Measure a profile: seconds of every layer here, bytes of every tensor in every codec.

Stage times are predicted as plain sums, so the layers' times are corrected until such sums agree
with whole halves measured at several cuts (:mod:`dads_ros.model.timing`): one factor for all
layers, and the cost of a call. What error is left is saved in the profile, so that it says how
well it predicts. A codec's times include what it takes to bring the tensor from and into a half's
memory layout. Codecs that refer to an earlier tensor are measured against that of a frame shortly
before.

On a GPU the way there and back grows with a tensor's bytes. Fetching a tensor is charged to its
encoding, or to ``detections``, loading it to its decoding, or to the input layer; the codecs
themselves run on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from datetime import timezone
import itertools
from pathlib import Path
import platform

import cv2
from dads_ros import codec
from dads_ros.detector.api import Detector
from dads_ros.errors import CodecError
from dads_ros.errors import ProfileError
from dads_ros.graph import Layer
from dads_ros.model import cuda_timing
from dads_ros.model import surgery
from dads_ros.model import timing
from dads_ros.model.capture import layer_tensors
from dads_ros.model.capture import Model
from dads_ros.model.cuda_timing import Way
from dads_ros.model.devices import find_device
from dads_ros.profiles.profile import CodecCost
from dads_ros.profiles.profile import Profile
import numpy as np
import torch
from tqdm import tqdm
import zstandard

CODECS = (
    'raw', 'raw+zstd', 'float16+zstd', 'int8+zstd', 'int4+zstd',
    'packed', 'packed2', 'packed4', 'packed6', 'packed8',
    'levels+zstd', 'levels2+zstd', 'levels4+zstd', 'levels6+zstd', 'levels8+zstd',
    'jpeg30', 'jpeg50', 'jpeg75', 'jpeg90', 'webp30', 'webp50', 'webp75',
)  # fmt: skip
REFERRING = tuple(f'{name}{codec.REF_SUFFIX}' for name in CODECS if codec.can_refer(name))
_CUTS = 4
_HIGH = 0.95


def measure(
    detector: Detector,
    model: Model,
    frames: Iterable[np.ndarray],
    *,
    before: Iterable[np.ndarray | None] = (),
    side: str = 'both',
    device: str = 'cpu',
    codecs: Sequence[str] = (*CODECS, *REFERRING),
    repeats: int = 20,
    progress: bool = False,
) -> Profile:
    """
    Measure a captured detector on this machine, with the threads that torch is set to.

    :param frames: network inputs, uint8 [1, height, width, 3], of real video: sizes depend on it.
    :param before: for each of these, one that the car would refer to: of the same camera, shortly
        before; None or nothing where there is none. Without any, no codec that refers is measured.
    :param repeats: rounds of timing; medians are kept, so a few disturbed rounds do no harm.
    Raises ProfileError when there are no frames.
    """
    samples = list(frames)
    if not samples:
        raise ProfileError('no frames to measure with; give a video or a folder of images')
    on_gpu = find_device(device).torch.type != 'cpu'
    parts = repeats + len(samples)
    if on_gpu:
        parts += sum(layer.op != 'detections' for layer in model.graph.layers)
    with tqdm(total=parts, disable=not progress, unit='part') as bar:
        ways = cuda_timing.ways(model, device, repeats) if on_gpu else {}
        layer_s, correction = _layer_seconds(
            detector, model, samples, device, ways, repeats, bar.update
        )
        costs = _codec_costs(model, samples, list(before), codecs, bar.update)
    return Profile(
        graph=model.graph,
        detector=detector.name,
        side=side,
        machine=machine_name(),
        device=device,
        threads=torch.get_num_threads(),
        created=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        versions={
            'torch': torch.__version__, 'numpy': np.__version__,
            'opencv': cv2.__version__, 'zstandard': zstandard.__version__,
        },
        frames=len(samples),
        fit_error=correction.error,
        layer_s=layer_s,
        call_s=correction.call_s,
        codecs=_with_ways(costs, ways),
    )  # fmt: skip


def machine_name() -> str:
    """Return the host's name and its processor, for people."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
        names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    except OSError:
        names = []
    return f'{platform.node()} ({names[0] if names else platform.machine()})'


def _layer_seconds(
    detector: Detector,
    model: Model,
    samples: Sequence[np.ndarray],
    device: str,
    ways: Mapping[str, Way],
    repeats: int,
    done: Callable[[], object],
) -> tuple[dict[str, float], timing.Correction]:
    layers = None if ways else timing.LayerTimer(model)
    halves = timing.HalfTimer(model, device, _CUTS)
    whole = surgery.tail(model, model.graph.inputs, device=device)
    now = timing.clock(device)
    whole.warm_up()
    load_s, decode_s = [], []
    for number in range(repeats):
        frame = samples[number % len(samples)]
        if layers is not None:
            layers.round(frame)
        halves.round(frame)
        start = now()
        whole.load(frame)
        loaded = now()
        outputs = whole(frame)
        before = now()
        detector.decode(outputs)
        decode_s.append(now() - before)
        load_s.append(loaded - start)
        done()
    ids = [layer.id for layer in model.graph.layers if layer.op != 'detections']
    pace = halves.pace()
    layer_s = (
        cuda_timing.layer_seconds(model, device, samples[0], repeats, done)
        if layers is None
        else layers.medians(ids, pace)
    )

    def fetch_s(names: Sequence[str]) -> float:
        return sum(ways[name].fetch_s for name in names) if ways else 0.0

    computed = [replace(h, seconds=h.seconds - fetch_s(h.outputs)) for h in halves.results()]
    correction = timing.fit(layer_s, computed)
    layer_s = {name: seconds * correction.scale for name, seconds in layer_s.items()}
    for name in model.graph.inputs:
        layer_s[name] += timing.median(load_s, pace)
    for name in model.graph.outputs:
        if model.graph[name].op == 'detections':
            decoded_s = timing.median(decode_s, pace)
            layer_s[name] = fetch_s(model.outputs) + decoded_s
    return layer_s, correction


def _with_ways(
    codecs: dict[str, dict[str, CodecCost]], ways: Mapping[str, Way]
) -> dict[str, dict[str, CodecCost]]:
    """Return the codecs' costs with those of their tensors' ways from and to a GPU."""
    return {
        layer_id: {
            name: replace(c, encode_s=c.encode_s + way.fetch_s, decode_s=c.decode_s + way.load_s)
            for name, c in costs.items()
        }
        for layer_id, costs in codecs.items()
        for way in [ways.get(layer_id, Way(0.0, 0.0))]
    }


def _codec_costs(
    model: Model,
    samples: Sequence[np.ndarray],
    before: Sequence[np.ndarray | None],
    codecs: Sequence[str],
    done: Callable[[], object],
) -> dict[str, dict[str, CodecCost]]:
    now = timing.clock('cpu')
    sendable = [layer for layer in model.graph.layers if layer.op != 'detections']
    rows: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    refused: set[tuple[str, str]] = set()
    refers = any(name in REFERRING for name in codecs)
    for sample, earlier in itertools.zip_longest(samples, before):
        tensors = layer_tensors(model.module, torch.from_numpy(sample))
        known = {}
        if refers and earlier is not None:
            known = layer_tensors(model.module, torch.from_numpy(earlier))
        for layer in sendable:
            array = tensors[layer.id].numpy()
            for name in _distinct(layer, codecs):
                reference = known.get(layer.id) if name in REFERRING else None
                if (layer.id, name) in refused or (name in REFERRING and reference is None):
                    continue
                try:
                    row = _encode_decode(model, layer, array, name, reference, now)
                except CodecError:  # values outside what the codec takes
                    refused.add((layer.id, name))
                    continue
                rows.setdefault((layer.id, name), []).append(row)
        done()
    measured = {key: _cost(np.array(values)) for key, values in rows.items() if key not in refused}
    return {
        layer.id: {
            name: measured[layer.id, plain]
            for name in codecs
            if (layer.id, plain := codec.plainest(name, layer.dtype)) in measured
        }
        for layer in sendable
    }


def _distinct(layer: Layer, codecs: Sequence[str]) -> list[str]:
    """Return the codecs that take a layer's tensor, once where two write the same bytes."""
    plain = dict.fromkeys(codec.plainest(name, layer.dtype) for name in codecs)
    return [name for name in plain if codec.supported(name, layer.shape, layer.dtype)]


def _cost(rows: np.ndarray) -> CodecCost:
    """Return the cost from rows of (bytes, seconds to encode, seconds to decode)."""
    high = float(np.quantile(rows[:, 0], _HIGH, method='higher'))
    encode_s, decode_s = np.median(rows[:, 1:], axis=0)
    return CodecCost(float(rows[:, 0].mean()), high, float(encode_s), float(decode_s))


def _encode_decode(
    model: Model,
    layer: Layer,
    array: np.ndarray,
    name: str,
    reference: torch.Tensor | None,
    now: timing.Clock,
) -> tuple[int, float, float]:
    plain = name.removesuffix(codec.REF_SUFFIX)
    known = None if reference is None else codec.received(reference.numpy(), plain)
    start = now()
    data = (
        codec.encode(array, name) if known is None else codec.encode_against(array, plain, known)
    )
    encoded = now()
    decoded = codec.decode(data, name, layer.shape, layer.dtype, lambda _: known)
    surgery.load(model, layer.id, decoded)
    return len(data), encoded - start, now() - encoded
