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
A drive as it can be simulated, with what its frames tell of both machines.

The monitor under test has no part in it. Means are compared with means, so both machines are as
slow as they were in the mean: a row that was driven takes what its frames took, and any other what
the table says, times how much slower than the table each machine was under the rows that tell.
Where none tells of the car, it was as much slower as the cloud: both are shares of one machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
import math
from statistics import fmean

from dads_ros.bench.testbed.runs import wire_s
from dads_ros.errors import PlanError
from dads_ros.monitor.monitor import TELLING_SHARE
from dads_ros.partition.table import PlanTable
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import RunRecord
from dads_ros.simulation.world import World
from dads_ros.testbed.hosts import FRAME_BYTES
from dads_ros.trace import Trace

# Fewer frames than this do not tell how long a row takes.
_TELLING_FRAMES = 10


def as_driven(
    table: PlanTable, trace: Trace, run: RunRecord, since_s: float, seconds: float
) -> tuple[World, PlanTable]:
    """
    Return the world of a drive, and the table with the stage times that its rows took there.

    What no plan can avoid is the image's way into the network, and a message's way through the
    nodes: in the mean of those that found no other of ours under way, so that a queue that a plan
    of ours made is not excused.

    :param since_s: when the trace began, on the run's clock; earlier frames do not count.
    :param seconds: for so long the trace was driven.
    """
    frames = [frame for frame in run.frames if frame.t_s >= since_s]
    spent = _spent_s(table, run, frames)
    edge: list[float] = []
    cloud: list[float] = []
    local_ns = table.rows[table.local_row].totals.edge_ns
    for number, times in spent.items():
        totals = table.rows[number].totals
        if totals.edge_ns > local_ns * TELLING_SHARE:
            edge += [edge_s * 1e9 / float(totals.edge_ns) for edge_s, _ in times]
        if totals.uses_cloud:
            cloud += [cloud_s * 1e9 / float(totals.cloud_ns) for _, cloud_s in times]
    read = [frame for frame in frames if frame.preprocess_s]
    cloud_factor = fmean(cloud or [1.0])
    world = World(
        trace=trace,
        duration_s=seconds,
        camera_hz=run.info.clip_rate_hz,
        rtt_s=max(0.0, fmean(_ways_s(trace, frames, since_s) or [0.0])),
        burst_bytes=FRAME_BYTES,
        edge_factor=fmean(edge or [cloud_factor]),
        cloud_factor=cloud_factor,
        preprocess_s=_least([frame.wait_s for frame in read])
        + fmean([frame.preprocess_s for frame in read] or [0.0]),
    )
    rows = list(table.rows)
    for number, times in spent.items():
        if len(times) >= _TELLING_FRAMES:
            edge_ns, cloud_ns = (fmean(column) * 1e9 for column in zip(*times, strict=True))
            totals = replace(
                rows[number].totals,
                edge_ns=round(edge_ns / world.edge_factor),
                cloud_ns=round(cloud_ns / world.cloud_factor),
            )
            rows[number] = replace(rows[number], totals=totals)
    return world, PlanTable(table.ids, rows, table.complete)


def _spent_s(
    table: PlanTable, run: RunRecord, frames: Sequence[FrameRecord]
) -> dict[int, list[tuple[float, float]]]:
    """Return what each frame took on the car and in the cloud, by its row of the table."""
    row_of = {}
    for plan in run.plans:
        with suppress(PlanError):  # found by the exact solver, after the drive began
            row_of[plan.plan_id] = table.row_of(plan.boundary, plan.codec)
    spent: dict[int, list[tuple[float, float]]] = {}
    for frame in frames:
        if frame.outcome is Outcome.LOCAL:
            spent.setdefault(table.local_row, []).append((frame.edge_s, 0.0))
        elif frame.outcome is Outcome.VIA_CLOUD and frame.plan_id in row_of:
            times = (frame.edge_s + frame.encode_s, frame.decode_s + frame.cloud_s)
            spent.setdefault(row_of[frame.plan_id], []).append(times)
    return spent


def _ways_s(trace: Trace, frames: Sequence[FrameRecord], since_s: float) -> list[float]:
    """Return how long messages that met no other took besides their bytes' time on the link."""
    ways_s = []
    free_s = -math.inf
    for frame in sorted(frames, key=lambda frame: frame.t_s):
        if not frame.size_bytes:
            continue
        sent_s = frame.t_s + frame.wait_s + frame.preprocess_s + frame.edge_s + frame.encode_s
        rate_bps = trace.rate_bps(sent_s - since_s)
        if frame.outcome is Outcome.VIA_CLOUD and rate_bps and sent_s > free_s:
            wire = wire_s(frame.size_bytes, rate_bps) - FRAME_BYTES * 8 / rate_bps
            ways_s.append(frame.network_s + frame.cloud_queue_s - max(wire, 0.0))
        free_s = max(free_s, frame.t_s + frame.total_s)
    return ways_s


def _least(values_s: Sequence[float]) -> float:
    return sorted(values_s)[len(values_s) // 10] if values_s else 0.0
