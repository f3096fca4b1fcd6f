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

"""``dads bench partition``: look-up time, exactness, table building, all from one command."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
import statistics
from typing import Any

from dads_ros.bench.partition.docs import write
from dads_ros.bench.partition.measure import DagResult
from dads_ros.bench.partition.measure import measure
from dads_ros.bench.partition.measure import measure_dag
from dads_ros.bench.partition.measure import NetworkResult
from dads_ros.bench.partition.measure import networks
from dads_ros.bench.partition.measure import SHIPPED
from dads_ros.bench.partition.measure import SIZES
from tqdm import tqdm


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subject's arguments."""
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.add_argument('--quick', action='store_true', help='100 situations, DAGs to 400 layers')
    parser.add_argument('--seed', type=int, default=0, help='of situations and DAGs (default: 0)')
    parser.add_argument(
        '--write-docs', type=Path, metavar='DOCS',
        help='write the tables into DOCS/partition.md and the plots into DOCS/img',
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write the documentation if asked."""
    graphs_of = networks()
    count = 100 if args.quick else 1000
    results = [measure(name, graphs, count, args.seed) for name, graphs in graphs_of.items()]
    sizes = [size for size in SIZES if size <= (400 if args.quick else 1000)]
    dags = [
        measure_dag(size, args.seed)
        for size in tqdm(sizes, desc='random DAGs', unit='DAG', leave=False)
    ]
    summary = _summary(results, dags)
    if args.write_docs is not None:
        write(args.write_docs, results, dags, count, graphs_of[SHIPPED])
    if args.json:
        details = {'networks': [asdict(r) for r in results], 'dags': [asdict(d) for d in dags]}
        print(json.dumps(summary | details, indent=2))
    else:
        for key, value in summary.items():
            print(f'{key:36} {value:.4g}' if value is not None else f'{key:36} not measured')
    return 0


def _summary(results: list[NetworkResult], dags: list[DagResult]) -> dict[str, Any]:
    shipped = next(result for result in results if result.network == SHIPPED)
    largest = dags[-1]
    return {
        'lookup_us': statistics.median(r.lookup_us for r in results),
        'lookup_speedup_over_networkx': shipped.networkx_us / shipped.lookup_us,
        'lookup_speedup_median_of_networks': statistics.median(
            r.networkx_us / r.lookup_us for r in results
        ),
        'table_build_s': shipped.build_s,
        'table_build_1000_layers_s': largest.build_s if largest.layers == 1000 else None,
        'dsh_gap_max': max(r.dsh_gap_max for r in results),
        'dsl_mismatches': sum(r.dsl_mismatches for r in results),
        'table_over_dsh_max': max(r.table_over_dsh_max for r in results),
        'random_dag_dsh_gap_max': max(d.dsh_gap for d in dags),
    }
