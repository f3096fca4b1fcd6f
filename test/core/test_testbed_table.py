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

"""Which cells of the table are driven again, with drives whose results are made up."""

from __future__ import annotations

from collections.abc import Sequence

from dads_ros.bench.testbed.levels import Levels
from dads_ros.bench.testbed.runs import CAR_ALONE
from dads_ros.bench.testbed.runs import Way
from dads_ros.bench.testbed.runs import Window
from dads_ros.bench.testbed.table import Network
from dads_ros.partition.plan import Load
from dads_ros.replay.methods import Method
from dads_ros.settings import check
from dads_ros.settings import MonitorSettings
import pytest

UPLOAD: Way = (('frame',), 'raw')


def window(latency_s: float, answered_hz: float, way: Way, allowed_hz: float = 0.0) -> Window:
    """Return what a drive may have given; its longest stage allows that much, or more."""
    longest_s = 1 / (allowed_hz or answered_hz)
    return Window(5, latency_s, None, answered_hz, longest_s, longest_s, way, 1.0)


class MadeUp(Network):
    """Two uplinks; at the lower one ours was 1.1 times later, and gave 1.5 times less."""

    def __init__(self, **given: Window) -> None:
        self._given = given
        self.driven: list[str] = []
        self._uplinks_mbps = (1.0, 2.0)
        self._light_s = 1.0
        self._ours = {
            (1.0, 'light'): window(1.1, 1.0, CAR_ALONE), (2.0, 'light'): window(1.0, 1.0, UPLOAD),
            (1.0, 'heavy'): window(1.0, 4.0, CAR_ALONE), (2.0, 'heavy'): window(1.0, 4.0, UPLOAD),
        }  # fmt: skip
        self._light = {(m, UPLOAD): window(1.0, 1.0, UPLOAD) for m in (1.0, 2.0)}
        self._heavy = {
            (1.0, UPLOAD): window(1.0, 6.0, UPLOAD), (2.0, UPLOAD): window(1.0, 4.1, UPLOAD),
        }  # fmt: skip

    def _windows(self, uplink_mbps: float) -> dict[Way, Window]:
        return {way: w for (mbps, way), w in self._heavy.items() if mbps == uplink_mbps}

    def _drive(
        self,
        load: Load,
        method: Method,
        uplinks_mbps: Sequence[float],
        stairs: Levels,  # noqa: ARG002
    ) -> list[tuple[float, Window]]:
        self.driven.append(f'{load} {method.name}')
        return [(mbps, self._given[method.name]) for mbps in uplinks_mbps]


@pytest.mark.parametrize('way', [CAR_ALONE, UPLOAD])
def test_a_plan_that_never_changes_waits_for_no_longer_than_the_monitor_can(way: Way) -> None:
    method = MadeUp()._static(way)
    check(MonitorSettings, 'deadline_floor_s', method.deadline_floor_s)
    check(MonitorSettings, 'deadline_ceiling_s', method.patience_s)
    assert method.deadline_floor_s <= method.patience_s


def test_where_ours_was_more_than_a_little_worse_is_told_with_how_much() -> None:
    found = {(load, mbps): times for times, load, mbps in MadeUp().worse()}
    assert found == pytest.approx({('light', 1.0): 1.1, ('heavy', 1.0): 1.5})


@pytest.mark.parametrize('load', ['light', 'heavy'])
def test_ours_and_the_better_plan_are_driven_once_more(load: Load) -> None:
    network = MadeUp(dads=window(1.0, 6.0, CAR_ALONE), static=window(1.0, 5.9, UPLOAD))
    network.drive_again(load, 1.0)
    assert network.driven == [f'{load} dads', f'{load} static']
    assert (load, 1.0) not in {(worse, mbps) for _, worse, mbps in network.worse()}


def test_when_ours_takes_the_better_plan_this_time_that_drive_stands_for_both() -> None:
    network = MadeUp(dads=window(1.0, 5.5, UPLOAD))
    network.drive_again('heavy', 1.0)
    assert network.driven == ['heavy dads']
    assert [load for _, load, _ in network.worse()] == ['light']


def test_ours_alone_is_driven_once_more_where_it_gave_less_than_its_longest_stage_allows() -> None:
    network = MadeUp(dads=window(1.0, 5.0, UPLOAD))
    network._ours[2.0, 'heavy'] = window(1.0, 4.0, UPLOAD, 5.0)
    assert (pytest.approx(1.25), 'heavy', 2.0) in network.worse()
    network.drive_again('heavy', 2.0)
    assert network.driven == ['heavy dads']
    assert ('heavy', 2.0) not in {(load, mbps) for _, load, mbps in network.worse()}


def test_what_is_not_worse_any_more_is_not_driven_again() -> None:
    network = MadeUp()
    network.drive_again('light', 2.0)
    assert network.driven == []
