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
Commands that change the machine, and names that say who made what.

Everything the testbed leaves on a machine for a while (namespaces, control groups) is called
``dads-PID-STARTED-ROLE`` after the process that made it, so two testbeds never meet, and what a
killed one left behind can be told from what is in use.
"""

from __future__ import annotations

import os
from pathlib import Path
import re
import shutil
import subprocess

from dads_ros.errors import HostError

_OWNED = re.compile(r'dads-(\d+)-(\d+)-(\d+)-\w+')
_CAP_NET_ADMIN = 1 << 12
_CAP_SYS_ADMIN = 1 << 21


def run(*command: str) -> str:
    """
    Run a command to its end and return what it printed.

    Raises HostError with what it complained of.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f'{" ".join(command)!r} failed: {done.stderr.strip()}')
    return done.stdout


def require_rights() -> None:
    """Raise HostError unless this process may make network namespaces and shape links."""
    status = Path('/proc/self/status').read_text(encoding='ascii')
    rights = int(re.search(r'CapEff:\s*(\w+)', status)[1], 16)  # type: ignore[index]
    needed = _CAP_NET_ADMIN | _CAP_SYS_ADMIN
    if os.geteuid() != 0:
        raise HostError('the testbed needs root for network namespaces; run it with sudo')
    if rights & needed != needed:
        raise HostError(
            'root lacks CAP_NET_ADMIN or CAP_SYS_ADMIN; start the container privileged'
        )
    if missing := [tool for tool in ('ip', 'tc') if shutil.which(tool) is None]:
        raise HostError(f'{" and ".join(missing)} not found; run: apt install iproute2')


def owned_name(role: str) -> str:
    """Return the name of something that this process makes; it tells who that is."""
    pid = os.getpid()
    return f'dads-{pid}-{_started(pid)}-{_processes_seen()}-{role}'


def is_leftover(name: str) -> bool:
    """
    Return whether a name is of something whose owner has ended.

    Of an owner in another container nothing is known: it may well be at work.
    """
    match = _OWNED.fullmatch(name)
    if match is None:
        return False
    pid, started, seen = map(int, match.groups())
    return seen == _processes_seen() and _started(pid) != started


def _processes_seen() -> int:
    """Return which processes can be seen from here: a number of the namespace of their ids."""
    return Path('/proc/self/ns/pid').stat().st_ino


def _started(pid: int) -> int | None:
    """Return when a process began, in ticks since boot; None when it is gone."""
    try:
        stat = Path(f'/proc/{pid}/stat').read_text(encoding='utf-8', errors='replace')
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name may hold anything but comes first.
    fields = stat.rpartition(')')[2].split()
    return None if fields[0] == 'Z' else int(fields[19])
