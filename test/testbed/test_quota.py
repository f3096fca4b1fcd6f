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

"""A quota holds a group of processes to its share, and goes with everything in it."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys
import time

from dads_ros.errors import HostError
from dads_ros.processes import Place
from dads_ros.processes import placed
from dads_ros.processes import ProcessGroup
from dads_ros.testbed.quota import cpu_quota
from dads_ros.testbed.quota import find_controller
import pytest

CORES = 0.2
BURN = 'while True: pass'


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.mark.root
@pytest.mark.usefixtures('needs_controller')
def test_a_group_gets_its_share(tmp_path: Path) -> None:
    with (
        cpu_quota(CORES) as quota,
        ProcessGroup() as group,
        placed(lambda _: quota.place(Place())),
    ):
        burners = [
            group.start(f'burner{i}', [sys.executable, '-c', BURN], tmp_path / f'{i}.log')
            for i in range(2)
        ]
        group.wait_until('both to burn', lambda: all(cpu_s(b.pid) > 0.05 for b in burners), 20)
        before_s, start_s = sum(cpu_s(b.pid) for b in burners), time.monotonic()
        time.sleep(2.0)
        share = (sum(cpu_s(b.pid) for b in burners) - before_s) / (time.monotonic() - start_s)
        assert quota.throttled_s() > 0
    assert 0.1 * CORES < share < 1.15 * CORES  # the least is little: others may use the machine
    assert not quota.folder.exists()


@pytest.mark.root
@pytest.mark.usefixtures('needs_controller')
def test_what_still_runs_in_a_group_ends_with_it() -> None:
    with cpu_quota(CORES) as quota:
        place = quota.place(Place())
        sleeper = subprocess.Popen([*place.prefix, 'sleep', '60'])
        while str(sleeper.pid) not in (quota.folder / 'cgroup.procs').read_text().split():
            time.sleep(0.01)
    assert sleeper.wait(5) == -9


def test_too_small_a_share_is_refused() -> None:
    with (
        pytest.raises(HostError, match=r'0\.005 cores is too small; give 0\.01'),
        cpu_quota(0.005),
    ):
        pass


def make_mounts(tmp_path: Path, version: int, controllers: str) -> Path:
    group = tmp_path / 'group'
    group.mkdir()
    (group / 'cgroup.controllers').write_text(controllers)
    options, kind = (f'rw,{controllers}', 'cgroup') if version == 1 else ('rw', 'cgroup2')
    mounts = tmp_path / 'mounts'
    mounts.write_text(f'proc /proc proc rw 0 0\ncgroup {group} {kind} {options} 0 0\n')
    return mounts


@pytest.mark.parametrize('version', [1, 2])
def test_both_versions_are_found(tmp_path: Path, version: int) -> None:
    assert find_controller(make_mounts(tmp_path, version, 'cpu')) == tmp_path / 'group'


@pytest.mark.parametrize('version', [1, 2])
def test_no_controller_is_told(tmp_path: Path, version: int) -> None:
    with pytest.raises(HostError, match="processor's controller"):
        find_controller(make_mounts(tmp_path, version, 'cpuset'))


def test_version_two_is_limited_through_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No kernel behind it: this checks names and contents of the files only.
    parent = tmp_path / 'group'
    parent.mkdir()
    (parent / 'cgroup.subtree_control').write_text('memory')
    monkeypatch.setattr('dads_ros.testbed.quota.find_controller', lambda _: parent)
    monkeypatch.setattr('dads_ros.testbed.quota._remove', lambda _: None)
    with cpu_quota(0.25) as quota:
        assert (quota.folder / 'cpu.max').read_text() == '25000 100000'
    assert (parent / 'cgroup.subtree_control').read_text() == '+cpu'
