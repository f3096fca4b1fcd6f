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
Processes of a run: started with a log each, waited for with a deadline, ended whatever happens.

A process ends by its own id and never by its name. It gets SIGINT, which nodes take as "finish",
then SIGTERM, then SIGKILL. If this program is killed outright, the kernel kills what it started.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from dataclasses import field
import json
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import threading
import time
from types import FrameType
from types import TracebackType

from dads_ros.errors import ProcessError

POLL_S = 0.02
TAIL_LINES = 12
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_STOP_REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The kernel's promise to kill a child with the thread that started it; kept across exec.
_DIES_WITH_PARENT = ('setpriv', '--pdeathsig', 'KILL')


def require_programs(names: Sequence[str]) -> None:
    """Raise ProcessError when a program, or what starts them all, is not on PATH."""
    missing = [name for name in (_DIES_WITH_PARENT[0], *names) if shutil.which(name) is None]
    if missing:
        raise ProcessError(
            f'not on PATH: {", ".join(missing)}; use scripts/run dads or ros2 run dads_ros dads'
        )


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a process runs: command words put before its own, and variables added to ours.

    The words are such as those that enter a network namespace.
    """

    prefix: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


_place_of: ContextVar[Callable[[str], Place]] = ContextVar('_place_of', default=lambda _: Place())


@contextmanager
def placed(place_of: Callable[[str], Place]) -> Iterator[None]:
    """Let a function of their names say where processes run that are started in this context."""
    token = _place_of.set(place_of)
    try:
        yield
    finally:
        _place_of.reset(token)


class Process:
    """
    One running program, in a session of its own, with its output in a file.

    Start it from a thread that outlives it: it is killed when that thread ends.

    :param name: what error messages call it.
    :param log: file for its output; an old one is replaced.
    :param ends: whether it may end by itself, with status 0, while others still run.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        ends: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        self.ends = ends
        place = _place_of.get()(name)
        environment = {**os.environ, 'PYTHONUNBUFFERED': '1', **place.env}
        for word in (_DIES_WITH_PARENT[0], *place.prefix[:1], command[0]):
            if shutil.which(word, path=environment.get('PATH')) is None:
                raise ProcessError(
                    f'{name!r} needs {word!r}, which is not on PATH; use scripts/run'
                )
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open('wb') as output:
            self._child = subprocess.Popen(
                [*_DIES_WITH_PARENT, *place.prefix, *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we end the others in order
            )

    @property
    def pid(self) -> int:
        """Return its process id, which is also the id of its process group."""
        return self._child.pid

    @property
    def status(self) -> int | None:
        """Return its exit status, negative for a signal; None while it runs."""
        return self._child.poll()

    def has_logged(self, pattern: str) -> bool:
        """Return whether a regular expression is found in its output so far."""
        return re.search(pattern, self._output()) is not None

    def check(self) -> None:
        """Raise ProcessError with its last output when it ended and should not have."""
        status = self.status
        if status is None or (status == 0 and self.ends):
            return
        how = f'with status {status}' if status >= 0 else f'by {signal.Signals(-status).name}'
        lines = self._output().splitlines()[-TAIL_LINES:]
        tail = ''.join(f'\n  {line}' for line in lines)
        raise ProcessError(f'{self.name!r} ended {how}; see {str(self.log)!r}:{tail}')

    def stop(self, timeout_s: float = 5.0) -> int:
        """
        End it, if it still runs.

        :param timeout_s: how long to wait after SIGINT, and again after SIGTERM.
        :return: its exit status, negative for a signal.
        """
        for number in STOP_SIGNALS:
            if self.status is not None:
                break
            os.killpg(self.pid, number)
            try:
                self._child.wait(timeout_s if number != signal.SIGKILL else None)
            except subprocess.TimeoutExpired:
                continue
        return self._child.wait()

    def _output(self) -> str:
        return self.log.read_text(encoding='utf-8', errors='replace')


class ProcessGroup:
    """The processes of one run; a context manager that stops them, the last started first."""

    def __init__(self) -> None:
        self._processes: list[Process] = []
        self.statuses: dict[str, int] = {}
        """Exit status of each stopped process by its name; -9 means that it had to be killed."""

    def start(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        ends: bool = False,
    ) -> Process:
        """Start a process that belongs to the group; parameters as those of Process."""
        process = Process(name, command, log, ends=ends)
        self._processes.append(process)
        return process

    def check(self) -> None:
        """Raise ProcessError when a process ended that should not have."""
        for process in self._processes:
            process.check()

    def wait_until(self, what: str, ready: Callable[[], bool], timeout_s: float) -> None:
        """
        Wait until something is so.

        Raises ProcessError when it is not in time, or when a process ends that should not have.
        """
        deadline_s = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline_s:
                logs = ', '.join(repr(str(process.log)) for process in self._processes)
                raise ProcessError(f'waited {timeout_s:g} s in vain for {what}; see {logs}')
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop all processes, the last started first."""
        while self._processes:
            process = self._processes[-1]
            self.statuses[process.name] = process.stop()
            self._processes.pop()

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with uninterrupted():
            self.stop()


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Make SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does, to undo things."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _on_stop_requests(interrupt):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore further requests to stop while things are undone."""
    with _on_stop_requests(signal.SIG_IGN):
        yield


@contextmanager
def _on_stop_requests(
    handler: Callable[[int, FrameType | None], None] | signal.Handlers,
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # signals interrupt the main thread only
        return
    before = {number: signal.signal(number, handler) for number in _STOP_REQUESTS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def node_command(
    executable: str, parameters: Mapping[str, object], namespace: str = ''
) -> list[str]:
    """
    Return the command line that starts a node.

    :param parameters: bools, numbers, strings and lists of strings, as the node declares them.
    :param namespace: such as ``/car1``; empty for none.
    """
    words = [executable, '--ros-args']
    if namespace:
        words += ['-r', f'__ns:={namespace}']
    for name, value in parameters.items():
        words += ['-p', f'{name}:={json.dumps(value)}']  # what rcl reads is YAML: JSON and more
    return words
