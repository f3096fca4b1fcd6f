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

"""Ask the cloud node for an answer, as a probe does; exit 0 with its round trip, 1 without."""

from __future__ import annotations

import sys
import time

import dads_ros.msg as msg
from dads_ros.nodes import qos
import rclpy
from rclpy.executors import SingleThreadedExecutor

PERIOD_S = 0.5
PATIENCE_S = 6.0
NAME = 'ping_cloud'


def main() -> int:
    """Send probes until one is answered."""
    rclpy.init()
    node = rclpy.create_node(NAME)
    answers: list[float] = []
    node.create_subscription(
        msg.Probe,
        'probe_reply',
        lambda reply: (
            answers.append((time.monotonic_ns() - reply.sent_ns) / 1e9)
            if reply.vehicle == NAME
            else None
        ),
        qos.wire('reliable'),
    )
    probes = node.create_publisher(msg.Probe, 'probe', qos.wire('reliable'))
    node.create_timer(
        PERIOD_S,
        lambda: probes.publish(msg.Probe(vehicle=NAME, sent_ns=time.monotonic_ns())),
    )
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end_s = time.monotonic() + PATIENCE_S
    # The first answer's round trip holds discovery; the second one is the link's.
    while len(answers) < 2 and time.monotonic() < end_s:
        executor.spin_once(timeout_sec=PERIOD_S)
    node.destroy_node()
    rclpy.try_shutdown()
    if not answers:
        return 1
    print(f'answers in {answers[-1] * 1e3:.1f} ms')
    return 0


if __name__ == '__main__':
    sys.exit(main())
