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


"""What every test shares: marks that skip with a reason, and DDS that nobody else hears."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
import shutil

from dads_ros.domain import claim
from hypothesis import settings
import pytest

ROOT = Path(__file__).parents[1]

# Machines differ too much in speed for a limit per example.
settings.register_profile('dads_ros', deadline=None)
settings.load_profile('dads_ros')


def pytest_configure() -> None:
    # Two runs on one machine must not meet: Fast DDS hears its own domain only.
    domains = (1 + (os.getpid() + i) % 100 for i in range(100))
    os.environ['ROS_DOMAIN_ID'] = str(next(d for d in domains if claim(f'test-{d}') is not None))
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    # Without it rclpy sends an np.float32 as 0.0 and says nothing.
    os.environ['ROS_PYTHON_CHECK_FIELDS'] = '1'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Where two run at once, the long ones last would leave one of them idle for minutes.
    items.sort(key=lambda item: item.get_closest_marker('long') is None)


def missing_for(mark: str) -> str | None:
    """Return what this machine lacks for tests of that mark, or None."""
    if mark == 'ros' and not (
        importlib.util.find_spec('rclpy') and importlib.util.find_spec('dads_ros.msg')
    ):
        return 'needs rclpy and the built messages: use scripts/test, or source a workspace'
    if mark == 'root' and not (os.geteuid() == 0 and shutil.which('ip')):
        return 'needs root and the ip command'
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in ('ros', 'root'):
        if item.get_closest_marker(mark) and (reason := missing_for(mark)):
            pytest.skip(reason)


@pytest.fixture(scope='session')
def root() -> Path:
    """Return the root of the sources."""
    return ROOT


@pytest.fixture(scope='session')
def shared() -> Path:
    """Return the folder of data that lies beside the repository and is not part of it."""
    folder = ROOT.parent / 'shared'
    if not folder.is_dir():
        pytest.skip('needs the shared data beside the repository')
    return folder
