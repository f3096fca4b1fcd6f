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

"""A node of the test's own that talks to real ones over DDS, and the processes they run in."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
import threading
import time
from typing import Any
from typing import TYPE_CHECKING

from dads_ros.processes import node_command
from dads_ros.processes import Process
from dads_ros.processes import ProcessGroup
import pytest

if TYPE_CHECKING:
    from rclpy.node import Node

READY_S = 90.0


class Peer:
    """
    A node and the processes it talks to; everything it waits for has a deadline.

    :param folder: for logs.
    """

    def __init__(self, node: Node, processes: ProcessGroup, folder: Path) -> None:
        self.node = node
        self.processes = processes
        self._folder = folder

    def start(
        self,
        executable: str,
        namespace: str = '',
        *,
        ends: bool = False,
        waits: bool = True,
        **parameters: object,
    ) -> Process:
        """
        Start a node and wait until it is active, unless somebody else is to start it.

        :param ends: whether it may be stopped while others run.
        :param waits: False to start the next one meanwhile.
        """
        name = f'{namespace.strip("/")}-{executable}'
        log = self._folder / f'{name}-{len(list(self._folder.glob("*.log")))}.log'
        command = node_command(executable, parameters, namespace)
        process = self.processes.start(name, command, log, ends=ends)
        if waits and parameters.get('autostart', True):
            self.until(lambda: process.has_logged(': active'), f'{name} to be active')
        return process

    def until(self, ready: Callable[[], object], what: str, timeout_s: float = READY_S) -> None:
        """Wait until something is so, while every process lives."""
        self.processes.wait_until(what, lambda: bool(ready()), timeout_s)

    def hear(self, kind: Any, topic: str, profile: Any) -> list[Any]:
        """Return a list that grows by what comes on a topic."""
        heard: list[Any] = []
        self.node.create_subscription(kind, topic, heard.append, profile)
        return heard

    def call(self, kind: Any, service: str, timeout_s: float = READY_S, **request: Any) -> Any:
        """Return a service's answer."""
        client = self.node.create_client(kind, service)
        assert client.wait_for_service(timeout_s), f'no service {service}'
        future = client.call_async(kind.Request(**request))
        end_s = time.monotonic() + timeout_s
        while not future.done():
            assert time.monotonic() < end_s, f'no answer from {service}'
            time.sleep(0.005)
        self.node.destroy_client(client)
        return future.result()


@pytest.fixture(scope='module')
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """Return a node of the test's own, spinning in a thread, without any process yet."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('peer', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    with ProcessGroup() as processes:
        yield Peer(node, processes, tmp_path_factory.mktemp('logs'))
    executor.shutdown()
    thread.join()
    node.destroy_node()
    rclpy.shutdown(context=context)
