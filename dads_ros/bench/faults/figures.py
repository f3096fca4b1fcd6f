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


"""What a record of faults shows: each frame's end, the order of detections, gaps and recovery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
import math

from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.faults.scenarios import Phase
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import PlanRecord

# Once the cause is gone, frames go through the cloud again within so long: docs/reliability.md.
PROMISED_S = 10.0


@dataclass(frozen=True)
class Row:
    """
    One fault in the table of docs/reliability.md.

    :param count: how often the fault was made.
    :param frames: camera frames that came in meanwhile.
    :param lost: of those, how many got no detections.
    :param gap_s: longest time between two detection messages.
    :param camera_gap_s: longest time between two camera frames, as the edge got them.
    :param recovered_s: from the cause being gone to the first frame through the cloud; None where
        none came.
    :param deadline_s: longest of the plans in force, for comparison with the gap.
    :param unaccounted: of the frames, how many ended never, or twice.
    """

    test: str
    count: int
    frames: int
    lost: int
    gap_s: float
    camera_gap_s: float
    recovered_s: float | None
    deadline_s: float
    unaccounted: int


@dataclass(frozen=True)
class Account:
    """
    Whether every frame ended exactly once and nothing old was published.

    :param unaccounted: frames that came in and ended never, or twice.
    :param stale: detections published after those of a newer frame, or for no frame at all.
    """

    frames: int
    ended: dict[str, int]
    unaccounted: int
    stale: int


@dataclass(frozen=True)
class Lives:
    """When the edge was started and, outright, killed; each life counts its frames from 1."""

    starts_ns: Sequence[int]
    kills_ns: Sequence[int] = ()

    def unaccounted(
        self, frames: Sequence[FrameRecord], begin_ns: float = 0, end_ns: float = math.inf
    ) -> int:
        """Return how many frames that came in between two times ended never, or twice."""
        count = 0
        for life, was_killed in self.split(frames):
            times_ended = Counter(f.sequence for f in life)
            within = [f.sequence for f in life if begin_ns <= f.received_ns < end_ns]
            # Before the record's own begin there is nothing to see the first frame by.
            first = min(within, default=1) if begin_ns else 1
            last = max(within, default=0)
            if was_killed:
                # What it was at work on died with it: no program can report that.
                last = min(last, _last_before_the_kill(life))
            count += sum(times_ended[s] != 1 for s in range(first, last + 1))
        return count

    def split(self, frames: Sequence[FrameRecord]) -> Iterator[tuple[list[FrameRecord], bool]]:
        """Yield the frames of each life, with whether it was killed."""
        for begin_ns, end_ns in pairwise([*self.starts_ns, math.inf]):
            life = [f for f in frames if begin_ns <= f.received_ns < end_ns]
            yield life, any(begin_ns <= kill_ns < end_ns for kill_ns in self.kills_ns)


def account_of(rig: Rig) -> Account:
    """Return the account of all that a rig has recorded; its edge must have ended."""
    return account(
        rig.frames(), rig.record.detections, Lives(rig.edge_starts_ns, rig.edge_kills_ns)
    )


def rows_of(rig: Rig, phases: Sequence[Phase]) -> list[Row]:
    """Return what faults did to a rig, one by one."""
    lives = Lives(rig.edge_starts_ns, rig.edge_kills_ns)
    frames, record = rig.frames(), rig.record
    return [row(phase, frames, record.detections, record.plans, lives) for phase in phases]


def account(
    frames: Sequence[FrameRecord], detections: Sequence[DetectionRecord], lives: Lives
) -> Account:
    """
    Hold the record of frames against itself.

    :param frames: in the order in which they ended.
    :param detections: in the order in which they were published.
    """
    stale = 0
    for life, _ in lives.split(frames):
        published = [f.sequence for f in life if f.outcome.is_published]
        stale += sum(later <= earlier for earlier, later in pairwise(published))
    answered = Counter(f.stamp_ns for f in frames if f.outcome.is_published)
    stale += sum((Counter(d.stamp_ns for d in detections) - answered).values())
    return Account(
        frames=len(frames),
        ended=dict(Counter(f.outcome.name.lower() for f in frames)),
        unaccounted=lives.unaccounted(frames),
        stale=stale,
    )


def row(
    phase: Phase,
    frames: Sequence[FrameRecord],
    detections: Sequence[DetectionRecord],
    plans: Sequence[PlanRecord],
    lives: Lives,
) -> Row:
    """Return what one fault did."""
    start_ns = frames[0].received_ns - int(frames[0].t_s * 1e9)
    begin_s, end_s = ((ns - start_ns) / 1e9 for ns in (phase.begin_ns, phase.end_ns))
    within = [f for f in frames if phase.begin_ns <= f.received_ns < phase.end_ns]
    via_cloud_ns = [
        f.received_ns + int(f.total_s * 1e9)
        for f in within
        if f.outcome is Outcome.VIA_CLOUD and f.received_ns >= phase.healed_ns
    ]
    in_force = [p.deadline_s for p in plans if p.t_s < end_s]
    after = [p.deadline_s for p in plans if begin_s <= p.t_s < end_s]
    return Row(
        test=phase.name,
        count=phase.count,
        frames=len(within),
        lost=sum(not f.outcome.is_published for f in within),
        gap_s=longest_gap_s([d.t_s for d in detections], begin_s, end_s),
        camera_gap_s=longest_gap_s(sorted(f.t_s for f in frames), begin_s, end_s),
        recovered_s=(min(via_cloud_ns) - phase.healed_ns) / 1e9 if via_cloud_ns else None,
        deadline_s=max([*in_force[: len(in_force) - len(after)][-1:], *after], default=0.0),
        unaccounted=lives.unaccounted(frames, phase.begin_ns, phase.end_ns),
    )


def longest_gap_s(times_s: Sequence[float], begin_s: float, end_s: float) -> float:
    """Return the longest time between events of which a part lies between two times."""
    before = [t for t in times_s if t < begin_s][-1:]
    within = [t for t in times_s if begin_s <= t < end_s]
    gaps = [later - earlier for earlier, later in pairwise([*before, *within, end_s])]
    return max(gaps, default=0.0)


def _last_before_the_kill(life: Sequence[FrameRecord]) -> int:
    """Return the last frame up to which none was still under way."""
    ended = {f.sequence for f in life}
    last = 0
    while last + 1 in ended:
        last += 1
    return last
