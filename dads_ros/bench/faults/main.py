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
from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
import json
import os
from pathlib import Path
import platform
from statistics import median
import tempfile
import time

from dads_ros.bench.faults import docs
from dads_ros.bench.faults.figures import Account
from dads_ros.bench.faults.figures import account_of
from dads_ros.bench.faults.figures import Row
from dads_ros.bench.faults.figures import rows_of
from dads_ros.bench.faults.intrusion import intrude
from dads_ros.bench.faults.intrusion import Intrusion
from dads_ros.bench.faults.loads import Flood
from dads_ros.bench.faults.loads import flood
from dads_ros.bench.faults.loads import Overload
from dads_ros.bench.faults.loads import overload
from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.faults.rotation import Keys
from dads_ros.bench.faults.scenarios import scenarios
from dads_ros.bench.faults.soak import soak
from dads_ros.domain import sole_use_of_domain
from dads_ros.processes import interrupted_by_signals
from dads_ros.security.keys import Keyring
from dads_ros.security.seal import Opener
from dads_ros.security.seal import Sealer
from tqdm import tqdm

CLOUD_KILL = 'cloud killed and restarted'
SEALED_BYTES = (2_000, 20_000, 200_000)
ATTACK_S = 5.0
FLOOD_S = 8.0
OVERLOAD_S = 5.0


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
    with (
        interrupted_by_signals(),
        sole_use_of_domain(),
        tempfile.TemporaryDirectory(prefix='dads_ros-') as scratch,
    ):
        result = measure(Path(scratch), soak_s, quick=args.quick)
    if args.write:
        docs.write(args.write, result)
    shown = f'{docs.tables(result)}\n\n{docs.soak_table(result)}'
    print(json.dumps(result) if args.json else shown)
    return 0


def measure(folder: Path, soak_s: float, *, quick: bool) -> dict[str, object]:
    """
    Return what ``--json`` prints.

    Raises ProcessError when a node cannot be started or ends by itself.
    """
    from dads_ros.bench.faults import fuzzing  # needs the built messages

    fuzz = fuzzing.run(20_000 if quick else 100_000)
    with Rig(folder / 'soak') as rig:
        soaked = soak(rig, soak_s)
    hurt = _hurt(folder, quick=quick)
    rotated, intrusion = _attack(folder)
    rows = [*hurt.rows, rotated]
    kill = next(r for r in rows if r.test == CLOUD_KILL)
    return {
        'gap_after_cloud_kill_s': kill.gap_s,
        'deadline_s': kill.deadline_s,
        'frame_period_s': 1 / hurt.camera_hz,
        'frames': hurt.account.frames,
        'frames_ended': hurt.account.ended,
        'frames_unaccounted': hurt.account.unaccounted,
        'stale_published': hurt.account.stale,
        'flood': asdict(hurt.flood),
        'overload': asdict(hurt.overload),
        'fuzz_tried': fuzz.tried,
        'fuzz_crashes': fuzz.crashes,
        'fuzz_hangs': fuzz.hangs,
        'fuzz_accepted': fuzz.accepted_invalid,
        'fuzz_rejected': fuzz.rejected,
        'forged_accepted': intrusion.accepted,
        'forged_sent': sum(intrusion.sent.values()),
        'forged_sorts': intrusion.sent,
        'forged_refused': intrusion.refused,
        'soak': asdict(soaked),
        'memory_growth': soaked.memory_growth,
        'seal_us': {str(size): seal_us(folder, size) for size in SEALED_BYTES},
        'faults': [asdict(r) for r in rows],
        'quick': quick,
        'date': datetime.now(timezone.utc).date().isoformat(),
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


@dataclass(frozen=True)
class _Hurt:
    """What came of all faults and loads, done one after another to the same nodes."""

    camera_hz: float
    rows: list[Row]
    account: Account
    flood: Flood
    overload: Overload


def _hurt(folder: Path, *, quick: bool) -> _Hurt:
    faults = scenarios(folder / 'props', quick=quick)
    rig = Rig(folder / 'faults')
    with rig:
        phases = [fault.play(rig) for fault in tqdm(faults, desc='faults', unit='fault')]
        flooded = flood(rig, FLOOD_S)
        overloaded = overload(rig, OVERLOAD_S)
        rig.stop('edge')
        rig.wait(0.5)
    return _Hurt(rig.cast.camera_hz, rows_of(rig, phases), account_of(rig), flooded, overloaded)


def _attack(folder: Path) -> tuple[Row, Intrusion]:
    keys = Keys.made(folder / 'keys')
    with Rig(folder / 'sealed', keys.parameters) as rig:
        phase = keys.rotation.play(rig)
        intrusion = intrude(rig, ATTACK_S)
    return rows_of(rig, [phase])[0], intrusion
