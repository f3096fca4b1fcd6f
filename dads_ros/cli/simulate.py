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

"""``dads simulate``: what a replay would give, answered from the profiles alone, in seconds."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
import math
from pathlib import Path

from dads_ros.errors import ConfigError
from dads_ros.monitor.policy import PolicyLimits
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.planning import build_table
from dads_ros.profiles.profile import Profile
from dads_ros.simulation.compare import compare
from dads_ros.simulation.compare import Forecast
from dads_ros.simulation.world import World
from dads_ros.trace import load_trace
from dads_ros.trace import Trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('--edge', type=Path, required=True, metavar='PROFILE')
    parser.add_argument(
        '--cloud', type=Path, metavar='PROFILE', help="the cloud's; the edge's when left out"
    )
    parser.add_argument(
        '--calibration',
        type=Path,
        metavar='FILE',
        help="of dads calibrate; default: the shipped detector's own",
    )
    parser.add_argument(
        '--budget', type=float, default=0.01, metavar='AP',
        help='AP at IoU 0.5 that a codec may cost (default: %(default)s)',
    )  # fmt: skip
    link = parser.add_mutually_exclusive_group(required=True)
    link.add_argument('--trace', type=Path, metavar='CSV', help='time_s,uplink_mbps')
    link.add_argument('--uplink-mbps', type=float, metavar='N', help='a steady uplink')
    parser.add_argument('--rtt-ms', type=float, default=20.0, help='default: %(default)s')
    parser.add_argument(
        '--jitter', type=float, default=0.0, metavar='SHARE', help='default: %(default)s'
    )
    parser.add_argument(
        '--loss', type=float, default=0.0, metavar='SHARE', help='default: %(default)s'
    )
    parser.add_argument(
        '--edge-slowdown', type=float, default=1.0, metavar='X',
        help='how many times slower than profiled the car is (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument('--rate', type=float, default=10.0, help='frames/s (default: %(default)s)')
    parser.add_argument('--seconds', type=float, help="default: the trace's length, or 60")
    parser.add_argument('--json', action='store_true', help='print the forecasts as JSON')


def run(args: argparse.Namespace) -> int:
    """Simulate each method and print a table."""
    edge = Profile.load(args.edge)
    cloud = Profile.load(args.cloud) if args.cloud else edge
    table = build_table(
        edge.graph,
        edge,
        cloud,
        accuracy_budget=args.budget,
        calibration=Calibration.find(args.calibration, edge.model_hash),
    )
    forecasts = list(compare(table, edge.graph, _world(args), PolicyLimits()))
    print(json.dumps([_plain(f) for f in forecasts]) if args.json else _table(forecasts))
    return 0


def _world(args: argparse.Namespace) -> World:
    """Return the world that the arguments describe; raise ConfigError when there is none such."""
    for name, low in (('rate', 0), ('edge_slowdown', 0), ('rtt_ms', -1), ('jitter', -1)):
        if not low < getattr(args, name) < math.inf:
            raise ConfigError(f'--{name.replace("_", "-")} cannot be {getattr(args, name)}')
    if not 0 <= args.loss < 1:
        raise ConfigError(f'--loss must be at least 0 and under 1, not {args.loss}')
    if args.trace:
        trace = load_trace(args.trace)
    else:
        trace = Trace((0.0,), (args.uplink_mbps * 1e6,))
    return World(
        trace=trace,
        duration_s=args.seconds or trace.duration_s or 60.0,
        camera_hz=args.rate,
        rtt_s=args.rtt_ms / 1e3,
        jitter=args.jitter,
        loss=args.loss,
        edge_factor=args.edge_slowdown,
    )


def _table(forecasts: list[Forecast]) -> str:
    heads = ('mean', 'median', '95 %', 'answered', 'sent', 'cuts')
    widths = (8, 8, 8, 12, 10, 5)
    lines = [f'{"method":22}' + ''.join(f' {h:>{w}}' for h, w in zip(heads, widths, strict=True))]
    for f in forecasts:
        lines.append(
            f'{f.method:22} {_ms(f.mean_s):>8} {_ms(f.median_s):>8} {_ms(f.p95_s):>8} '
            f'{f"{f.answered} of {f.frames}":>12} {f.sent_bytes / 1e3:7.0f} kB {f.switches:5d}'
        )
    return '\n'.join(lines)


def _ms(time_s: float) -> str:
    return '–' if math.isinf(time_s) else f'{time_s * 1e3:.0f} ms'


def _plain(forecast: Forecast) -> dict[str, object]:
    """Return a forecast as JSON takes it: null where no frame was answered."""
    return {
        name: None if isinstance(value, float) and math.isinf(value) else value
        for name, value in asdict(forecast).items()
    }
