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

Rows of uploads are in ``uploads``. Speed is this thread's own time on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
import json
from pathlib import Path
import resource
import time

from dads_ros.bench.detector.capped import capped
from dads_ros.bench.detector.sibling import sibling
from dads_ros.bench.detector.temporal import measure_temporal
from dads_ros.bench.detector.text import as_text
from dads_ros.bench.detector.uploads import bytes_at
from dads_ros.bench.detector.uploads import image_rows
from dads_ros.bench.detector.uploads import Row
from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import video_rows
from dads_ros.bench.detector.uploads import WAIST_CODECS
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.bench.detector.uploads import waist_rows
from dads_ros.bench.faults.hostile import largest_by_condition
from dads_ros.detections import Detections
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import load_coco
from dads_ros.detector.data import Sample
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.evaluate import false_positives_per_empty_frame
from dads_ros.detector.evaluate import SMALLEST_PX
from dads_ros.detector.evaluate import vehicles
from dads_ros.detector.network import LABELS
from dads_ros.detector.shipped import as_detector
from dads_ros.detector.shipped import load_network
from dads_ros.detector.shipped import TWIN
from dads_ros.detector.shipped import WEIGHTS
from dads_ros.detector.validate import input_truth
from dads_ros.detector.validate import letterbox_sample
from dads_ros.errors import MediaError
from dads_ros.media import scene
from dads_ros.media.clip import FRAMES
from dads_ros.media.clip import RATE_HZ
from dads_ros.model.capture import capture_detector
from dads_ros.model.surgery import head
from dads_ros.model.threads import use_threads
import numpy as np

# Uploads within this much of the uncompressed AP50 count as equally good.
EQUAL_AP50 = 0.01
# Where no image comes that close, what the same comparison says further down.
AP50_LOST = (0.01, 0.02, 0.04, 0.08)
REPORTED_SCORE = 0.4
DEMO_SEED = 0
KINDS = ('packed', 'jpeg', 'webp', 'h264')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``dads bench detector``."""
    parser.add_argument(
        '--data',
        type=Path,
        required=True,
        metavar='DIR',
        help='folder with a COCO file and frames',
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
        default=TWIN,
        metavar='WEIGHTS',
        help="weights trained with --waist none, to tell the waist's price; default: the shipped",
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    use_threads(1)
    result = measure(args.data / args.annotations, args.clips, args.weights, args.twin)
    print(json.dumps(result) if args.json else as_text(result))
    return 0


def measure(
    annotations: Path, clips: Sequence[str], weights: Path, twin_weights: Path
) -> dict[str, object]:
    """
    Return what ``--json`` prints.

    Raises MediaError when the file has no frames, ConfigError when weights cannot be read.
    """
    samples = load_coco(annotations, LABELS, clips)
    if not samples:
        raise MediaError(f'{str(annotations)!r} has no frames of {", ".join(clips) or "any clip"}')
    shipped = trial('shipped', weights, samples)
    twin = trial('twin', twin_weights, samples)
    found = shipped.find(shipped.whole, shipped.frames, 'frames')
    return {
        'annotations': str(annotations),
        'frames': len(samples),
        **accuracy(found, shipped.truth),
        'ap50_on_the_drawn_clip': drawn_ap50(weights),
        **speed(shipped),
        'parameters': sum(p.numel() for p in shipped.detector.module.parameters()),
        'weights_bytes': weights.stat().st_size,
        **rates(shipped, twin, shipped.ap50(found)),
        'largest_bytes_by_condition': largest_by_condition(shipped),
        'capped': capped(shipped),
        'temporal': [asdict(row) for row in measure_temporal(shipped)],
        'larger_detector': sibling(annotations.parent, shipped),
    }


def trial(name: str, weights: Path, samples: Sequence[Sample]) -> Trial:
    """Return a network of a weights file, captured, with the frames that it is tried on."""
    detector = as_detector(load_network(weights))
    return Trial(
        name=name,
        detector=detector,
        model=capture_detector(detector),
        frames=[letterbox_sample(sample, detector).numpy() for sample in samples],
        truth=[input_truth(sample, detector) for sample in samples],
        clips=[sample.clip for sample in samples],
    )


def drawn_ap50(weights: Path) -> float:
    """Return the AP at IoU 0.5 on the demo's drawn clip, a frame a second, against exact boxes."""
    samples = [
        Sample(
            frame.image_rgb,
            Boxes(frame.boxes, frame.class_ids, np.zeros(len(frame.class_ids), bool)),
            'drawn',
        )
        for frame in scene.frames(DEMO_SEED, round(FRAMES / RATE_HZ), rate_hz=1.0)
    ]
    drawn = trial('drawn', weights, samples)
    return drawn.ap50(drawn.find(drawn.whole, drawn.frames, 'frames'))


def accuracy(found: Sequence[Detections], truth: Sequence[Boxes]) -> dict[str, object]:
    """Return the figures on uncompressed frames."""
    classes = average_precision(found, truth, LABELS)
    merged = average_precision(*vehicles(found, truth, LABELS))
    empty_false, empty_frames = false_positives_per_empty_frame(found, truth, REPORTED_SCORE)
    return {
        'ap50': merged.ap50,
        'ap50_is': f'car, truck and bus as one class, boxes from {SMALLEST_PX:g} px in height',
        'ap50_95': merged.ap50_95,
        'ap50_by_class': {**classes.ap50_by_class, 'vehicle': merged.ap50},
        'ap50_by_height': merged.ap50_by_size,
        'boxes_by_class': {**classes.boxes_by_class, **merged.boxes_by_class},
        'false_positives_per_empty_frame': empty_false,
        'empty_frames': empty_frames,
    }


def rates(shipped: Trial, twin: Trial, ap50: float) -> dict[str, object]:
    """Return what uploads cost in bytes and in AP50, for the waist and for what it replaces."""
    rows = [*waist_rows(shipped)]
    for each in (shipped, twin):
        rows += [*image_rows(each), *video_rows(each)]
    twin_ap50 = twin.ap50(twin.find(twin.whole, twin.frames, 'frames'))
    return {
        'waist_bytes_mean': rows[0].bytes_mean,
        'waist_bytes_max': rows[0].bytes_max,
        'ap50_without_waist': twin_ap50,
        'ap50_drop_at_waist': twin_ap50 - ap50,
        **{
            f'{kind}_bytes_at_equal_ap50': size
            for kind, size in bytes_within(rows, ap50 - EQUAL_AP50).items()
        },
        'equal_ap50_is': f'within {EQUAL_AP50:g} of ap50, by the network that does better on it: '
        'the shipped one, or its twin without a waist; both saw JPEG, WebP and H.264 in training',
        'bytes_by_ap50_lost': {f'{lost:g}': bytes_within(rows, ap50 - lost) for lost in AP50_LOST},
        'uploads': [asdict(row) for row in rows],
    }


def bytes_within(rows: Sequence[Row], ap50: float) -> dict[str, float | None]:
    """Return the least bytes of each kind of upload that reaches an AP50, None where none does."""
    # The finest waist comes first, where the others rise in quality.
    rising = [*rows[len(WAIST_CODECS) - 1 :: -1], *rows[len(WAIST_CODECS) :]]
    return {kind: bytes_at(rising, kind, ap50) for kind in KINDS}


def speed(shipped: Trial, rounds: int = 50) -> dict[str, float]:
    """Return frames per second and milliseconds on one core, by this thread's own time."""
    whole = shipped.whole
    front = head(shipped.model, (waist_layer(shipped.model),))
    whole.warm_up()
    front.warm_up()
    edge_s, frame_s = [], []
    for index in range(rounds):
        frame = shipped.frames[index % len(shipped.frames)]
        times = [time.thread_time()]
        front(frame)
        times.append(time.thread_time())
        shipped.detector.decode(whole(frame))
        times.append(time.thread_time())
        edge_s.append(times[1] - times[0])
        frame_s.append(times[2] - times[1])
    low, middle, high = np.percentile(frame_s, (25, 50, 75)) * 1e3
    return {
        'frames_per_s_one_core': 1e3 / float(middle),
        'frame_ms': float(middle),
        'frame_ms_iqr': float(high - low),
        'edge_share_of_frame_time': float(np.median(edge_s) * 1e3 / middle),
        'peak_memory_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
