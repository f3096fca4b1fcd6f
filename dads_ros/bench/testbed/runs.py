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

"""What one drive on the testbed left, in figures: pure functions of run records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
import math
from statistics import fmean
from statistics import median
from typing import Any

from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunRecord
import numpy as np

# The first part of each stretch of a steady rate does not count: the cut settles, buffers drain.
SETTLING_SHARE = 0.4


@dataclass(frozen=True)
class Window:
    """
    Figures of a stretch of time; None for what no frame told.

    :param latency_s: median from camera to detections, of frames that arrived in the stretch.
    :param answered_hz: detections published in the stretch.
    :param capacity_hz: what the longest stage would allow, of frames that arrived in the stretch.
    """

    frames: int
    latency_s: float | None
    answered_hz: float
    capacity_hz: float | None


@dataclass(frozen=True)
class Latency:
    """From camera to detections, of all frames that were answered while the trace was followed."""

    answered: int
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None


def steady(run: RunRecord, number: int, end_s: float) -> Window:
    """
    Return the figures of one level of a staircase.

    :param number: of the sample of the run's trace.
    :param end_s: of the drive, since the trace's beginning: the last level has no end of its own.
    """
    begins_s = [time_s for time_s, _ in run.info.link.trace or ()]
    begin_s = begins_s[number]
    stop_s = begins_s[number + 1] if number + 1 < len(begins_s) else begins_s[0] + end_s
    return window(run.frames, begin_s + SETTLING_SHARE * (stop_s - begin_s), stop_s)


def window(frames: Sequence[FrameRecord], begin_s: float, end_s: float) -> Window:
    """Return the figures of a stretch of time on the recorder's clock."""
    published = [f for f in frames if f.outcome.is_published]
    arrived = [f for f in published if begin_s <= f.t_s < end_s]
    ended = sum(begin_s <= f.t_s + f.total_s < end_s for f in published)
    longest_s = max((median(stage) for stage in _stages(arrived)), default=0.0)
    return Window(
        frames=len(arrived),
        latency_s=median(f.total_s for f in arrived) if arrived else None,
        answered_hz=ended / (end_s - begin_s),
        capacity_hz=1 / longest_s if longest_s > 0 else None,
    )


def _stages(frames: Sequence[FrameRecord]) -> list[list[float]]:
    """Return what each frame took of the car, of the link and of the cloud."""
    if not frames:
        return []
    return [
        [f.preprocess_s + f.edge_s + f.encode_s for f in frames],
        [f.network_s for f in frames],
        [f.decode_s + f.cloud_s for f in frames],
    ]


def latency(run: RunRecord) -> Latency:
    """Return how late the detections were since the trace's beginning."""
    begin_s = _begin_s(run)
    totals_s = [f.total_s for f in run.frames if f.outcome.is_published and f.t_s >= begin_s]
    if not totals_s:
        return Latency(0, None, None, None, None)
    p50_s, p95_s, p99_s = (float(q) for q in np.quantile(totals_s, [0.5, 0.95, 0.99]))
    return Latency(len(totals_s), fmean(totals_s), p50_s, p95_s, p99_s)


def _begin_s(run: RunRecord) -> float:
    trace = run.info.link.trace
    return trace[0][0] if trace else 0.0


def unaccounted(run: RunRecord, still_s: float) -> int:
    """
    Return how many of the frames that reached the car ended not at all, or twice.

    :param still_s: a frame that arrived so shortly before the run's end may be under way.
    """
    if not run.frames:
        return 0
    end_s = max(f.t_s + f.total_s for f in run.frames)
    seen = [f.sequence for f in run.frames]
    last = max((f.sequence for f in run.frames if f.t_s <= end_s - still_s), default=0)
    missing = set(range(1, last + 1)) - set(seen)
    return len(missing) + len(seen) - len(set(seen))


def reactions_s(run: RunRecord) -> list[float | None]:
    """
    Return, for each step of the trace, when another cut or codec came into force after it.

    None where none did before the next step or the end.
    """
    steps_s = [time_s for time_s, _ in run.info.link.trace or ()][1:]
    changes_s = [b.t_s for a, b in pairwise(run.plans) if _cut(a) != _cut(b)]
    limits_s = [*steps_s[1:], math.inf]
    return [
        next((t - step_s for t in changes_s if step_s <= t < limit_s), None)
        for step_s, limit_s in zip(steps_s, limits_s, strict=True)
    ]


def steady_switches(run: RunRecord) -> float | None:
    """Return how often cut or codec changed, after the first 5 s; None for a shorter run."""
    if not run.frames:
        return None
    begin_s, end_s = _begin_s(run) + 5.0, run.frames[-1].t_s
    if end_s <= begin_s:
        return None
    changed = (b.t_s for a, b in pairwise(run.plans) if _cut(a) != _cut(b))
    return sum(t >= begin_s for t in changed) / (end_s - begin_s)


def _cut(plan: PlanRecord) -> tuple[tuple[str, ...], str]:
    return plan.boundary, plan.codec


def stage_sum_error(run: RunRecord) -> float | None:
    """Return by what share the stages of a frame fail to add up to its time, at worst."""
    errors = [
        abs(_sum_s(f) - f.total_s) / f.total_s
        for f in run.frames
        if f.outcome is Outcome.VIA_CLOUD and f.total_s > 0
    ]
    return max(errors, default=None)


def _sum_s(f: FrameRecord) -> float:
    return (
        f.wait_s + f.preprocess_s + f.edge_s + f.encode_s + f.network_s
        + f.cloud_queue_s + f.decode_s + f.cloud_s + f.held_s
    )  # fmt: skip


def stage_medians_s(run: RunRecord) -> dict[str, float]:
    """Return where the time of frames went that the cloud finished, stage by stage."""
    frames = [f for f in run.frames if f.outcome is Outcome.VIA_CLOUD]
    names = (
        'wait_s', 'preprocess_s', 'edge_s', 'encode_s', 'network_s',
        'cloud_queue_s', 'decode_s', 'cloud_s', 'held_s', 'total_s',
    )  # fmt: skip
    return {name: median(getattr(f, name) for f in frames) for name in names} if frames else {}


def one_way_bound_s(run: RunRecord) -> float | None:
    """Return by how much a one-way time may be wrong without common clocks: half a round trip."""
    rtts_s = [link.rtt_s for link in run.links if link.cloud_alive and link.rtt_s > 0]
    return median(rtts_s) / 2 if rtts_s else None


def capacity_bytes(trace: Sequence[tuple[float, float]], seconds: float) -> float:
    """Return what a link could have carried from its trace's beginning on."""
    begin_s = trace[0][0]
    times_s = [min(t - begin_s, seconds) for t, _ in trace] + [seconds]
    return sum(
        rate_bps * (b - a) / 8
        for (_, rate_bps), (a, b) in zip(trace, pairwise(times_s), strict=True)
    )


@dataclass(frozen=True)
class Cost:
    """
    What the package itself took: the monitor's share of a core, and what was sent beside bundles.

    :param of_link: the monitor's probes as a share of what the link could have carried.
    :param of_sent: probes, headers of all layers, answers to the cloud's and what was sent again,
        as a share of what was sent.
    """

    monitor_cpu: float | None
    of_link: float | None
    of_sent: float | None


def own_cost(run: RunRecord, counted: dict[str, Any]) -> Cost:
    """Return a drive's own cost from its run and what the testbed counted."""
    begin_s, seconds = _begin_s(run), counted['seconds']
    payload = sum(f.size_bytes for f in run.frames if f.t_s + f.wait_s >= begin_s)
    sent = counted['uplink_bytes']
    extra = max(0.0, sent - payload)
    used_s, probe_bps = counted.get('monitor_cpu_s'), counted.get('probe_bps')
    capacity = capacity_bytes(run.info.link.trace or ((0.0, 0.0),), seconds)
    return Cost(
        monitor_cpu=used_s / seconds if used_s is not None and seconds else None,
        of_link=probe_bps * seconds / 8 / capacity if probe_bps is not None and capacity else None,
        of_sent=extra / sent if sent else None,
    )
