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

"""Start what runs on the car: the edge node, then the monitor, or both in one process."""

from launch import LaunchContext
from launch import LaunchDescription
from launch import LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.actions import RegisterEventHandler
from launch.actions import TimerAction
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.actions import Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

# The edge tells when it is active. Should that get lost, the monitor starts all the same.
PATIENCE_S = 60.0
# Then launch ends a node by force; its own five seconds are short on a slow or busy computer.
ENDING_S = '20'
YES_OR_NO = ['true', 'false']
# Parameters that may be given by themselves; left out, they are as in params_file.
OVERRIDES = ('edge_profile', 'cloud_profile', 'mode', 'vehicle', 'key_file')


def _arguments() -> list[DeclareLaunchArgument]:
    return [
        DeclareLaunchArgument('namespace', default_value='', description='of this vehicle'),
        DeclareLaunchArgument('image', default_value='image', description='camera topic'),
        DeclareLaunchArgument(
            'edge_profile', default_value='', description="file of the car's profile"
        ),
        DeclareLaunchArgument(
            'cloud_profile', default_value='', description="file of the cloud's profile"
        ),
        DeclareLaunchArgument(
            'mode',
            default_value='',
            choices=['', 'auto', 'light', 'heavy', 'local', 'cloud', 'fixed'],
            description='what the plan is chosen for',
        ),
        DeclareLaunchArgument(
            'vehicle', default_value='', description="this car's name, which its key file bears"
        ),
        DeclareLaunchArgument(
            'key_file', default_value='', description='seals what crosses the network'
        ),
        DeclareLaunchArgument(
            'params_file',
            default_value=PathJoinSubstitution(
                [FindPackageShare('dads_ros'), 'config', 'edge.param.yaml']
            ),
            description='all parameters; what is given above counts before it',
        ),
        DeclareLaunchArgument(
            'composed',
            default_value='false',
            choices=YES_OR_NO,
            description='both nodes in one process',
        ),
        DeclareLaunchArgument(
            'respawn',
            default_value='false',
            choices=YES_OR_NO,
            description='start a node again when it dies; else its death ends the launch',
        ),
        DeclareLaunchArgument(
            'security',
            default_value='',
            description='SROS2 keystore: each node starts in its enclave there, or not at all',
        ),
        DeclareLaunchArgument(
            'log_level',
            default_value='info',
            choices=['debug', 'info', 'warn', 'error', 'fatal'],
            description='of all nodes',
        ),
    ]


def _nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return the nodes; all is resolved now, as a later include may change the arguments."""
    value = {a.name: LaunchConfiguration(a.name).perform(context) for a in _arguments()}
    common = {
        'package': 'dads_ros',
        'namespace': value['namespace'],
        'sigterm_timeout': ENDING_S,
        'additional_env': _security(value['security']),
    }
    if value['respawn'] == 'true':
        common |= {'respawn': True, 'respawn_delay': 2.0}
    else:
        common['on_exit'] = OpaqueFunction(function=_end)

    def words(name: str) -> list[str]:
        enclave = f'/{value["namespace"]}/{name}'.replace('//', '/')
        return ['--log-level', value['log_level'], '--enclave', enclave]

    # A node takes those that it has.
    given = {n: ParameterValue(value[n], value_type=str) for n in OVERRIDES if value[n]}
    # The topic's name may be absolute: a camera often lives outside our namespace.
    camera = [('image', value['image']), ('image/compressed', f'{value["image"]}/compressed')]
    file = value['params_file']
    if value['composed'] == 'true':
        return [
            Node(
                executable='car', parameters=[file, given], remappings=camera,
                ros_arguments=words('car'), **common,
            )
        ]  # fmt: skip
    edge = LifecycleNode(
        name='edge', executable='edge', parameters=[file, given], remappings=camera,
        ros_arguments=words('edge'), **common,
    )  # fmt: skip
    monitor = _once(
        Node(
            executable='monitor',
            parameters=[file, given],
            ros_arguments=words('monitor'),
            **common,
        )
    )
    is_active = OnStateTransition(
        target_lifecycle_node=edge, goal_state='active', entities=[monitor]
    )
    # From its enclave the edge tells nothing to launch, which is in none: start both. Either order
    # works; one after the other, what the monitor says at first is about a car that is there.
    patience_s = 0.0 if value['security'] else PATIENCE_S
    return [
        RegisterEventHandler(is_active),
        edge,
        TimerAction(period=patience_s, actions=[monitor]),
    ]


def _security(keystore: str) -> dict[str, str]:
    """Return the environment in which DDS itself keeps strangers out; empty without a keystore."""
    if not keystore:
        return {}
    return {
        'ROS_SECURITY_ENABLE': 'true',
        'ROS_SECURITY_STRATEGY': 'Enforce',
        'ROS_SECURITY_KEYSTORE': keystore,
    }


def _end(context: LaunchContext) -> None:
    """End the launch with status 1, so that a supervisor sees it; a mere shutdown gives 0."""
    if not context.is_shutdown:
        raise RuntimeError('a node of the car ended')


def _once(node: Node) -> OpaqueFunction:
    """Return an action that starts a node the first time it is executed, and only then."""
    waiting = [node]
    return OpaqueFunction(function=lambda _: [waiting.pop()] if waiting else [])


def generate_launch_description() -> LaunchDescription:
    """Return the description: the edge, and once it is active the monitor."""
    return LaunchDescription([*_arguments(), OpaqueFunction(function=_nodes)])
