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
``dads bench faults``: real nodes hurt in every way, broken bundles, an intruder, and a soak.

One run writes the tables of docs/reliability.md. A row's gap is between detection messages.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from dataclasses import dataclass
import json
import os
from pathlib import Path
import platform
from statistics import median
import tempfile
import time

from dads_ros.bench.faults import docs
from dads_ros.bench.faults.figures import account
from dads_ros.bench.faults.figures import Row
from dads_ros.bench.faults.figures import row
from dads_ros.bench.faults.intrusion import intrude
from dads_ros.bench.faults.intrusion import Intrusion
from dads_ros.bench.faults.intrusion import keyed
from dads_ros.bench.faults.rig import CAMERA_HZ
from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.faults.scenarios import scenarios
from dads_ros.processes import interrupted_by_signals
from dads_ros.security.keys import Keyring
from dads_ros.security.seal import Opener
from dads_ros.security.seal import Sealer
import psutil
from tqdm import tqdm

CLOUD_KILL = 'cloud killed and restarted'
SOAKED_NODES = ('edge', 'cloud', 'monitor')
SEALED_BYTES = (2_000, 20_000, 200_000)
ATTACK_S = 5.0


@dataclass(frozen=True)
class Soak:
    """
    What an undisturbed run showed, after its first fifth.

    :param memory_growth: of the node that grew most: the last fifth's memory over the second's.
    :param file_growth: likewise, in open files.
    :param p95_drift: 95% of frames are faster than this multiple of the second fifth's value.
    """

    duration_s: float
    memory_growth: float
    file_growth: int
    p95_drift: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``dads bench faults``."""
    parser.add_argument('--quick', action='store_true', help='fewer repetitions, a shorter soak')
    parser.add_argument(
        '--soak-s', type=float, metavar='SECONDS', help='default: 120, or 30 with --quick'
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.add_argument(
        '--write', type=Path, metavar='FILE', help='rewrite the tables in docs/reliability.md'
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    soak_s = args.soak_s or (30.0 if args.quick else 120.0)
    with interrupted_by_signals(), tempfile.TemporaryDirectory(prefix='dads_ros-') as scratch:
        result = measure(Path(scratch), soak_s, quick=args.quick)
    if args.write:
        docs.write(args.write, result)
    print(json.dumps(result) if args.json else docs.tables(result))
    return 0


def measure(folder: Path, soak_s: float, *, quick: bool) -> dict[str, object]:
    """
    Return what ``--json`` prints.

    Raises ProcessError when a node cannot be started or ends by itself.
    """
    from dads_ros.bench.faults import fuzzing  # needs the built messages

    fuzz = fuzzing.run(20_000 if quick else 100_000)
    with Rig(folder / 'soak') as rig:
        soak = _soak(rig, soak_s)
    rows, total = _hurt(folder, quick=quick)
    intrusion = _attack(folder)
    kill = next(r for r in rows if r.test == CLOUD_KILL)
    return {
        'gap_after_cloud_kill_s': kill.gap_s,
        'deadline_s': kill.deadline_s,
        'frame_period_s': 1 / CAMERA_HZ,
        **total,
        'fuzz_tried': fuzz.tried,
        'fuzz_crashes': fuzz.crashes,
        'fuzz_hangs': fuzz.hangs,
        'fuzz_accepted': fuzz.accepted_invalid,
        'fuzz_rejected': fuzz.rejected,
        'forged_accepted': intrusion.accepted,
        'forged_sent': sum(intrusion.sent.values()),
        'forged_sorts': intrusion.sent,
        'forged_refused': intrusion.refused,
        'soak': asdict(soak),
        'memory_growth': soak.memory_growth,
        'seal_us': {str(size): seal_us(folder, size) for size in SEALED_BYTES},
        'faults': [asdict(r) for r in rows],
        'quick': quick,
        'machine': {
            'processor': platform.processor() or platform.machine(),
            'cores': os.cpu_count(),
            'load_1min': os.getloadavg()[0],
        },
    }


def seal_us(folder: Path, size_bytes: int, rounds: int = 300) -> float:
    """Return the median microseconds to seal a message and to open it."""
    file = folder / 'bench.key'
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(os.urandom(32).hex(), encoding='ascii')
    ring = Keyring.of_vehicle(file)
    sealer, opener, data = Sealer(ring), Opener(ring), os.urandom(size_bytes)
    times = []
    for _ in range(rounds):
        started_ns = time.perf_counter_ns()
        opener.open('bundle', sealer.seal('bundle', data))
        times.append((time.perf_counter_ns() - started_ns) / 1e3)
    return median(times)


def _hurt(folder: Path, *, quick: bool) -> tuple[list[Row], dict[str, object]]:
    faults = scenarios(folder / 'props', quick=quick)
    rig = Rig(folder / 'faults')
    with rig:
        phases = [fault.play(rig) for fault in tqdm(faults, desc='faults', unit='fault')]
        rig.stop('edge')
        rig.wait(0.5)
    frames, record = rig.frames(), rig.record
    found = account(frames, record.detections, rig.edge_starts_ns, rig.edge_kills_ns)
    rows = [row(phase, frames, record.detections, record.plans) for phase in phases]
    return rows, {
        'frames': found.frames,
        'frames_ended': found.ended,
        'frames_unaccounted': found.unaccounted,
        'stale_published': found.stale,
    }


def _attack(folder: Path) -> Intrusion:
    with Rig(folder / 'sealed', keyed(folder / 'keys')) as rig:
        return intrude(rig, ATTACK_S)


def _soak(rig: Rig, duration_s: float) -> Soak:
    nodes = [psutil.Process(rig.pid(name)) for name in SOAKED_NODES]
    samples: list[list[tuple[int, int]]] = []
    began_ns = time.monotonic_ns()
    for _ in tqdm(range(int(duration_s)), desc='soak', unit='s'):
        rig.wait(1.0)
        samples.append([(node.memory_info().rss, node.num_fds()) for node in nodes])
    fifth = max(1, len(samples) // 5)
    early, late = samples[fifth : 2 * fifth], samples[-fifth:]

    def grown(middle: Callable[[list[list[tuple[int, int]]], int], float]) -> list[float]:
        return [middle(late, i) - middle(early, i) for i in range(len(nodes))]

    def memory(part: list[list[tuple[int, int]]], node: int) -> float:
        return median(sample[node][0] for sample in part)

    def files(part: list[list[tuple[int, int]]], node: int) -> float:
        return median(sample[node][1] for sample in part)

    span_ns = int(fifth * 1e9)
    end_ns = time.monotonic_ns()
    return Soak(
        duration_s=duration_s,
        memory_growth=max(g / memory(early, i) for i, g in enumerate(grown(memory))),
        file_growth=int(max(grown(files))),
        p95_drift=_p95_s(rig, end_ns - span_ns, end_ns)
        / _p95_s(rig, began_ns + span_ns, began_ns + 2 * span_ns),
    )


def _p95_s(rig: Rig, begin_ns: int, end_ns: int) -> float:
    times_s = sorted(
        f.total_s
        for f in rig.frames()
        if begin_ns <= f.received_ns < end_ns and f.outcome.is_published
    )
    return times_s[int(len(times_s) * 0.95)]
