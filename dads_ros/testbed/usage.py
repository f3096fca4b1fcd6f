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

"""Processor time of the programs that this process started."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil


def cpu_s(program: str) -> float:
    """
    Return the processor time that this process's own programs of a name have taken so far.

    What these have started counts with them.
    """
    members: dict[int, psutil.Process] = {}
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            # A node is a script: its name is the interpreter's first or second word.
            if program in (Path(word).name for word in child.cmdline()[:2]):
                members |= {p.pid: p for p in (child, *child.children(recursive=True))}
    total_s = 0.0
    for member in members.values():
        with suppress(psutil.NoSuchProcess):
            times = member.cpu_times()
            total_s += times.user + times.system
    return total_s
