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
``dads bench fleet``: one cloud node for many cars, alone and in batches, against one node each.

Real cloud nodes get bundles over DDS from a process that plays the cars. Each car sends its next
bundle when its last one was answered, so that the figures are those of full load.
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

from dads_ros.bench.fleet import docs
from dads_ros.bench.fleet.batching import Batch
from dads_ros.bench.fleet.batching import measure as measure_batches
from dads_ros.detector.api import load_detector
from dads_ros.domain import sole_use_of_domain
from dads_ros.graph import LayerGraph
from dads_ros.model.capture import capture_detector
from dads_ros.processes import interrupted_by_signals
from dads_ros.processes import node_command
from dads_ros.processes import Process
from dads_ros.processes import ProcessGroup
from dads_ros.profiles.profiling import machine_name
from dads_ros.settings import CloudSettings
from dads_ros.settings import DEFAULT_DETECTOR
import psutil
from tqdm import tqdm

FLEETS = (1, 4, 16)
READY_S = 240.0
CODEC = 'raw+zstd'


@dataclass(frozen=True)
class Load:
    """
    What a fleet got out of its cloud nodes.

    :param batch: bundles that a cloud node may finish together.
    :param fairness: bundles answered to the car that got fewest, over those of the one that got
        most.
    :param cpu_ms: of all cloud processes, for each answer.
    :param memory_mb: of all cloud processes; shared pages are counted once.
    """

    cars: int
    processes: int
    batch: int
    answers_per_s: float
    latency_median_ms: float
    latency_p95_ms: float
    fairness: float
    lost: int
    cpu_ms: float
    memory_mb: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``dads bench fleet``."""
    parser.add_argument(
        '--seconds', type=float, default=10.0, help='of each measurement (default: %(default)s)'
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.add_argument(
        '--write', type=Path, metavar='FILE', help='rewrite the tables in docs/fleet.md'
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    with (
        interrupted_by_signals(),
        sole_use_of_domain(),
        tempfile.TemporaryDirectory(prefix='dads_ros-') as scratch,
    ):
        result = measure(Path(scratch), args.seconds)
    if args.write:
        docs.write(args.write, result)
    print(json.dumps(result) if args.json else docs.tables(result))
    return 0


def measure(folder: Path, seconds: float) -> dict[str, object]:
    """
    Return what ``--json`` prints.

    Raises ProcessError when a node cannot be started or ends by itself.
    """
    detector = load_detector(DEFAULT_DETECTOR)
    model = capture_detector(detector)
    boundary = narrowest(model.graph)
    batches: list[Batch] = measure_batches(model, boundary)
    loads = [
        load(folder / f'{cars}-{n}-{batch}', boundary, cars, n, batch, seconds)
        for cars, n, batch in tqdm(setups(), desc='fleets', unit='fleet')
    ]
    return {
        'detector': detector.name,
        'boundary': list(boundary),
        'codec': CODEC,
        'batches': [asdict(b) for b in batches],
        'loads': [asdict(one) for one in loads],
        'machine': machine_name(),
        'cores': os.cpu_count(),
        'load_1min': os.getloadavg()[0],
    }


def setups() -> list[tuple[int, int, int]]:
    """Return cars, cloud processes and largest batch of what is measured; no car has two."""
    most = CloudSettings().batch
    together = [(cars, 1, batch) for cars in FLEETS for batch in (1, most) if cars >= batch]
    apart = [(cars, cars, 1) for cars in FLEETS if cars > 1]
    return sorted(together + apart)


def narrowest(graph: LayerGraph) -> tuple[str, ...]:
    """Return the boundary of one tensor that has the fewest bytes."""
    ids = [layer.id for layer in graph.layers]
    cuts = {graph.boundary(ids[: i + 1]) for i in range(len(ids) - 1)}
    single = [cut for cut in cuts if len(cut) == 1]
    return min(single, key=lambda cut: (graph[cut[0]].output_bytes, cut))


def load(
    folder: Path,
    boundary: tuple[str, ...],
    cars: int,
    processes: int,
    batch: int,
    seconds: float,
) -> Load:
    """
    Measure one fleet.

    :param processes: cloud nodes: one for all, or one for each car.
    """
    folder.mkdir()
    output = folder / 'figures.json'
    names = [f'/car{i + 1}' for i in range(cars)]
    shares = [names] if processes == 1 else [[name] for name in names]
    with ProcessGroup() as group:
        clouds = [
            group.start(
                f'cloud{i}',
                node_command('cloud', {'threads': 1, 'batch': batch, 'vehicles': share}),
                folder / f'cloud{i}.log',
            )
            for i, share in enumerate(shares)
        ]
        group.wait_until(
            'cloud nodes', lambda: all(c.has_logged(': active') for c in clouds), READY_S
        )
        parameters = {
            'vehicles': names, 'boundary': list(boundary), 'codec': CODEC,
            'duration_s': seconds, 'output': str(output),
        }  # fmt: skip
        fleet = group.start(
            'fleet', node_command('fleet', parameters), folder / 'fleet.log', ends=True
        )
        group.wait_until('answers to all cars', lambda: fleet.has_logged('measuring'), READY_S)
        before_s = _cpu_s(clouds)
        group.wait_until('the figures', output.is_file, seconds + READY_S)
        cpu_s, memory_mb = _cpu_s(clouds) - before_s, _memory_mb(clouds)
    figures = json.loads(output.read_text(encoding='utf-8'))
    answered = [car['answered'] for car in figures['cars']]
    latencies_s = sorted(s for car in figures['cars'] for s in car['latencies_s'])
    return Load(
        cars=cars,
        processes=processes,
        batch=batch,
        answers_per_s=sum(answered) / figures['elapsed_s'],
        latency_median_ms=median(latencies_s) * 1e3,
        latency_p95_ms=latencies_s[int(len(latencies_s) * 0.95)] * 1e3,
        fairness=min(answered) / max(answered),
        lost=sum(car['lost'] for car in figures['cars']),
        cpu_ms=cpu_s / sum(answered) * 1e3,
        memory_mb=memory_mb,
    )


def _cpu_s(processes: list[Process]) -> float:
    times = [psutil.Process(p.pid).cpu_times() for p in processes]
    return sum(t.user + t.system for t in times)


def _memory_mb(processes: list[Process]) -> float:
    return sum(psutil.Process(p.pid).memory_full_info().pss for p in processes) / 1e6
