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


"""scripts/environment.sh: when it makes anew, what it asks of the machine, what gets through."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

PARTS = ('cmake', 'config', 'interfaces', 'msg', 'requirements', 'scripts')


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """Return a small copy of the sources that tests may change."""
    for part in PARTS:
        shutil.copytree(root / part, tmp_path / part)
    for file in ('CMakeLists.txt', 'package.xml'):
        shutil.copy(root / file, tmp_path)
    (tmp_path / 'dads_ros/nodes').mkdir(parents=True)
    (tmp_path / 'launch').mkdir()
    (tmp_path / 'dads_ros/graph.py').write_text('x = 1\n')
    (tmp_path / 'dads_ros/nodes/edge.py').write_text('def main():\n    pass\n')
    (tmp_path / 'log').mkdir()
    return tmp_path


def bash(
    checkout: Path, code: str, path: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run bash code after sourcing the script; ``path`` holds commands to be found first."""
    environment = {'PATH': '/usr/bin:/bin', 'HOME': str(checkout), **variables}
    if path is not None:
        environment['PATH'] = f'{path}:{environment["PATH"]}'
    return subprocess.run(
        ['/bin/bash', '-c', f'set -euo pipefail; source scripts/environment.sh; {code}'],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def command(folder: Path, name: str, body: str) -> Path:
    """Write a command that shell body makes, and return its path."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f'#!/bin/sh\n{body}\n')
    file.chmod(0o755)
    return file


def test_run_without_a_command_is_wrong_usage(root: Path) -> None:
    done = subprocess.run([root / 'scripts/run'], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith('usage: scripts/run COMMAND') and done.stderr.count('\n') == 1


def test_pins_and_place_decide_whether_venv_is_current(checkout: Path, tmp_path: Path) -> None:
    def state() -> str:
        return bash(checkout, 'venv_hash').stdout

    first = state()
    core = checkout / 'requirements/core.txt'
    core.write_text('# another comment\n' + core.read_text())
    assert state() == first
    core.write_text(core.read_text().replace('numpy==', 'numpy==9'))
    assert state() != first
    moved = shutil.copytree(checkout, tmp_path / 'moved', ignore=shutil.ignore_patterns('moved'))
    assert bash(moved, 'venv_hash').stdout != state()


def test_names_and_interfaces_decide_whether_install_is_current(checkout: Path) -> None:
    def state() -> str:
        done = bash(checkout, 'install_hash')
        assert done.returncode == 0 and done.stderr == ''
        return done.stdout

    seen = [state()]
    (checkout / 'dads_ros/graph.py').write_text('x = 2\n')  # linked: no build
    (checkout / 'dads_ros/__pycache__').mkdir()
    (checkout / 'dads_ros/__pycache__/graph.pyc').touch()
    assert state() == seen[0]
    changes = [
        lambda: (checkout / 'dads_ros/new.py').touch(),
        lambda: (checkout / 'dads_ros/nodes/edge.py').write_text('def start():\n    pass\n'),
        lambda: (checkout / 'msg/Plan.msg').write_text('uint32 plan_id\n'),
        lambda: (checkout / 'CMakeLists.txt').write_text('\n'),
        lambda: (checkout / 'interfaces/vision_msgs/msg/Point2D.msg').write_text('float64 x\n'),
    ]
    for change in changes:
        change()
        seen.append(state())
    assert len(set(seen)) == len(changes) + 1


def test_a_machine_without_compiler_and_headers_is_told_in_one_line(checkout: Path) -> None:
    tools = checkout / 'tools'
    tools.mkdir()
    for name in ('uname', 'make'):
        (tools / name).symlink_to(shutil.which(name) or pytest.skip(f'needs {name}'))
    refuse = f'case "$2" in *Python.h*|*ensurepip*) exit 1;; esac; exec {sys.executable} "$@"'
    python = command(tools, 'python', refuse)
    done = bash(checkout, f'PATH={tools}; check_machine {python}')
    version = 'python{}.{}'.format(*sys.version_info)
    packages = f'{version}-venv {version}-dev g++'
    assert done.returncode == 1
    assert done.stderr == (
        f'error: needed to build and not here: {packages}; run: sudo apt install {packages}\n'
    )


def test_a_machine_that_has_no_wheels_is_told_in_one_line(checkout: Path) -> None:
    command(checkout / 'tools', 'uname', 'echo Linux aarch64')
    done = bash(checkout, 'check_machine python3', path=checkout / 'tools')
    assert done.returncode == 1
    assert done.stderr.startswith('error: the ROS 2 wheels are for Linux x86_64 and this is Linux')
    assert done.stderr.count('\n') == 1


def test_a_venv_of_someone_else_is_left_alone(checkout: Path) -> None:
    (checkout / '.venv').mkdir()
    (checkout / '.venv/theirs').touch()
    done = bash(checkout, 'make_venv hash')
    assert done.returncode == 1
    assert done.stderr == 'error: .venv is here but not of scripts/run; move it away\n'
    assert (checkout / '.venv/theirs').exists()


def test_a_half_made_venv_is_made_anew(checkout: Path) -> None:
    (checkout / '.venv').mkdir()
    (checkout / '.venv/.made-from').write_text('unfinished\n')
    (checkout / '.venv/half').touch()
    stubs = f'find_python() {{ echo {sys.executable}; }}; check_machine() {{ :; }}'
    done = bash(checkout, f'{stubs}; fill_venv() {{ :; }}; make_venv hash')
    assert done.returncode == 0, done.stderr
    assert not (checkout / '.venv/half').exists()
    assert (checkout / '.venv/.made-from').read_text() == 'hash\n'


def test_a_failed_step_shows_the_end_of_its_log(checkout: Path) -> None:
    done = bash(checkout, "step '[1/1] work' bash -c 'seq 100; exit 3'; echo not reached")
    assert (done.returncode, done.stdout) == (1, '')
    assert '[1/1] work ... failed\n  86\n' in done.stderr
    assert done.stderr.endswith('whole output is in log/environment.log\n')


@pytest.mark.parametrize('tag', ['311', '312', '313'])
def test_cmake_exports_lose_the_paths_of_the_build_machine(checkout: Path, tag: str) -> None:
    for folder in ('bin', 'share/rclpy', 'lib/cmake'):
        (checkout / '.venv' / folder).mkdir(parents=True)
    (checkout / '.venv/bin/python').symlink_to(sys.executable)
    export = checkout / '.venv/share/rclpy/export.cmake'
    python = f'/opt/python/cp{tag}-cp{tag}'
    version = f'python{tag[0]}.{tag[1:]}'
    export.write_text(
        f'"{python}/include/{version};{python}/lib/{version}/site-packages/numpy/_core/include"\n'
    )
    assert bash(checkout, 'correct_cmake_paths; correct_cmake_paths').returncode == 0
    assert '/opt/python' not in export.read_text()
    assert export.read_text().endswith('-packages/numpy/_core/include"\n')  # dist- on Debian


def test_another_ros_stays_outside(checkout: Path) -> None:
    (checkout / '.venv/lib/python3.11/site-packages').mkdir(parents=True)
    done = bash(
        checkout,
        'enter_environment; echo "$PYTHONPATH"; echo "$AMENT_PREFIX_PATH"',
        AMENT_PREFIX_PATH='/srv/ws/install:/opt/ros/jazzy',
        PYTHONPATH='/srv/ws/install/lib/x:/home/me/detectors:/opt/ros/jazzy/lib/x',
    )
    assert done.stdout.splitlines() == [
        f'{checkout}/install/lib/python3.11/site-packages:/home/me/detectors',
        f'{checkout}/install:{checkout}/.venv',
    ]


def test_what_the_user_set_for_dds_stays(checkout: Path) -> None:
    (checkout / '.venv/lib/python3.11/site-packages').mkdir(parents=True)
    names = ('ROS_AUTOMATIC_DISCOVERY_RANGE', 'FASTDDS_DEFAULT_PROFILES_FILE')
    show = 'enter_environment; echo ' + ' '.join(f'"${name}"' for name in names)
    assert bash(checkout, show).stdout == f'LOCALHOST {checkout}/config/fastdds.xml\n'
    own = dict(zip(names, ('SUBNET', '/mine.xml'), strict=True))
    assert bash(checkout, show, **own).stdout == 'SUBNET /mine.xml\n'


def test_scripts_are_executable_and_parse(root: Path) -> None:
    for file in sorted((root / 'scripts').iterdir()):
        if file.suffix in ('', '.sh'):
            subprocess.run(['/bin/bash', '-n', file], check=True)
            assert file.suffix == '.sh' or os.access(file, os.X_OK), file
