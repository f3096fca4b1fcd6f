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

import shlex

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import ExecuteProcess
from launch.actions import OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackagePrefix


def _command(context: LaunchContext) -> list[ExecuteProcess]:
    """Return the process, without the options that were left empty."""
    names = ('drive', 'output', 'trace', 'against', 'options')
    value = {name: LaunchConfiguration(name).perform(context) for name in names}
    named = [f'--{name}={value[name]}' for name in ('trace', 'against') if value[name]]
    dads = PathJoinSubstitution([FindPackagePrefix('dads_ros'), 'lib', 'dads_ros', 'dads'])
    command = [dads, 'replay', value['drive'], '--output', value['output'], *named]
    return [
        ExecuteProcess(
            cmd=[*command, *shlex.split(value['options'])],
            output='screen',
            sigterm_timeout='30',  # it ends the nodes first and waits for them
            on_exit=OpaqueFunction(function=_end),
        )
    ]


def _end(context: LaunchContext) -> None:
    """End the launch with status 1 when the replay failed; it said why."""
    if context.locals.event.returncode and not context.is_shutdown:
        raise RuntimeError('the replay failed')


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
            DeclareLaunchArgument(
                'options', default_value='', description='more of those that dads replay takes'
            ),
            OpaqueFunction(function=_command),
        ]
    )
