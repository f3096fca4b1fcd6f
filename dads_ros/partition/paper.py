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
What the DADS paper published, and its heavy-load search as printed.

Hu, Bao, Wang, Liu: "Dynamic Adaptive DNN Surgery for Inference Acceleration on the Edge", INFOCOM
2019, doi 10.1109/INFOCOM.2019.8737614. Its numbers are in ``data/``.
"""

from __future__ import annotations

from collections.abc import Mapping
import csv
from fractions import Fraction
from importlib import resources
import itertools

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.evaluate import make_plan
from dads_ros.partition.light import delay_weights
from dads_ros.partition.network import FlowNetwork
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation

UPLINK_MBPS: Mapping[str, float] = {'CAT1': 0.13, '3G': 1.1, '4G': 5.85, 'Wi-Fi': 18.88}
"""The uplinks of its experiments."""

RESNET18_LIGHT: Mapping[str, tuple[float, float]] = {
    'CAT1': (1.46, 2.03), '3G': (4.14, 8.3), '4G': (7.23, 9.78), 'Wi-Fi': (8.32, 9.31),
}  # fmt: skip
"""ResNet-18 under light load: latency speed-up and throughput gain over edge-only, by uplink."""


def published_speedups() -> dict[tuple[str, str, str], dict[str, float]]:
    """Return its gains over edge-only at 3G: (workload, metric, method) -> network -> gain."""
    gains = {}
    for row in _rows('paper_speedups.csv'):
        key = (row.pop('workload'), row.pop('metric'), row.pop('method'))
        gains[key] = {network: float(value) for network, value in row.items()}
    return gains


def tiny_yolov2_costs() -> CostGraph:
    """Return its profile of tiny YOLOv2: Raspberry Pi 3B, 8-core server, float32 tensors."""
    rows = _rows('tiny_yolov2_profile.csv')
    return CostGraph(
        ids=tuple(row['layer'] for row in rows),
        edges=tuple(itertools.pairwise(range(len(rows)))),
        pinned=(0,),
        outputs=(len(rows) - 1,),
        edge_ns=tuple(int(Fraction(row['edge_s']) * 10**9) for row in rows),
        cloud_ns=tuple(int(Fraction(row['cloud_s']) * 10**9) for row in rows),
        output_bytes=tuple(int(Fraction(row['output_mib']) * 2**20) for row in rows),
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = (resources.files('dads_ros.partition') / 'data' / name).read_text(encoding='utf-8')
    return list(csv.DictReader(text.splitlines()))


def dsh_paper(graph: CostGraph, situation: Situation, steps: int = 10) -> CutPlan:
    """
    Return the paper's heavy plan: the best of a grid of weighted minimum cuts.

    The three stages are weighted (alpha, 1, gamma); alpha runs over [0, sum t^e / min t^t] and
    gamma over [0, sum t^c / min t^t] as printed, and (1, 1), which the printed grid can step over
    though its ratio of 3 rests on it, is always included. The best is taken by the true longest
    stage, where the print returns the last. It proves nothing, so the lower bound is 0.

    :param steps: grid intervals along each axis; the paper does not publish its own.
    """
    graphs = {'raw': graph}
    if not situation.has_link:
        return make_plan(graphs, 'raw', graph.all_edge, situation, 'heavy')
    weights = delay_weights(graph, situation)
    smallest = min((cost for cost in weights.send if cost > 0), default=1)
    alphas = [Fraction(sum(weights.edge) * i, smallest * steps) for i in range(steps + 1)]
    gammas = [Fraction(sum(weights.cloud) * i, smallest * steps) for i in range(steps + 1)]
    network = FlowNetwork(graph)
    plans = []
    for alpha, gamma in [(Fraction(1), Fraction(1)), *itertools.product(alphas, gammas)]:
        unit = alpha.denominator * gamma.denominator
        edge = network.least_cut(
            [int(alpha * unit) * cost for cost in weights.edge],
            [unit * cost for cost in weights.send],
            [int(gamma * unit) * cost for cost in weights.cloud],
        )
        plans.append(make_plan(graphs, 'raw', edge, situation, 'heavy', Fraction(0)))
    return min(plans, key=lambda plan: plan.max_stage_s)
