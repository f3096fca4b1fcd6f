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

"""How the plan followed the link, from run records: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
import math

from dads_ros.bench.testbed.runs import began_s
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunRecord


@dataclass(frozen=True)
class Reaction:
    """
    How the plan followed a step of the trace.

    :param seen: whether another cut or codec came before the next step. Without one the times are
        those until then: it took longer.
    :param plan_s: until the plan was in force: the car had it, for whichever frame began next,
    :param frame_s: and until one began.
    :param frames: that began under the plan before, after the step.
    """

    seen: bool
    plan_s: float
    frame_s: float
    frames: int


def reactions(run: RunRecord) -> list[Reaction]:
    """Return the reaction to each step of the trace, the last of which lasts until the end."""
    steps_s = [time_s for time_s, _ in run.info.link.trace or ()][1:]
    changes_s = [b.t_s for a, b in pairwise(run.plans) if _cut(a) != _cut(b)]
    last_s = max((f.t_s + f.total_s for f in run.frames), default=0.0)
    return [
        _reaction(run, step_s, end_s, changes_s)
        for step_s, end_s in pairwise([*steps_s, max(last_s, *steps_s[-1:], 0.0)])
    ]


def _reaction(run: RunRecord, step_s: float, end_s: float, changes_s: Sequence[float]) -> Reaction:
    change_s = next((t for t in changes_s if step_s <= t < end_s), None)
    made_s = {plan.plan_id: plan.t_s for plan in run.plans}
    begun = sorted(
        # Under no plan of the monitor's the car computes when it has given up by itself.
        (f.t_s + f.wait_s, made_s.get(f.plan_id, -math.inf))
        for f in run.frames
        if f.outcome.is_published and step_s <= f.t_s + f.wait_s < end_s
    )
    until_s = end_s if change_s is None else change_s
    new = [begin_s for begin_s, plan_s in begun if plan_s >= until_s]
    frame_s = new[0] if new else end_s
    frames = sum(begin_s < frame_s for begin_s, _ in begun)
    return Reaction(change_s is not None, until_s - step_s, frame_s - step_s, frames)


def steady_switches(run: RunRecord) -> float | None:
    """Return how often cut or codec changed, after the first 5 s; None for a shorter run."""
    since_s = began_s(run) + 5.0
    end_s = max((f.t_s for f in run.frames), default=since_s)
    if end_s <= since_s:
        return None
    changed = (b.t_s for a, b in pairwise(run.plans) if _cut(a) != _cut(b))
    return sum(t >= since_s for t in changed) / (end_s - since_s)


def _cut(plan: PlanRecord) -> tuple[tuple[str, ...], str]:
    return plan.boundary, plan.codec
