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

"""What DDS tells about a topic's two sides not fitting, in words that say what to change."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind
from rclpy.qos import QoSProfile

try:
    from rclpy.event_handler import PublisherEventCallbacks
    from rclpy.event_handler import SubscriptionEventCallbacks
except ModuleNotFoundError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks
    from rclpy.qos_event import SubscriptionEventCallbacks

# The last part of a topic's name -> the parameter that sets its reliability.
_RELIABILITY_OF = {
    'image': 'image_reliability',
    'compressed': 'image_reliability',
    'bundle': 'reliability',
    'result': 'reliability',
    'probe': 'reliability',
    'probe_reply': 'reliability',
}
_BOTH_SIDES = '`ros2 topic info --verbose` shows both sides'


def of_subscription(node: Node, topic: str, profile: QoSProfile) -> SubscriptionEventCallbacks:
    """Return callbacks that log why nothing is received on a topic, and what to change."""
    name = node.resolve_topic_name(topic)

    def mismatch(event: Any) -> None:
        policy = _policy(event)
        node.get_logger().warning(
            f'nothing is received from a publisher of {name!r}: it offers less {policy} than '
            f'is asked here; {_advice(topic, policy, "best_effort", "the publisher")}'
        )

    def missed(_: Any) -> None:
        node.get_logger().warning(
            f'nothing came on {name!r} for {_seconds(profile):g} s; check the publisher, or set a '
            'longer deadline',
            throttle_duration_sec=5.0,
        )

    return SubscriptionEventCallbacks(
        deadline=missed if _seconds(profile) else None, incompatible_qos=mismatch
    )


def of_publisher(node: Node, topic: str) -> PublisherEventCallbacks:
    """Return callbacks that log why a subscription receives nothing, and what to change."""
    name = node.resolve_topic_name(topic)

    def mismatch(event: Any) -> None:
        policy = _policy(event)
        node.get_logger().warning(
            f'a subscription to {name!r} receives nothing: it asks for more {policy} than is '
            f'offered here; {_advice(topic, policy, "reliable", "the subscription")}'
        )

    return PublisherEventCallbacks(incompatible_qos=mismatch)


def _advice(topic: str, policy: str, ours: str, other_side: str) -> str:
    kind = topic.rpartition('/')[2]
    if policy == 'reliability' and kind in _RELIABILITY_OF:
        return f'set {_RELIABILITY_OF[kind]} to {ours} here, or change {other_side}'
    if policy == 'deadline' and kind in ('image', 'compressed'):
        return f'set image_deadline_s to 0 here, or let {other_side} offer one'
    return f'change the {policy} of {other_side}; {_BOTH_SIDES}'


def _policy(event: Any) -> str:
    name: str = qos_policy_name_from_kind(event.last_policy_kind)
    return name.lower().removesuffix('_qos_policy')


def _seconds(profile: QoSProfile) -> float:
    """Return the deadline of a profile; 0 when it has none."""
    deadline_s = profile.deadline.nanoseconds / 1e9
    return deadline_s if deadline_s < 1e6 else 0.0
