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

"""Every node goes through its states, twice, and lets go of what it made."""

from __future__ import annotations

from pathlib import Path
import re
import subprocess
import sys
from typing import Any

from dads_ros.replay.prepare import prepare
from dads_ros.settings import DEFAULT_DETECTOR
import pytest

pytestmark = pytest.mark.ros

NODES = ('cloud', 'edge', 'monitor', 'player')
CLEANED_UP = """
import gc
from dads_ros.nodes import {module}
from dads_ros.pipeline import model
import rclpy
rclpy.init(args=['--ros-args', '-r', '__ns:=/cleaned_up'])
node = {module}.{kind}()
for _ in range(2):
    assert node.trigger_configure() == rclpy.lifecycle.TransitionCallbackReturn.SUCCESS
    loaded = len(model._in_use)
    assert node.trigger_cleanup() == rclpy.lifecycle.TransitionCallbackReturn.SUCCESS
    gc.collect()
    print('loaded', loaded, 'left', len(model._in_use))
node.destroy_node()
rclpy.shutdown()
"""


@pytest.fixture(scope='module')
def nodes(peer: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the processes of nodes that wait for somebody to start them."""
    profile: Path = tmp_path_factory.mktemp('profiles') / 'profile.json'
    prepare(DEFAULT_DETECTOR, None, 'scene').profile.save(profile)
    parameters: dict[str, dict[str, object]] = {
        'cloud': {'threads': 1},
        'edge': {'threads': 1},
        'monitor': {'edge_profile': str(profile), 'cloud_profile': str(profile)},
        'player': {'loop': True},
    }
    return {n: peer.start(n, '/lifecycle', autostart=False, **parameters[n]) for n in NODES}


def shared_memory_of(pid: int) -> list[Path]:
    """Return what a process has for its own DDS messages: it holds the locks beside them."""
    opened = [str(entry.readlink()) for entry in Path(f'/proc/{pid}/fd').iterdir()]
    found = [re.fullmatch(r'(/dev/shm/fastdds_[0-9a-f]{16})_el', path) for path in opened]
    return [Path(match[1]) for match in found if match]


@pytest.mark.parametrize('name', NODES)
def test_states_can_be_passed_twice_and_cleanup_leaves_nothing(
    peer: Any, nodes: dict[str, Any], name: str
) -> None:
    from lifecycle_msgs.msg import State
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState
    from lifecycle_msgs.srv import GetState

    def change(transition: int) -> None:
        request = Transition(id=transition)
        service = f'/lifecycle/{name}/change_state'
        assert peer.call(ChangeState, service, transition=request).success

    def state() -> int:
        return peer.call(GetState, f'/lifecycle/{name}/get_state').current_state.id

    def topics() -> set[str]:
        """Return what it publishes, but for what every node has."""
        found = peer.node.get_publisher_names_and_types_by_node(name, '/lifecycle')
        return {t for t, _ in found if t.startswith('/lifecycle/') and '/transition' not in t}

    assert state() == State.PRIMARY_STATE_UNCONFIGURED
    known = peer.node.get_node_names_and_namespaces
    peer.until(lambda: (name, '/lifecycle') in known(), 'the node to be discovered', 10.0)
    for _ in range(2):
        assert not topics()
        change(Transition.TRANSITION_CONFIGURE)
        assert state() == State.PRIMARY_STATE_INACTIVE
        change(Transition.TRANSITION_ACTIVATE)
        assert state() == State.PRIMARY_STATE_ACTIVE
        peer.until(topics, 'its topics', 10.0)
        change(Transition.TRANSITION_DEACTIVATE)
        change(Transition.TRANSITION_CLEANUP)
        assert state() == State.PRIMARY_STATE_UNCONFIGURED
        peer.until(lambda: not topics(), 'its topics to go', 10.0)
    segments = shared_memory_of(nodes[name].pid)
    assert segments
    nodes[name].stop()
    assert not nodes[name].has_logged('Traceback')
    assert not [segment for segment in segments if segment.exists()]


@pytest.mark.parametrize(('module', 'kind'), [('cloud', 'CloudNode'), ('edge', 'EdgeNode')])
def test_a_node_that_was_cleaned_up_takes_no_share_of_the_threads(module: str, kind: str) -> None:
    code = CLEANED_UP.format(module=module, kind=kind)
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ['loaded 1 left 0'] * 2
