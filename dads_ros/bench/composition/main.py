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
``dads bench composition``: edge and monitor in one process against one each.

Real nodes with a camera and a cloud node, under one fixed plan, so that both do the same work. The
two ways take turns; each figure is the median of its rounds.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from dataclasses import dataclass
import json
import os
from pathlib import Path
from statistics import median
import tempfile
import time
from typing import Any

from dads_ros.bench.faults.cast import NAMESPACE
from dads_ros.bench.faults.cast import SCENE_HZ
from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.fleet.main import narrowest
from dads_ros.domain import sole_use_of_domain
from dads_ros.pipeline.frame import Outcome
from dads_ros.processes import interrupted_by_signals
from dads_ros.profiles.profiling import machine_name
from dads_ros.replay.prepare import prepare
from dads_ros.report.atomic import write_between
from dads_ros.settings import DEFAULT_DETECTOR
import psutil
from tqdm import tqdm

BEGIN = '<!-- written by dads bench composition --write -->'
END = '<!-- end -->'
WAYS = {'one process each': ('edge', 'monitor'), 'one process': ('car',)}
CODEC = 'raw+zstd'
SETTLE_S = 3.0


@dataclass(frozen=True)
class Round:
    """
    What one way cost.

    :param cpu: share of a core, of all processes on the car.
    :param monitor_cpu: of the monitor's own process; 0 where it has none.
    :param memory_mb: of the processes on the car; shared pages are counted once.
    """

    latency_median_ms: float
    latency_p95_ms: float
    cpu: float
    monitor_cpu: float
    memory_mb: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``dads bench composition``."""
    parser.add_argument(
        '--seconds', type=float, default=15.0, help='of each round (default: %(default)s)'
    )
    parser.add_argument('--rounds', type=int, default=3, help='of each way (default: %(default)s)')
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.add_argument(
        '--write', type=Path, metavar='FILE', help='rewrite the table in docs/composition.md'
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    with (
        interrupted_by_signals(),
        sole_use_of_domain(),
        tempfile.TemporaryDirectory(prefix='dads_ros-') as scratch,
    ):
        result = measure(Path(scratch), args.seconds, args.rounds)
    if args.write:
        write_between(args.write, BEGIN, table(result), END)
    print(json.dumps(result) if args.json else table(result))
    return 0


def measure(folder: Path, seconds: float, rounds: int) -> dict[str, object]:
    """
    Return what ``--json`` prints.

    Raises ProcessError when a node cannot be started or ends by itself.
    """
    boundary = narrowest(prepare(DEFAULT_DETECTOR, None, 'scene').profile.graph)
    place = folder / 'rig'
    edge: dict[str, object] = {
        'emulated_slowdown': 1.0,
        'emulated_uplink': '',
        'image_reliability': 'reliable',
    }
    monitor: dict[str, object] = {
        'edge_profile': str(place / 'cloud.json'),
        'cloud_profile': str(place / 'cloud.json'),
        'mode': 'fixed',
        'fixed_boundary': list(boundary),
        'fixed_codec': CODEC,
    }
    player: dict[str, object] = {'rate': 1.0}
    found: dict[str, list[Round]] = {way: [] for way in WAYS}
    turns = [way for _ in range(rounds) for way in WAYS]
    car: dict[str, object] = {'threads': 1, 'vehicle': NAMESPACE.strip('/'), **edge, **monitor}
    with Rig(place, {'edge': edge, 'monitor': monitor, 'car': car, 'player': player}) as rig:
        running = WAYS['one process each']
        for way in tqdm(turns, desc='rounds', unit='round'):
            if running != WAYS[way]:
                for name in running:
                    rig.stop(name)
                running = WAYS[way]
                for name in running:
                    rig.start_again(name)
            rig.wait_for_cloud()
            rig.wait(SETTLE_S)
            found[way].append(_round(rig, running, seconds))
    return {
        'ways': {
            way: {key: median(asdict(r)[key] for r in ones) for key in asdict(ones[0])}
            for way, ones in found.items()
        },
        'rounds': {way: [asdict(r) for r in ones] for way, ones in found.items()},
        'boundary': list(boundary),
        'codec': CODEC,
        'machine': machine_name(),
        'cores': os.cpu_count(),
        'load_1min': os.getloadavg()[0],
    }


def table(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    lines = [
        '| edge and monitor in | median | 95% | CPU, of a core | of it the monitor | memory |',
        '| --- | ---: | ---: | ---: | ---: | ---: |',
    ]
    for way, one in result['ways'].items():
        own = f'{one["monitor_cpu"]:.1%}' if len(WAYS[way]) > 1 else ''
        lines.append(
            f'| {way} | {one["latency_median_ms"]:.1f} ms | {one["latency_p95_ms"]:.1f} ms '
            f'| {one["cpu"]:.1%} | {own} | {one["memory_mb"]:.0f} MB |'
        )
    rounds = len(result['rounds']['one process'])
    spread = ', '.join(
        f'{min(times):.1f} to {max(times):.1f} ms with {way}'
        for way, ones in result['rounds'].items()
        if (times := [r['latency_median_ms'] for r in ones])
    )
    lines += [
        '',
        f'A camera of {SCENE_HZ:g} Hz, {", ".join(result["boundary"])} sent as '
        f'{result["codec"]}; {result["machine"]}, {result["cores"]} shared cores with a load of '
        f'{result["load_1min"]:.1f}. Medians of {rounds} rounds in turns; their latencies: '
        f'{spread}.',
    ]
    return '\n'.join(lines)


def _round(rig: Rig, names: tuple[str, ...], seconds: float) -> Round:
    """Watch what is running for a while."""
    nodes = [psutil.Process(rig.pid(name)) for name in names]
    before_s, since_ns = [_cpu_s(n) for n in nodes], time.monotonic_ns()
    rig.wait(seconds)
    elapsed_s = (time.monotonic_ns() - since_ns) / 1e9
    cpu = [(_cpu_s(n) - b) / elapsed_s for n, b in zip(nodes, before_s, strict=True)]
    latencies_s = sorted(
        f.total_s
        for f in rig.frames()
        if f.received_ns >= since_ns and f.outcome is Outcome.VIA_CLOUD
    )
    return Round(
        latency_median_ms=median(latencies_s) * 1e3,
        latency_p95_ms=latencies_s[int(len(latencies_s) * 0.95)] * 1e3,
        cpu=sum(cpu),
        monitor_cpu=cpu[names.index('monitor')] if 'monitor' in names else 0.0,
        memory_mb=sum(n.memory_full_info().pss for n in nodes) / 1e6,
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
