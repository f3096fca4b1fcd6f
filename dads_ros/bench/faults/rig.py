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
Real nodes to be hurt: each a process that can be killed, paused and started again, and a recorder.

What happens is read from the recorder's files while it happens, and from the whole record after.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import ExitStack
from contextlib import suppress
import json
import os
from pathlib import Path
import signal
import time
from types import TracebackType

from dads_ros.bench.faults.cast import cast_for
from dads_ros.bench.faults.cast import NAMESPACE
from dads_ros.bench.faults.cast import NODES
from dads_ros.bench.faults.props import write_trace
from dads_ros.errors import ProcessError
from dads_ros.pipeline.frame import Outcome
from dads_ros.processes import node_command
from dads_ros.processes import Process
from dads_ros.processes import uninterrupted
from dads_ros.report.fields import from_json
from dads_ros.report.record import load_run
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import RunRecord

POLL_S = 0.05
READY_S = 120.0
RECOVERY_S = 30.0
# Long enough for an answer on a slow and busy machine: what is asked then is whether it comes.
PATIENCE_S = 1.0
LINK_MBPS = 20.0


class _TooLateError(ProcessError):
    """What was waited for did not come."""


class Rig:
    """
    The nodes of one car and its cloud; a context manager that starts and stops them.

    :param folder: for the record and the logs; must not exist.
    :param parameters: of the nodes by name, beside those that the rig sets.
    """

    def __init__(
        self, folder: Path, parameters: dict[str, dict[str, object]] | None = None
    ) -> None:
        self._folder = folder
        self._own = parameters or {}
        self._steady_link = folder / 'steady.csv'
        self._processes: dict[str, Process] = {}
        self._started = 0
        self._offset = 0
        self._frames: list[FrameRecord] = []
        self.edge_starts_ns: list[int] = []
        self.edge_kills_ns: list[int] = []

    def __enter__(self) -> Rig:
        from dads_ros.nodes.remote import Remote  # needs the built messages

        self._folder.mkdir(parents=True)
        write_trace(self._steady_link, [(0.0, LINK_MBPS)])
        self.cast = cast_for(self._folder, self._steady_link)
        self._remote = Remote(NAMESPACE)
        try:
            for name in NODES:
                self.start(name)
            self.wait_until('frames to go through the cloud', self._goes_through_cloud(0), READY_S)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with uninterrupted(), self._remote, ExitStack() as stack:
            # The edge before the recorder, so that its last frames are recorded.
            order = ['recorder', *(n for n in self._processes if n not in ('recorder', 'player'))]
            for name in [*order, 'player']:
                if name in self._processes:
                    stack.callback(self.stop, name)

    @property
    def record(self) -> RunRecord:
        """Return all that was recorded so far."""
        return load_run(self._folder / 'run')

    def pid(self, name: str) -> int:
        """Return the process id of a running node."""
        return self._processes[name].pid

    def start(self, name: str, executable: str = '', **parameters: str | float) -> None:
        """Start a node, again or for the first time, with some parameters of its own."""
        if name == 'edge':
            self.edge_starts_ns.append(time.monotonic_ns())
        base = executable or name
        values = {**self.cast.parameters.get(base, {}), **self._own.get(base, {}), **parameters}
        log: Path = self._folder / 'logs' / f'{self._started:02d}-{name}.log'
        self._started += 1
        self._processes[name] = Process(name, node_command(base, values, NAMESPACE), log)

    def start_again(self, name: str, executable: str = '', **parameters: str | float) -> int:
        """Start a node, wait until it is active, and return when it was; monotonic nanoseconds."""
        self.start(name, executable, **parameters)
        return self._wait_for_word(name, ': active')

    def kill(self, name: str) -> None:
        """End a node as a crash would."""
        if name == 'edge':
            self.edge_kills_ns.append(time.monotonic_ns())
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.stop()

    def stop(self, name: str) -> None:
        """End a node as a person would."""
        process = self._processes.pop(name)
        if process.status is None:
            os.killpg(process.pid, signal.SIGCONT)
        process.stop()

    def pause(self, name: str) -> None:
        """Stop a node's time; nobody is told."""
        os.killpg(self._processes[name].pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused node go on."""
        os.killpg(self._processes[name].pid, signal.SIGCONT)

    def set(self, name: str, **values: object) -> None:
        """Change parameters of a running node."""
        self._remote.set(name, values)

    def follow_link(self, trace: Path | None) -> None:
        """Have the edge's uplink follow a trace from now on; None: the steady link again."""
        self.set('edge', emulated_uplink=str(trace or self._steady_link))

    @contextmanager
    def another_camera(self, **parameters: str | float) -> Iterator[None]:
        """Have another camera take over for a while; each begins before the other ends."""
        self.start('other camera', 'player', **parameters)
        self._wait_for_word('other camera', ': playing')
        self.stop('player')
        try:
            yield
        finally:
            self.start('player')
            self._wait_for_word('player', ': playing')
            self.stop('other camera')

    @contextmanager
    def every_frame_sent(self) -> Iterator[None]:
        """Have the car send all frames for a while, and give each answer a whole second."""
        self.stop('monitor')
        self.start_again('monitor', mode='cloud', deadline_floor_s=PATIENCE_S)
        try:
            self.wait_for_cloud()
            yield
        finally:
            self.stop('monitor')
            self.start_again('monitor')

    def wait(self, seconds: float) -> None:
        """Wait; raise ProcessError when a node ends meanwhile."""
        end_s = time.monotonic() + seconds
        self.wait_until('time to pass', lambda: time.monotonic() >= end_s, seconds + READY_S)

    def wait_for_cloud(self, count: int = 3) -> None:
        """Wait until so many frames that arrive from now on went via the cloud, or too long."""
        done = self._goes_through_cloud(time.monotonic_ns(), count)
        with suppress(_TooLateError):  # the record shows it
            self.wait_until('frames to go through the cloud again', done, RECOVERY_S)

    def wait_for_frames(self, what: str, wanted: Callable[[FrameRecord], bool]) -> None:
        """Wait until a frame that arrives from now on is as wanted."""
        since_ns = time.monotonic_ns()
        self.wait_until(
            what,
            lambda: any(f.received_ns >= since_ns and wanted(f) for f in self.frames()),
            READY_S,
        )

    def wait_until(self, what: str, ready: Callable[[], bool], timeout_s: float) -> None:
        """
        Wait until something is so.

        Raises ProcessError when it is not in time, or when a node ends by itself.
        """
        deadline_s = time.monotonic() + timeout_s
        while not ready():
            for process in self._processes.values():
                process.check()
            if time.monotonic() > deadline_s:
                logs = str(self._folder / 'logs')
                raise _TooLateError(f'waited {timeout_s:g} s in vain for {what}; see {logs!r}')
            time.sleep(POLL_S)

    def frames(self) -> list[FrameRecord]:
        """Return the reports of all frames that have ended."""
        path = self._folder / 'run' / 'frames.jsonl'
        if path.is_file():
            with path.open('rb') as file:
                file.seek(self._offset)
                new = file.read()
            whole = new[: new.rfind(b'\n') + 1]
            self._offset += len(whole)
            self._frames += [
                from_json(FrameRecord, json.loads(line)) for line in whole.splitlines()
            ]
        return self._frames

    def _wait_for_word(self, name: str, pattern: str) -> int:
        """Wait until a node has logged something, and return when; monotonic nanoseconds."""
        process = self._processes[name]
        self.wait_until(name, lambda: process.has_logged(pattern), READY_S)
        return time.monotonic_ns()

    def _goes_through_cloud(self, since_ns: int, count: int = 3) -> Callable[[], bool]:
        return lambda: (
            sum(
                f.received_ns >= since_ns and f.outcome is Outcome.VIA_CLOUD for f in self.frames()
            )
            >= count
        )
