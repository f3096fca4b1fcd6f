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
The DDS domain of a run: one at a time on a host, for two would mix without a word.

Their nodes have the same names, and a car that hears two clouds takes the answers of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import tempfile

from dads_ros.errors import ProcessError


@contextmanager
def sole_use_of_domain() -> Iterator[None]:
    """Keep the domain of ROS_DOMAIN_ID for this run; raise ProcessError when another has it."""
    domain = os.environ.get('ROS_DOMAIN_ID') or '0'
    lock = claim(f'domain-{domain}')
    if lock is None:
        raise ProcessError(
            f'another replay or bench runs on this host in ROS domain {domain}; wait until it has '
            'ended, or set another ROS_DOMAIN_ID (0 to 101)'
        )
    try:
        yield
    finally:
        os.close(lock)


def claim(name: str) -> int | None:
    """
    Return a file descriptor that holds a name on this host until it is closed; None when taken.

    The kernel lets go of it when the process ends, however it does.
    """
    safe = ''.join(letter for letter in name if letter.isalnum() or letter == '-')
    path = Path(tempfile.gettempdir()) / f'dads_ros-{safe}.lock'
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except PermissionError:  # another user's: to lock it, to read it is enough
        lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
