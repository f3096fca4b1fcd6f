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

"""Two cars in namespaces of their own, one cloud node for both, over real DDS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dads_ros.pipeline.frame import Outcome
from dads_ros.replay.prepare import prepare
from dads_ros.replay.prepare import slowed_down
from dads_ros.settings import DEFAULT_DETECTOR
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.quiet]

CARS = ('/fleet/red', '/fleet/blue')


@pytest.fixture(scope='module')
def fleet(peer: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the peer with a cloud node that serves one car, and two cars with a camera each."""
    folder: Path = tmp_path_factory.mktemp('profiles')
    profile = prepare(DEFAULT_DETECTOR, None, 'scene').profile
    slowed_down(profile, 20.0).save(folder / 'edge.json')
    profile.save(folder / 'cloud.json')
    started = [peer.start('cloud', waits=False, threads=1, vehicles=[CARS[0]])]
    for car in CARS:
        started += [
            peer.start(
                'car', car, waits=False,
                threads=1, emulated_slowdown=20.0, image_reliability='reliable',
                edge_profile=str(folder / 'edge.json'), cloud_profile=str(folder / 'cloud.json'),
            ),
            peer.start('player', car, waits=False, loop=True, rate=0.4),
        ]  # fmt: skip
    peer.until(lambda: all(p.has_logged(': active') for p in started), 'all to be active', 60.0)
    return peer


@pytest.fixture(scope='module')
def times(fleet: Any) -> dict[str, list[Any]]:
    """Return what is heard of the frames of each car."""
    from dads_ros import msg
    from dads_ros.nodes import qos

    return {car: fleet.hear(msg.StageTimes, f'{car}/stage_times', qos.local()) for car in CARS}


def via_cloud(times: list[Any]) -> int:
    return sum(t.outcome == Outcome.VIA_CLOUD for t in times)


def test_cloud_serves_the_car_that_is_listed_and_the_other_detects_by_itself(
    fleet: Any, times: dict[str, list[Any]]
) -> None:
    red, blue = (times[car] for car in CARS)
    fleet.until(lambda: via_cloud(red) > 2, 'frames of the listed car through the cloud')
    fleet.until(lambda: any(t.outcome == Outcome.LOCAL for t in blue), 'detections on the other')
    assert via_cloud(blue) == 0


def test_list_changes_while_the_cloud_serves(fleet: Any, times: dict[str, list[Any]]) -> None:
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    def serve(*names: str) -> Any:
        parameter = Parameter('vehicles', value=list(names)).to_parameter_msg()
        return fleet.call(SetParameters, '/cloud/set_parameters', parameters=[parameter])

    assert serve(*CARS).results[0].successful
    fleet.until(lambda: via_cloud(times[CARS[1]]) > 2, 'frames of the second car')
    count = via_cloud(times[CARS[0]])
    fleet.until(lambda: via_cloud(times[CARS[0]]) > count + 2, 'frames of the first one still')
    refused = serve('no namespace').results[0]
    assert not refused.successful
    assert "'no namespace'" in refused.reason


def test_each_car_hears_of_its_own_frames_only(times: dict[str, list[Any]]) -> None:
    for heard in times.values():
        sequences = [t.sequence for t in heard]
        assert len(sequences) == len(set(sequences))


def test_no_topic_is_absolute_but_those_of_ros_itself(fleet: Any) -> None:
    ours = '/fleet/red/'
    names = [
        name
        for node in ('edge', 'monitor', 'player')
        for name, _ in fleet.node.get_publisher_names_and_types_by_node(node, ours.rstrip('/'))
    ]
    assert f'{ours}detections' in names
    absolute = {name for name in names if not name.startswith(ours)}
    assert absolute == {'/diagnostics', '/parameter_events', '/rosout'}
