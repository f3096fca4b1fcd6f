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

"""The round trip from small messages that waited for no other."""

from __future__ import annotations

from collections import deque
from statistics import median

KEPT = 5
# By how much they differ takes more of them to tell,
KEPT_FOR_SPREAD = 9
# and is so many times what half of them differ from the median by.
SPREAD = 4.0
# A round trip that is so many times what a message took had a queue in it that is gone.
QUEUE_RATIO = 3.0


class RoundTrips:
    """The recent round trips; their median, so that a single late one changes nothing."""

    def __init__(self) -> None:
        self._all_s: deque[float] = deque(maxlen=KEPT_FOR_SPREAD)
        self.median_s = 0.0
        """The round trip; 0 before the first."""
        self.spread_s = 0.0
        """By how much they differ."""

    @property
    def is_known(self) -> bool:
        """Return whether there has been one."""
        return bool(self._all_s)

    def note(self, whole_s: float) -> None:
        """Take in a small message's time."""
        self._all_s.append(whole_s)
        self._judge()

    def refute(self, whole_s: float) -> None:
        """
        Forget what any message, of whatever size, shows to be much too long.

        While a queue of seconds drains, messages are sooner than the median of those before them
        and would seem to need no time on the air at all.
        """
        if not self._all_s:
            return
        while self._all_s and self.median_s > whole_s * QUEUE_RATIO:
            self._all_s.remove(max(self._recent_s))
            self._judge()
        if not self._all_s:
            self.note(whole_s)

    def _judge(self) -> None:
        self.median_s = median(self._recent_s) if self._all_s else 0.0
        self.spread_s = 0.0
        if len(self._all_s) > 2:
            # By their median: one that sat out an outage must not make everything look alike.
            middle_s = median(self._all_s)
            self.spread_s = SPREAD * median(abs(whole_s - middle_s) for whole_s in self._all_s)

    @property
    def _recent_s(self) -> list[float]:
        return list(self._all_s)[-KEPT:]
