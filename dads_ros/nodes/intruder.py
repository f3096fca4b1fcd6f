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
A stranger on the domain who tries what strangers can, to see that nothing of it is accepted.

It hears what is published in a namespace, plain and sealed, and sends back forged, altered and
repeated messages. In the end it prints, as JSON, what it did and what the nodes told of it.
"""

from __future__ import annotations

import array
from collections import Counter
from functools import partial
import json
import os
import random
import sys
import time
from typing import Any

import dads_ros.msg as msg
from dads_ros.nodes import qos
from dads_ros.nodes.wire import KINDS
from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rclpy.serialization import serialize_message

# Whatever of the car says this was made by the stranger.
FORGED_PLAN_ID = 666
FORGED_BOX = (1.0, 2.0, 3.0, 4.0)
PLANS_PERIOD_S = 0.2


class Intruder:
    """Hears everything in one namespace, and answers every message with several of its own."""

    def __init__(self, node: Node) -> None:
        self._random = random.Random(7)
        self.heard: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.told: dict[str, dict[str, str]] = {}
        self._model_hash = ''
        self._plain: dict[str, Any] = {}
        self._sealed: dict[str, Any] = {}
        for kind, plain_type in KINDS.items():
            profile = _profile(kind)
            for channel, message_type, topic, hear in (
                (self._plain, plain_type, kind, self._on_plain),
                (self._sealed, msg.Sealed, f'sealed/{kind}', self._on_sealed),
            ):
                channel[kind] = node.create_publisher(message_type, topic, profile)
                node.create_subscription(
                    message_type, topic, partial(hear, kind), qos.crowded(profile), raw=True
                )
        node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.local()
        )
        node.create_timer(PLANS_PERIOD_S, self._force_plan)
        self._own: set[bytes] = set()
        self._namespace = node.get_namespace()

    def _send(self, what: str, publisher: Any, data: bytes) -> None:
        self._own.add(data)
        self.sent[what] += 1
        publisher.publish(data)

    def _on_plain(self, kind: str, data: bytes) -> None:
        if data in self._own:
            return
        self.heard[f'plain {kind}'] += 1
        message = deserialize_message(data, KINDS[kind])
        self._model_hash = getattr(message, 'model_hash', self._model_hash)
        if kind == 'bundle':
            self._send('forged plain result', self._plain['result'], forged_result(message))
            self._send('cut-off plain bundle', self._plain['bundle'], data[: len(data) // 2])

    def _on_sealed(self, kind: str, data: bytes) -> None:
        if data in self._own:
            return
        self.heard[f'sealed {kind}'] += 1
        captured = deserialize_message(data, msg.Sealed)
        back = self._sealed[kind]
        self._send('repeated', back, data)
        self._send('altered', back, self._altered(captured))
        self._send('counted on', back, self._counted_on(captured))
        self._send('own key', back, self._own_key(captured))
        self._send('cut off', back, data[: self._random.randrange(4, len(data))])
        self._send('noise', back, os.urandom(self._random.randrange(4, 200)))
        for other in KINDS:
            if other != kind:
                self._send('as another kind', self._sealed[other], data)
        if kind == 'bundle':
            # Its shape is known, if not its content: what plain nodes would believe.
            self._send(
                'plain result', self._plain['result'], forged_result(msg.Bundle(sequence=1))
            )

    def _force_plan(self) -> None:
        plan = msg.Plan(plan_id=FORGED_PLAN_ID, model_hash=self._model_hash, mode=77)
        self._send('nonsense plain plan', self._plain['plan'], serialize_message(plan))
        # Last: of two plans the edge takes the newer one.
        plan.mode = msg.Plan.MODE_LOCAL
        self._send('forged plain plan', self._plain['plan'], serialize_message(plan))

    def _altered(self, captured: msg.Sealed) -> bytes:
        data = bytearray(captured.data)
        data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        return _sealed(captured, captured.counter + 1, data)

    def _counted_on(self, captured: msg.Sealed) -> bytes:
        return _sealed(captured, captured.counter + 10**6, captured.data)

    def _own_key(self, captured: msg.Sealed) -> bytes:
        return _sealed(captured, captured.counter + 1, os.urandom(len(captured.data)))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.hardware_id == self._namespace:
                name = status.name.removeprefix(self._namespace).strip('/')
                self.told[name] = {value.key: value.value for value in status.values}


def _profile(kind: str) -> QoSProfile:
    """Return the profile of a topic as the nodes have it: another would hear nothing of it."""
    if kind == 'plan':
        return qos.latched()
    return qos.probes() if kind.startswith('probe') else qos.wire('reliable')


def forged_result(bundle: msg.Bundle) -> bytes:
    """Return an answer to a bundle that puts one false object before the car."""
    result = msg.Result(
        header=bundle.header,
        vehicle=bundle.vehicle,
        model_hash=bundle.model_hash,
        sequence=bundle.sequence,
        plan_id=bundle.plan_id,
        sent_ns=bundle.sent_ns,
        boxes=array.array('f', FORGED_BOX),
        scores=array.array('f', [0.99]),
        class_ids=array.array('H', [0]),
    )
    return serialize_message(result)


def _sealed(captured: msg.Sealed, counter: int, data: Any) -> bytes:
    forged = msg.Sealed(key_id=captured.key_id, session=captured.session, counter=counter)
    forged.data = array.array('B', bytes(data))
    return serialize_message(forged)


def main() -> int:
    """Attack for as many seconds as the first argument says."""
    duration_s = float(sys.argv[1])
    rclpy.init()
    node = rclpy.create_node('intruder')
    intruder = Intruder(node)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        executor.spin_once(timeout_sec=0.1)
    print(json.dumps({name: getattr(intruder, name) for name in ('heard', 'sent', 'told')}))
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
