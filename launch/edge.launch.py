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

"""Start what runs on the car: the edge node and the monitor."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import EmitEvent
from launch.conditions import IfCondition
from launch.conditions import UnlessCondition
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare


def generate_launch_description() -> LaunchDescription:
    """Return the description; a node that dies ends the launch, so that a supervisor sees it."""
    arguments = [
        DeclareLaunchArgument('namespace', default_value='', description='of this vehicle'),
        DeclareLaunchArgument('image', default_value='image', description='camera topic'),
        DeclareLaunchArgument('edge_profile', description="file of the car's profile"),
        DeclareLaunchArgument('cloud_profile', description="file of the cloud's profile"),
        DeclareLaunchArgument(
            'mode',
            default_value='auto',
            choices=['auto', 'light', 'heavy', 'local', 'cloud', 'fixed'],
            description='what the plan is chosen for',
        ),
        DeclareLaunchArgument(
            'params_file',
            default_value=PathJoinSubstitution(
                [FindPackageShare('dads_ros'), 'config', 'edge.param.yaml']
            ),
            description='every other parameter',
        ),
        DeclareLaunchArgument(
            'composed',
            default_value='false',
            choices=['true', 'false'],
            description='both nodes in one process',
        ),
        DeclareLaunchArgument(
            'log_level', default_value='info', choices=['debug', 'info', 'warn', 'error', 'fatal']
        ),
    ]
    common = {
        'package': 'dads_ros',
        'namespace': LaunchConfiguration('namespace'),
        'ros_arguments': ['--log-level', LaunchConfiguration('log_level')],
        'on_exit': [EmitEvent(event=Shutdown(reason='a node of the car ended'))],
    }
    profiles = {
        name: LaunchConfiguration(name) for name in ('edge_profile', 'cloud_profile', 'mode')
    }
    image = LaunchConfiguration('image')
    # The topic's name may be absolute: a camera often lives outside our namespace.
    remappings = [('image', image), ('image/compressed', [image, '/compressed'])]
    composed = LaunchConfiguration('composed')
    return LaunchDescription(
        [
            *arguments,
            Node(
                condition=UnlessCondition(composed),
                executable='edge',
                parameters=[LaunchConfiguration('params_file')],
                remappings=remappings,
                **common,
            ),
            Node(
                condition=UnlessCondition(composed),
                executable='monitor',
                parameters=[LaunchConfiguration('params_file'), profiles],
                **common,
            ),
            Node(
                condition=IfCondition(composed),
                executable='car',
                parameters=[LaunchConfiguration('params_file'), profiles],
                remappings=remappings,
                **common,
            ),
        ]
    )
