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

"""Start what runs off board: the cloud node."""

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def _node(context: LaunchContext) -> list[Node]:
    value = {
        name: LaunchConfiguration(name).perform(context)
        for name in ('namespace', 'key_folder', 'params_file', 'security', 'log_level')
    }
    enclave = f'/{value["namespace"]}/cloud'.replace('//', '/')
    security = {
        'ROS_SECURITY_ENABLE': 'true',
        'ROS_SECURITY_STRATEGY': 'Enforce',
        'ROS_SECURITY_KEYSTORE': value['security'],
    }
    keys = value['key_folder']
    given = {'key_folder': ParameterValue(keys, value_type=str)} if keys else {}
    return [
        Node(
            package='dads_ros',
            executable='cloud',
            namespace=value['namespace'],
            parameters=[value['params_file'], given],
            ros_arguments=['--log-level', value['log_level'], '--enclave', enclave],
            additional_env=security if value['security'] else {},
            sigterm_timeout='20',  # then by force; launch's own 5 are short on a busy machine
            respawn=True,
            respawn_delay=2.0,
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Return the description; the cloud node is started again when it dies."""
    return LaunchDescription(
        [
            DeclareLaunchArgument('namespace', default_value='', description="the vehicle's"),
            DeclareLaunchArgument(
                'key_folder', default_value='', description='one file VEHICLE.key for each car'
            ),
            DeclareLaunchArgument(
                'params_file',
                default_value=PathJoinSubstitution(
                    [FindPackageShare('dads_ros'), 'config', 'cloud.param.yaml']
                ),
                description='all parameters; what is given above counts before it',
            ),
            DeclareLaunchArgument(
                'security',
                default_value='',
                description='SROS2 keystore: the node starts in its enclave there, or not at all',
            ),
            DeclareLaunchArgument(
                'log_level',
                default_value='info',
                choices=['debug', 'info', 'warn', 'error', 'fatal'],
                description='of the node',
            ),
            OpaqueFunction(function=_node),
        ]
    )
