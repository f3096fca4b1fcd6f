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

"""The demo: the drawn scene by a slowed-down car over the link of config/traces/demo.csv."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def generate_launch_description() -> LaunchDescription:
    """Return the replay's description with other defaults, those of scripts/demo."""
    share = FindPackageShare('dads_ros')
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'trace',
                default_value=PathJoinSubstitution([share, 'config', 'traces', 'demo.csv']),
                description='CSV time_s,uplink_mbps to emulate',
            ),
            DeclareLaunchArgument(
                'options',
                default_value='--edge-slowdown 11',
                description='of dads replay; given, they take the place of these',
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(
                    PathJoinSubstitution([share, 'launch', 'replay.launch.py'])
                )
            ),
        ]
    )
