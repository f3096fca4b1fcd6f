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

"""Hosts for tests; skips with a reason where they cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
import socket
import time

from dads_ros.errors import HostError
from dads_ros.testbed.hosts import Host
from dads_ros.testbed.hosts import in_namespace
from dads_ros.testbed.hosts import Link
from dads_ros.testbed.quota import cpu_quota
from dads_ros.testbed.system import require_rights
import pytest

PORT = 5000
FRAME_BYTES = 1442
PAYLOAD = bytes(FRAME_BYTES - 42)  # Ethernet, IP and UDP headers


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # of every folder
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.quiet)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker('root'):
        try:
            require_rights()
        except HostError as error:
            pytest.skip(str(error))


@pytest.fixture(scope='session')
def needs_controller() -> None:
    """Skip where no control group with a quota can be made."""
    try:
        with cpu_quota(1.0):
            pass
    except HostError as error:
        pytest.skip(str(error))


def open_udp(host: Host) -> socket.socket:
    """Return a socket bound on a host."""
    made = in_namespace(host.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
    made.bind((host.address, PORT))
    made.setblocking(False)
    return made


class Flow:
    """Datagrams from the car to the cloud, one after the other at a steady rate."""

    def __init__(self, link: Link) -> None:
        self.sender, self.receiver = open_udp(link.car), open_udp(link.cloud)
        self._target = (link.cloud.address, PORT)

    def close(self) -> None:
        self.sender.close()
        self.receiver.close()

    def send(self) -> None:
        with suppress(BlockingIOError):  # a shaped sender's own buffer may be full
            self.sender.sendto(PAYLOAD, self._target)

    def receive(self) -> int:
        """Return how many datagrams have come since the last call."""
        count = 0
        while True:
            try:
                self.receiver.recv(2048)
            except BlockingIOError:
                return count
            count += 1

    def run(self, rate_bps: float, seconds: float) -> list[tuple[float, float]]:
        """Return (seconds since now, bits with headers) for what came, sending at a rate."""
        came, sent, start_s = [], 0, time.monotonic()
        while (now_s := time.monotonic() - start_s) < seconds:
            while sent * FRAME_BYTES * 8 < rate_bps * now_s:
                self.send()
                sent += 1
            if count := self.receive():
                came.append((now_s, count * FRAME_BYTES * 8.0))
            time.sleep(0.0005)
        return came


@pytest.fixture
def make_flow() -> Iterator[Callable[[Link], Flow]]:
    flows: list[Flow] = []

    def make(link: Link) -> Flow:
        flows.append(Flow(link))
        return flows[-1]

    yield make
    for flow in flows:
        flow.close()
