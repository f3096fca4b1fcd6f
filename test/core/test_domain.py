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

"""One run at a time on a domain of a host, by whoever begins first, until it ends."""

import subprocess
import sys

from dads_ros.domain import sole_use_of_domain
from dads_ros.errors import ProcessError
import pytest

HOLD = """
import sys
from dads_ros.domain import sole_use_of_domain
with sole_use_of_domain():
    print('held', flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def locks(monkeypatch, tmp_path):
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    monkeypatch.setattr('tempfile.tempdir', None)
    monkeypatch.setenv('ROS_DOMAIN_ID', '7')


def test_a_second_run_is_told_and_another_domain_is_free(monkeypatch):
    with subprocess.Popen(
        [sys.executable, '-c', HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b'held\n'
        told = 'runs on this host in ROS domain 7; wait until'
        with pytest.raises(ProcessError, match=told), sole_use_of_domain():
            raise AssertionError
        monkeypatch.setenv('ROS_DOMAIN_ID', '8')
        with sole_use_of_domain():
            pass
        monkeypatch.setenv('ROS_DOMAIN_ID', '7')
        other.kill()
    with sole_use_of_domain():  # the killed one holds nothing
        pass
    with sole_use_of_domain():
        pass
