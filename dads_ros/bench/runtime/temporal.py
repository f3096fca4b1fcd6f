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
What coding a frame against an earlier one that the cloud is known to have saves.

The waist is coded against the newest waist that the cloud has acknowledged. That one is ``lag``
frames old, since results take time; a lost bundle then costs nothing but that frame. H.264 of the
input frame stands beside it: smaller than JPEG, but each frame needs all before it.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from collections.abc import Sized
from dataclasses import dataclass
from dataclasses import replace
import itertools
from typing import TypeVar

from dads_ros import codec
from dads_ros.bench.detector import video
from dads_ros.codec.rounding import MAX_LEVELS
from dads_ros.detector.api import Detector
from dads_ros.image import letterbox
from dads_ros.media.sources import open_source
from dads_ros.model import surgery
from dads_ros.model import timing
from dads_ros.model.capture import layer_tensors
from dads_ros.model.capture import Model
import numpy as np
import torch

T = TypeVar('T')
LAGS = (1, 2, 4)
H264_QUALITIES = (28, 32)


@dataclass(frozen=True, slots=True)
class Temporal:
    """
    One way to code consecutive frames.

    :param lag: how many frames old the reference is; None when there is none.
    :param bytes_alone: of a frame without a reference: the first, and the next after a loss.
    """

    what: str
    lag: int | None
    bytes_mean: float
    bytes_p95: float
    bytes_alone: float
    encode_ms: float


def consecutive_frames(source: str, detector: Detector, count: int) -> list[np.ndarray]:
    """Return network inputs of the first frames of a source, as they follow each other."""
    return [
        letterbox(frame.image_rgb, detector.input_height, detector.input_width)
        for frame in itertools.islice(open_source(source), count)
    ]


def measure(model: Model, frames: Sequence[np.ndarray]) -> list[Temporal]:
    """Return every way's bytes and time, frame by frame, without those that cannot be run here."""
    return [*_waist(model, frames), *_pictures(frames)]


def _waist(model: Model, frames: Sequence[np.ndarray]) -> list[Temporal]:
    name = _few_levels(model, frames[0])
    if name is None:
        return []
    head = surgery.head(model, (name,))
    waists = [np.ascontiguousarray(head(frame)[0]) for frame in frames]
    alone = _coded('waist, packed', None, waists, lambda values: codec.encode(values, 'packed'))
    found = [alone]
    for lag in (lag for lag in LAGS if lag < len(waists)):
        pairs = list(zip(waists[lag:], waists, strict=False))
        one = _coded('waist, packed+ref', lag, pairs, _against)
        found.append(replace(one, bytes_alone=alone.bytes_mean))
    return found


def _pictures(frames: Sequence[np.ndarray]) -> list[Temporal]:
    found = [
        _coded('frame, jpeg50', None, frames, lambda frame: codec.encode(frame, 'jpeg50')),
    ]
    for quality in H264_QUALITIES if len(frames) > 1 else ():
        try:
            _, sizes, encode_s = video.stream(frames, quality)
        except ImportError:  # PyAV is optional
            break
        rest = np.array(sizes[1:])
        found.append(
            Temporal(
                f'frame, H.264 crf {quality}', 1, float(rest.mean()),
                float(np.quantile(rest, 0.95)), float(sizes[0]), 1e3 * encode_s,
            )
        )  # fmt: skip
    return found


def _against(pair: tuple[np.ndarray, np.ndarray]) -> memoryview:
    now, before = pair
    return codec.encode_against(now, 'packed', before)


def _few_levels(model: Model, frame: np.ndarray) -> str | None:
    """Return the layer that is made to be cut at: uint8 of few levels."""
    tensors = layer_tensors(model.module, torch.from_numpy(frame))
    for layer in model.graph.layers:
        tensor = tensors.get(layer.id)
        if layer.op == 'input' or tensor is None or tensor.dtype != torch.uint8:
            continue
        if int(tensor.max()) < MAX_LEVELS:
            return layer.id
    return None


def _coded(
    what: str,
    lag: int | None,
    inputs: Sequence[T],
    encode: Callable[[T], Sized],
) -> Temporal:
    now = timing.clock('cpu')
    sizes, seconds = [], []
    for one in inputs:
        start = now()
        data = encode(one)
        seconds.append(now() - start)
        sizes.append(len(data))
    return Temporal(
        what, lag, float(np.mean(sizes)), float(np.quantile(sizes, 0.95)),
        float(np.mean(sizes)), 1e3 * float(np.median(seconds)),
    )  # fmt: skip
