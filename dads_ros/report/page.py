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

"""The data that the page's plots draw: columns of numbers, colours and words left to the page."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
import math
from typing import Any

from dads_ros.graph import LayerGraph
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunRecord
from dads_ros.report.summary import plan_name
from dads_ros.report.summary import plans_used
from dads_ros.report.summary import PlanUse
from dads_ros.report.summary import Summary
from dads_ros.report.verdict import method_words
import numpy as np

STAGES = (
    ('wait_s', 'waiting'),
    ('preprocess_s', 'preparing the image'),
    ('edge_s', "the car's layers"),
    ('encode_s', 'encoding'),
    ('network_s', 'the link, both ways'),
    ('cloud_queue_s', 'queue in the cloud'),
    ('decode_s', 'decoding'),
    ('cloud_s', "the cloud's layers"),
    ('held_s', 'held for order'),
)


def page_data(runs: Sequence[RunRecord], summaries: Sequence[Summary]) -> dict[str, Any]:
    """Return everything the page's scripts read, ready for json.dumps."""
    return {
        'outcomes': [outcome.name.lower() for outcome in Outcome],
        'stages': [words for _, words in STAGES],
        'runs': [_run(run) for run in runs],
        'network': _network(runs[0].info.graph),
        'cuts': [_cut(runs[0].info.graph, use) for use in _distinct_cuts(summaries)],
        'curve': _curve(runs),
        'tradeoff': [
            {
                'name': s.method,
                'bytes': s.sent_bytes,
                'ap50': s.accuracy.ap50,
                'frames': s.accuracy.frames,
            }
            for s in summaries
            if s.accuracy is not None
        ],
    }


def _curve(runs: Sequence[RunRecord]) -> dict[str, Any] | None:
    """Return the calibrated cuts and codecs; those are marked that this session's frames took."""
    info = runs[0].info
    if info.curve is None or not info.curve.points:
        return None
    curve = info.curve
    used = {
        (plan.boundary, plan.codec)
        for run in runs
        for plan in plans_used(info.graph, run.frames[info.warmup_frames :], run.plans)
    }
    return {
        'reference': curve.reference,
        'frames': curve.frames,
        'ap50': round(curve.ap50, 4),
        'budget': curve.budget,
        'points': [
            {
                'name': plan_name(info.graph, point.boundary, point.codec),
                'kind': 'upload' if point.boundary == info.graph.inputs else 'cut',
                'bytes': round(point.bytes_mean),
                'ap50': round(point.ap50, 4),
                'used': (point.boundary, point.codec) in used,
            }
            for point in curve.points
        ],
    }


def stage_means(run: RunRecord) -> list[dict[str, Any]]:
    """
    Return where the time of the answered frames went, for each cut and codec, most used first.

    Means, not medians: they add up to the mean latency. What no stage accounts for comes last.
    """
    by_id = {plan.plan_id: (plan.boundary, plan.codec) for plan in run.plans}
    groups: dict[tuple[tuple[str, ...], str], list[FrameRecord]] = {}
    for frame in run.frames[run.info.warmup_frames :]:
        if frame.outcome.is_published and frame.plan_id in by_id:
            groups.setdefault(by_id[frame.plan_id], []).append(frame)
    bars = []
    for (boundary, codec), frames in sorted(groups.items(), key=lambda item: -len(item[1])):
        means = [float(np.mean([getattr(f, name) for f in frames])) for name, _ in STAGES]
        total_s = float(np.mean([frame.total_s for frame in frames]))
        bars.append(
            {
                'name': plan_name(run.info.graph, boundary, codec),
                'frames': len(frames),
                'total_s': total_s,
                'stages_s': [*means, max(0.0, total_s - sum(means))],
            }
        )
    return bars


def decisions(run: RunRecord) -> list[dict[str, Any]]:
    """Return every plan of a run with its reason, and what its frames after the warm-up took."""
    took_s: dict[int, list[float]] = {plan.plan_id: [] for plan in run.plans}
    for frame in run.frames[run.info.warmup_frames :]:
        if frame.outcome.is_published and frame.plan_id in took_s:
            took_s[frame.plan_id].append(frame.total_s)
    return [
        {
            'plan': plan,
            't_s': plan.t_s - drive_start_s(run),
            'name': plan_name(run.info.graph, plan.boundary, plan.codec),
            'frames': len(took_s[plan.plan_id]),
            'measured_s': float(np.median(took)) if (took := took_s[plan.plan_id]) else None,
            'predicted_s': plan.delay_s if math.isfinite(plan.delay_s) else None,
        }
        for plan in run.plans
    ]


def drive_start_s(run: RunRecord) -> float:
    """Return when the first frame arrived, which is zero on the page: the nodes start earlier."""
    return run.frames[0].t_s if run.frames else 0.0


def _run(run: RunRecord) -> dict[str, Any]:
    frames = run.frames
    outcomes = list(Outcome)
    start_s = drive_start_s(run)
    warm = run.info.warmup_frames
    return {
        'method': run.info.method,
        'words': method_words(run.info.method),
        'warm_until_s': frames[warm].t_s - start_s if len(frames) > warm else None,
        't_s': _rounded((f.t_s - start_s for f in frames), 4),
        'sequence': [f.sequence for f in frames],
        'outcome': [outcomes.index(f.outcome) for f in frames],
        'plan_id': [f.plan_id for f in frames],
        'bytes': [f.size_bytes for f in frames],
        'total_s': _rounded(
            (f.total_s if f.outcome.is_published else math.nan for f in frames), 5
        ),
        'stages_s': [_rounded((getattr(f, name) for f in frames), 5) for name, _ in STAGES],
        'plans': [_plan(run.info.graph, plan, start_s) for plan in run.plans],
        'link': {
            't_s': _rounded((link.t_s - start_s for link in run.links), 3),
            # The monitor says 0 where it knows nothing: a gap, not an outage.
            'bps': _rounded((link.uplink_bps or math.nan for link in run.links), 0),
            'low_bps': _rounded((link.uplink_low_bps or math.nan for link in run.links), 0),
            'high_bps': _rounded((link.uplink_high_bps or math.nan for link in run.links), 0),
            'alive': [link.cloud_alive for link in run.links],
        },
        'trace': [list(point) for point in run.info.link.trace or ()],
    }


def _plan(graph: LayerGraph, plan: PlanRecord, start_s: float) -> dict[str, Any]:
    whole = 'local' if not plan.boundary else 'upload'
    return {
        'id': plan.plan_id,
        't_s': round(plan.t_s - start_s, 3),
        'mode': plan.mode.name.lower(),
        'kind': whole if plan.boundary in ((), graph.inputs) else 'cut',
        'name': plan_name(graph, plan.boundary, plan.codec),
        'deadline_s': plan.deadline_s if math.isfinite(plan.deadline_s) else None,
    }


def _network(graph: LayerGraph) -> list[dict[str, Any]]:
    return [
        {
            'id': layer.id,
            'op': layer.op,
            'shape': list(layer.shape),
            'dtype': layer.dtype,
            'bytes': layer.output_bytes,
            'inputs': [graph.index[name] for name in dict.fromkeys(layer.inputs)],
        }
        for layer in graph.layers
    ]


def _distinct_cuts(summaries: Sequence[Summary]) -> list[PlanUse]:
    """Return each cut that served frames once: partial cuts first, then by frames."""
    uses: dict[tuple[tuple[str, ...], str], PlanUse] = {}
    for summary in summaries:
        for use in summary.plans:
            uses.setdefault((use.boundary, use.codec), use)
    return sorted(uses.values(), key=lambda use: (not use.partial, -use.frames))


def _cut(graph: LayerGraph, use: PlanUse) -> dict[str, Any]:
    cloud = graph.cloud_layers(use.boundary) if use.boundary else ()
    return {
        'name': use.name,
        'frames': use.frames,
        'sent_bytes': use.sent_bytes,
        'raw_bytes': sum(graph[name].output_bytes for name in use.boundary),
        'boundary': [graph.index[name] for name in use.boundary],
        'cloud': [graph.index[name] for name in cloud],
    }


def _rounded(values: Iterable[float], digits: int) -> list[float | None]:
    return [round(value, digits) if math.isfinite(value) else None for value in values]
