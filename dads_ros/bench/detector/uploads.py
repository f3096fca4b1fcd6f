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
What still is found when a frame crosses the link in one way or another: a row for each.

Every row is the whole path: the frame or the waist is encoded and decoded by the package's codecs,
the captured network's half runs on the result, and what it finds is held against the boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
import time

from dads_ros.bench.detector.video import QUALITIES
from dads_ros.bench.detector.video import stream
from dads_ros.codec import decode
from dads_ros.codec import encode
from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.detector.data import Boxes
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.evaluate import vehicles
from dads_ros.model.capture import Model
from dads_ros.model.surgery import Half
from dads_ros.model.surgery import head
from dads_ros.model.surgery import tail
import numpy as np
from tqdm import tqdm

IMAGE_CODECS = tuple(
    f'{kind}{quality}'
    for kind in ('jpeg', 'webp')
    for quality in (5, 10, 20, 30, 50, 75, 90, 95, 100)
)
WAIST = 'packed'
WAIST_CODECS = (WAIST, 'packed2', 'packed4', 'packed6', 'packed8')


@dataclass(frozen=True)
class Trial:
    """
    A captured detector, and the frames that it is tried on.

    :param frames: input frames [1, height, width, 3], consecutive within a clip.
    :param truth: what is known of each frame, in input pixels.
    :param clips: the clip that each frame is of.
    """

    name: str
    detector: Detector
    model: Model
    frames: Sequence[np.ndarray]
    truth: Sequence[Boxes]
    clips: Sequence[str]

    @cached_property
    def whole(self) -> Half:
        """Return the network as one half."""
        return tail(self.model, self.model.graph.inputs)

    def find(self, half: Half, tensors: Sequence[np.ndarray], what: str) -> list[Detections]:
        """Return what the network finds behind each tensor."""
        bar = tqdm(tensors, desc=f'{self.name}: {what}', unit='frame', leave=False)
        return [self.detector.decode(half(tensor)) for tensor in bar]

    def ap50(self, found: Sequence[Detections]) -> float:
        """Return the AP at IoU 0.5 of vehicles as one class."""
        return average_precision(*vehicles(found, self.truth, self.detector.labels)).ap50


@dataclass(frozen=True)
class Row:
    """One way to send a frame: its bytes, what it costs to encode, and what is still found."""

    network: str
    upload: str
    bytes_mean: float
    bytes_max: int
    encode_ms: float
    ap50: float


def waist_rows(trial: Trial) -> list[Row]:
    """Return the rows of the waist, finest first."""
    boundary = (waist_layer(trial.model),)
    front, back = head(trial.model, boundary), tail(trial.model, boundary)
    codes = [front(frame)[0] for frame in trial.frames]
    return [send(trial, name, codes, back) for name in WAIST_CODECS]


def image_rows(trial: Trial) -> list[Row]:
    """Return the rows of images, by codec and rising quality."""
    return [send(trial, name, trial.frames, trial.whole) for name in IMAGE_CODECS]


def send(trial: Trial, name: str, tensors: Sequence[np.ndarray], half: Half) -> Row:
    """Encode and decode each tensor, run the half behind it, and return what came of it."""
    decoded, sizes, times = [], [], []
    for tensor in tensors:
        started = time.thread_time()
        data = encode(tensor, name)
        times.append(time.thread_time() - started)
        sizes.append(len(data))
        decoded.append(decode(data, name, tensor.shape, tensor.dtype.name))
    ap50 = trial.ap50(trial.find(half, decoded, name))
    encode_ms = float(np.median(times)) * 1e3
    return Row(trial.name, name, float(np.mean(sizes)), max(sizes), encode_ms, ap50)


def video_rows(trial: Trial) -> list[Row]:
    """
    Return the rows of H.264 streams, one stream per clip, by rising quality.

    The mean leaves out each stream's first frame, since a real stream is longer than these clips.
    There are none without PyAV (``pip install dads_ros[video]``).
    """
    if find_spec('av') is None:
        return []
    streams: dict[str, list[int]] = {}
    for index, clip in enumerate(trial.clips):
        streams.setdefault(clip, []).append(index)
    rows = []
    for quality in QUALITIES:
        name = f'h264-crf{quality}'
        found: dict[int, Detections] = {}
        first, later, times = [], [], []
        for members in streams.values():
            decoded, sizes, encode_s = stream([trial.frames[i] for i in members], quality)
            found.update(zip(members, trial.find(trial.whole, decoded, name), strict=True))
            first.append(sizes[0])
            later.extend(sizes[1:])
            times.append(encode_s)
        ap50 = trial.ap50([found[index] for index in range(len(trial.frames))])
        mean = float(np.mean(later or first))
        encode_ms = float(np.median(times)) * 1e3
        rows.append(Row(trial.name, name, mean, max(first + later), encode_ms, ap50))
    return rows


def waist_layer(model: Model) -> str:
    """Return the layer whose output is the waist: the last one of uint8."""
    return [layer.id for layer in model.graph.layers if layer.dtype == 'uint8'][-1]


def bytes_at(rows: Sequence[Row], kind: str, ap50: float) -> float | None:
    """
    Return the least bytes at which a kind of upload reaches an AP50.

    Images and streams are read linearly between two qualities, as there are others between them.
    The waist has no codec between those that were measured: the smallest of these counts.

    :param rows: images of one kind and network by rising quality; of several networks, the one
        that needs the fewest bytes counts.
    :return: None when none does.
    """
    if kind == WAIST:
        reaching = [r.bytes_mean for r in rows if r.upload in WAIST_CODECS and r.ap50 >= ap50]
        return min(reaching, default=None)
    sizes = []
    for network in {row.network for row in rows}:
        chosen = [r for r in rows if r.network == network and r.upload.startswith(kind)]
        index = next((i for i, row in enumerate(chosen) if row.ap50 >= ap50), None)
        if index is not None:
            sizes.append(_between(chosen[max(0, index - 1)], chosen[index], ap50))
    return min(sizes, default=None)


def _between(below: Row, above: Row, ap50: float) -> float:
    if below is above:
        return above.bytes_mean
    share = (ap50 - below.ap50) / (above.ap50 - below.ap50)
    return below.bytes_mean + share * (above.bytes_mean - below.bytes_mean)
