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

"""A share of the processor for a group of processes, by control groups of version 1 or 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
import os
from pathlib import Path
import signal
import time

from dads_ros.errors import HostError
from dads_ros.processes import Place
from dads_ros.processes import POLL_S
from dads_ros.processes import uninterrupted
from dads_ros.testbed.system import is_leftover
from dads_ros.testbed.system import owned_name

# The kernel's own default. It looks at each of its ticks, 4 ms apart, whether a group has used up
# its share: in a short period a group would run for a tick and then pause for several periods.
PERIOD_US = 100_000
_LEAST_US = 1000  # the kernel allows no less
LEAST_CORES = _LEAST_US / PERIOD_US
_REMOVAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Quota:
    """A control group with a quota."""

    folder: Path

    def restrict(self, cores: float | None) -> None:
        """
        Give the processes so many cores from now on, None for all there are.

        Raises HostError when the kernel refuses.
        """
        quota_us = None if cores is None else _quota_us(cores)
        try:
            if (self.folder / 'cpu.cfs_quota_us').exists():
                (self.folder / 'cpu.cfs_period_us').write_text(f'{PERIOD_US}')
                (self.folder / 'cpu.cfs_quota_us').write_text(f'{quota_us or -1}')
            else:
                (self.folder / 'cpu.max').write_text(f'{quota_us or "max"} {PERIOD_US}')
        except OSError as error:
            raise HostError(
                f'cannot set the quota of {str(self.folder)!r}: {error.strerror}'
            ) from error

    def place(self, within: Place) -> Place:
        """Return what makes a process run in the group, and otherwise as in another place."""
        enter = ('sh', '-c', 'echo $$ > "$0" && exec "$@"', str(self.folder / 'cgroup.procs'))
        # The group's words come first: inside a namespace the control groups are out of sight.
        return Place((*enter, *within.prefix), within.env)

    def throttled_s(self) -> float:
        """Return how long its processes waited for quota, summed over processors."""
        lines = (self.folder / 'cpu.stat').read_text(encoding='ascii').splitlines()
        stat = dict(line.split() for line in lines)
        if 'throttled_usec' in stat:
            return int(stat['throttled_usec']) / 1e6
        return int(stat['throttled_time']) / 1e9


@contextmanager
def cpu_quota(cores: float) -> Iterator[Quota]:
    """
    Make a group whose processes together get so many processor cores, such as 0.25.

    Raises HostError when no control group with such a quota can be made here.
    """
    _quota_us(cores)  # refused before anything is made
    folder = find_controller(Path('/proc/mounts')) / owned_name('quota')
    try:
        _make(folder)
        quota = Quota(folder)
        quota.restrict(cores)
        yield quota
    finally:
        with uninterrupted():
            _remove(folder)


def clean() -> list[str]:
    """Remove the control groups of testbeds that were killed; return their names."""
    try:
        folder = find_controller(Path('/proc/mounts'))
    except HostError:
        return []
    left = sorted(path for path in folder.glob('dads-*') if is_leftover(path.name))
    for path in left:
        _remove(path)
    return [path.name for path in left]


def find_controller(mounts: Path) -> Path:
    """
    Return the control group of this machine under which one with a quota can be made.

    Raises HostError when no file system of them has the processor's controller.
    """
    for line in mounts.read_text(encoding='utf-8').splitlines():
        _, folder, kind, options, *_ = line.split()
        path = Path(folder)
        if kind == 'cgroup' and 'cpu' in options.split(','):
            return path
        if kind == 'cgroup2' and 'cpu' in (path / 'cgroup.controllers').read_text().split():
            return path
    raise HostError(
        "no control groups with the processor's controller are mounted; start the container "
        'with --privileged --cgroupns=host, or run without a quota'
    )


def _quota_us(cores: float) -> int:
    quota_us = round(cores * PERIOD_US)
    if quota_us < _LEAST_US:
        raise HostError(f'a quota of {cores:g} cores is too small; give {LEAST_CORES:g}')
    return quota_us


def _make(folder: Path) -> None:
    """Make a group; under version 2 its parent has to hand the controller down first."""
    children = folder.parent / 'cgroup.subtree_control'
    try:
        if children.exists() and 'cpu' not in children.read_text().split():
            children.write_text('+cpu')
        folder.mkdir()
    except OSError as error:
        raise HostError(
            f'cannot make control group {str(folder)!r}: {error.strerror}; start the container '
            'with --privileged --cgroupns=host, or run without a quota'
        ) from error


def _remove(folder: Path) -> None:
    """Remove a group and whatever still runs in it, if it is there."""
    deadline_s = time.monotonic() + _REMOVAL_S
    while folder.exists():
        try:
            for pid in map(int, (folder / 'cgroup.procs').read_text().split()):
                if pid > 0:  # 0 is a process of another namespace; to kill, all of our own group
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            folder.rmdir()
        except FileNotFoundError:
            return  # somebody else removed it meanwhile
        except OSError as error:  # busy until the killed ones are gone
            if time.monotonic() > deadline_s:
                raise HostError(f'cannot remove control group {str(folder)!r}: {error}') from error
            time.sleep(POLL_S)
