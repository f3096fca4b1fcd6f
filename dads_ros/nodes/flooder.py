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
A vehicle that floods the cloud, to see that the others are served: valid bundles, far too many.

It repeats one bundle that it heard from another vehicle as its own, each with its own number. In
the end it prints, as JSON, how many it sent and how many were answered.
"""

from __future__ import annotations

import json
import sys
import time

import dads_ros.msg as msg
from dads_ros.nodes import qos
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import serialize_message

NAME = 'flooder'
BURST_S = 0.01
PATIENCE_S = 20.0


class Flooder:
    """
    Hears a bundle, and sends it again and again.

    :param victim: namespace of the vehicle whose bundle is repeated.
    """

    def __init__(self, node: Node, victim: str) -> None:
        self.heard: msg.Bundle | None = None
        self.sent = 0
        self.answered = 0
        profile = qos.wire('reliable')
        self._bundles = node.create_publisher(msg.Bundle, 'bundle', profile)
        node.create_subscription(msg.Bundle, f'{victim}/bundle', self._on_bundle, profile)
        node.create_subscription(msg.Result, 'result', self._on_result, profile)

    @property
    def is_ready(self) -> bool:
        """Return whether there is something to repeat, and somebody who listens."""
        return self.heard is not None and self._bundles.get_subscription_count() > 0

    def send(self, count: int) -> None:
        """Send so many bundles at once."""
        assert self.heard is not None
        for _ in range(count):
            self.sent += 1
            # One more nanosecond each time: in order, so that none is refused as a repeated one.
            self.heard.sent_ns += 1
            self._bundles.publish(serialize_message(self.heard))

    def _on_bundle(self, bundle: msg.Bundle) -> None:
        if self.heard is None:
            bundle.vehicle = NAME
            self.heard = bundle

    def _on_result(self, _: msg.Result) -> None:
        self.answered += 1


def main() -> int:
    """Flood for SECONDS with RATE bundles a second, repeating one of the vehicle in NAMESPACE."""
    duration_s, rate_hz, victim = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    rclpy.init()
    node = rclpy.create_node(NAME)
    flooder = Flooder(node, victim)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end_s = time.monotonic() + PATIENCE_S
    while not flooder.is_ready and time.monotonic() < end_s:
        executor.spin_once(timeout_sec=0.1)
    if not flooder.is_ready:
        print(f'error: no bundle came from {victim!r}, or no cloud listens', file=sys.stderr)
        return 1
    began_s = time.monotonic()
    while (passed_s := time.monotonic() - began_s) < duration_s:
        flooder.send(int(passed_s * rate_hz) - flooder.sent)
        executor.spin_once(timeout_sec=BURST_S)
    report = {'sent': flooder.sent, 'seconds': passed_s, 'answered': flooder.answered}
    print(json.dumps({**report, 'began_ns': int(began_s * 1e9)}))
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
