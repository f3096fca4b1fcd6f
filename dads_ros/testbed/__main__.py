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

"""``scripts/testbed``: drive a clip on two hosts made on this machine. Needs root."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys

from dads_ros.emulation import BUFFER_BYTES
from dads_ros.errors import ConfigError
from dads_ros.errors import DadsError
from dads_ros.processes import interrupted_by_signals
from dads_ros.replay.methods import choose
from dads_ros.replay.methods import METHODS
from dads_ros.testbed import hosts
from dads_ros.testbed import quota
from dads_ros.testbed.bed import Setup
from dads_ros.testbed.drive import Drive
from dads_ros.testbed.drive import drive_methods
from dads_ros.testbed.drive import most_slowdown
from dads_ros.testbed.lane import Impairment
from dads_ros.testbed.system import require_rights
from dads_ros.trace import load_trace
from dads_ros.trace import Trace


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='scripts/testbed', description=__doc__)
    link = parser.add_mutually_exclusive_group()
    link.add_argument('--trace', type=Path, metavar='CSV', help='time_s,uplink_mbps to follow')
    link.add_argument(
        '--uplink-mbps', type=float, default=5.0, metavar='N', help='default: %(default)s'
    )
    parser.add_argument('--clip', default='scene', help='as of dads replay (default: %(default)s)')
    for name, default, text in (
        ('seconds', 30.0, 'end after this long'),
        ('rtt-ms', 0.0, 'round trip, half of it each way'),
        ('jitter-ms', 0.0, 'the delay of each way is within plus or minus this'),
        ('loss', 0.0, 'share of packets lost each way, such as 0.01'),
        ('edge-slowdown', 1.0, 'how many times slower than this machine the car is'),
    ):
        parser.add_argument(
            f'--{name}', type=float, default=default, metavar='N',
            help=f'{text} (default: %(default)s)',
        )  # fmt: skip
    parser.add_argument(
        '--queue-bytes', type=int, default=BUFFER_BYTES, metavar='N',
        help='buffer in front of the uplink (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--against', default='none', metavar='METHODS',
        help=f'some of {", ".join(METHODS)}; or all, none (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument('--calibration', type=Path, metavar='FILE', help='of dads calibrate')
    parser.add_argument('-o', '--output', type=Path, default=Path('report'), metavar='DIR')
    parser.add_argument(
        '--clean', action='store_true', help='only remove what killed testbeds left behind'
    )
    return parser


def _drive_of(args: argparse.Namespace) -> Drive:
    """Return the drive that the arguments describe; raises ConfigError when one is not allowed."""
    for name, low, high in (
        ('seconds', 1, 86400), ('rtt_ms', 0, 10_000), ('jitter_ms', 0, args.rtt_ms / 2),
        ('loss', 0, 0.5), ('queue_bytes', 3000, 2**28),
        ('edge_slowdown', 1, min(1000, most_slowdown())),
    ):  # fmt: skip
        if not low <= (value := getattr(args, name)) <= high:
            option = name.replace('_', '-')
            raise ConfigError(f'--{option} must be from {low:g} to {high:g}, not {value:g}')
    trace = load_trace(args.trace) if args.trace else Trace((0.0,), (args.uplink_mbps * 1e6,))
    way = Impairment(args.rtt_ms / 2e3, args.jitter_ms / 1e3, args.loss)
    return Drive(
        clip=args.clip,
        seconds=args.seconds,
        setup=Setup(trace, None if way == Impairment() else way, None, args.queue_bytes),
        edge_slowdown=args.edge_slowdown,
        calibration=args.calibration,
    )


def main() -> int:
    """Run the testbed; return the exit status: 0 done, 1 failed, 2 wrong usage."""
    args = _parser().parse_args()
    try:
        require_rights()
        for name in (*hosts.clean(), *quota.clean()):
            print(f'removed {name}, left behind by a testbed that was killed', file=sys.stderr)
        if args.clean:
            return 0
        with interrupted_by_signals():
            results = drive_methods(_drive_of(args), choose(args.against), args.output)
    except DadsError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('stopped', file=sys.stderr)
        return 130
    print(json.dumps(results, indent=1, allow_nan=False))
    return 0


if __name__ == '__main__':
    sys.exit(main())
