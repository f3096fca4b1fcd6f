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

"""The off-board node: bundles of one or many vehicles in, results out."""

from __future__ import annotations

from functools import partial
import sys
from typing import Any

from dads_ros.bundle import Result
import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.model import load_model
from dads_ros.settings import CloudSettings


class CloudNode(base.DadsNode[CloudSettings]):
    """Wires the cloud pipeline to the topics of each vehicle's namespace."""

    def __init__(self) -> None:
        super().__init__('cloud', CloudSettings)
        self._workers: list[base.Worker] = []
        self._listening: list[Any] = []

    def configure(self) -> None:
        """Load the detector; announce a result topic for each vehicle."""
        s = self.settings
        loaded = load_model(s)
        wire = qos.wire(s.reliability)
        self._results = {
            name: self.create_lifecycle_publisher(msg.Result, _topic(name, 'result'), wire)
            for name in s.vehicles
        }
        self._replies = {
            name: self.create_lifecycle_publisher(msg.Probe, _topic(name, 'probe_reply'), wire)
            for name in s.vehicles
        }
        self._namespace_of: dict[str, str] = {}
        self._pipeline = CloudPipeline(
            loaded.detector,
            loaded.model,
            loaded.halves,
            self._answer,
            CloudLimits(s.queue_depth, s.max_age_s, s.max_bytes),
        )

    def activate(self) -> None:
        """Start the worker and listen."""
        wire = qos.wire(self.settings.reliability)
        self._workers = [base.Worker('cloud pipeline', self._pipeline.step, self.fail)]
        for name in self.settings.vehicles:
            for kind, topic, callback in (
                (msg.Bundle, 'bundle', self._on_bundle),
                (msg.Probe, 'probe', self._on_probe),
            ):
                self._listening.append(
                    self.create_subscription(
                        kind, _topic(name, topic), partial(callback, name), wire
                    )
                )

    def deactivate(self) -> None:
        """Stop listening, then stop the worker."""
        for subscription in self._listening:
            self.destroy_subscription(subscription)
        for worker in self._workers:
            worker.stop()
        self._listening, self._workers = [], []

    def _on_bundle(self, name: str, message: msg.Bundle) -> None:
        bundle = messages.bundle_from_msg(message)
        self._namespace_of[bundle.vehicle] = name
        self._pipeline.receive(bundle)

    def _on_probe(self, name: str, probe: msg.Probe) -> None:
        self._replies[name].publish(
            msg.Probe(vehicle=probe.vehicle, sequence=probe.sequence, sent_ns=probe.sent_ns)
        )

    def _answer(self, result: Result) -> None:
        name = self._namespace_of[result.vehicle]
        self._results[name].publish(messages.result_to_msg(result))


def _topic(namespace: str, name: str) -> str:
    """Return a topic of a vehicle: relative for the node's own namespace, '.'."""
    return name if namespace == '.' else f'{namespace.rstrip("/")}/{name}'


def main() -> int:
    """Run the cloud node."""
    return base.run(CloudNode)


if __name__ == '__main__':
    sys.exit(main())
