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

"""Patience is counted in frames, however many of them end between two looks."""

from __future__ import annotations

from typing import Any

from dads_ros.monitor.limits import PolicyLimits
from dads_ros.monitor.monitor import Monitor
from dads_ros.monitor.patience import Patience
from dads_ros.monitor.policy import Policy
from dads_ros.partition.build import build_table
from dads_ros.partition.paper import tiny_yolov2_costs
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.frame import StageTimes
from dads_ros.plan import Plan
from hypothesis import given
from hypothesis import strategies as st
import pytest

LOOK_S = 0.5  # between two looks of the node when nothing is late


@given(st.integers(1, 20), st.lists(st.integers(0, 8), min_size=1, max_size=60))
def test_it_lasts_for_so_many_frames_from_the_one_that_showed_a_gain(
    wanted: int, ended: list[int]
) -> None:
    patience = Patience(wanted, time_s=1e9)
    counted = min(ended[0], 1)
    assert patience.is_over(0.0, ended[0]) == (counted >= wanted)
    for look, frames in enumerate(ended[1:], 1):
        counted += frames
        assert patience.is_over(look * LOOK_S, frames) == (counted >= wanted)
    patience.restart()
    assert patience.is_over(1e6, wanted) == (wanted == 1)


@pytest.mark.parametrize(('camera_hz', 'looks'), [(1.0, 6), (2.0, 3), (10.0, 2), (30.0, 2)])
def test_three_frames_last_as_many_looks_as_they_take(camera_hz: float, looks: int) -> None:
    patience = Patience(3, time_s=1e9)
    ended = [int(look * LOOK_S * camera_hz) for look in range(looks + 1)]
    answers = [
        patience.is_over(look * LOOK_S, ended[look] - ended[look - 1])
        for look in range(1, looks + 1)
    ]
    assert answers == [False] * (looks - 1) + [True]


def test_a_slow_camera_does_not_make_it_last_longer_than_its_time() -> None:
    patience = Patience(3, time_s=1.0)
    assert [patience.is_over(now_s, 0) for now_s in (5.0, 5.9, 6.0)] == [False, False, True]


class Noting(Policy):
    """Notes how many frames it is told of."""

    told: tuple[int, ...] = ()

    def update(self, *args: Any, frames: int, **kwargs: Any) -> Plan | None:
        self.told = (*self.told, frames)
        return super().update(*args, frames=frames, **kwargs)


def test_the_monitor_tells_of_every_frame_once() -> None:
    policy = Noting(build_table({'raw': tiny_yolov2_costs()}), '', ('in',), PolicyLimits())
    monitor = Monitor(policy)
    stamp_ns = 0
    for look, frames in enumerate((0, 3, 0, 1, 7)):
        for _ in range(frames):
            stamp_ns += 10**8
            monitor.ended(stamp_ns, Outcome.LOCAL, 0, StageTimes(edge_s=0.1))
        monitor.look(look * LOOK_S)
    assert policy.told == (0, 3, 0, 1, 7)
