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

"""How fast both machines and the camera are, against what the profile says."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median

JUMP_NS = 3_000_000_000
# Of a shorter stage, most is overhead that no factor scales.
SHORTEST_STAGE_S = 0.001


class SpeedFactor:
    """
    Measured over predicted stage time: 2 means half as fast as profiled.

    The median of the recent frames, so that a single late one (a page fault, a collection of
    garbage) changes nothing and throttling shows after half a window. The first one alone proves
    nothing either: a machine that begins a cut loads and builds what it needs.

    :param window: frames kept.
    """

    def __init__(self, window: int = 9) -> None:
        self._ratios: deque[float] = deque(maxlen=window)
        self.forget()

    def forget(self) -> None:
        """Believe the profile again."""
        self._ratios.clear()
        self._ratios.extend((1.0, 1.0))

    @property
    def value(self) -> float:
        """Return the factor; 1 before frames tell another."""
        return median(self._ratios)

    def note(self, measured_s: float, predicted_s: float) -> None:
        """Note a frame; one with hardly anything to do on the machine says nothing about it."""
        if predicted_s >= SHORTEST_STAGE_S and measured_s > 0:
            self._ratios.append(measured_s / predicted_s)


class CameraRate:
    """
    The camera's frame rate from its stamps, which may come in out of order.

    :param window: stamps kept; their median interval survives dropped frames and pauses.
    """

    def __init__(self, window: int = 16) -> None:
        self._stamps_ns: deque[int] = deque(maxlen=window)
        self._known_hz = 0.0

    @property
    def rate_hz(self) -> float:
        """Return the rate; 0 before there were two stamps."""
        ordered = sorted(set(self._stamps_ns))
        if len(ordered) < 2:
            return self._known_hz
        return 1e9 / median(after - before for before, after in pairwise(ordered))

    def note(self, stamp_ns: int) -> None:
        """Note a frame's stamp; one far before the others (a bag that loops) starts afresh."""
        if self._stamps_ns and stamp_ns < max(self._stamps_ns) - JUMP_NS:
            self._known_hz = self.rate_hz
            self._stamps_ns.clear()
        self._stamps_ns.append(stamp_ns)
