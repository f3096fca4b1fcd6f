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

"""Answers that the plan in force did not get in time: how many in a row, and how many lately."""

from __future__ import annotations

from collections import deque

# So many in a row: the plan fails.
IN_A_ROW = 3
# Of so many frames; fewer misses than these say nothing, as a pause or a lost packet makes some.
LATELY = 20
FEW = 4


class Misses:
    """
    Counts the answers that did not come in time.

    A link that comes and goes is never away for long enough to miss many in a row.
    """

    def __init__(self) -> None:
        self._count = 0
        self._lately: deque[bool] = deque(maxlen=LATELY)

    @property
    def in_a_row(self) -> int:
        """Return how many were missed in a row when these are too many; else 0."""
        return self._count if self._count >= IN_A_ROW else 0

    @property
    def share(self) -> float:
        """Return which share was missed lately, 0 to 1; 0 when few were."""
        count = sum(self._lately)
        return count / LATELY if count >= FEW else 0.0

    def answered(self) -> None:
        """Note that an answer came in time."""
        self._count = 0
        self._lately.append(False)

    def missed(self) -> None:
        """Note that the car finished a frame because no answer came."""
        self._count += 1
        self._lately.append(True)

    def lost(self) -> None:
        """Note that a frame was sent in vain, and a newer one shown instead."""
        self._lately.append(True)

    def restart(self) -> None:
        """Begin a new row: the plan is another."""
        self._count = 0

    def forget(self) -> None:
        """Begin anew: nothing is sent."""
        self._count = 0
        self._lately.clear()
