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

"""The levels on /diagnostics: OK, WARN where a person should look, ERROR where nothing comes."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from small_profile import make_profile

pytestmark = pytest.mark.ros
HZ = 10


@pytest.fixture
def diagnostics() -> Any:
    from dads_ros.nodes import diagnostics

    return diagnostics


class Judged:
    """A node's counts, judged once a second."""

    def __init__(self, diagnostics: Any) -> None:
        self.watch = diagnostics.FrameWatch()
        self.now_s = 1000.0
        self.offered = 0
        self.ended: Counter[Any] = Counter()

    def second(
        self, *, come: int = HZ, done: int = HZ, unread: int = 0, is_enabled: bool = True
    ) -> tuple[bytes, str]:
        from dads_ros.pipeline.frame import Outcome

        self.now_s += 1.0
        self.offered += come
        self.ended[Outcome.LOCAL] += done
        self.ended[Outcome.DROPPED_INVALID] += unread
        self.ended[Outcome.DROPPED_SUPERSEDED] += come - done - unread
        return self.watch.judge(self.now_s, self.offered, self.ended, is_enabled=is_enabled)


@pytest.fixture
def judged(diagnostics: Any) -> Judged:
    return Judged(diagnostics)


def test_a_camera_that_never_comes_is_an_error_after_five_seconds(
    judged: Judged, diagnostics: Any
) -> None:
    levels = [judged.second(come=0, done=0) for _ in range(6)]
    assert [level for level, _ in levels] == [diagnostics.OK] * 5 + [diagnostics.ERROR]
    assert levels[-1][1] == 'no camera frame for 5 s'
    assert judged.second()[0] == diagnostics.OK


def test_frames_that_are_never_finished_are_an_error(judged: Judged, diagnostics: Any) -> None:
    judged.second()
    levels = [judged.second(done=0) for _ in range(7)]
    assert levels[0][0] == diagnostics.OK
    assert levels[-1] == (diagnostics.ERROR, 'no camera frame finished for 6 s')
    assert judged.second()[0] == diagnostics.OK


def test_a_camera_that_returns_after_a_pause_is_no_error(judged: Judged, diagnostics: Any) -> None:
    judged.second()
    for _ in range(20):
        judged.second(come=0, done=0)
    assert judged.second(done=0)[0] == diagnostics.OK  # the first is under way
    assert judged.second()[0] == diagnostics.OK


def test_unreadable_images_warn_and_are_an_error_when_there_are_no_others(
    judged: Judged, diagnostics: Any
) -> None:
    judged.second()
    assert judged.second(done=HZ - 1, unread=1)[0] == diagnostics.WARN
    assert judged.second()[0] == diagnostics.OK
    levels = [judged.second(done=0, unread=HZ)[0] for _ in range(7)]
    assert levels[0] == diagnostics.WARN and levels[-1] == diagnostics.ERROR


def test_neither_a_pause_nor_a_deactivation_counts_as_silence(
    judged: Judged, diagnostics: Any
) -> None:
    judged.second()
    paused = [judged.second(come=0, done=0, is_enabled=False) for _ in range(20)]
    assert set(paused) == {(diagnostics.OK, 'paused by the service enable')}
    assert judged.second(come=0, done=0)[0] == diagnostics.OK
    judged.now_s += 60.0  # not asked while the node is inactive
    assert judged.second(come=0, done=0)[0] == diagnostics.OK


@pytest.mark.parametrize(
    ('reason', 'warns'),
    [
        ('bundle forged', True),
        ('bundle unknown key', True),
        ('another vehicle', True),
        ('another model', True),
        ('too late', False),
        ('too many frames under way', False),
    ],
)
def test_refusals_warn_of_what_no_node_of_ours_sends(
    diagnostics: Any, reason: str, warns: bool
) -> None:
    class Node:
        def get_fully_qualified_name(self) -> str:
            return '/car1/cloud'

        def get_namespace(self) -> str:
            return '/car1'

    told = diagnostics.refusals(Node(), {reason: 1}, is_sealed=True)
    assert told.level == (diagnostics.WARN if warns else diagnostics.OK)
    assert (told.name, told.hardware_id) == ('/car1/cloud: refused', '/car1')


def test_every_plan_is_told_even_if_another_follows_at_once(peer: Any, tmp_path: Path) -> None:
    from dads_ros import msg
    from dads_ros.nodes import qos
    from diagnostic_msgs.msg import DiagnosticArray
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    profile = tmp_path / 'profile.json'
    make_profile().save(profile)
    plans = peer.hear(msg.Plan, 'plan', qos.latched())
    told = peer.hear(DiagnosticArray, '/diagnostics', qos.local())
    monitor = peer.start('monitor', edge_profile=str(profile), cloud_profile=str(profile))
    peer.until(lambda: plans and told, 'a plan and diagnostics', 20.0)
    for number in range(6):
        count = len(plans)
        mode = Parameter('mode', value=('cloud', 'local')[number % 2]).to_parameter_msg()
        answer = peer.call(SetParameters, 'monitor/set_parameters', parameters=[mode])
        assert answer.results[0].successful, answer.results[0].reason
        peer.until(lambda count=count: len(plans) > count, 'its plan', 20.0)
    made = [plan.reason for plan in plans]
    peer.until(lambda: reasons_of(told)[-1] == made[-1], 'the newest in the diagnostics', 20.0)
    # The reason of the plan in force is told again each second.
    assert [r for r, _ in groupby(reasons_of(told))] == [r for r, _ in groupby(made)]
    assert len(made) >= 7
    assert monitor.stop() == 0


def reasons_of(told: list[Any]) -> list[str]:
    return [s.message for m in told for s in m.status if s.name == '/monitor: plan']
