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

"""Reaches running nodes from a program that is none: sets their parameters."""

from __future__ import annotations

from collections.abc import Mapping
import time
from types import TracebackType

from dads_ros.errors import ProcessError
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient

PATIENCE_S = 20.0
ANSWER_S = 2.0


class Remote:
    """
    A place on the domain to call nodes from; a context manager.

    :param namespace: of the nodes.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node('remote', context=self._context, namespace=namespace)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._clients: dict[str, AsyncParameterClient] = {}

    def __enter__(self) -> Remote:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def set(self, name: str, values: Mapping[str, object]) -> None:
        """
        Set parameters of a node.

        Raises ProcessError when it does not answer, or refuses one.
        """
        if name not in self._clients:
            self._clients[name] = AsyncParameterClient(self._node, f'{self._namespace}/{name}')
        client = self._clients[name]
        changes = [Parameter(key, value=v) for key, v in values.items()]
        end_s = time.monotonic() + PATIENCE_S
        answer = None
        # Asked again and again: a request may go to a node that was killed a moment ago.
        while answer is None:
            if time.monotonic() > end_s:
                raise ProcessError(f'{name!r} did not answer to {dict(values)!r}')
            if client.wait_for_services(ANSWER_S):
                asked = client.set_parameters(changes)
                self._executor.spin_until_future_complete(asked, ANSWER_S)
                answer = asked.result()
        for result in answer.results:
            if not result.successful:
                raise ProcessError(f'{name!r} refused {dict(values)!r}: {result.reason}')
