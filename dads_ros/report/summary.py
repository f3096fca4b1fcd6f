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

"""One run in figures: how its frames ended, how late the detections were, what was sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from dataclasses import field
from itertools import pairwise

from dads_ros.graph import LayerGraph
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.report.accuracy import Accuracy
from dads_ros.report.accuracy import measure_accuracy
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunRecord
from dads_ros.report.stats import age_series
from dads_ros.report.stats import Quantiles
from dads_ros.report.stats import quantiles
import numpy as np


@dataclass(frozen=True, slots=True)
class PlanUse:
    """
    A cut and codec, and the frames that were answered under it.

    ``partial`` is whether the network was cut, not merely kept or sent whole; ``sent_bytes`` and
    ``latency_s`` are medians.
    """

    name: str
    boundary: tuple[str, ...]
    codec: str
    partial: bool
    frames: int
    sent_bytes: float | None
    latency_s: float


@dataclass(frozen=True)
class Summary:
    """
    A run in figures, its warm-up frames left out.

    ``lost`` frames of the clip never reached the edge. ``latency`` is from arrival at the edge to
    detections published, of the frames that were answered. ``age_s`` is the age of the newest
    detections along the run (see stats.py); its mean and its 95 % quantile are ``mean_age_s`` and
    ``p95_age_s``. ``sent_bytes`` is the median of the frames that were sent. ``switches`` counts
    changes of cut or codec, ``mode_switches`` changes between the two rules, DSL and DSH.
    """

    method: str
    frames: int
    warmup_frames: int
    lost: int
    seconds: float
    outcomes: dict[str, int]
    detections_hz: float
    latency: Quantiles | None
    mean_age_s: float | None
    p95_age_s: float | None
    total_bytes: int
    sent_frames: int
    sent_bytes: float | None
    uplink_bps: float
    plans: tuple[PlanUse, ...]
    switches: int
    mode_switches: int
    accuracy: Accuracy | None
    age_s: np.ndarray = field(repr=False, compare=False)
    run: RunRecord = field(repr=False, compare=False)

    @property
    def answered(self) -> int:
        """Return how many frames had their detections published."""
        return sum(self.outcomes[o.name.lower()] for o in Outcome if o.is_published)


def summarise(run: RunRecord) -> Summary:
    """Return a run's figures; those that nothing was measured for are None."""
    frames = run.frames[run.info.warmup_frames :]
    outcomes = Counter(frame.outcome for frame in frames)
    answered = [frame for frame in frames if frame.outcome.is_published]
    sent = [frame.size_bytes for frame in frames if frame.size_bytes]
    seconds = _duration(frames, run.info.clip_rate_hz)
    age_s = _age(run, frames)
    known = age_s[np.isfinite(age_s)]
    return Summary(
        method=run.info.method,
        frames=len(frames),
        warmup_frames=len(run.frames) - len(frames),
        lost=max(0, run.info.frame_count - len(run.frames)),
        seconds=seconds,
        outcomes={outcome.name.lower(): outcomes[outcome] for outcome in Outcome},
        detections_hz=len(answered) / seconds if seconds else 0.0,
        latency=quantiles([frame.total_s for frame in answered]),
        mean_age_s=float(known.mean()) if len(known) else None,
        p95_age_s=float(np.quantile(known, 0.95)) if len(known) else None,
        total_bytes=sum(sent),
        sent_frames=len(sent),
        sent_bytes=float(np.median(sent)) if sent else None,
        uplink_bps=sum(sent) * 8 / seconds if seconds else 0.0,
        plans=plans_used(run.info.graph, frames, run.plans),
        switches=_changes([(plan.boundary, plan.codec) for plan in _in_force(run, frames)]),
        mode_switches=_mode_switches(_in_force(run, frames)),
        accuracy=measure_accuracy(run, frames),
        age_s=age_s,
        run=run,
    )


def plan_name(graph: LayerGraph, boundary: tuple[str, ...], codec: str) -> str:
    """Return a cut and codec in a few words."""
    if not boundary:
        return 'all on the car'
    if boundary == graph.inputs:
        return f'upload the frame, {codec}'
    more = f' and {len(boundary) - 1} more' if len(boundary) > 1 else ''
    return f'cut after {boundary[0]}{more}, {codec}'


def plans_used(
    graph: LayerGraph, frames: tuple[FrameRecord, ...], plans: tuple[PlanRecord, ...]
) -> tuple[PlanUse, ...]:
    """Return the cuts and codecs that served frames, the most used first."""
    by_id = {plan.plan_id: (plan.boundary, plan.codec) for plan in plans}
    served: dict[tuple[tuple[str, ...], str], list[FrameRecord]] = {}
    for frame in frames:
        if frame.plan_id in by_id and frame.outcome.is_published:
            served.setdefault(by_id[frame.plan_id], []).append(frame)
    uses = []
    for (boundary, codec), members in served.items():
        sent = [frame.size_bytes for frame in members if frame.size_bytes]
        use = PlanUse(
            name=plan_name(graph, boundary, codec),
            boundary=boundary,
            codec=codec,
            partial=boundary not in ((), graph.inputs),
            frames=len(members),
            sent_bytes=float(np.median(sent)) if sent else None,
            latency_s=float(np.median([frame.total_s for frame in members])),
        )
        uses.append(use)
    return tuple(sorted(uses, key=lambda use: -use.frames))


def _duration(frames: tuple[FrameRecord, ...], rate_hz: float) -> float:
    """Return the seconds that the frames stand for, the last one's period included."""
    return frames[-1].t_s - frames[0].t_s + 1 / rate_hz if frames else 0.0


def _age(run: RunRecord, frames: tuple[FrameRecord, ...]) -> np.ndarray:
    """Return the age series; detections of the warm-up count as known when it begins."""
    if not frames:
        return np.zeros(0)
    published = [(f.t_s, f.t_s + f.total_s) for f in run.frames if f.outcome.is_published]
    return age_series(published, frames[0].t_s, frames[-1].t_s)


def _in_force(run: RunRecord, frames: tuple[FrameRecord, ...]) -> list[PlanRecord]:
    """Return the plans in force from the first measured frame on."""
    if not frames:
        return []
    before = [plan for plan in run.plans if plan.t_s <= frames[0].t_s]
    return before[-1:] + [plan for plan in run.plans if plan.t_s > frames[0].t_s]


def _changes(values: list[tuple[tuple[str, ...], str]]) -> int:
    return sum(a != b for a, b in pairwise(values))


def _mode_switches(plans: list[PlanRecord]) -> int:
    modes = [plan.mode for plan in plans if plan.mode in (Mode.LIGHT, Mode.HEAVY)]
    return sum(a != b for a, b in pairwise(modes))
