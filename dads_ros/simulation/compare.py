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

"""One drive simulated by each method: the monitor, an oracle, and the plans that never change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dads_ros.graph import LayerGraph
from dads_ros.monitor.monitor import BUNDLE_OVERHEAD_BYTES
from dads_ros.monitor.monitor import Monitor
from dads_ros.monitor.policy import Policy
from dads_ros.monitor.policy import PolicyLimits
from dads_ros.partition.table import PlanTable
from dads_ros.simulation.car import Car
from dads_ros.simulation.car import Chooser
from dads_ros.simulation.oracle import Fixed
from dads_ros.simulation.oracle import Oracle
from dads_ros.simulation.run import Run
from dads_ros.simulation.world import World
import numpy as np


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a method would give: latencies in seconds of the frames that were answered."""

    method: str
    mean_s: float
    median_s: float
    p95_s: float
    detections_hz: float
    frames: int
    answered: int
    sent_bytes: int
    switches: int


def compare(
    table: PlanTable, graph: LayerGraph, world: World, limits: PolicyLimits
) -> Iterator[Forecast]:
    """
    Yield the forecast of the moving cut, of the oracle, and of what never changes.

    A method that answers no frame at all has times of infinity.
    """
    policy = Policy(table, graph.model_hash, graph.inputs, limits)
    minds: dict[str, Monitor | Chooser] = {
        'dads': Monitor(policy),
        'oracle': Oracle(world, table, BUNDLE_OVERHEAD_BYTES),
        'edge-only': Fixed(table, table.local_row),
    }
    for number, row in enumerate(table.rows):
        if row.boundary == graph.inputs:
            minds[f'upload {row.codec}'] = Fixed(table, number)
    for method, mind in minds.items():
        yield _forecast(method, Car(world, table, mind).run(), world)


def _forecast(method: str, run: Run, world: World) -> Forecast:
    latencies_s = [f.ended_s - f.stamp_s for f in run.frames if f.outcome.is_published]
    times_s = np.array(latencies_s or [np.inf])
    return Forecast(
        method=method,
        mean_s=float(times_s.mean()),
        median_s=float(np.median(times_s)),
        p95_s=float(np.quantile(times_s, 0.95, method='higher')),
        detections_hz=len(latencies_s) / world.duration_s,
        frames=len(run.frames),
        answered=len(latencies_s),
        sent_bytes=sum(f.size_bytes for f in run.frames),
        switches=len(run.switches),
    )
