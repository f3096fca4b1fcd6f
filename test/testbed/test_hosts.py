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

"""Two hosts: joined, apart from others, and gone afterwards, however the testbed ended."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

from dads_ros.errors import HostError
from dads_ros.testbed import hosts
from dads_ros.testbed.hosts import Link
from dads_ros.testbed.hosts import two_hosts
from dads_ros.testbed.hosts import Wiring
from dads_ros.testbed.system import is_leftover
from dads_ros.testbed.system import owned_name
import pytest

NAMESPACES = Path('/run/netns')
ROLES = ('bridge', 'car', 'cloud')
HOLD = """
import subprocess, time
from dads_ros.processes import interrupted_by_signals
from dads_ros.testbed.hosts import two_hosts, Wiring
with interrupted_by_signals(), two_hosts(Wiring.BRIDGE) as link:
    subprocess.Popen([*link.car.place.prefix, 'sleep', '60'])
    print(link.car.namespace, flush=True)
    time.sleep(60)
"""


@contextmanager
def another_testbed() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a process that holds two hosts; yield it and the name of its car."""
    with subprocess.Popen(
        [sys.executable, '-c', HOLD], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.mark.root
@pytest.mark.parametrize('wiring', [Wiring.VETH, Wiring.BRIDGE])
def test_the_car_reaches_the_cloud(wiring: Wiring, make_flow: Callable[[Link], Any]) -> None:
    with two_hosts(wiring) as link:
        flow = make_flow(link)
        flow.send()
        deadline_s = time.monotonic() + 5
        while not flow.receive():
            assert time.monotonic() < deadline_s
        assert link.uplink.counters().sent_packets == 1  # no address resolution, no IPv6
    assert not (NAMESPACES / link.car.namespace).exists()


@pytest.mark.root
def test_hosts_are_removed_after_a_failure() -> None:
    with pytest.raises(ZeroDivisionError), two_hosts(Wiring.BRIDGE) as link:
        subprocess.Popen([*link.car.place.prefix, 'sleep', '60']).poll()
        1 / 0  # noqa: B018
    assert not list(NAMESPACES.glob(f'{link.car.namespace.rpartition("-")[0]}-*'))


@pytest.mark.root
def test_hosts_are_removed_when_their_owner_is_told_to_stop() -> None:
    with another_testbed() as (process, car):
        assert (NAMESPACES / car).exists()
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert not list(NAMESPACES.glob(f'{car.rpartition("-")[0]}-*'))


@pytest.mark.root
def test_clean_removes_only_what_the_dead_left() -> None:
    with another_testbed() as (_, living), two_hosts(Wiring.VETH) as own:
        with another_testbed() as (process, dead):
            process.kill()
            process.wait()
            left = {f'{dead.rpartition("-")[0]}-{role}' for role in ROLES}
            assert left <= set(hosts.clean())
        assert not (NAMESPACES / dead).exists()
        assert (NAMESPACES / living).exists()
        assert (NAMESPACES / own.car.namespace).exists()


def test_names_tell_whether_their_owner_lives() -> None:
    mine = owned_name('car')
    dads, pid, started, seen, role = mine.split('-')
    assert not is_leftover(mine)
    # Another process had this id before.
    gone = str(int(started) - 1)
    assert is_leftover('-'.join((dads, pid, gone, seen, role)))
    # In another container there may be one that lives.
    assert not is_leftover('-'.join((dads, pid, gone, str(int(seen) + 1), role)))
    assert not is_leftover('cloud')
    assert not is_leftover('dads-12')


def test_without_root_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('os.geteuid', lambda: 1000)
    with pytest.raises(HostError, match=r'needs root .* run it with sudo'), two_hosts(Wiring.VETH):
        pass
