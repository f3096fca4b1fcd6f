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

"""What a simulation leaves behind: one record per frame, and every change of plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import fmean

from dads_ros.monitor.estimate import LinkEstimate
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Plan


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """How one frame ended; ``row`` of the plan table it was begun with, None if it never was."""

    sequence: int
    stamp_s: float
    ended_s: float
    outcome: Outcome
    plan_id: int
    row: int | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Change:
    """A plan of the monitor's, from when it was decided."""

    time_s: float
    plan: Plan
    row: int


@dataclass(frozen=True)
class Run:
    """All that happened, in order."""

    frames: tuple[FrameRecord, ...]
    changes: tuple[Change, ...]
    probes: tuple[tuple[float, int], ...]
    estimates: tuple[tuple[float, LinkEstimate], ...]

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Return how many frames ended in each way."""
        return Counter(frame.outcome for frame in self.frames)

    @property
    def mean_delay_s(self) -> float:
        """Return the mean from camera to detections, over the frames that were published."""
        return fmean(f.ended_s - f.stamp_s for f in self.frames if f.outcome.is_published)

    @property
    def switches(self) -> tuple[Change, ...]:
        """Return the changes that moved the cut or its codec."""
        moved = []
        row = None
        for change in self.changes:
            if row is not None and change.row != row:
                moved.append(change)
            row = change.row
        return tuple(moved)

    def row_at(self, time_s: float) -> int | None:
        """Return the row that was decided on at a time; None before the first."""
        before = [change.row for change in self.changes if change.time_s <= time_s]
        return before[-1] if before else None
