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
SROS2: nodes start in their enclaves or not at all, and a stranger gets nothing from them.

The second needs a DDS with security built in and the tools of ROS 2; it says what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import subprocess

from dads_ros.processes import node_command
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]

START_S = 120
ENCLAVE = '/car/cloud'


def secured(keystore: Path) -> dict[str, str]:
    """Return the environment that the launch files give to nodes."""
    return {
        **os.environ,
        'ROS_SECURITY_ENABLE': 'true',
        'ROS_SECURITY_STRATEGY': 'Enforce',
        'ROS_SECURITY_KEYSTORE': str(keystore),
    }


def start(keystore: Path) -> subprocess.CompletedProcess[str]:
    """Return what a node said that cannot start in its enclave."""
    return subprocess.run(
        [*node_command('cloud', {}, '/car'), '--enclave', ENCLAVE],
        env=secured(keystore), capture_output=True, text=True, timeout=START_S, check=False,
    )  # fmt: skip


def test_node_without_its_enclave_does_not_start_and_says_why(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert done.returncode == 1
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith('error: ') and f"{ENCLAVE}' does not exist" in line
    assert 'Traceback' not in done.stderr


@pytest.fixture
def keystore(tmp_path: Path, root: Path) -> Path:
    """Return a keystore made as docs/security.md says."""
    (tmp_path / 'empty' / 'enclaves' / ENCLAVE[1:]).mkdir(parents=True)
    done = start(tmp_path / 'empty')
    assert done.returncode == 1
    if "doesn't have the security libraries" in done.stderr:
        pytest.skip('this DDS was built without security')
    if not shutil.which('ros2'):
        pytest.skip('needs the ros2 command with its verb security')
    folder = tmp_path / 'keystore'
    policy = root / 'config' / 'sros2' / 'policies' / 'cloud.xml'
    for words in (
        ('create_keystore', folder),
        ('create_enclave', folder, ENCLAVE),
        ('create_permission', folder, ENCLAVE, policy),
    ):
        subprocess.run(['ros2', 'security', *words], check=True)
    return folder


@pytest.fixture
def cloud(keystore: Path, tmp_path: Path) -> Iterator[Path]:
    """Return the log of a cloud node in its enclave."""
    log = tmp_path / 'cloud.log'
    with log.open('w') as output:
        child = subprocess.Popen(
            [*node_command('cloud', {}, '/car'), '--enclave', ENCLAVE],
            env=secured(keystore), stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    yield log
    child.terminate()
    child.wait(30)


def test_stranger_gets_no_answer_from_a_node_in_its_enclave(cloud: Path) -> None:
    words = node_command('ping_cloud', {}, '/car')
    for _ in range(START_S // 6):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        if ': active' in cloud.read_text():
            return
    pytest.fail(cloud.read_text())
