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

"""When a link or cloud that failed is trusted again."""

from __future__ import annotations

import math

# A link that fails within this time of its return came back too early: wait longer the next time,
RELAPSE_S = 5.0
# but never longer than this multiple of the usual wait.
LONGEST_WAIT = 8


class Recovery:
    """
    Holds the car back from the cloud after a failure, longer when failures follow each other.

    :param wait_s: how long the link must be back.
    """

    def __init__(self, wait_s: float) -> None:
        self._usual_s = wait_s
        self._wait_s = wait_s
        self._failed_s = -math.inf
        self._returned_s = -math.inf

    def failed(self, now_s: float, *, was_in_use: bool) -> None:
        """Note that nothing gets through, or that answers do not come."""
        if was_in_use and self.is_over(now_s):
            relapse = now_s - self._returned_s < RELAPSE_S
            longer_s = min(self._wait_s * 2, self._usual_s * LONGEST_WAIT)
            self._wait_s = longer_s if relapse else self._usual_s
        self._failed_s = now_s

    def returned(self, now_s: float) -> None:
        """Note that the cloud is used again."""
        self._returned_s = now_s

    def is_over(self, now_s: float) -> bool:
        """Return whether the link has been back for long enough."""
        return now_s - self._failed_s >= self._wait_s
