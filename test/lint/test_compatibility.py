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

"""The nodes take nothing from rclpy that ROS 2 Humble, the oldest distribution served, lacks."""

from __future__ import annotations

import ast
from pathlib import Path

# Read in rclpy's branch humble of 2024-11. Look there before adding a name.
HUMBLE = {
    'rclpy': {'init', 'try_shutdown', 'create_node', 'shutdown', 'Context', 'Parameter'},
    'rclpy._rclpy_pybind11': {'RCLError'},
    'rclpy.callback_groups': {'MutuallyExclusiveCallbackGroup', 'ReentrantCallbackGroup'},
    'rclpy.clock': {'Clock', 'ClockType'},
    'rclpy.context': {'Context'},
    'rclpy.duration': {'Duration'},
    'rclpy.exceptions': {
        'InvalidParameterTypeException',
        'InvalidParameterValueException',
        'InvalidTopicNameException',
    },
    'rclpy.executors': {'SingleThreadedExecutor', 'MultiThreadedExecutor'},
    'rclpy.impl.implementation_singleton': {'rclpy_implementation'},
    'rclpy.lifecycle': {'LifecycleNode', 'LifecycleState', 'TransitionCallbackReturn'},
    'rclpy.node': {'Node'},
    'rclpy.parameter': {'Parameter'},
    'rclpy.qos': {
        'DurabilityPolicy',
        'HistoryPolicy',
        'LivelinessPolicy',
        'QoSProfile',
        'ReliabilityPolicy',
        'qos_policy_name_from_kind',
        'qos_profile_sensor_data',
    },
    'rclpy.qos_event': {'PublisherEventCallbacks', 'SubscriptionEventCallbacks'},
    'rclpy.serialization': {'deserialize_message', 'serialize_message'},
    'rclpy.signals': {'SignalHandlerOptions'},
    'rclpy.validate_topic_name': {'validate_topic_name'},
}
# No node needs these: the module is for measurements only (docs/compatibility.md).
EXEMPT = {'remote.py': {'rclpy.parameter_client'}}


def unguarded(tree: ast.AST) -> list[ast.ImportFrom]:
    """Return the imports from rclpy that no `try` with a handler surrounds."""
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and node.handlers
        for statement in node.body
        for inner in ast.walk(statement)
    }
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or '').split('.')[0] == 'rclpy'
        and id(node) not in guarded
    ]


def test_every_name_from_rclpy_is_in_humble(root: Path) -> None:
    wrong = []
    for path in sorted((root / 'dads_ros/nodes').glob('*.py')):
        for node in unguarded(ast.parse(path.read_text())):
            module = node.module or ''
            if module in EXEMPT.get(path.name, ()):
                continue
            known = HUMBLE.get(module, set())
            wrong += [
                f'{path.name}:{node.lineno} {module}.{alias.name}'
                for alias in node.names
                if alias.name not in known
            ]
    assert not wrong, f'not in Humble, or not looked up there yet; guard it: {wrong}'


def test_a_guarded_import_is_not_looked_at() -> None:
    text = 'try:\n    from rclpy.new import A\nexcept ImportError:\n    from rclpy.old import A\n'
    assert [node.module for node in unguarded(ast.parse(text))] == ['rclpy.old']
