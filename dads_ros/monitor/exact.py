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
Exact heavy plans from a process of its own, one situation after another.

A thread would do the same work while holding the interpreter's lock for up to 160 ms at a time
(imports, building models), and at the node's priority; a process holds nothing and is nice. It is
no fork and no ``multiprocessing`` child: those would copy or run the node's main module.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from typing import IO

from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import Row
from dads_ros.profiles.planning import Planner

_NICE = 10
# It rests so many times as long as it has worked: it shares the car's processor.
_REST = 4.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The plan of a situation with its row, or what went wrong instead."""

    situation: Situation
    plan: CutPlan | None
    row: Row | None
    error: str = ''


class ExactSolver:
    """
    Solves the newest situation asked for; no call waits for it.

    :param planner: what plans are made from.
    :param time_limit_s: for one situation; when it strikes, the plan states its gap.
    """

    def __init__(self, planner: Planner, time_limit_s: float = 10.0) -> None:
        self._changed = threading.Condition()
        self._wanted: Situation | None = None
        self._answer: Answer | None = None
        self._closed = False
        self.failure = ''
        # The node may have been started with a path of its own.
        path = os.pathsep.join(folder for folder in sys.path if folder)
        self._process = subprocess.Popen(
            [sys.executable, '-c', f'from {__name__} import main; main()'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, 'PYTHONPATH': path},
        )
        self._thread = threading.Thread(
            target=self._talk, args=(planner, time_limit_s), name='exact solver', daemon=True
        )
        self._thread.start()

    def ask(self, situation: Situation) -> None:
        """Have a situation solved next, in place of one that still waits."""
        with self._changed:
            self._wanted = situation
            self._changed.notify()

    def take(self) -> Answer | None:
        """Return an answer that has come, once."""
        with self._changed:
            answer, self._answer = self._answer, None
        return answer

    def close(self) -> None:
        """End the process, whatever it is at."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._process.kill()
        self._process.wait()
        self._thread.join(1.0)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(OSError):  # what was still to be written has no reader
                stream.close()

    def _talk(self, planner: Planner, time_limit_s: float) -> None:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        try:
            _write(to, (planner, time_limit_s))
            while (situation := self._next()) is not None:
                start_s = time.monotonic()
                _write(to, situation)
                answer = pickle.load(back)  # from our own child
                with self._changed:
                    self._answer = answer
                    rest_s = _REST * (time.monotonic() - start_s)
                    self._changed.wait_for(lambda: self._closed, rest_s)
        except Exception as error:  # it ended, by itself or because it is closed
            if not self._closed:
                self.failure = (
                    f'the solver has ended ({type(error).__name__}); '
                    'heavy plans come from the table alone'
                )

    def _next(self) -> Situation | None:
        """Wait for a situation; None when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._wanted is not None)
            situation, self._wanted = self._wanted, None
            return None if self._closed else situation


def _write(stream: IO[bytes], what: object) -> None:
    pickle.dump(what, stream)
    stream.flush()


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until whoever asks is gone."""
    try:
        planner, time_limit_s = pickle.load(asked)
        while True:
            _write(answers, _solve(planner, pickle.load(asked), time_limit_s))
    except (EOFError, BrokenPipeError):
        pass


def _solve(planner: Planner, situation: Situation, time_limit_s: float) -> Answer:
    try:
        plan = planner.solve(situation, time_limit_s)
        graph = planner.graphs.get(plan.codec, next(iter(planner.graphs.values())))
        return Answer(situation, plan, Row.of(graph, plan))
    except Exception as error:  # one situation's, told in the diagnostics; the next may go well
        return Answer(situation, None, None, f'{type(error).__name__}: {error}')


def main() -> None:
    """Answer a node's questions, which come on stdin, on stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node ends it
    os.nice(_NICE)
    serve(sys.stdin.buffer, sys.stdout.buffer)
