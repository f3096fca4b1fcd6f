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

"""Replay a drive through the real nodes, over an emulated or the present link, and report."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import ExecuteProcess
from launch.actions import OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackagePrefix


def _command(context, *_):
    """Return the process, without the options that were left empty."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ('trace', 'against')}
    options = [f'--{name}={text}' for name, text in value.items() if text]
    return [
        ExecuteProcess(
            cmd=[
                PathJoinSubstitution([FindPackagePrefix('dads_ros'), 'lib', 'dads_ros', 'dads']),
                'replay',
                LaunchConfiguration('drive'),
                '--output',
                LaunchConfiguration('output'),
                *options,
            ],
            output='screen',
        )
    ]  # fmt: skip


def generate_launch_description() -> LaunchDescription:
    """Return the description."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'drive', default_value='scene', description='video, bag, folder, or scene[:seed]'
            ),
            DeclareLaunchArgument(
                'trace', default_value='', description='CSV time_s,uplink_mbps to emulate'
            ),
            DeclareLaunchArgument(
                'against', default_value='', description='methods to compare with; all, none'
            ),
            DeclareLaunchArgument('output', default_value='report', description='report folder'),
            OpaqueFunction(function=_command),
        ]
    )
