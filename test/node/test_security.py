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


"""A stranger on the domain can neither inject, replay, alter nor read; without keys it could."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
import subprocess
import time
from typing import Any
from typing import TypeAlias
from xml.etree import ElementTree

from dads_ros.bench.faults.cast import NAMESPACE
from dads_ros.bench.faults.figures import account_of
from dads_ros.bench.faults.intrusion import intrude
from dads_ros.bench.faults.intrusion import Intrusion
from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.faults.rotation import IN_FORCE_S
from dads_ros.bench.faults.rotation import Keys
from dads_ros.pipeline.frame import Outcome
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]

ATTACK_S = 5.0


def test_without_a_key_a_stranger_would_be_believed(tmp_path: Path) -> None:
    # What shows that the tests below can fail. The first, before the nodes of the others run.
    with Rig(tmp_path / 'rig') as rig:
        found = intrude(rig, ATTACK_S)
    assert found.accepted
    assert any(kind.startswith('plain') for kind in found.heard)


@pytest.fixture(scope='module')
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.made(tmp_path_factory.mktemp('keys') / 'keys')


@pytest.fixture(scope='module')
def rig(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Rig]:
    """Return nodes with a key."""
    with Rig(tmp_path_factory.mktemp('sealed') / 'rig', keys.parameters) as rig:
        yield rig


@pytest.fixture(scope='module')
def intrusion(rig: Rig) -> Intrusion:
    return intrude(rig, ATTACK_S)


def test_nothing_of_a_stranger_is_accepted(intrusion: Intrusion) -> None:
    assert intrusion.accepted == 0


def test_stranger_tried_everything(intrusion: Intrusion) -> None:
    assert set(intrusion.sent) == {
        'repeated', 'altered', 'counted on', 'own key', 'cut off', 'noise', 'as another kind',
        'plain result', 'forged plain plan', 'nonsense plain plan',
    }  # fmt: skip
    assert all(intrusion.sent.values())


def test_stranger_hears_nothing_plain(intrusion: Intrusion) -> None:
    assert any(kind.startswith('sealed') for kind in intrusion.heard)
    assert not any(kind.startswith('plain') for kind in intrusion.heard)


def test_attacks_are_counted_and_told(intrusion: Intrusion) -> None:
    for kind, node in (('bundle', 'cloud'), ('result', 'edge'), ('probe', 'cloud')):
        reasons = intrusion.refused[node]
        assert {f'{kind} forged', f'{kind} replayed', f'{kind} malformed'} <= set(reasons)
    assert intrusion.refused['edge']['plan forged']
    for node, reasons in intrusion.refused.items():
        forged = sum(n for reason, n in reasons.items() if reason.endswith(' forged'))
        assert intrusion.forged[node] == forged > 0


def test_car_goes_on_through_the_cloud(rig: Rig, intrusion: Intrusion) -> None:
    assert intrusion.sent
    since = len(rig.frames())
    rig.wait_for_cloud()
    assert any(f.size_bytes and f.network_s for f in rig.frames()[since:])


def test_key_is_changed_while_the_nodes_run(rig: Rig, keys: Keys, peer: Any) -> None:
    old = keys.files[0].read_text()
    with rig.every_frame_sent():
        pids = {name: rig.pid(name) for name in ('edge', 'cloud', 'monitor')}
        before = refused(peer, 'unknown key')
        phase = keys.rotation.play(rig)
        after = refused(peer, 'unknown key')
        assert pids == {name: rig.pid(name) for name in pids}
    assert keys.files[0].read_text() == keys.files[1].read_text() != old
    # No node is left behind in any step: none refuses what another has sealed.
    assert after == before
    for step in range(3):
        begin_ns, end_ns = (phase.begin_ns + int((step + i) * IN_FORCE_S * 1e9) for i in (0, 1))
        within = [f for f in rig.frames() if begin_ns <= f.received_ns < end_ns]
        assert any(f.outcome is Outcome.VIA_CLOUD for f in within)


def refused(peer: Any, reason: str) -> dict[str, dict[str, str]]:
    """Return what the edge and the cloud tell from now on of messages refused for a reason."""
    from dads_ros.nodes import qos
    from diagnostic_msgs.msg import DiagnosticArray

    heard = peer.hear(DiagnosticArray, '/diagnostics', qos.local())

    def found() -> dict[str, dict[str, str]]:
        return {
            status.name: {v.key: v.value for v in status.values if v.key.endswith(reason)}
            for message in list(heard)
            for status in message.status
            if status.hardware_id == NAMESPACE and status.name.endswith(': refused')
        }

    peer.until(lambda: len(found()) == 2, 'the edge and the cloud to tell what they refused')
    return found()


def test_cloud_is_pinged_with_the_key_and_not_without(rig: Rig, keys: Keys) -> None:
    assert rig.pid('cloud')
    words = ['ping_cloud', '--ros-args', '-r', f'__ns:={NAMESPACE}']
    own = ['-p', f'vehicle:={NAMESPACE[1:]}', '-p', f'key_file:={keys.files[0]}']
    sealed = subprocess.run([*words, *own], capture_output=True, text=True, check=False)
    assert sealed.returncode == 0, sealed.stderr
    assert 'answers in' in sealed.stdout
    plain = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (plain.returncode, plain.stdout) == (1, '')


@pytest.mark.parametrize(
    ('name', 'file'), [('edge', 'car'), ('monitor', 'car'), ('cloud', 'cloud')]
)
def test_sros2_policy_allows_exactly_what_a_node_opens(
    rig: Rig, root: Path, name: str, file: str
) -> None:
    assert rig.pid(name)
    policy = ElementTree.parse(root / 'config/sros2/policies' / f'{file}.xml')
    profile = policy.find(f".//profile[@node='{name}']")
    assert profile is not None

    def allowed(path: str) -> set[str]:
        return {rig_name(str(e.text), name) for e in profile.iterfind(path)}

    publishes = allowed("topics[@publish='ALLOW']/topic")
    subscribes = allowed("topics[@subscribe='ALLOW']/topic")
    replies = allowed("services[@reply='ALLOW']/service")
    wanted = publishes, subscribes, replies
    # A policy serves plain and sealed topics; these nodes have sealed ones.
    opened = endpoints(name, lambda found: (*map(with_plain, found[:2]), found[2]) == wanted)
    assert publishes == with_plain(opened[0])
    assert subscribes == with_plain(opened[1])
    assert replies == opened[2]


def with_plain(topics: set[str]) -> set[str]:
    """Return topics with those that a node without a key has instead of the sealed ones."""
    return topics | {topic.replace('/sealed/', '/') for topic in topics}


def rig_name(name: str, node: str) -> str:
    """Return a policy's name as the graph has it."""
    if name.startswith('~/'):
        return f'{NAMESPACE}/{node}/{name[2:]}'
    return name if name.startswith('/') else f'{NAMESPACE}/{name}'


Endpoints: TypeAlias = tuple[set[str], set[str], set[str]]


def endpoints(name: str, are_all: Callable[[Endpoints], bool]) -> Endpoints:
    """
    Return the topics that a node publishes and subscribes, and the services that it offers.

    They become known one by one: until they are all, or for ten seconds.
    """
    import rclpy

    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('looks_on', context=context)
    try:
        deadline_s = time.monotonic() + 10
        while (name, NAMESPACE) not in node.get_node_names_and_namespaces():
            assert time.monotonic() < deadline_s, f'{name} was not discovered'
            time.sleep(0.1)
        ask = (
            node.get_publisher_names_and_types_by_node,
            node.get_subscriber_names_and_types_by_node,
            node.get_service_names_and_types_by_node,
        )
        while True:
            found = [{topic for topic, _ in query(name, NAMESPACE)} for query in ask]
            opened = found[0], found[1], found[2]
            if are_all(opened) or time.monotonic() > deadline_s:
                return opened
            time.sleep(0.05)
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def test_a_pause_of_the_edge_looks_like_no_replay(rig: Rig, peer: Any) -> None:
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    before = refused(peer, 'plan replayed')
    for name in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE):
        service = f'{NAMESPACE}/edge/change_state'
        assert peer.call(ChangeState, service, transition=Transition(id=name)).success
    since = len(rig.frames())
    peer.until(lambda: len(rig.frames()) > since + 10, 'frames after the pause')
    assert refused(peer, 'plan replayed') == before


def test_every_frame_is_accounted_for(rig: Rig, intrusion: Intrusion) -> None:
    assert intrusion.sent
    rig.stop('edge')
    rig.wait(0.5)
    found = account_of(rig)
    assert (found.unaccounted, found.stale) == (0, 0)
