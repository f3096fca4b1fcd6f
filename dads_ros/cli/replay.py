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

"""``dads replay``: run the real nodes over a drive and say what the surgery gained."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
import tempfile

from dads_ros.errors import ConfigError
from dads_ros.replay.methods import choose
from dads_ros.replay.methods import DEFAULT_METHODS
from dads_ros.replay.methods import METHODS
from dads_ros.replay.session import Drive
from dads_ros.replay.session import record_session
from dads_ros.report.write import report_document
from dads_ros.report.write import report_text
from dads_ros.report.write import write_report
from dads_ros.settings import DEFAULT_DETECTOR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        'drive', nargs='?', default='scene',
        help='video, ROS 2 bag, folder of images, or scene[:seed] (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument('-o', '--output', type=Path, default=Path('report'), metavar='DIR')
    link = parser.add_mutually_exclusive_group()
    link.add_argument('--trace', type=Path, metavar='CSV', help='time_s,uplink_mbps to emulate')
    link.add_argument('--uplink-mbps', type=float, metavar='N', help='a steady uplink to emulate')
    parser.add_argument(
        '--rtt-ms', type=float, default=20.0, metavar='MS',
        help='emulated round trip (default: %(default)s)',
    )  # fmt: skip
    car = parser.add_mutually_exclusive_group()
    car.add_argument(
        '--edge-frame-ms', type=float, default=160.0, metavar='MS',
        help='emulate a car that takes this long for a whole frame (default: %(default)s)',
    )  # fmt: skip
    car.add_argument(
        '--edge-as-is', action='store_true', help='this machine at its own speed is the car'
    )
    parser.add_argument(
        '--rate', type=float, default=1.0, metavar='X', help='speed (default: %(default)s)'
    )
    parser.add_argument(
        '--against', default=','.join(DEFAULT_METHODS), metavar='METHODS',
        help=f"some of {', '.join(METHODS)}; or all, none (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        '--detector', default=DEFAULT_DETECTOR, metavar='MODULE:FACTORY',
        help='default: %(default)s',
    )  # fmt: skip
    parser.add_argument('--weights', type=Path, metavar='FILE', help='handed to the factory')
    parser.add_argument('--calibration', type=Path, metavar='FILE', help='of dads calibrate')
    parser.add_argument('--privacy', action='store_true', help='never send the frame')
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')


def run(args: argparse.Namespace) -> int:
    """Replay, write the report, print its table."""
    for name in ('rate', 'edge_frame_ms'):
        if not 0 < getattr(args, name) < 1e6:
            raise ConfigError(
                f'--{name.replace("_", "-")} must be over 0, not {getattr(args, name)}'
            )
    with tempfile.TemporaryDirectory(prefix='dads_ros-') as scratch:
        drive = Drive(
            source=args.drive,
            rate=args.rate,
            detector=args.detector,
            weights=args.weights,
            trace=args.trace or _steady(args.uplink_mbps, Path(scratch)),
            rtt_s=args.rtt_ms / 1e3,
            edge_frame_s=None if args.edge_as_is else args.edge_frame_ms / 1e3,
            calibration=args.calibration,
            privacy=args.privacy,
        )
        record_session(drive, choose(args.against), args.output)
    report = write_report(args.output)
    if args.json:
        print(json.dumps(report_document(report), indent=1, allow_nan=False))
    else:
        print(report_text(report))
    print(f'wrote {report.page}', file=sys.stderr)
    return 0


def _steady(uplink_mbps: float | None, folder: Path) -> Path | None:
    """Return a trace file of one rate, or None when no link is to be emulated."""
    if uplink_mbps is None:
        return None
    path = folder / f'{uplink_mbps:g} Mbit per s'
    path.write_text(f'time_s,uplink_mbps\n0,{uplink_mbps}\n', encoding='utf-8')
    return path
