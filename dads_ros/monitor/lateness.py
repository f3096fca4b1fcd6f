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
Which late messages tell of a slower link, and which of a lost packet that was sent again.

A lost packet, a pause of the cloud and a link that has become slower all make a message late. Only
the last goes on. So messages that are late in a row are put aside until they are enough to believe
in a slower link, or one comes in time and excuses them. What was excused lately tells how much
lateness means nothing on this link.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Generic
from typing import TypeVar

# So many in a row tell of a slower link when, taken together, they are so many times later than
# any that was excused in the last seconds,
ENOUGH = 2
DOUBLE = 2.0
MEMORY_S = 30.0
# which counts up to this: a packet that is sent again takes no longer.
LONGEST_S = 0.2
# So many in a row always do; and one less when each is at least this share as late as the one
# before. What waits for a lost packet is less late each time, until all is through.
MANY = 4
ABOUT = 0.8
# After one late message it takes less of another that is still on its way.
DOUBT_S = 0.05

T = TypeVar('T')


class Lateness(Generic[T]):
    """Messages that were late in a row, and how late those were that meant nothing."""

    def __init__(self) -> None:
        self._run: list[tuple[T, float]] = []
        self._excused: deque[tuple[float, float]] = deque()

    @property
    def run(self) -> list[T]:
        """Return the messages that were late in a row, the newest last."""
        return [message for message, _ in self._run]

    def note(self, message: T, late_s: float) -> None:
        """Put a message aside that was late by so much."""
        self._run.append((message, late_s))

    def is_change(self, now_s: float) -> bool:
        """Return whether they tell of a slower link."""
        count = len(self._run)
        return (
            count >= MANY
            or (count >= MANY - 1 and self._lasts)
            or (count >= ENOUGH and self._total_s > self._meaningless_s(now_s))
        )

    def patience_s(self, usual_s: float, now_s: float) -> float:
        """
        Return how late one that is still on its way may be before it tells of a slower link.

        :param usual_s: while none before it was late.
        """
        if not self._run:
            return max(usual_s, self._meaningless_s(now_s))
        if len(self._run) >= MANY - 1 or (len(self._run) >= MANY - 2 and self._lasts):
            return DOUBT_S
        return max(DOUBT_S, self._meaningless_s(now_s) - self._total_s)

    def excuse(self, now_s: float) -> None:
        """Forget those put aside: one came in time."""
        self._excused.extend((now_s, late_s) for _, late_s in self._run)
        self._run.clear()

    def forget(self) -> None:
        """Forget those put aside, whatever they meant."""
        self._run.clear()

    @property
    def _lasts(self) -> bool:
        """Return whether each was about as late as the one before, or later."""
        return all(after[1] >= ABOUT * before[1] for before, after in pairwise(self._run))

    @property
    def _total_s(self) -> float:
        return sum(late_s for _, late_s in self._run)

    def _meaningless_s(self, now_s: float) -> float:
        """Return how much lateness, taken together, still means nothing."""
        while self._excused and now_s - self._excused[0][0] > MEMORY_S:
            self._excused.popleft()
        return DOUBLE * min(LONGEST_S, max((late_s for _, late_s in self._excused), default=0.0))
