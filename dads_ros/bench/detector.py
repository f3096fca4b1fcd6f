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
``dads bench detector``: accuracy, speed and bytes of the shipped detector on annotated frames.

Every row is the whole path: the frame or the waist is encoded and decoded by the package's codecs,
the captured network's halves run on the result, and what they find is held against the boxes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
import json
from pathlib import Path
import time

import numpy as np
import torch
from tqdm import tqdm

from dads_ros.capture import capture_detector
from dads_ros.capture import Model
from dads_ros.codec import decode
from dads_ros.codec import encode
from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import load_coco
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.evaluate import false_positives_per_empty_frame
from dads_ros.detector.evaluate import SMALLEST_PX
from dads_ros.detector.evaluate import vehicles
from dads_ros.detector.network import LABELS
from dads_ros.detector.shipped import as_detector
from dads_ros.detector.shipped import load_network
from dads_ros.detector.shipped import WEIGHTS
from dads_ros.detector.validate import input_truth
from dads_ros.detector.validate import letterbox_sample
from dads_ros.errors import MediaError
from dads_ros.surgery import Half
from dads_ros.surgery import head
from dads_ros.surgery import tail

IMAGE_CODECS = tuple(
    f'{kind}{quality}' for kind in ('jpeg', 'webp') for quality in (5, 10, 20, 30, 50, 75, 90)
)
WAIST_CODECS = ('packed', 'packed2', 'packed4', 'packed8')
# Within this much of the uncompressed AP50, an image counts as equally good.
EQUAL_AP50 = 0.01
REPORTED_SCORE = 0.4


@dataclass(frozen=True)
class Row:
    """One way to send a frame: its bytes, what it costs to encode, and what is still found."""

    upload: str
    bytes_mean: float
    bytes_max: int
    encode_ms: float
    ap50: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``dads bench detector``."""
    parser.add_argument(
        '--data', type=Path, required=True, metavar='DIR', help='folder with a COCO file and frames'
    )
    parser.add_argument(
        '--annotations',
        default='val.json',
        metavar='FILE',
        help='the COCO file in it, default: %(default)s',
    )
    parser.add_argument(
        '--clips', nargs='*', default=[], metavar='CLIP', help='only these clips, default: all'
    )
    parser.add_argument(
        '--weights', type=Path, default=WEIGHTS, help='default: those of the package'
    )
    parser.add_argument(
        '--twin',
        type=Path,
        metavar='WEIGHTS',
        help='weights of `dads train --waist none`, to tell what the waist costs',
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        result = measure(args.data / args.annotations, args.clips, args.weights, args.twin)
    finally:
        torch.set_num_threads(threads)
    if args.json:
        print(json.dumps(result))
    else:
        print(as_text(result))
    return 0


def measure(
    annotations: Path, clips: Sequence[str], weights: Path, twin: Path | None
) -> dict[str, object]:
    """
    Return what ``--json`` prints.

    Raises MediaError when the file has no frames, ConfigError when weights cannot be read.
    """
    detector = as_detector(load_network(weights))
    samples = load_coco(annotations, LABELS, clips)
    if not samples:
        raise MediaError(f'{str(annotations)!r} has no frames of {", ".join(clips) or "any clip"}')
    frames = [letterbox_sample(sample, detector).numpy() for sample in samples]
    truth = [input_truth(sample, detector) for sample in samples]
    model = capture_detector(detector)
    whole = tail(model, model.graph.inputs)
    found = find(whole, detector, frames, 'frames')
    classes = average_precision(found, truth, LABELS)
    merged = average_precision(*vehicles(found, truth, LABELS))
    waist = waist_rows(model, detector, frames, truth)
    images = [send(name, frames, whole, detector, truth) for name in IMAGE_CODECS]
    equal = merged.ap50 - EQUAL_AP50
    empty_false, empty_frames = false_positives_per_empty_frame(found, truth, REPORTED_SCORE)
    return {
        'annotations': str(annotations),
        'frames': len(frames),
        'ap50': merged.ap50,
        'ap50_is': f'car, truck and bus as one class, boxes from {SMALLEST_PX:g} px in height',
        'ap50_mean_of_classes': classes.ap50,
        'ap50_95': merged.ap50_95,
        'ap50_by_class': {**classes.ap50_by_class, 'vehicle': merged.ap50},
        'ap50_by_height': merged.ap50_by_size,
        'boxes_by_class': {**classes.boxes_by_class, **merged.boxes_by_class},
        'false_positives_per_empty_frame': empty_false,
        'empty_frames': empty_frames,
        **speed(model, detector, frames),
        'parameters': sum(p.numel() for p in detector.module.parameters()),
        'weights_bytes': weights.stat().st_size,
        'waist_bytes_mean': waist[0].bytes_mean,
        'waist_bytes_max': waist[0].bytes_max,
        'jpeg_bytes_at_equal_ap50': bytes_at(images, 'jpeg', equal),
        'webp_bytes_at_equal_ap50': bytes_at(images, 'webp', equal),
        'equal_ap50_is': f'this network on the decoded image, within {EQUAL_AP50:g} of its AP50',
        'ap50_drop_at_waist': unrounded_ap50(twin or weights, frames, truth) - merged.ap50,
        'ap50_drop_at_waist_is': 'against the twin trained without a waist'
        if twin
        else 'against the same weights without rounding; give --twin for a network trained so',
        'uploads': [asdict(row) for row in (*waist, *images)],
    }


def find(
    half: Half, detector: Detector, tensors: Sequence[np.ndarray], what: str
) -> list[Detections]:
    """Return what the network finds behind each tensor."""
    return [detector.decode(half(tensor)) for tensor in tqdm(tensors, desc=what, leave=False)]


def waist_rows(
    model: Model, detector: Detector, frames: Sequence[np.ndarray], truth: Sequence[Boxes]
) -> list[Row]:
    """Return the rows of the waist, finest first."""
    boundary = (waist_layer(model),)
    front, back = head(model, boundary), tail(model, boundary)
    codes = [front(frame)[0] for frame in tqdm(frames, desc='waist', leave=False)]
    return [send(name, codes, back, detector, truth) for name in WAIST_CODECS]


def send(
    name: str,
    tensors: Sequence[np.ndarray],
    half: Half,
    detector: Detector,
    truth: Sequence[Boxes],
) -> Row:
    """Encode and decode each tensor, run the half behind it, and return what came of it."""
    decoded, sizes, times = [], [], []
    for tensor in tensors:
        started = time.thread_time()
        data = encode(tensor, name)
        times.append(time.thread_time() - started)
        sizes.append(len(data))
        decoded.append(decode(data, name, tensor.shape, tensor.dtype.name))
    found = find(half, detector, decoded, name)
    accuracy = average_precision(*vehicles(found, truth, LABELS))
    encode_ms = float(np.median(times)) * 1e3
    return Row(name, float(np.mean(sizes)), max(sizes), encode_ms, accuracy.ap50)


def unrounded_ap50(weights: Path, frames: Sequence[np.ndarray], truth: Sequence[Boxes]) -> float:
    """Return the AP50 of a network whose waist is not rounded."""
    network = load_network(weights)
    network.waist.quantise = False
    detector = as_detector(network)
    model = capture_detector(detector)
    found = find(tail(model, model.graph.inputs), detector, frames, 'unrounded')
    return average_precision(*vehicles(found, truth, LABELS)).ap50


def speed(
    model: Model, detector: Detector, frames: Sequence[np.ndarray], rounds: int = 50
) -> dict[str, float]:
    """Return frames per second and milliseconds on one core, by this thread's own time."""
    whole = tail(model, model.graph.inputs)
    front = head(model, (waist_layer(model),))
    whole.warm_up()
    front.warm_up()
    edge_s, frame_s = [], []
    for index in range(rounds):
        frame = frames[index % len(frames)]
        times = [time.thread_time()]
        front(frame)
        times.append(time.thread_time())
        detector.decode(whole(frame))
        times.append(time.thread_time())
        edge_s.append(times[1] - times[0])
        frame_s.append(times[2] - times[1])
    low, middle, high = np.percentile(frame_s, (25, 50, 75)) * 1e3
    return {
        'frames_per_s_one_core': 1e3 / float(middle),
        'frame_ms': float(middle),
        'frame_ms_iqr': float(high - low),
        'edge_share_of_frame_time': float(np.median(edge_s) * 1e3 / middle),
    }


def waist_layer(model: Model) -> str:
    """Return the layer whose output is the waist: the last one of uint8."""
    return [layer.id for layer in model.graph.layers if layer.dtype == 'uint8'][-1]


def bytes_at(rows: Sequence[Row], kind: str, ap50: float) -> float | None:
    """
    Return the least bytes at which images of a kind reach an AP50, between qualities linearly.

    :return: None when none does.
    """
    chosen = [row for row in rows if row.upload.startswith(kind)]
    for index, row in enumerate(chosen):
        if row.ap50 < ap50:
            continue
        if not index:
            return row.bytes_mean
        below = chosen[index - 1]
        share = (ap50 - below.ap50) / (row.ap50 - below.ap50)
        return below.bytes_mean + share * (row.bytes_mean - below.bytes_mean)
    return None


def as_text(result: dict[str, object]) -> str:
    """Return the result as lines and a table of uploads."""
    lines = [f'{name:32} {_short(value)}' for name, value in result.items() if name != 'uploads']
    lines.append(f'{"upload":10} {"bytes":>8} {"largest":>8} {"ms":>6} {"AP50":>6}')
    rows = result['uploads']
    assert isinstance(rows, list)
    for row in rows:
        lines.append(
            f'{row["upload"]:10} {row["bytes_mean"]:8.0f} {row["bytes_max"]:8} '
            f'{row["encode_ms"]:6.2f} {row["ap50"]:6.3f}'
        )
    return '\n'.join(lines)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ' '.join(f'{name} {_short(item)}' for name, item in value.items())
    return f'{value:.4g}' if isinstance(value, float) else str(value)
