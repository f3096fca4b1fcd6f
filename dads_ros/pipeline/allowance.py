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


"""How much of the cloud's time one account may take to have new cuts built."""

from __future__ import annotations

# In the long run this share of the worker's time,
SHARE = 0.1
# at first, and after a rest, so many seconds: a link that changes takes a dozen cuts in a row.
FULL_S = 2.0
# One build that was held up for long does not shut its account out for longer than it takes to
# earn this much.
DEEPEST_S = 0.5


class Allowance:
    """
    Seconds of building that an account has left; they come back at the rate of SHARE.

    :param now_s: of one clock, as in all calls.
    """

    def __init__(self, now_s: float) -> None:
        self._left_s = FULL_S
        self._at_s = now_s

    def is_left(self, now_s: float) -> bool:
        """Return whether another cut may be built now."""
        self._left_s = min(FULL_S, self._left_s + (now_s - self._at_s) * SHARE)
        self._at_s = now_s
        return self._left_s > 0

    def spend(self, seconds: float) -> None:
        """Note what building a cut took; it may be more than what was left."""
        self._left_s = max(self._left_s - seconds, -DEEPEST_S)
