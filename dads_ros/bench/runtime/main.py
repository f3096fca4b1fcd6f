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
``dads bench runtime``: halves against the whole, codecs, and how well a profile predicts.

Times are this thread's own CPU time on one thread, taken in turns within one run, so that their
ratios hold on a busy machine too. With a GPU they are the wall clock's, and halves alone are
measured: codecs run on the CPU wherever the network does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

from dads_ros.bench.runtime import halves
from dads_ros.bench.runtime import rates
from dads_ros.bench.runtime import report
from dads_ros.bench.runtime import temporal
from dads_ros.calibrate import Judge
from dads_ros.detector.api import Detector
from dads_ros.detector.api import load_detector
from dads_ros.detector.data import Boxes
from dads_ros.errors import ConfigError
from dads_ros.model import capture
from dads_ros.model.capture import Model
from dads_ros.model.devices import find_device
from dads_ros.partition.table import PlanTable
from dads_ros.profiles import planning
from dads_ros.profiles import profiling
from dads_ros.profiles.profile import Profile
from dads_ros.sampling import input_frames
from dads_ros.sampling import labelled_frames
from dads_ros.settings import DEFAULT_DETECTOR
from dads_ros.settings import DetectorSettings
from dads_ros.settings import limits_of
import numpy as np
import torch
from tqdm import tqdm

# Frames, and the true boxes of each, when there are any.
Judged = tuple[Sequence[np.ndarray], 'Sequence[Boxes] | None']
EDGE_FACTORS = (1.0, 2.0, 6.0)
UPLINKS_MBPS = (0.5, 1.0, 2.0, 5.0, 20.0)
_PROFILE_FRAMES = 16
_PLANS = 60
_CLIP_FRAMES = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``dads bench runtime``."""
    parser.add_argument(
        '--detector',
        default=DEFAULT_DETECTOR,
        metavar='MODULE:FACTORY',
        help='default: %(default)s',
    )
    parser.add_argument('--weights', type=Path, metavar='FILE', help='handed to the factory')
    parser.add_argument(
        '--frames', default='scene', metavar='SOURCE',
        help='video, bag, folder of pictures or scene[:seed] (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--labels', type=Path, metavar='COCO',
        help="frames with true boxes for the AP column; the detector's own output when left out",
    )  # fmt: skip
    parser.add_argument(
        '--count', type=int, default=200, metavar='N', help='frames (default: %(default)s)'
    )
    parser.add_argument(
        '--cuts', type=int, default=50, metavar='N',
        help='random cuts to compare with the whole (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--edge-slowdown', type=float, default=6.0, metavar='X',
        help='how much slower than here the car computes, for latencies (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--device', choices=limits_of(DetectorSettings)['device'].choices, default='cpu',
        help='of both halves, as for the nodes; on a GPU codecs are left out (default: '
        '%(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--docs', type=Path, metavar='DIR', help='write the tables and the plot into this folder'
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Measure, print, and write the documentation's tables.

    Raises ConfigError, before anything is measured, when a number is too small, the device is not
    there, or the judged frames hold no object.
    """
    if args.cuts < 1:
        raise ConfigError(f'the number of cuts must be at least 1, not {args.cuts}')
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        find_device(args.device)
        detector = load_detector(args.detector, args.weights)
        frames = input_frames(args.frames, detector, args.count)
        judged: Judged = (frames, None)
        if args.labels:
            judged = labelled_frames(args.labels, detector, args.count)
        result = {
            'source': args.frames,
            'labels': str(args.labels) if args.labels else None,
        }
        if args.device == 'cpu':
            clip = temporal.consecutive_frames(args.frames, detector, _CLIP_FRAMES)
            result |= measure(detector, frames, judged, clip, args.cuts, args.edge_slowdown)
        else:
            result |= measure_on_gpu(detector, frames, judged, args.cuts, args.device)
    finally:
        torch.set_num_threads(threads)
    if args.docs:
        report.write(result, args.docs)
    print(json.dumps(result, allow_nan=False) if args.json else report.as_text(result))
    return 0


def measure(
    detector: Detector,
    frames: Sequence[np.ndarray],
    judged: Judged,
    clip: Sequence[np.ndarray],
    cuts: int,
    edge_factor: float,
) -> dict[str, Any]:
    """
    Return what ``--json`` prints.

    :param judged: frames and true boxes for the changes in AP.
    :param clip: frames that follow each other.
    Raises ConfigError, before anything is measured, when the judged frames hold no object.
    """
    model = capture.capture_detector(detector)
    judge = Judge(detector, model, *judged)
    few = _few(frames)
    with tqdm(total=7, unit='part') as bar:
        figures, profile, table = _halves(detector, model, few, cuts, 'cpu', bar)
        speeds = rates.speeds(model, frames[0])
        lossless = planning.build_table(model.graph, profile, profile, accuracy_budget=0.0)
        won = dict.fromkeys(
            (
                model.graph.inputs,
                *rates.winners(table, EDGE_FACTORS),
                *rates.winners(lossless, EDGE_FACTORS),
            )
        )
        rows = rates.rate_table(profile, list(won), judge)
        bar.update()
        latencies = rates.latencies(
            detector, model, rows, frames,
            uplinks_mbps=UPLINKS_MBPS, edge_factor=edge_factor, budget=0.01,
        )  # fmt: skip
        bar.update()
        against_earlier = temporal.measure(model, clip)
        bar.update()
    return {
        **_about(detector, model, profile, frames, judged),
        **figures,
        'codec_mb_s': {name: speed.encode_mb_s for name, speed in speeds.items()},
        'codec_decode_mb_s': {name: speed.decode_mb_s for name, speed in speeds.items()},
        'library_mb_s': {name: speed.library_mb_s for name, speed in speeds.items()},
        'rates': [asdict(row) for row in rows],
        'edge_slowdown': edge_factor,
        'latencies': [asdict(one) for one in latencies],
        'temporal': [asdict(one) for one in against_earlier],
    }


def measure_on_gpu(
    detector: Detector,
    frames: Sequence[np.ndarray],
    judged: Judged,
    cuts: int,
    device: str,
) -> dict[str, Any]:
    """
    Return what ``--json`` prints with a GPU: its halves, and how far they are from the CPU's.

    Raises ConfigError, before anything is measured, when the judged frames hold no object.
    """
    model = capture.capture_detector(detector)
    here = Judge(detector, model, *judged)
    few = _few(frames)
    with tqdm(total=5, unit='part') as bar:
        figures, profile, _ = _halves(detector, model, few, cuts, device, bar)
        there = Judge(detector, model, *judged, device)
        difference = halves.largest_difference(model, few, device)
        bar.update()
    return {
        **_about(detector, model, profile, frames, judged),
        'device': device,
        'gpu': torch.cuda.get_device_name(),
        'whole_ms': 1e3 * profile.whole_s,
        **figures,
        'output_difference': difference,
        'ap50_change': there.ap50 - here.ap50,
    }


def _few(frames: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    return frames[:: max(1, len(frames) // _PROFILE_FRAMES)][:_PROFILE_FRAMES]


def _halves(
    detector: Detector,
    model: Model,
    frames: Sequence[np.ndarray],
    cuts: int,
    device: str,
    bar: tqdm[Any],
) -> tuple[dict[str, Any], Profile, PlanTable]:
    """Measure halves on a device in four parts of the bar, and return what was made for it."""
    boundaries = halves.random_boundaries(model.graph, cuts, seed=0)
    mismatches = halves.split_mismatches(model, boundaries, frames[0], device)
    bar.update()
    ratios = halves.halves_over_whole(model, boundaries, frames, device)
    edge_only, fastest = halves.edge_only_over_plain_torch(detector, model, frames, device)
    bar.update()
    profile = profiling.measure(detector, model, frames, device=device)
    table = planning.build_table(model.graph, profile, profile)
    bar.update()
    predicted = halves.predictions(detector, model, table, frames, _PLANS, device)
    bar.update()
    figures = {
        'halves_over_whole': float(np.median(ratios)),
        'halves_over_whole_p90': float(np.quantile(ratios, 0.9)),
        'edge_only_over_plain_torch': edge_only,
        'fastest_plain_torch': fastest,
        'profile_error_p90': float(np.quantile([p.share for p in predicted], 0.9)),
        'profile_error_max': max(p.share for p in predicted),
        'profile_error_absolute_p90': float(np.quantile([p.absolute for p in predicted], 0.9)),
        'profile_error_absolute_max': max(p.absolute for p in predicted),
        'plans_measured': len(predicted),
        'split_cuts': len(boundaries),
        'split_mismatches': len(mismatches),
    }
    return figures, profile, table


def _about(
    detector: Detector,
    model: Model,
    profile: Profile,
    frames: Sequence[np.ndarray],
    judged: Judged,
) -> dict[str, Any]:
    return {
        'detector': detector.name,
        'model': model.hash,
        'machine': profile.machine,
        'frames': len(frames),
        'judged_frames': len(judged[0]),
        'ap50_of': 'labels' if judged[1] is not None else "the detector's own float32 output",
    }
