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


"""The packaging files agree with each other, and pip's package holds what it should."""

from __future__ import annotations

from pathlib import Path
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

# Where rosdep's key is not python3- and the name on PyPI.
ROSDEP_KEYS = {
    'opencv-python-headless': 'python3-opencv',
    'pillow': 'python3-pil',
    'pyyaml': 'python3-yaml',
    'rosbags': 'python3-rosbags-pip',
    'torch': 'python3-pytorch-pip',
}


@pytest.fixture(scope='module')
def package(root: Path) -> ElementTree.Element:
    return ElementTree.parse(root / 'package.xml').getroot()


@pytest.fixture(scope='module')
def distribution(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what `pip install .` would install, and its metadata."""
    folder = tmp_path_factory.mktemp('distribution')
    command = [sys.executable, 'setup.py', '--quiet', 'egg_info', '--egg-base', folder]
    command += ['build', '--build-base', folder / 'build', '--build-lib', folder / 'library']
    subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return folder


def requirements(root: Path, name: str = 'core') -> dict[str, str]:
    """Return {name in lower case: what follows the pin} of requirements/NAME.txt."""
    lines = (root / f'requirements/{name}.txt').read_text().splitlines()
    rows = [re.fullmatch(r'([\w.-]+)==[\w.]+(?:\s+#(.*))?', s) for s in lines if s[:1] not in '#']
    assert all(rows), f'a line of requirements/{name}.txt is no pin'
    return {row[1].lower(): row[2] or '' for row in rows if row}


def test_changelog_has_the_version_or_what_is_to_come(
    root: Path, package: ElementTree.Element
) -> None:
    headings = re.findall(r'^(.+)\n-+$', (root / 'CHANGELOG.rst').read_text(), re.MULTILINE)
    released = re.escape(package.findtext('version') or '') + r' \(\d{4}-\d{2}-\d{2}\)'
    assert headings[0] == 'Forthcoming' or re.fullmatch(released, headings[0])  # REP-132


def test_every_requirement_has_a_rosdep_key_or_says_not(
    root: Path, package: ElementTree.Element
) -> None:
    keys = {e.text for e in package.iter('exec_depend') if (e.text or '').startswith('python3-')}
    wanted = {
        ROSDEP_KEYS.get(name, f'python3-{name.replace("_", "-")}')
        for name, comment in requirements(root).items()
        if '(no rosdep key)' not in comment
    }
    assert keys == wanted


def test_ros_requirements_are_in_package_xml(root: Path, package: ElementTree.Element) -> None:
    named = {e.text for tag in ('depend', 'exec_depend') for e in package.iter(tag)}
    messages = {
        name.removeprefix('ros-').replace('-', '_')
        for name in requirements(root, 'ros')
        if name.endswith(('-msgs', '-srvs', '-rclpy'))
    }
    assert messages - {'geometry_msgs'} <= named  # that one is vision_msgs' own dependency


def test_pip_installs_every_file_but_the_nodes(root: Path, distribution: Path) -> None:
    source = root / 'dads_ros'
    wanted = {
        path.relative_to(source)
        for path in source.rglob('*')
        if path.is_file() and not {'nodes', '__pycache__'} & set(path.relative_to(source).parts)
    }
    library = distribution / 'library/dads_ros'
    assert {p.relative_to(library) for p in library.rglob('*') if p.is_file()} == wanted


def test_pip_gives_the_command_and_the_requirements(root: Path, distribution: Path) -> None:
    metadata = distribution / 'dads_ros.egg-info'
    assert 'dads = dads_ros.cli.main:main' in (metadata / 'entry_points.txt').read_text()
    required = (metadata / 'requires.txt').read_text().split('\n[', 1)[0].split()
    assert [name.lower() for name in required] == list(requirements(root))
