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

"""``dads plan GRAPH.json``: the best cut of a bare graph file for given uplinks, exactly."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from decimal import InvalidOperation
import json
import math
from pathlib import Path
import sys
import threading
from typing import Any

from dads_ros.partition.graphfile import GraphFile
from dads_ros.partition.graphfile import read_graph
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation
from dads_ros.partition.solve import solve
from tqdm import tqdm

_PATIENCE_S = 2.0

_EPILOG = """\
The file: {"nodes": [{"id", "edge_s", "cloud_s", "output_bytes"}, ...], "edges": [[from, to], ...],
"input": id, "outputs": [ids]}. Times are seconds a frame; the input stays on the edge. With
--rtt-ms 0 the values are those of the paper's model. A heavy plan whose proof runs into the time
limit has a lower_bound_s below its max_stage_s.
"""

EXAMPLES = """\
  dads plan network.json --uplink-mbps 1.1 --uplink-mbps 5.85 --uplink-mbps 18.88
      3G, 4G and Wi-Fi of the DADS paper
  dads plan network.json --uplink-mbps 2 --rtt-ms 20 --mode heavy --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.epilog = _EPILOG
    parser.add_argument('graph', type=Path, metavar='GRAPH.json', help='a bare graph file')
    parser.add_argument(
        '--uplink-mbps',
        type=_at_least_zero,
        action='append',
        required=True,
        metavar='MBPS',
        help='uplink in Mbit/s (10^6 bit/s); repeat it for several; 0 means no link',
    )
    parser.add_argument(
        '--rtt-ms',
        type=_at_least_zero,
        default=Decimal(0),
        metavar='MS',
        help='round trip in milliseconds, paid once when the cloud is used (default: 0)',
    )
    parser.add_argument(
        '--rate',
        type=_at_least_zero,
        default=Decimal(10),
        metavar='HZ',
        help='camera frames per second (default: 10)',
    )
    parser.add_argument(
        '--mode',
        choices=('auto', 'light', 'heavy'),
        default='auto',
        help='light: least delay; heavy: shortest longest stage; auto: light while the light plan '
        'keeps up with the camera (default: auto)',
    )
    parser.add_argument(
        '--time-limit-s',
        type=_at_least_zero,
        default=Decimal(20),
        metavar='S',
        help='for proving one heavy plan (default: 20)',
    )
    parser.add_argument('--json', action='store_true', help='print a JSON array')


def run(args: argparse.Namespace) -> int:
    """Print one plan per uplink, in the order given."""
    graph = read_graph(args.graph)
    plans = []
    for mbps in tqdm(args.uplink_mbps, desc='planning', unit='uplink', delay=2, leave=False):
        situation = Situation(
            uplink_bps=float(mbps * 10**6),
            rtt_s=float(args.rtt_ms / 1000),
            rate_hz=float(args.rate),
        )
        with _told(f'proving the plan at {mbps} Mbit/s, for up to {args.time_limit_s} s'):
            plans.append(
                solve({'raw': graph.costs}, situation, args.mode, float(args.time_limit_s))
            )
    if args.json:
        rows = [
            {'uplink_mbps': float(mbps), **describe(plan, graph)}
            for mbps, plan in zip(args.uplink_mbps, plans, strict=True)
        ]
        print(json.dumps(rows, indent=2))
    else:
        _print_table(args.uplink_mbps, plans)
    return 0


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Say on stderr what takes so long, should it: a bar alone moves only when it has ended."""
    timer = threading.Timer(_PATIENCE_S, lambda: tqdm.write(what, file=sys.stderr))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def describe(plan: CutPlan, graph: GraphFile) -> dict[str, Any]:
    """Return a plan as JSON types; a plan that takes no time has no highest rate (null)."""
    return {
        'mode': plan.mode,
        'boundary': list(plan.boundary),
        'edge': [graph.ids[graph.costs.index[name]] for name in plan.edge],
        'edge_s': plan.edge_s,
        'transfer_s': plan.transfer_s,
        'cloud_s': plan.cloud_s,
        'delay_s': plan.delay_s,
        'max_stage_s': plan.max_stage_s,
        'lower_bound_s': plan.lower_bound_s,
        'max_rate_hz': plan.max_rate_hz if math.isfinite(plan.max_rate_hz) else None,
    }


def _at_least_zero(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number') from error
    if not value.is_finite() or value < 0 or (value and not -12 <= value.adjusted() <= 15):
        raise argparse.ArgumentTypeError(f'{text!r} is neither 0 nor between 1e-12 and 1e16')
    return value


def _print_table(uplinks: list[Decimal], plans: list[CutPlan]) -> None:
    print(
        f'{"Mbit/s":>8}  {"mode":5}  {"edge ms":>9}  {"send ms":>9}  {"cloud ms":>9}  '
        f'{"delay ms":>9}  {"frames/s":>8}  cut after'
    )
    for mbps, plan in zip(uplinks, plans, strict=True):
        cut = ', '.join(plan.boundary) or 'everything on the edge'
        gap = f'  (at most {plan.gap:.1e} above the best)' if plan.gap > 1e-9 else ''
        print(
            f'{mbps!s:>8}  {plan.mode:5}  {plan.edge_s * 1e3:9.3f}  {plan.transfer_s * 1e3:9.3f}  '
            f'{plan.cloud_s * 1e3:9.3f}  {plan.delay_s * 1e3:9.3f}  {plan.max_rate_hz:8.2f}  '
            f'{cut}{gap}'
        )
