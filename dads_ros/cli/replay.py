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

from dads_ros.cli import arguments
from dads_ros.domain import sole_use_of_domain
from dads_ros.processes import interrupted_by_signals
from dads_ros.replay.session import Drive
from dads_ros.replay.session import record_session
from dads_ros.report.write import report_document
from dads_ros.report.write import report_text
from dads_ros.report.write import write_report

EXAMPLES = """\
  dads replay drive.mp4 --uplink-mbps 1.5 --edge-slowdown 11
      a steady link, and a car 11 times slower than this machine
  dads replay bag/ --trace lte.csv --rate 10 --against all -o last_week
      a bag over a recorded link, ten frames a second, against every baseline
  dads replay drive.mp4 --uplink-mbps 1.5 --record run.mcap
      the run to scrub through in Foxglove

Every baseline is one more pass over the drive; dads simulate forecasts the table in seconds.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    arguments.add_drive(parser)
    parser.add_argument(
        '-o', '--output', type=Path, default=Path('report'), metavar='DIR',
        help='a session folder: report.html, video and runs (default: %(default)s)',
    )  # fmt: skip
    link = parser.add_mutually_exclusive_group()
    link.add_argument('--trace', type=Path, metavar='CSV', help='time_s,uplink_mbps to emulate')
    link.add_argument(
        '--uplink-mbps', type=arguments.at_least_zero, metavar='N',
        help='a steady uplink to emulate; without link arguments there is none in between',
    )  # fmt: skip
    parser.add_argument(
        '--rtt-ms', type=arguments.at_least_zero, default=20.0, metavar='MS',
        help='round trip of the emulated link (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--edge-slowdown', type=_slowdown, default=1.0, metavar='X',
        help='emulate a car whose computer is X times slower than this one; 11 is the ratio of '
        "edge to server in the DADS paper (default: %(default)s, this machine's own speed)",
    )  # fmt: skip
    parser.add_argument(
        '--rate', type=arguments.positive, metavar='HZ',
        help="play so many of the drive's frames a second (default: as recorded)",
    )  # fmt: skip
    arguments.add_baselines(parser)
    arguments.add_detector(parser)
    arguments.add_choice_of_plans(parser)
    parser.add_argument(
        '--record', type=_mcap, metavar='FILE.mcap',
        help='also write the moving cut\'s run as a bag, for Foxglove and ros2 bag',
    )  # fmt: skip
    arguments.add_json(parser, 'the figures')


def run(args: argparse.Namespace) -> int:
    """Replay, write the report, print its table."""
    with (
        interrupted_by_signals(),
        sole_use_of_domain(),
        tempfile.TemporaryDirectory(prefix='dads_ros-') as scratch,
    ):
        drive = Drive(
            source=args.drive,
            rate_hz=args.rate,
            detector=args.detector,
            weights=args.weights,
            trace=args.trace or _steady(args.uplink_mbps, Path(scratch)),
            rtt_s=args.rtt_ms / 1e3,
            edge_slowdown=args.edge_slowdown,
            calibration=args.calibration,
            accuracy_budget=args.budget,
            privacy=args.privacy,
            bag=args.record,
        )
        record_session(drive, arguments.methods(args), args.output)
    report = write_report(args.output)
    if args.json:
        print(json.dumps(report_document(report), indent=1, allow_nan=False))
    else:
        print(report_text(report))
    for path in (report.page, args.record):
        if path is not None:
            print(f'wrote {path}', file=sys.stderr)
    return 0


def _steady(uplink_mbps: float | None, folder: Path) -> Path | None:
    """Return a trace file of one rate, or None when no link is to be emulated."""
    if uplink_mbps is None:
        return None
    path = folder / 'steady.csv'
    path.write_text(f'time_s,uplink_mbps\n0,{uplink_mbps}\n', encoding='utf-8')
    return path


def _slowdown(text: str) -> float:
    value = arguments.positive(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not from 1 to 1000: no computer can be made faster'
        )
    return value


def _mcap(text: str) -> Path:
    path = arguments.output_file(text)
    if path.suffix != '.mcap':
        raise argparse.ArgumentTypeError(f'{text!r} must end in .mcap')
    return path
