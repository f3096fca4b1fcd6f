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
from dataclasses import replace
from importlib.util import find_spec
import json
from pathlib import Path
import sys
import time

from dads_ros.bench.detector.accuracy import accuracy
from dads_ros.bench.detector.capped import capped
from dads_ros.bench.detector.memory import peak_memory_mb
from dads_ros.bench.detector.rates import rates
from dads_ros.bench.detector.sibling import sibling
from dads_ros.bench.detector.text import as_text
from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.bench.faults.hostile import largest_by_condition
from dads_ros.detector.coco import category_names
from dads_ros.detector.coco import VEHICLES
from dads_ros.detector.data import load_coco
from dads_ros.detector.data import Sample
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.evaluate import SMALLEST_PX
from dads_ros.detector.network import INPUT_HEIGHT
from dads_ros.detector.network import INPUT_WIDTH
from dads_ros.detector.network import LABELS
from dads_ros.detector.shipped import as_detector
from dads_ros.detector.shipped import load_network
from dads_ros.detector.shipped import TWIN
from dads_ros.detector.shipped import WEIGHTS
from dads_ros.detector.true_classes import read_true
from dads_ros.detector.validate import input_truth
from dads_ros.detector.validate import letterbox_sample
from dads_ros.errors import ConfigError
from dads_ros.errors import MediaError
from dads_ros.media.clip import FRAMES
from dads_ros.media.clip import RATE_HZ
from dads_ros.media.drawn import draw_samples
from dads_ros.media.drawn import FIRST_TRIAL
from dads_ros.media.drawn import samples_of
from dads_ros.model.capture import capture_detector
from dads_ros.model.surgery import head
from dads_ros.model.threads import use_threads
import numpy as np

DEMO_SEED = 0


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
        nargs='+',
        default=['val.json'],
        metavar='FILE[:CLIP]',
        help='COCO files in it, or one clip of such a file, all together; default: val.json',
    )
    parser.add_argument(
        '--true-classes',
        metavar='FILE',
        help='COCO file in it with true boxes of some of the frames: what car, truck or bus an '
        'annotated box is is taken from the true box that it lies on',
    )
    parser.add_argument(
        '--weights', type=Path, default=WEIGHTS, help='default: those of the package'
    )
    parser.add_argument(
        '--twin',
        type=Path,
        metavar='WEIGHTS',
        help='the same network without a waist, which dads train writes, too, to tell what the '
        'waist costs; default: twin.pt beside --weights',
    )
    parser.add_argument(
        '--drawn-frames',
        type=int,
        default=300,
        metavar='N',
        help='frames of drawn drives, which tell of the rare classes (default: %(default)s)',
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    use_threads(1)
    if find_spec('av') is None:
        print('PyAV is not installed (pip install av): no rows of H.264', file=sys.stderr)
    twin = args.twin or args.weights.with_name(TWIN.name)
    if args.weights.is_file() and not twin.is_file():
        raise ConfigError(f'{str(twin)!r} does not exist; say with --twin what to compare with')
    if args.drawn_frames < 1:
        raise ConfigError(f'--drawn-frames must be at least 1, not {args.drawn_frames}')
    true = None if args.true_classes is None else args.data / args.true_classes
    result = measure(args.data, args.annotations, true, args.weights, twin, args.drawn_frames)
    print(json.dumps(result) if args.json else as_text(result))
    return 0


def measure(
    data: Path,
    annotations: Sequence[str],
    true_classes: Path | None,
    weights: Path,
    twin_weights: Path,
    drawn_frames: int,
) -> dict[str, object]:
    """
    Return what ``--json`` prints.

    :param data: the folder of the annotations, and of frames that are not beside them.
    :param true_classes: a COCO file of true boxes that tells cars, trucks and buses apart.
    Raises MediaError when there are no frames or no vehicle that counts, ConfigError when
    weights cannot be read.
    """
    files = [data / name.partition(':')[0] for name in annotations]
    true = [] if true_classes is None else read_true(true_classes, files)
    samples: list[Sample] = []
    for given in annotations:
        name, _, clip = given.partition(':')
        size = (INPUT_HEIGHT, INPUT_WIDTH)
        chosen = [clip] if clip else []
        named = load_coco(data / name, LABELS, chosen, folder=data, size=size, true=true)
        if not named:
            raise MediaError(f'{str(data / name)!r} has no frames of {clip or "any clip"}')
        # Of two files the frames of one clip are not consecutive: each is a stream of its own.
        samples += [replace(sample, clip=f'{given} {sample.clip}') for sample in named]
    shipped = trial('shipped', weights, True, samples)
    require_vehicles(shipped, files[0])
    twin = trial('twin', twin_weights, False, samples)
    found = shipped.find(shipped.whole, shipped.frames, 'frames')
    return {
        'annotations': ' '.join(annotations),
        'frames': len(samples),
        **accuracy(found, shipped.truth),
        **on_drawn_frames(shipped, drawn_frames),
        **speed(shipped),
        'peak_memory_mb': peak_memory_mb('shipped', weights),
        'parameters': sum(p.numel() for p in shipped.detector.module.parameters()),
        'weights_bytes': weights.stat().st_size,
        **rates(shipped, twin, found),
        'largest_bytes_by_condition': largest_by_condition(shipped),
        'capped': capped(shipped),
        'larger_detector': sibling(data, shipped),
    }


def trial(name: str, weights: Path, waist: bool, samples: Sequence[Sample]) -> Trial:
    """
    Return a network of a weights file, captured, with the frames that it is tried on.

    Raises ConfigError when it is none, or when it has a waist and should not, or the other way.
    """
    network = load_network(weights)
    if (network.waist is not None) != waist:
        has, option, wanted = ('no', 'weights', WEIGHTS) if waist else ('a', 'twin', TWIN)
        raise ConfigError(
            f'{str(weights)!r} is a network with {has} waist; give --{option} the {wanted.name} '
            'of a run of `dads train`'
        )
    detector = as_detector(network)
    return with_frames(
        Trial(name, detector, capture_detector(detector), (), (), ()), name, samples
    )


def with_frames(trial: Trial, name: str, samples: Sequence[Sample]) -> Trial:
    """Return the same network with other frames that it is tried on."""
    return replace(
        trial,
        name=name,
        frames=[letterbox_sample(sample, trial.detector).numpy() for sample in samples],
        truth=[input_truth(sample, trial.detector) for sample in samples],
        clips=[sample.clip for sample in samples],
    )


def require_vehicles(trial: Trial, annotations: Path) -> None:
    """Raise MediaError where no vehicle counts, as AP50 and what follows from it is of them."""
    wanted = [LABELS.index(label) for label in VEHICLES]
    for known in trial.truth:
        high = known.boxes[:, 3] - known.boxes[:, 1] >= SMALLEST_PX
        if (np.isin(known.class_ids, wanted) & ~known.ignore & high).any():
            return
    names = ', '.join(map(repr, category_names(annotations))) or 'none'
    raise MediaError(
        f'{str(annotations)!r} has no {" or ".join(VEHICLES)} that counts, sure and '
        f"{SMALLEST_PX:g} px high or more in the network's input; its categories are {names}; "
        'call vehicles by these words'
    )


def on_drawn_frames(shipped: Trial, count: int) -> dict[str, object]:
    """
    Return what is found of frames that are drawn, against exact boxes.

    That is the AP at IoU 0.5 on the demo's clip, a frame a second, and of each class on so many
    frames of drives that no network was trained on: real ones have too few of some classes.
    """
    clip = list(samples_of(DEMO_SEED, round(FRAMES / RATE_HZ), rate_hz=1.0))
    drawn = with_frames(shipped, 'drawn', clip)
    drives = with_frames(shipped, 'drawn drives', draw_samples(count, FIRST_TRIAL))
    classes = average_precision(
        drives.find(drives.whole, drives.frames, 'frames'), drives.truth, LABELS
    )
    return {
        'ap50_on_the_drawn_clip': drawn.ap50(drawn.find(drawn.whole, drawn.frames, 'frames')),
        'ap50_by_class_on_drawn_drives': classes.ap50_by_class,
        'boxes_by_class_on_drawn_drives': classes.boxes_by_class,
        'ap50_by_class_and_height_on_drawn_drives': classes.ap50_by_class_and_size,
        'boxes_by_class_and_height_on_drawn_drives': classes.boxes_by_class_and_size,
    }


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
    }
