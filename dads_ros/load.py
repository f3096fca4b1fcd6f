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

import numpy as np

JUMP_NS = 3_000_000_000


class SpeedFactor:
    """
    Measured over predicted stage time: 2 means half as fast as profiled.

    The median of the recent frames, so that a single late one (a page fault, a collection of
    garbage) changes nothing and throttling shows after half a window.

    :param window: frames kept.
    """

    def __init__(self, window: int = 9) -> None:
        self._ratios: deque[float] = deque(maxlen=window)

    def note(self, measured_s: float, predicted_s: float) -> None:
        """Note a frame; one whose prediction is nothing says nothing."""
        if predicted_s > 0 and measured_s > 0:
            self._ratios.append(measured_s / predicted_s)

    @property
    def value(self) -> float:
        """Return the factor; 1 before the first frame."""
        return float(np.median(self._ratios)) if self._ratios else 1.0


class CameraRate:
    """
    The camera's frame rate from its stamps, which may come in out of order.

    :param window: stamps kept; the median interval between them survives dropped frames.
    """

    def __init__(self, window: int = 16) -> None:
        self._stamps_ns: deque[int] = deque(maxlen=window)

    def note(self, stamp_ns: int) -> None:
        """Note a frame's stamp; one far from the others (a bag that loops) starts afresh."""
        if self._stamps_ns and abs(stamp_ns - self._stamps_ns[-1]) > JUMP_NS:
            self._stamps_ns.clear()
        self._stamps_ns.append(stamp_ns)

    @property
    def rate_hz(self) -> float:
        """Return the rate; 0 before the second frame."""
        intervals_ns = np.diff(np.unique(self._stamps_ns))
        return 1e9 / float(np.median(intervals_ns)) if len(intervals_ns) else 0.0
