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

"""Processes are awaited with a deadline, ended in order, and their last words are told."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

from dads_ros.errors import ProcessError
from dads_ros.processes import interrupted_by_signals
from dads_ros.processes import node_command
from dads_ros.processes import Place
from dads_ros.processes import placed
from dads_ros.processes import ProcessGroup
from dads_ros.processes import uninterrupted
import pytest

STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
time.sleep(60)
"""


def shell(code: str) -> list[str]:
    return ['sh', '-c', code]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_log_is_awaited(tmp_path: Path) -> None:
    with ProcessGroup() as group:
        process = group.start('slow', shell('sleep 0.2; echo up; exec sleep 60'), tmp_path / 'log')
        group.wait_until('it to be up', lambda: process.has_logged('^up$'), 10)
        assert process.status is None
    assert group.statuses == {'slow': -signal.SIGINT}


def test_waiting_ends_at_the_deadline(tmp_path: Path) -> None:
    with ProcessGroup() as group:
        group.start('idle', ['sleep', '60'], tmp_path / 'log')
        with pytest.raises(ProcessError, match=r"waited 0\.1 s in vain for spring; see '.*log'"):
            group.wait_until('spring', lambda: False, 0.1)


def test_waiting_ends_when_a_process_does_with_its_last_words(tmp_path: Path) -> None:
    with ProcessGroup() as group:
        group.start('idle', ['sleep', '60'], tmp_path / 'idle.log')
        code = 'seq 100; echo "error: no camera" >&2; exit 3'
        group.start('bad', shell(code), tmp_path / 'bad.log')
        with pytest.raises(ProcessError) as caught:
            group.wait_until('spring', lambda: False, 10)
    first, *tail = str(caught.value).splitlines()
    assert first.startswith("'bad' ended with status 3; see ")
    assert tail[-2:] == ['  100', '  error: no camera']
    assert len(tail) == 12


def test_only_some_may_end_by_themselves(tmp_path: Path) -> None:
    with ProcessGroup() as group:
        player = group.start('player', ['true'], tmp_path / 'player.log', ends=True)
        group.wait_until('its end', lambda: player.status == 0, 10)
        group.check()
        node = group.start('node', ['true'], tmp_path / 'node.log')
        with pytest.raises(ProcessError, match="'node' ended with status 0"):
            group.wait_until('its end', lambda: node.status == 1, 10)


def test_the_last_started_is_stopped_first(tmp_path: Path) -> None:
    order = tmp_path / 'order'
    with ProcessGroup() as group:
        for name in ('first', 'second'):
            code = (
                f'trap "echo {name} >> {order}; exit 0" INT; echo up; while :; do sleep 0.05; done'
            )
            process = group.start(name, shell(code), tmp_path / name)
            group.wait_until('it', lambda p=process: p.has_logged('up'), 10)
    assert order.read_text().split() == ['second', 'first']


def test_who_ignores_requests_is_killed(tmp_path: Path) -> None:
    with ProcessGroup() as group:
        process = group.start('deaf', [sys.executable, '-c', STUBBORN], tmp_path / 'log')
        group.wait_until('it to listen', lambda: process.has_logged('ready'), 20)
        assert process.stop(0.2) == -signal.SIGKILL


def test_processes_are_stopped_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), ProcessGroup() as group:
        pid = group.start('idle', ['sleep', '60'], tmp_path / 'log').pid
        1 / 0  # noqa: B018
    assert not is_running(pid)


def test_processes_die_with_a_killed_starter(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from dads_ros.processes import ProcessGroup
with ProcessGroup() as group:
    print(group.start('idle', ['sleep', '60'], Path({str(tmp_path / 'log')!r})).pid, flush=True)
    time.sleep(60)
"""
    command = [sys.executable, '-c', code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        # setpriv asks for the promise before it becomes the command.
        comm = Path(f'/proc/{pid}/comm')
        while comm.read_text() != 'sleep\n':
            time.sleep(0.01)
        starter.kill()
    deadline_s = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_place_gives_words_and_variables(tmp_path: Path) -> None:
    place = Place(('env', 'WORD=before'), {'VARIABLE': 'added'})
    with ProcessGroup() as group, placed({'there': place, 'here': Place()}.__getitem__):
        for name in ('there', 'here'):
            code = 'echo "$WORD $VARIABLE"; exec sleep 60'
            process = group.start(name, shell(code), tmp_path / name)
            group.wait_until('output', lambda p=process: p.has_logged('\n'), 10)
    assert (tmp_path / 'there').read_text() == 'before added\n'
    assert (tmp_path / 'here').read_text() == ' \n'


def test_an_unknown_command_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="'edge' needs 'no-such', which is not on PATH"):
        ProcessGroup().start('edge', ['no-such'], tmp_path / 'log')
    assert not (tmp_path / 'log').exists()


def test_sigterm_interrupts_but_not_while_things_are_undone() -> None:
    with pytest.raises(KeyboardInterrupt), interrupted_by_signals():
        with uninterrupted():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)


def test_other_threads_may_stop_processes(tmp_path: Path) -> None:
    statuses = {}

    def work() -> None:
        with ProcessGroup() as group:
            group.start('idle', ['sleep', '60'], tmp_path / 'log')
        statuses.update(group.statuses)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert statuses['idle'] < 0


def test_parameters_are_written_as_yaml() -> None:
    command = node_command('edge', {'a': True, 'b': 1.5, 'c': '', 'd': ["it's", 'x y']}, '/car')
    assert command[:4] == ['edge', '--ros-args', '-r', '__ns:=/car']
    assert command[5::2] == ['a:=true', 'b:=1.5', 'c:=""', 'd:=["it\'s", "x y"]']
