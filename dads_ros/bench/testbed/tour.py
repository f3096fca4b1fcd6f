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

"""Several traces on end in one drive: to start the nodes takes longer than to follow a trace."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from dads_ros.report.schema import RunRecord
from dads_ros.trace import load_trace
from dads_ros.trace import Trace

# The link comes from being open, or from the trace before, which is no part of a trace: its first
# rate holds for so long before, and does not count.
LEAD_S = 3.0
# A trace of a second would leave nothing to measure.
_LEAST_S = 5.0
# A drive that fails, or finds no time left, costs what it would have measured.
_MOST_LEGS = 8


@dataclass(frozen=True)
class Leg:
    """
    The first seconds of a trace.

    :param seconds: so many, after the lead.
    """

    name: str
    trace: Trace
    seconds: float


@dataclass(frozen=True)
class Tour:
    """Legs in the order in which they are driven, each behind its lead."""

    legs: tuple[Leg, ...]

    @property
    def title(self) -> str:
        """Return what the tour is called."""
        first, last = self.legs[0].name, self.legs[-1].name
        return f'trace {first}' if len(self.legs) == 1 else f'traces {first} to {last}'

    @property
    def seconds(self) -> float:
        """Return how long it lasts, leads included."""
        return sum(LEAD_S + leg.seconds for leg in self.legs)

    @property
    def trace(self) -> Trace:
        """Return the rates of all legs and leads on end."""
        samples = [
            (begin_s + time_s, rate_bps)
            for leg, begin_s in self._begins()
            for time_s, rate_bps in leg.trace.after(LEAD_S).samples
            if time_s < LEAD_S + leg.seconds
        ]
        times_s, rates_bps = zip(*samples, strict=True)
        return Trace(times_s, rates_bps)

    def runs(self, run: RunRecord, began_s: float) -> list[RunRecord]:
        """
        Return the record of each leg, its trace beginning with the lead.

        :param run: of the whole tour.
        :param began_s: when it began, on the clock of the record.
        """
        return [
            _stretch(run, began_s + begin_s, began_s + begin_s + LEAD_S + leg.seconds)
            for leg, begin_s in self._begins()
        ]

    def _begins(self) -> Iterator[tuple[Leg, float]]:
        lasts_s = (LEAD_S + leg.seconds for leg in self.legs)
        return zip(self.legs, accumulate(lasts_s, initial=0.0), strict=False)


def tours_of(paths: Sequence[Path], most_s: float) -> list[Tour]:
    """
    Return tours along all traces.

    :param most_s: of each; of a shorter one as much as there is.
    Raises TraceError for a file that is no trace.
    """
    legs = []
    for path in paths:
        trace = load_trace(path)
        seconds = min(most_s, max(trace.length_s or most_s, _LEAST_S))
        legs.append(Leg(path.stem, trace, seconds))
    return [Tour(tuple(legs[i : i + _MOST_LEGS])) for i in range(0, len(legs), _MOST_LEGS)]


def _stretch(run: RunRecord, begin_s: float, end_s: float) -> RunRecord:
    """Return what arrived between two times; a plan made before may have been in force then."""
    whole = run.info.link
    trace = tuple(sample for sample in whole.trace or () if begin_s <= sample[0] < end_s)
    return replace(
        run,
        info=replace(run.info, link=replace(whole, trace=trace)),
        frames=tuple(frame for frame in run.frames if begin_s <= frame.t_s < end_s),
        plans=tuple(plan for plan in run.plans if plan.t_s < end_s),
        links=tuple(link for link in run.links if begin_s <= link.t_s < end_s),
    )
