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
One of two ROS nodes that the testbed's tests run on its hosts.

``listen`` answers each message with its number. ``talk BYTES COUNT TIMEOUT_S`` waits for a
listener, sends COUNT messages, each once the last one was answered, and prints a line of JSON for
each: the seconds until publish returned and until the answer came, null when it did not.
"""

from __future__ import annotations

import array
import json
import sys
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import UInt8MultiArray
from std_msgs.msg import UInt32

QOS = QoSProfile(depth=4)


def listen(node: Node) -> None:
    answers = node.create_publisher(UInt32, 'answer', QOS)

    def answer(message: UInt8MultiArray) -> None:
        answers.publish(UInt32(data=int.from_bytes(bytes(message.data[:4]), 'little')))

    node.create_subscription(UInt8MultiArray, 'data', answer, QOS)
    print('listening', flush=True)
    rclpy.spin(node)


def talk(node: Node, size_bytes: int, count: int, timeout_s: float) -> None:
    answered: dict[int, float] = {}
    node.create_subscription(
        UInt32, 'answer', lambda m: answered.setdefault(m.data, time.monotonic()), QOS
    )
    data = node.create_publisher(UInt8MultiArray, 'data', QOS)
    while not (data.get_subscription_count() and node.count_publishers('answer')):
        rclpy.spin_once(node, timeout_sec=0.05)
    for number in range(count):
        body = array.array('B', number.to_bytes(4, 'little') + bytes(size_bytes - 4))
        start_s = time.monotonic()
        data.publish(UInt8MultiArray(data=body))
        publish_s = time.monotonic() - start_s
        while number not in answered and time.monotonic() < start_s + timeout_s:
            rclpy.spin_once(node, timeout_sec=0.05)
        answer_s = answered[number] - start_s if number in answered else None
        print(json.dumps({'publish_s': publish_s, 'answer_s': answer_s}), flush=True)


def main() -> None:
    rclpy.init()
    node = rclpy.create_node(sys.argv[1])
    try:
        if sys.argv[1] == 'listen':
            listen(node)
        else:
            talk(node, int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
