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

"""Staircases of uplinks: which, and how fast the camera is at each step, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dads_ros.bench.testbed.cells import HEAVY_HZ
from dads_ros.partition.paper import UPLINK_MBPS
from dads_ros.trace import Trace

# A tenth of what the car alone sustains would leave hardly a frame to measure: not rarer than
# this, unless it would be more than half of what the car sustains.
_LIGHT_PERIOD_S = 1.0
_LIGHT_FRAMES = 5
_SETTLING_S = 3.0
_LEAD_S = 4.0
# A static plan has nothing to settle, and does the same with each frame.
STATIC_FRAMES = 3
# Between the frames of a static plan, as a multiple of what one is predicted to take.
_APART = 1.25
SLOW_S = 3.0  # a frame that takes longer gets a drive of its own, of one frame


@dataclass(frozen=True)
class Levels:
    """
    A staircase.

    :param period_s: of the camera.
    :param settling_s: at a level's beginning, which does not count.
    :param lead_s: at the first uplink before the first level: the link comes from being open.
    """

    period_s: float
    level_s: float
    settling_s: float
    lead_s: float = 0.0

    def end_s(self, count: int) -> float:
        """Return for how long the link of a drive over so many levels is told of."""
        return self.lead_s + count * self.level_s

    def trace(self, uplinks_mbps: Sequence[float]) -> Trace:
        """Return the link: the first uplink from the lead on, then each for a level."""
        begins_s = [self.lead_s + i * self.level_s for i in range(len(uplinks_mbps))]
        rates_bps = [mbps * 1e6 for mbps in uplinks_mbps]
        if self.lead_s > 0:
            begins_s, rates_bps = [0.0, *begins_s], [rates_bps[0], *rates_bps]
        return Trace(tuple(begins_s), tuple(rates_bps))


# On the least uplink frames take a second at first, and a plan stays for one at least.
HEAVY = Levels(1 / HEAVY_HZ, 10.0, 5.0, _LEAD_S)


def uplinks(*, quick: bool) -> tuple[float, ...]:
    """Return the paper's uplinks in Mbit/s, rising; two of them when there is little time."""
    every = sorted(UPLINK_MBPS.values())
    return (every[1], every[-1]) if quick else tuple(every)


def light_hz(whole_s: float) -> float:
    """Return the rate of light load, a whole frame taking so long on the car."""
    return 1.0 / min(10 * whole_s, max(_LIGHT_PERIOD_S, 2 * whole_s))


def light_levels(period_s: float) -> Levels:
    """Return the staircase under light load, for what changes its plan on it."""
    settling_s = max(_SETTLING_S, period_s)
    frames = STATIC_FRAMES if period_s > SLOW_S else _LIGHT_FRAMES
    return Levels(period_s, settling_s + frames * period_s, settling_s, _LEAD_S)


def apart(period_s: float, delay_s: float, frames: int) -> Levels:
    """
    Return levels on which no frame of a static plan waits for another.

    :param period_s: at least.
    :param delay_s: that the plan's frames are predicted to take.
    :param frames: on each level; one if the plan is slow.
    """
    # Each frame of a static plan is alone already: more time between them would tell no more.
    period_s = max(min(period_s, SLOW_S), _APART * delay_s)
    if delay_s > SLOW_S:
        # The clock begins as the first frame has ended, so the second one follows soon.
        return Levels(period_s, period_s + 1.5, 0.0)
    return Levels(period_s, (frames + 1) * period_s, period_s)
