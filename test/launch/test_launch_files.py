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

"""
The launch files, by ROS's own launch: what they say of themselves, and what happens when run.

Skipped where the packages launch and launch_ros are not: they come with ROS, not from PyPI.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time
from typing import Any

from dads_ros.plan import WISHES
from PIL import Image
import pytest


def missing() -> str:
    """Return what these tests need and is not there; nothing if all is."""
    for name in ('rclpy', 'launch.actions', 'launch_ros.actions', 'dads_ros.msg'):
        try:
            import_module(name)
        except ImportError:
            return name
    return ''


MISSING = missing()
# Each test for itself: a run that collects none would count as failed where ctest starts it.
pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(MISSING != '', reason=f'needs {MISSING}, a part of ROS 2 or of its build'),
]

FOLDER = Path(__file__).parents[2] / 'launch'
FILES = sorted(path.name for path in FOLDER.glob('*.launch.py'))
PATIENCE_S = 180.0
# What `ros2 launch` does where nobody is at a terminal, less its options.
RUN = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
service = LaunchService(noninteractive=True)
source = PythonLaunchDescriptionSource(sys.argv[1])
arguments = [a.split(':=', 1) for a in sys.argv[2:]]
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""


class Launch:
    """A launch file that runs."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self.log = folder / 'launch.log'
        environment = {**os.environ, 'ROS_LOG_DIR': str(folder / 'ros'), 'PYTHONUNBUFFERED': '1'}
        with self.log.open('w') as log:
            self.process = subprocess.Popen(
                [sys.executable, '-c', RUN, FOLDER / name, *arguments],
                cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment,
            )  # fmt: skip

    def wait_for(self, pattern: str, count: int = 1) -> list[re.Match[str]]:
        """Return the matches once there are so many."""
        end_s = time.monotonic() + PATIENCE_S
        while len(found := list(re.finditer(pattern, self.log.read_text()))) < count:
            assert time.monotonic() < end_s, f'no {pattern!r} in:\n{self.log.read_text()}'
            assert self.process.poll() is None, f'ended early:\n{self.log.read_text()}'
            time.sleep(0.1)
        return found

    def end(self) -> int:
        """Return the exit status, once it has ended by itself."""
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Any]:
    """Return a function that runs a launch file; it is ended with the test."""
    started: list[Launch] = []

    def start(name: str, *arguments: str) -> Launch:
        started.append(Launch(tmp_path, name, *arguments))
        return started[-1]

    yield start
    for launch in started:
        if launch.process.poll() is None:
            launch.process.send_signal(signal.SIGINT)
            launch.process.wait(60.0)


def arguments_of(name: str) -> dict[str, Any]:
    from launch import LaunchContext
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    source = PythonLaunchDescriptionSource(str(FOLDER / name))
    description = source.get_launch_description(LaunchContext())
    return {a.name: a for a in description.get_launch_arguments()}


def text_of(argument: Any) -> str:
    from launch import LaunchContext
    from launch.utilities import perform_substitutions

    return perform_substitutions(LaunchContext(), argument.default_value)


@pytest.mark.parametrize('name', FILES)
def test_every_argument_is_described(name: str) -> None:
    arguments = arguments_of(name)
    assert arguments
    for argument in arguments.values():
        assert argument.description not in ('', 'no description given'), argument.name


def test_the_modes_are_those_of_the_monitor() -> None:
    assert tuple(arguments_of('edge.launch.py')['mode'].choices) == ('', *WISHES)


def test_the_monitor_follows_the_edge_and_its_death_ends_the_launch(launched: Any) -> None:
    launch = launched(
        'edge.launch.py', 'namespace:=/launched', 'edge_profile:=none.json',
        'cloud_profile:=none.json',
    )  # fmt: skip
    assert launch.end() == 1
    log = launch.log.read_text()
    order = (
        '[edge-1]: process started',
        '[launched.edge]: active',
        '[monitor-2]: process started',
    )
    places = [log.find(text) for text in order]
    assert places == sorted(places) and places[0] >= 0, log
    assert "'none.json'" in log and 'a node of the car ended' in log
    assert 'Traceback' not in log


def test_what_is_left_out_is_as_in_the_parameter_file(launched: Any, tmp_path: Path) -> None:
    file = tmp_path / 'car.yaml'
    file.write_text(
        '/**/edge: {ros__parameters: {threads: 1, vehicle: from-file}}\n'
        '/**/monitor: {ros__parameters: {edge_profile: file.json, cloud_profile: file.json}}\n',
        encoding='utf-8',
    )
    launch = launched('edge.launch.py', 'namespace:=/launched', f'params_file:={file}')
    assert launch.end() == 1
    assert "'file.json'" in launch.log.read_text()


def test_a_key_that_is_given_is_used(launched: Any) -> None:
    launch = launched(
        'edge.launch.py', 'namespace:=/launched', 'key_file:=none.key', 'edge_profile:=none.json',
        'cloud_profile:=none.json',
    )  # fmt: skip
    assert launch.end() == 1
    assert "key file 'none.key': No such file" in launch.log.read_text()
    launch = launched('cloud.launch.py', 'namespace:=/launched', 'key_folder:=none')
    launch.wait_for("key folder 'none': No such file")


def test_a_composed_car_that_cannot_start_ends_the_launch(launched: Any) -> None:
    launch = launched(
        'edge.launch.py', 'namespace:=/launched', 'edge_profile:=none.json',
        'cloud_profile:=none.json', 'composed:=true',
    )  # fmt: skip
    assert launch.end() == 1
    assert "'none.json'" in launch.log.read_text()


def test_a_cloud_node_that_was_killed_is_started_again(launched: Any) -> None:
    launch = launched('cloud.launch.py', 'namespace:=/launched')
    launch.wait_for(r'\[launched.cloud\]: active')
    pid = launch.wait_for(r'process started with pid \[(\d+)\]')[0][1]
    os.kill(int(pid), signal.SIGKILL)
    launch.wait_for(r'\[launched.cloud\]: active', 2)
    launch.process.send_signal(signal.SIGINT)
    assert launch.end() == 0
    assert 'process has finished cleanly' in launch.log.read_text()


def test_a_replay_that_fails_fails_the_launch(launched: Any) -> None:
    launch = launched('replay.launch.py', 'drive:=none.mp4')
    assert launch.end() == 1
    assert 'none.mp4' in launch.log.read_text()


def test_a_replay_of_pictures_ends_the_launch_well(launched: Any, tmp_path: Path) -> None:
    (tmp_path / 'drive').mkdir()
    for number in range(10):
        Image.new('RGB', (320, 180), (0, 25 * number, 0)).save(tmp_path / f'drive/{number}.png')
    launch = launched(
        'replay.launch.py', 'drive:=drive', 'against:=none', 'options:=--record run.mcap'
    )
    assert launch.end() == 0, launch.log.read_text()
    assert (tmp_path / 'report/report.html').is_file() and (tmp_path / 'run.mcap').is_file()


def test_the_demo_is_a_replay_with_the_arguments_of_its_script() -> None:
    demo, replay = (arguments_of(f'{name}.launch.py') for name in ('demo', 'replay'))
    assert set(demo) == set(replay)
    changed = {name for name in demo if text_of(demo[name]) != text_of(replay[name])}
    assert changed == {'trace', 'options'}
    assert text_of(demo['options']) in (FOLDER.parent / 'scripts/demo').read_text()


def test_a_node_without_its_enclave_in_the_keystore_does_not_start(
    launched: Any, tmp_path: Path
) -> None:
    launch = launched(
        'edge.launch.py', 'namespace:=/car', f'security:={tmp_path}', 'edge_profile:=none.json',
        'cloud_profile:=none.json',
    )  # fmt: skip
    assert launch.end() == 1
    log = launch.log.read_text()
    # From its enclave the edge could not tell that it is active, so both start; one ends first.
    assert '[monitor-2]: process started' in log
    assert re.search(
        rf"{re.escape(str(tmp_path))}/enclaves/car/(edge|monitor)' does not exist", log
    )


def test_an_unknown_mode_is_refused(launched: Any) -> None:
    launch = launched(
        'edge.launch.py', 'mode:=fast', 'edge_profile:=none.json', 'cloud_profile:=none.json'
    )
    assert launch.end() == 1
    assert 'process started' not in launch.log.read_text()
