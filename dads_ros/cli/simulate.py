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

"""``dads simulate``: what a replay would give, answered from profiles alone, in seconds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
import itertools
import json
import math
from pathlib import Path
import time
from typing import Any

from dads_ros.cli import arguments
from dads_ros.errors import ConfigError
from dads_ros.media.sources import open_source
from dads_ros.profiles.profile import Profile
from dads_ros.replay.forecast import Forecast
from dads_ros.replay.forecast import forecast
from dads_ros.replay.forecast import LEAD_S
from dads_ros.replay.forecast import Planner
from dads_ros.replay.forecast import Steady
from dads_ros.replay.methods import DEFAULT_METHODS
from dads_ros.replay.prepare import prepare
from dads_ros.replay.prepare import preprocess_s
from dads_ros.report.table import ms_text
from dads_ros.report.table import text_columns
from dads_ros.simulation.world import World
from dads_ros.trace import load_trace
from dads_ros.trace import Trace
from tqdm import tqdm

DEFAULT_SECONDS = 60.0

EXAMPLES = """\
  dads simulate drive.mp4 --trace lte.csv --edge-slowdown 11
      the table that dads replay would print, without running a node
  dads simulate drive.mp4 --uplink-mbps 0.5,1,2,5,20 --edge-slowdown 11
      the plan and its delay on each of these links
  dads simulate --edge car.json --cloud server.json --uplink-mbps 0.1:50:40 --rate 10,30 --json
      two machines' own profiles (dads profile), 80 situations

One situation is simulated frame by frame: the real monitor, a car, a link and a cloud in simulated
time. Several are answered by their steady state: where the monitor settles.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    arguments.add_drive(parser)
    parser.add_argument(
        '--edge', type=Path, metavar='PROFILE', help="the car's, of dads profile; default: this "
        "machine's on the drive's frames, measured once",
    )  # fmt: skip
    parser.add_argument(
        '--cloud', type=Path, metavar='PROFILE', help="the cloud's; default: the car's, unslowed"
    )
    link = parser.add_mutually_exclusive_group(required=True)
    link.add_argument('--trace', type=Path, metavar='CSV', help='time_s,uplink_mbps')
    link.add_argument(
        '--uplink-mbps', type=arguments.several, metavar='N[,N...]',
        help='a steady uplink, several, or FROM:TO:COUNT',
    )  # fmt: skip
    parser.add_argument(
        '--rtt-ms', type=arguments.at_least_zero, default=20.0, metavar='MS',
        help='round trip of the link (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--edge-slowdown', type=arguments.several, default=(1.0,), metavar='X[,X...]',
        help='how many times slower than profiled the car is (default: 1)',
    )  # fmt: skip
    parser.add_argument(
        '--rate', type=arguments.several, metavar='HZ[,HZ...]',
        help="camera frames a second (default: the drive's)",
    )  # fmt: skip
    parser.add_argument('--seconds', type=arguments.positive, help="default: the drive's length")
    parser.add_argument(
        '--jitter', type=arguments.share, default=0.0, metavar='SHARE',
        help='of round trip, rate and stage times (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--loss', type=arguments.share, default=0.0, metavar='SHARE',
        help='of messages that never arrive (default: %(default)s)',
    )  # fmt: skip
    arguments.add_baselines(parser)
    arguments.add_detector(parser)
    arguments.add_choice_of_plans(parser)
    arguments.add_json(parser, 'the forecasts')


def run(args: argparse.Namespace) -> int:
    """Forecast the drive by each method, or the steady state of each situation."""
    source = open_source(args.drive)
    rates_hz = args.rate or (source.rate_hz,)
    if not all(rates_hz) or not all(args.edge_slowdown):
        raise ConfigError('--rate and --edge-slowdown must be over 0')
    several = (args.uplink_mbps or (), rates_hz, args.edge_slowdown)
    has_several = any(len(values) > 1 for values in several)
    if has_several:
        _refuse_what_no_steady_state_has(args)
    edge = Profile.load(args.edge) if args.edge else None
    edge = edge or prepare(args.detector, args.weights, args.drive).profile
    planner = Planner(
        edge,
        Profile.load(args.cloud) if args.cloud else edge,
        args.calibration,
        args.budget,
        args.privacy,
    )
    preparing_s = preprocess_s(args.detector, args.weights, args.drive)
    links_bps = [mbps * 1e6 for mbps in args.uplink_mbps or ()]
    if has_several:
        situations = list(itertools.product(links_bps, rates_hz, args.edge_slowdown))
        shown = tqdm(situations, desc='simulating', unit='situation', delay=2, leave=False)
        rtt_s = args.rtt_ms / 1e3
        started_s = time.perf_counter()
        steady = [
            planner.steady(bps, hz, slower, rtt_s, preparing_s * slower)
            for bps, hz, slower in shown
        ]
        wall_s = time.perf_counter() - started_s
        pace = {'count': len(steady), 'wall_s': wall_s}
        print(_json('situations', steady, pace) if args.json else steady_table(steady, wall_s))
        return 0
    trace = load_trace(args.trace) if args.trace else Trace((0.0,), (links_bps[0],))
    frames = source.frame_count
    world = World(
        trace=trace,
        duration_s=args.seconds or (frames / rates_hz[0] if frames else DEFAULT_SECONDS),
        camera_hz=rates_hz[0],
        rtt_s=args.rtt_ms / 1e3,
        jitter=args.jitter,
        loss=args.loss,
        edge_factor=args.edge_slowdown[0],
        preprocess_s=preparing_s * args.edge_slowdown[0],
        lead_s=LEAD_S,
    )
    methods = tqdm(arguments.methods(args), desc='simulating', unit='method', delay=2, leave=False)
    started_s = time.perf_counter()
    forecasts = [forecast(planner, world, method) for method in methods]
    wall_s = time.perf_counter() - started_s
    simulated_s = world.duration_s * len(forecasts)
    pace = {
        'frames': sum(f.frames for f in forecasts), 'simulated_s': simulated_s, 'wall_s': wall_s,
    }  # fmt: skip
    print(_json('forecasts', forecasts, pace) if args.json else forecast_table(forecasts, wall_s))
    return 0


def _refuse_what_no_steady_state_has(args: argparse.Namespace) -> None:
    if args.trace:
        raise ConfigError('a trace is simulated by itself; give one rate and one slowdown')
    given = {
        '--seconds': args.seconds is not None,
        '--jitter': args.jitter > 0,
        '--loss': args.loss > 0,
        '--against': args.against != ','.join(DEFAULT_METHODS),
    }
    for option, is_given in given.items():
        if is_given:
            raise ConfigError(f'{option} is for one situation; give one link, rate and slowdown')


def forecast_table(forecasts: Sequence[Forecast], wall_s: float) -> str:
    """
    Return a line per method, and how fast that was.

    :param wall_s: what simulating them took, without profiles and plan table.
    """
    lines: list[tuple[str, ...]] = [
        ('method', 'age', 'latency', 'median', '95 %', 'answered', 'sent', 'switches')
    ]
    for f in forecasts:
        times = (f.mean_age_s, f.mean_s, f.median_s, f.p95_s)
        lines.append(
            (
                f.method, *(ms_text(s) for s in times), f'{f.answered} of {f.frames}',
                f'{f.sent_bytes / 1e3:.0f} kB', str(f.switches),
            )
        )  # fmt: skip
    return (
        f'{text_columns(lines)}\n\n'
        'Forecast. age: of the newest detections, mean; latency: mean of the answered frames.\n'
        f'Simulated {sum(f.frames for f in forecasts)} frames in {wall_s:.3g} s.'
    )


def steady_table(situations: Sequence[Steady], wall_s: float) -> str:
    """
    Return a line per situation, and how fast that was.

    :param wall_s: what answering them took, without profiles and plan table.
    """
    lines = [
        ('Mbit/s', 'Hz', 'slower', 'delay', 'answers', 'on the car', 'JPEG upload', 'rule', 'plan')
    ]
    for s in situations:
        lines.append(
            (
                f'{s.uplink_bps / 1e6:.3g}', f'{s.rate_hz:.3g}', f'{s.edge_slowdown:.3g}',
                ms_text(s.delay_s), f'{s.detections_hz:.1f} Hz', ms_text(s.edge_only_s),
                ms_text(s.upload_s), s.mode, s.plan,
            )
        )  # fmt: skip
    return (
        f'{text_columns(lines)}\n\n'
        'Steady states. delay: of one frame under the best plan; beside it, everything on the car '
        'and uploading a JPEG.\n'
        f'{len(situations)} situations in {wall_s:.3g} s, {len(situations) / wall_s:.0f} a second.'
    )


def _json(name: str, records: Sequence[Any], pace: dict[str, float]) -> str:
    """
    Return records as JSON takes them: null where a time is infinite, or there is none.

    :param pace: how much was answered, and in what time; printed beside the records.
    """
    rows = [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(record).items()
        }
        for record in records
    ]
    return json.dumps({name: rows, **pace}, indent=1, allow_nan=False)
