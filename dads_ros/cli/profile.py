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

"""``dads profile``: measure a detector on this machine and save what the planner needs."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json

from dads_ros.cli import arguments
from dads_ros.detector.api import load_detector
from dads_ros.model import capture
from dads_ros.model import compiled
from dads_ros.model.threads import use_threads
from dads_ros.profiles import compiling
from dads_ros.profiles import profiling
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.profile import CompiledCut
from dads_ros.profiles.profile import SIDES
from dads_ros.sampling import input_pairs
from dads_ros.settings import DetectorSettings
from dads_ros.settings import limits_of

# Stands for the cut that is best most often; no tensor has such a name.
_BEST = '*'

EXAMPLES = """\
  dads profile --frames drive.mp4 --side edge -o edge.json       on the car
  dads profile --frames drive.mp4 --side cloud -o cloud.json     on the server
  dads profile --device cuda -o gpu.json                         both sides, on a GPU
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is measured, on which frames, and where the profile goes."""
    arguments.add_detector(parser)
    parser.add_argument(
        '--frames', default='scene', metavar='SOURCE',
        help='video, bag, folder of pictures, or scene[:seed]; encoded sizes depend on it, so '
        'take frames like those of the drive (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--side', choices=SIDES, default='both',
        help='where this machine works (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--count', type=int, default=24, metavar='N', help='frames to use (default: %(default)s)'
    )
    parser.add_argument(
        '--device', choices=limits_of(DetectorSettings)['device'].choices, default='cpu',
        help='as for the nodes; CUDA_VISIBLE_DEVICES chooses among GPUs (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--threads', type=int, default=0, metavar='N',
        help='threads of the network; default: all cores but one',
    )  # fmt: skip
    parser.add_argument(
        '--compile', nargs='?', const=_BEST, metavar='CUT',
        help='also compile the halves of one cut for this machine, once, in a minute or two; CUT '
        'names its tensors with commas (default: the cut that is best most often). Nodes use '
        'them when told to (parameter compiled)',
    )  # fmt: skip
    parser.add_argument(
        '-o', '--output', type=arguments.output_file, required=True, metavar='FILE'
    )
    parser.add_argument('--json', action='store_true', help='print a summary as JSON')


def run(args: argparse.Namespace) -> int:
    """Measure and save."""
    if args.compile is not None:
        compiled.require_cpu(args.device)
    use_threads(args.threads)
    detector = load_detector(args.detector, args.weights)
    frames, before = zip(*input_pairs(args.frames, detector, args.count), strict=True)
    model = capture.capture_detector(detector)
    result = profiling.measure(
        detector, model, frames, before=before, side=args.side, device=args.device, progress=True
    )
    if args.compile is not None:
        calibration = Calibration.find(None, model.hash)
        boundary = (
            compiling.steady_cut(result, calibration)
            if args.compile == _BEST
            else tuple(args.compile.split(','))
        )
        result = compiling.compile_cut(detector, model, frames, result, boundary, progress=True)
    result.save(args.output)
    summary = {
        'model': result.model_hash,
        'machine': result.machine,
        'layers': len(result.layer_s),
        'whole_s': result.whole_s,
        'fit_error': result.fit_error,
        'frames': result.frames,
        'threads': result.threads,
        'compiled': result.compiled and asdict(result.compiled),
    }
    if args.json:
        print(json.dumps(summary))
    else:
        print(
            f'{result.detector}: {summary["layers"]} layers, {result.frames} frames, '
            f'{1e3 * result.whole_s:.1f} ms a frame on {result.threads} thread(s) '
            f'of {result.machine}; halves predicted within {100 * result.fit_error:.0f}%'
        )
        if result.compiled is not None:
            print(_compiled_line(result.compiled))
    return 0


def _compiled_line(made: CompiledCut) -> str:
    """Say what was compiled, what it gained, and how far it is from the reference."""
    shares = ', '.join(f'{name} {share:.2f}' for name, share in made.shares.items())
    return (
        f'compiled the halves at {", ".join(made.boundary) or "no cut"}: {shares} of the plain '
        f"halves' time; outputs differ by {made.output_difference:.1e} at most, boxes by "
        f'{made.box_difference_px:.1e} pixels, {made.frames_changed} frames find other objects'
    )
