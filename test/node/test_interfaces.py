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

"""What an autonomy stack sees of the edge node: topics, parameters, services, over real DDS."""

from __future__ import annotations

from collections.abc import Iterator
import json
import threading
import time
from typing import Any

from dads_ros.detector.network import LABELS
from dads_ros.media.sources import open_source
import numpy as np
import pytest

pytestmark = pytest.mark.ros

CAMERA_HZ = 10.0


class Camera:
    """Publishes one picture of the drawn scene again and again, each with a stamp of its own."""

    def __init__(self, peer: Any, picture: np.ndarray) -> None:
        from dads_ros.nodes import qos
        from sensor_msgs.msg import Image

        self.picture = picture
        self.stamps_ns: list[int] = []
        self._publisher = peer.node.create_publisher(Image, 'image', qos.camera('reliable'))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        from dads_ros.nodes import images
        from dads_ros.nodes import messages

        while not self._stop.wait(1 / CAMERA_HZ):
            stamp_ns = time.time_ns()
            header = messages.to_header(stamp_ns, 'front')
            self._publisher.publish(images.to_msg(self.picture, 'rgb8', header))
            self.stamps_ns.append(stamp_ns)


class Edge:
    """The edge node under test and everything heard from it."""

    def __init__(self, peer: Any, camera: Camera) -> None:
        from dads_ros import msg
        from dads_ros.nodes import qos
        from diagnostic_msgs.msg import DiagnosticArray
        from vision_msgs.msg import Detection2DArray

        self.peer = peer
        self.camera = camera
        self.detections = peer.hear(Detection2DArray, 'detections', qos.local())
        self.times = peer.hear(msg.StageTimes, 'stage_times', qos.local())
        self.diagnostics = peer.hear(DiagnosticArray, '/diagnostics', qos.local())
        self.process = peer.start('edge', threads=1, image_reliability='reliable')

    def until_detecting(self) -> None:
        """Wait for detections that are published from now on."""
        count = len(self.detections)
        self.peer.until(lambda: len(self.detections) > count + 2, 'detections')

    def change_state(self, transition: int) -> None:
        from lifecycle_msgs.msg import Transition
        from lifecycle_msgs.srv import ChangeState

        answer = self.peer.call(
            ChangeState, 'edge/change_state', transition=Transition(id=transition)
        )
        assert answer.success

    def counts(self) -> dict[str, int]:
        """Return how frames ended, as the newest diagnostics tell."""
        found = [s for m in self.diagnostics for s in m.status if s.name == '/edge: frames']
        return {v.key: int(v.value) for v in found[-1].values if v.value.isdigit()}


@pytest.fixture(scope='module')
def camera(peer: Any) -> Iterator[Camera]:
    picture = next(f.image_rgb for i, f in enumerate(open_source('scene')) if i == 60)
    camera = Camera(peer, picture)
    yield camera
    camera.stop()


@pytest.fixture(scope='module')
def edge(peer: Any, camera: Camera) -> Edge:
    edge = Edge(peer, camera)
    edge.until_detecting()
    return edge


def test_class_names_are_a_parameter_that_vision_info_points_at(edge: Edge) -> None:
    from dads_ros.nodes import qos
    from rcl_interfaces.srv import GetParameters
    from vision_msgs.msg import VisionInfo

    told = edge.peer.hear(VisionInfo, 'vision_info', qos.latched())
    edge.peer.until(lambda: told, 'the latched message')
    node, _, parameter = told[0].database_location.rpartition('/')
    answer = edge.peer.call(GetParameters, f'{node}/get_parameters', names=[parameter])
    assert json.loads(answer.values[0].string_value) == list(LABELS)
    assert told[0].method == 'carnet'
    assert {
        r.hypothesis.class_id for m in edge.detections for d in m.detections for r in d.results
    }
    assert all(
        r.hypothesis.class_id in LABELS
        for m in edge.detections for d in m.detections for r in d.results
    )  # fmt: skip


def test_overlay_is_the_cameras_picture_with_something_drawn_on_it(
    edge: Edge, camera: Camera
) -> None:
    from dads_ros.nodes import images
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    shown = edge.peer.hear(Image, 'overlay', qos_profile_sensor_data)
    edge.peer.until(lambda: shown, 'an overlay')
    picture = images.read(shown[-1])
    assert picture.shape == camera.picture.shape
    changed = (picture != camera.picture).any(axis=2)
    assert 0.001 < changed.mean() < 0.5
    stamp = shown[-1].header.stamp
    assert stamp.sec * 10**9 + stamp.nanosec in camera.stamps_ns
    assert shown[-1].header.frame_id == 'front'


def test_min_score_changes_while_running_and_refuses_what_is_no_score(edge: Edge) -> None:
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    def set_min_score(value: float) -> Any:
        parameter = Parameter('min_score', value=value).to_parameter_msg()
        return edge.peer.call(
            SetParameters, 'edge/set_parameters', parameters=[parameter]
        ).results[0]

    def scores() -> list[float]:
        return [r.hypothesis.score for d in edge.detections[-1].detections for r in d.results]

    before = scores()
    limit = sorted(before)[len(before) // 2]
    assert set_min_score(limit).successful
    edge.until_detecting()
    assert len(scores()) < len(before) or len(set(before)) == 1
    assert all(score >= limit - 1e-6 for score in scores())
    refused = set_min_score(1.5)
    assert not refused.successful
    assert refused.reason
    assert set_min_score(0.0).successful


def test_enable_pauses_and_resumes(edge: Edge) -> None:
    from std_srvs.srv import SetBool

    assert edge.peer.call(SetBool, 'enable', data=False).success
    time.sleep(0.5)  # what was under way ends
    count = len(edge.times)
    time.sleep(5 / CAMERA_HZ)
    assert len(edge.times) == count
    assert edge.peer.call(SetBool, 'enable', data=True).success
    edge.until_detecting()


def test_states_change_under_load_and_every_frame_is_accounted_for(edge: Edge) -> None:
    from lifecycle_msgs.msg import Transition

    for _ in range(2):
        edge.change_state(Transition.TRANSITION_DEACTIVATE)
        count = len(edge.times)
        time.sleep(3 / CAMERA_HZ)
        assert len(edge.times) <= count + 1  # the last report may still have been under way
        edge.change_state(Transition.TRANSITION_ACTIVATE)
        edge.until_detecting()
    edge.change_state(Transition.TRANSITION_DEACTIVATE)
    edge.change_state(Transition.TRANSITION_CLEANUP)
    topics = dict(edge.peer.node.get_publisher_names_and_types_by_node('edge', '/'))
    assert '/detections' not in topics
    edge.change_state(Transition.TRANSITION_CONFIGURE)
    assert len(edge.peer.node.get_publishers_info_by_topic('detections')) == 1
    edge.times.clear()
    edge.diagnostics.clear()
    edge.change_state(Transition.TRANSITION_ACTIVATE)
    edge.until_detecting()
    edge.change_state(Transition.TRANSITION_DEACTIVATE)
    edge.diagnostics.clear()
    edge.change_state(Transition.TRANSITION_ACTIVATE)
    edge.peer.until(lambda: edge.diagnostics, 'diagnostics')
    edge.peer.until(
        lambda: any(s.name == '/edge: frames' for s in edge.diagnostics[-1].status), 'counts'
    )
    counts = edge.counts()
    offered = counts.pop('camera frames')
    # One may be at work when the counts are taken, one may wait.
    assert offered - 2 <= sum(counts.values()) <= offered
    sequences = [t.sequence for t in edge.times]
    assert sequences == sorted(set(sequences))
    assert len(sequences) >= offered - 2


def test_replies_to_what_others_asked_are_no_news_of_the_link(edge: Edge) -> None:
    from dads_ros import msg
    from dads_ros.nodes import qos

    node = edge.peer.node
    told = edge.peer.hear(msg.LinkEvent, 'link_event', qos.local())
    probes = edge.peer.hear(msg.Probe, 'probe', qos.probes())
    replies = node.create_publisher(msg.Probe, 'probe_reply', qos.probes())
    wanted = node.create_publisher(msg.Probe, 'probe_request', qos.local())
    edge.peer.until(lambda: replies.get_subscription_count(), 'the edge to listen')
    edge.peer.until(lambda: wanted.get_subscription_count(), 'the edge to take requests')
    wanted.publish(msg.Probe(sequence=7))
    edge.peer.until(lambda: probes, 'a probe')
    own = probes[0]
    # As ping_cloud's are that runs on a host that was up for longer, under the vehicle's name.
    for sequence, sent_ns in ((7, own.sent_ns + 1), (3, 2**62)):
        replies.publish(msg.Probe(vehicle=own.vehicle, sequence=sequence, sent_ns=sent_ns))
    for _ in range(2):
        replies.publish(msg.Probe(vehicle=own.vehicle, sequence=7, sent_ns=own.sent_ns))

    def answered() -> list[tuple[int, int]]:
        events = [e for e in told if e.probe and e.kind == msg.LinkEvent.ANSWERED]
        return [(e.sequence, e.sent_ns) for e in events]

    edge.peer.until(answered, 'its answer to be told')
    wanted.publish(msg.Probe(sequence=8))
    edge.peer.until(lambda: len(probes) > 1, 'another probe')
    replies.publish(msg.Probe(vehicle=own.vehicle, sequence=8, sent_ns=probes[1].sent_ns))
    edge.peer.until(lambda: len(answered()) > 1, 'its answer, after all others')
    assert answered() == [(7, own.sent_ns), (8, probes[1].sent_ns)]


def test_publisher_that_does_not_fit_is_told_what_to_change(edge: Edge) -> None:
    from dads_ros.nodes import qos
    from sensor_msgs.msg import Image

    node = edge.peer.node
    publisher = node.create_publisher(Image, 'image', qos.camera('best_effort'))
    edge.peer.until(
        lambda: edge.process.has_logged('set image_reliability to best_effort'), 'a warning', 20.0
    )
    node.destroy_publisher(publisher)


def test_node_ends_with_status_0(edge: Edge, camera: Camera) -> None:
    assert camera.stamps_ns
    assert edge.process.stop() == 0
    assert not edge.process.has_logged('Traceback')
