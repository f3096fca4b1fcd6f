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

"""The monitor's mode and fixed cut, set at run time over the service that ROS has for it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from dads_ros.plan import Mode
import pytest
from small_profile import make_wasteful_profile

pytestmark = pytest.mark.ros

# The best in no situation, so no row of the table that is built.
POOR = {'mode': 'fixed', 'fixed_boundary': ['conv'], 'fixed_codec': 'raw+zstd'}
NONE = {'mode': 'local', 'fixed_boundary': [''], 'fixed_codec': ''}


class Monitor:
    """The monitor node under test and the plans heard from it."""

    def __init__(self, peer: Any, profile: str) -> None:
        from dads_ros import msg
        from dads_ros.nodes import qos

        self.peer = peer
        self.plans = peer.hear(msg.Plan, 'plan', qos.latched())
        self.process = peer.start('monitor', edge_profile=profile, cloud_profile=profile)

    def set(self, name: str, value: object) -> Any:
        from rcl_interfaces.srv import SetParameters
        from rclpy.parameter import Parameter

        message = Parameter(name, value=value).to_parameter_msg()
        return self.peer.call(
            SetParameters, 'monitor/set_parameters', parameters=[message]
        ).results[0]

    def mode(self) -> str:
        from rcl_interfaces.srv import GetParameters

        answer = self.peer.call(GetParameters, 'monitor/get_parameters', names=['mode'])
        return answer.values[0].string_value

    def until_sent(self, boundary: list[str], codec: str, mode: Mode) -> None:
        def is_so() -> bool:
            newest = self.plans[-1] if self.plans else None
            return newest is not None and (
                (list(newest.boundary), newest.codec, newest.mode) == (boundary, codec, mode.value)
            )

        self.peer.until(is_so, f'a plan that sends {boundary} as {codec!r}', 20.0)


@pytest.fixture(scope='module')
def monitor(peer: Any, tmp_path_factory: pytest.TempPathFactory) -> Monitor:
    profile = tmp_path_factory.mktemp('profiles') / 'profile.json'
    make_wasteful_profile().save(profile)
    return Monitor(peer, str(profile))


@pytest.mark.parametrize('order', [*permutations(POOR)])
def test_any_legal_cut_is_sent_whatever_is_set_first(
    monitor: Monitor, order: tuple[str, ...]
) -> None:
    for name, value in NONE.items():
        assert monitor.set(name, value).successful
    monitor.until_sent([], '', Mode.LOCAL)
    for name in order:
        answer = monitor.set(name, POOR[name])
        assert answer.successful, answer.reason
    monitor.until_sent(['conv'], 'raw+zstd', Mode.FIXED)


def test_what_cannot_be_done_is_refused_with_a_reason_and_the_node_lives_on(
    monitor: Monitor,
) -> None:
    for name, value in {**NONE, **POOR}.items():
        monitor.set(name, value)
    monitor.until_sent(['conv'], 'raw+zstd', Mode.FIXED)
    for name, value, reason in (
        ('fixed_boundary', ['nothing'], 'nothing are not distinct layers of this model'),
        ('fixed_codec', 'jpeg75', "tensor 'conv' cannot be sent as 'jpeg75'"),
        ('mode', 'fast', "'fast'"),
    ):
        answer = monitor.set(name, value)
        assert not answer.successful
        assert reason in answer.reason
    assert monitor.mode() == 'fixed'
    count = len(monitor.plans)
    assert monitor.set('mode', 'local').successful
    assert monitor.set('fixed_boundary', ['nothing']).successful
    answer = monitor.set('mode', 'fixed')
    assert not answer.successful
    assert 'nothing' in answer.reason
    assert monitor.mode() == 'local'
    monitor.until_sent([], '', Mode.LOCAL)
    assert len(monitor.plans) > count
    assert monitor.process.status is None


def test_the_node_ends_with_status_0(monitor: Monitor) -> None:
    assert monitor.process.stop() == 0
    assert not monitor.process.has_logged('Traceback')
