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

"""The table of topics and services says what the running nodes have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from dads_ros.profiles.profile import CodecCost
from dads_ros.topics import SERVICES
from dads_ros.topics import TOPICS
import pytest
from test_bad_input import profile

pytestmark = pytest.mark.ros

NAMESPACE = '/listed'
# What every lifecycle node has; type descriptions came with Jazzy.
ROS_PACKAGES = ('lifecycle_msgs', 'rcl_interfaces', 'type_description_interfaces')
ROS_TOPICS = ('/parameter_events', '/rosout', '/transition_event')


def listed(node: str, side: str) -> dict[str, str]:
    return {
        topic.name if topic.name[0] == '/' else f'{NAMESPACE}/{topic.name}': topic.type
        for topic in TOPICS
        if node in getattr(topic, side)
        and topic.name != 'image/compressed'  # instead of image, by parameter
    }


def found(pairs: list[tuple[str, list[str]]]) -> dict[str, str]:
    return {name: types[0] for name, types in pairs if not name.endswith(ROS_TOPICS)}


def test_the_table_is_what_the_nodes_have(peer: Any, tmp_path: Path) -> None:
    file = tmp_path / 'profile.json'
    tiny = profile('a' * 64)
    cost = CodecCost(bytes_mean=10.0, bytes_p95=10.0, encode_s=1e-4, decode_s=1e-4)
    replace(tiny, codecs={layer: {'raw': cost} for layer in tiny.codecs}).save(file)
    peer.start('edge', NAMESPACE)
    peer.start('cloud', NAMESPACE)
    peer.start('monitor', NAMESPACE, edge_profile=str(file), cloud_profile=str(file))
    node = peer.node
    for name in ('edge', 'cloud', 'monitor'):
        who = (name, NAMESPACE)
        peer.until(
            lambda name=name, who=who: (
                who in node.get_node_names_and_namespaces()  # else rclpy raises
                and found(node.get_publisher_names_and_types_by_node(*who))
                == listed(name, 'publishers')
                and found(node.get_subscriber_names_and_types_by_node(*who))
                == listed(name, 'subscribers')
            ),
            f'{name} to have the topics that are listed',
            60.0,
        )
        services = {
            service.rpartition('/')[2]: types[0]
            for service, types in node.get_service_names_and_types_by_node(*who)
            if not types[0].startswith(ROS_PACKAGES)
        }
        assert services == {s.name: s.type for s in SERVICES if s.server == name}
