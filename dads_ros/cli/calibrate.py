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

"""``dads calibrate``: measure what each codec costs in accuracy, where it would be chosen."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dads_ros import calibrate
from dads_ros.cli import arguments
from dads_ros.detector.api import load_detector
from dads_ros.model import capture
from dads_ros.model.threads import use_threads
from dads_ros.profiles import planning
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.profile import Profile
from dads_ros.sampling import input_frames
from dads_ros.sampling import labelled_frames

EXAMPLES = """\
  dads calibrate --edge edge.json --cloud cloud.json --frames drive.mp4 -o calibration.json
      against the detector's own float32 output
  dads calibrate --edge both.json --labels val.json --count 200 -o calibration.json
      against labels, as a COCO file, with a profile of both sides (dads profile -o both.json)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the detector, its profiles, the frames and the budget."""
    arguments.add_detector(parser)
    parser.add_argument('--edge', type=Path, required=True, metavar='PROFILE')
    parser.add_argument(
        '--cloud',
        type=Path,
        metavar='PROFILE',
        help="the cloud's; left out when the edge's is of both sides",
    )
    frames = parser.add_mutually_exclusive_group(required=True)
    frames.add_argument(
        '--frames', metavar='SOURCE',
        help='video, bag, folder of images or scene[:seed]; the float32 detections count as true',
    )  # fmt: skip
    frames.add_argument(
        '--labels', type=Path, metavar='COCO', help='frames with true boxes, as a COCO file'
    )
    parser.add_argument(
        '--count', type=int, default=64, metavar='N', help='frames to use (default: %(default)s)'
    )
    parser.add_argument(
        '--budget', type=arguments.share, default=0.01, metavar='AP',
        help='AP at IoU 0.5 that a codec may cost, 0 to 1; classes count by their true boxes '
        '(default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '-o', '--output', type=arguments.output_file, required=True, metavar='FILE'
    )
    parser.add_argument('--json', action='store_true', help='print what was measured as JSON')


def run(args: argparse.Namespace) -> int:
    """Measure, save and print a table."""
    use_threads()
    detector = load_detector(args.detector, args.weights)
    model = capture.capture_detector(detector)
    edge = Profile.load(args.edge)
    cloud = Profile.load(args.cloud) if args.cloud else edge
    graphs = planning.cost_graphs(model.graph, edge, cloud)
    if args.labels:
        frames, truth = labelled_frames(args.labels, detector, args.count)
    else:
        frames, truth = input_frames(args.frames, detector, args.count), None
    result = calibrate.measure(
        detector, model, frames, graphs, budget=args.budget, truth=truth, progress=True
    )
    result.save(args.output)
    print(_table(result, args.json))
    return 0


def _table(result: Calibration, as_json: bool) -> str:
    rows = sorted(result.rows, key=lambda row: (row.boundary, result.ap50 - row.ap50))
    if as_json:
        pairs = [
            {
                'boundary': list(row.boundary),
                'codec': row.codec,
                'ap50': row.ap50,
                'drop': result.ap50 - row.ap50,
            }
            for row in rows
        ]
        return json.dumps({'ap50': result.ap50, 'frames': result.frames, 'pairs': pairs})
    lines = [f'AP50 {result.ap50:.3f} with nothing lost, {result.frames} frames']
    lines += [
        f'{result.ap50 - row.ap50:+.3f}  {row.codec:13} {", ".join(row.boundary)}' for row in rows
    ]
    return '\n'.join(lines)
