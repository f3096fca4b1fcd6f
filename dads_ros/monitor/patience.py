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

"""How long a better plan must have been better before it is taken."""

from __future__ import annotations


class Patience:
    """
    Lasts for some frames in a row or some time, whichever is less.

    :param frames: so many,
    :param time_s: or so long: a slow camera must not make the car slow to decide.
    """

    def __init__(self, frames: int, time_s: float) -> None:
        self._frames = frames
        self._time_s = time_s
        self._count = 0
        self._since_s: float | None = None

    def restart(self) -> None:
        """Begin anew: nothing is better than the present plan."""
        self._count = 0
        self._since_s = None

    def is_over(self, now_s: float, frames: int) -> bool:
        """
        Note that something is better now; return whether it has been for long enough.

        :param frames: how many have ended since this was last asked.
        """
        if self._since_s is None:
            self._since_s = now_s
            # Whether it was better when those before the newest ended, nobody has looked.
            frames = min(frames, 1)
        self._count += frames
        return self._count >= self._frames or now_s - self._since_s >= self._time_s
