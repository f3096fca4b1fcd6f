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

"""What the partitioner is measured on, and what each measurement gave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import math
import random
import statistics
import time
from typing import Any

from dads_ros.partition.baselines import Graphs
from dads_ros.partition.baselines import RAW
from dads_ros.partition.build import build_table
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.heavy import dsh
from dads_ros.partition.light import delay_weights
from dads_ros.partition.light import dsl
from dads_ros.partition.network import FlowNetwork
from dads_ros.partition.paper import dsh_paper
from dads_ros.partition.reference import auxiliary_graph
from dads_ros.partition.reference import reference_dsl
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from tqdm import tqdm

SHIPPED = 'shipped detector'
SIZES = (100, 200, 400, 700, 1000)
_SAME = 1e-9
_NETWORKX_SOLVES = 7
_DAG_UPLINKS_BPS = (1e6, 1e7, 1e8)


@dataclass(frozen=True)
class NetworkResult:
    """What one network gave over the random situations."""

    network: str
    layers: int
    codecs: int
    rows: int
    complete: bool
    build_s: float
    lookup_us: float
    networkx_us: float
    dsl_mismatches: int
    dsh_gap_max: float
    table_over_dsh_max: float
    paper_over_dsh_max: float


@dataclass(frozen=True)
class DagResult:
    """What a random DAG gave."""

    layers: int
    rows: int
    build_s: float
    cut_ms: float
    networkx_ms: float
    dsh_s: float
    dsh_gap: float


def networks() -> dict[str, Graphs]:
    """Return the zoo's networks, and the shipped detector as profiled here and now."""
    from dads_ros.detector import shipped
    from dads_ros.detector.zoo import ZOO
    from dads_ros.detector.zoo_costs import zoo_costs
    from dads_ros.image import letterbox
    from dads_ros.media import scene
    from dads_ros.model.capture import capture_detector
    from dads_ros.profiles import planning
    from dads_ros.profiles import profiling
    import torch

    torch.set_num_threads(1)
    networks: dict[str, Graphs] = {name: {RAW: zoo_costs(name)} for name in ZOO}
    detector = shipped.detector()
    model = capture_detector(detector)
    frames = [
        letterbox(frame.image_rgb, detector.input_height, detector.input_width)
        for frame in scene.frames(seed=1, count=4)
    ]
    frames = [frame.reshape(1, *frame.shape[-3:]) for frame in frames]
    profile = profiling.measure(detector, model, frames, repeats=7, progress=True)
    networks[SHIPPED] = planning.cost_graphs(model.graph, profile, profile)
    return networks


def random_situation(rng: random.Random) -> Situation:
    """Draw a link from 0.1 Mbit/s to 1 Gbit/s and machines from a third to ten times as slow."""
    return Situation(
        uplink_bps=10 ** rng.uniform(5, 9),
        rtt_s=rng.choice([0.0, rng.uniform(0, 0.1)]),
        edge_factor=10 ** rng.uniform(-0.5, 1),
        cloud_factor=10 ** rng.uniform(-0.5, 1),
        rate_hz=rng.choice([1.0, 10.0, 30.0]),
    )


def random_dag(layers: int, seed: int) -> CostGraph:
    """
    Return a random DAG: each layer reads one to three of the 12 before it.

    Times spread over two decades, the cloud is 3 to 15 times as fast, sizes over two decades.
    """
    rng = random.Random(seed)
    edges = set()
    for layer in range(1, layers):
        near = range(max(0, layer - 12), layer)
        for producer in rng.sample(near, min(len(near), rng.choice([1, 1, 1, 2, 3]))):
            edges.add((producer, layer))
    edge_ns = [0] + [int(10 ** rng.uniform(5, 7)) for _ in range(layers - 1)]
    return CostGraph(
        ids=tuple(f'layer{i}' for i in range(layers)),
        edges=tuple(sorted(edges)),
        pinned=(0,),
        outputs=(layers - 1,),
        edge_ns=tuple(edge_ns),
        cloud_ns=tuple(int(time_ns / rng.uniform(3, 15)) for time_ns in edge_ns),
        output_bytes=tuple(int(10 ** rng.uniform(4, 6)) for _ in range(layers)),
    )


def measure(name: str, graphs: Graphs, count: int, seed: int) -> NetworkResult:
    """Hold the table of one network against solving afresh in random situations."""
    rng = random.Random(seed)
    situations = [random_situation(rng) for _ in range(count)]
    table, build_s = _timed(lambda: build_table(graphs))
    lookups = [_timed(partial(table.plan, s))[1] for s in situations]
    raw = graphs[RAW]
    networkx = [_timed(partial(reference_dsl, raw, s))[1] for s in situations[:_NETWORKX_SOLVES]]
    mismatches, gap, table_ratio, paper_ratio = 0, 0.0, 1.0, 1.0
    for i, situation in enumerate(tqdm(situations, desc=name, unit='situation', leave=False)):
        light = dsl(graphs, situation)
        found = table.plan(situation, 'light')
        mismatches += not math.isclose(found.delay_s, light.delay_s, rel_tol=_SAME)
        heavy = dsh(graphs, situation)
        gap = max(gap, heavy.gap)
        table_ratio = max(table_ratio, _ratio(table, situation, heavy.max_stage_s))
        if i % 20 == 0 and name != SHIPPED:  # 122 minimum cuts each; and it knows one codec only
            printed = dsh_paper(raw, situation).max_stage_s
            paper_ratio = max(paper_ratio, printed / heavy.max_stage_s)
    return NetworkResult(
        network=name,
        layers=len(raw),
        codecs=len(graphs),
        rows=len(table),
        complete=table.complete,
        build_s=build_s,
        lookup_us=statistics.median(lookups) * 1e6,
        networkx_us=statistics.median(networkx) * 1e6,
        dsl_mismatches=mismatches,
        dsh_gap_max=gap,
        table_over_dsh_max=table_ratio,
        paper_over_dsh_max=paper_ratio,
    )


def _ratio(table: PlanTable, situation: Situation, best_s: float) -> float:
    return table.plan(situation, 'heavy').max_stage_s / best_s


def measure_dag(layers: int, seed: int) -> DagResult:
    """Build the table of one random DAG and solve it once each way."""
    graph = random_dag(layers, seed)
    table, build_s = _timed(lambda: build_table({RAW: graph}))
    weights = delay_weights(graph, Situation(1e7))
    network = FlowNetwork(graph)
    cuts = [
        _timed(lambda: network.least_cut(weights.edge, weights.send, weights.cloud))[1]
        for _ in range(_NETWORKX_SOLVES)
    ]
    _, networkx_s = _timed(lambda: _networkx_cut(graph))
    solved = [
        _timed(lambda bps=bps: dsh({RAW: graph}, Situation(bps)))  # type: ignore[misc]
        for bps in _DAG_UPLINKS_BPS
    ]
    return DagResult(
        layers=layers,
        rows=len(table),
        build_s=build_s,
        cut_ms=statistics.median(cuts) * 1e3,
        networkx_ms=networkx_s * 1e3,
        dsh_s=max(seconds for _, seconds in solved),
        dsh_gap=max(plan.gap for plan, _ in solved),
    )


def _networkx_cut(graph: CostGraph) -> None:
    import networkx as nx

    nx.minimum_cut(auxiliary_graph(graph, delay_weights(graph, Situation(1e7))), 'e', 'c')


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start
