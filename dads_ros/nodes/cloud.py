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

from collections import OrderedDict
from functools import partial
import sys
from typing import Any

from dads_ros.bundle import Result
from dads_ros.errors import ConfigError
import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import diagnostics
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.nodes.wire import keyring_of_cloud
from dads_ros.nodes.wire import Outlet
from dads_ros.nodes.wire import Wire
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.cloud import MAX_VEHICLES
from dads_ros.pipeline.model import load_model
from dads_ros.settings import CloudSettings
from diagnostic_msgs.msg import DiagnosticStatus

NAMES_KEPT = 4 * MAX_VEHICLES


class CloudNode(base.DadsNode[CloudSettings]):
    """Wires the cloud pipeline to the topics of each vehicle's namespace."""

    def __init__(self) -> None:
        super().__init__('cloud', CloudSettings)
        self._workers: list[base.Worker] = []
        self._listening: list[Any] = []

    def configure(self) -> None:
        """Load the detector; announce a result topic for each vehicle."""
        s = self.settings
        self._wire = Wire(self, keyring_of_cloud(self, s.key_folder), s.max_bytes)
        loaded = load_model(s)
        wire = qos.wire(s.reliability)
        self._results = {
            name: self._wire.outlet(_topic(name, 'result'), wire) for name in s.vehicles
        }
        self._replies = {
            name: self._wire.outlet(_topic(name, 'probe_reply'), wire) for name in s.vehicles
        }
        self._namespace_of: OrderedDict[str, str] = OrderedDict()
        self._pipeline = CloudPipeline(
            loaded.detector,
            loaded.model,
            loaded.halves,
            self._answer,
            CloudLimits(s.queue_depth, s.max_age_s, s.max_bytes),
        )
        self._diagnostics = diagnostics.Diagnostics(self, self._statuses)

    def activate(self) -> None:
        """Start the worker and listen."""
        wire = qos.wire(self.settings.reliability)
        self._workers = [base.Worker('cloud pipeline', self._pipeline.step, self.fail)]
        for name in self.settings.vehicles:
            for kind, callback in (('bundle', self._on_bundle), ('probe', self._on_probe)):
                self._listening.append(
                    self._wire.listen(_topic(name, kind), partial(callback, name), wire)
                )

    def deactivate(self) -> None:
        """Stop listening, then stop the worker."""
        for subscription in self._listening:
            self.destroy_subscription(subscription)
        for worker in self._workers:
            worker.stop()
        self._listening, self._workers = [], []

    def cleanup(self) -> None:
        """Tell no more of itself."""
        if hasattr(self, '_diagnostics'):
            self._diagnostics.close()
            del self._diagnostics

    def _on_bundle(self, name: str, message: msg.Bundle) -> None:
        bundle = messages.bundle_from_msg(message)
        self._namespace_of[bundle.vehicle] = name
        self._namespace_of.move_to_end(bundle.vehicle)
        # Anybody may invent names where topics are plain.
        if len(self._namespace_of) > NAMES_KEPT:
            self._namespace_of.popitem(last=False)
        self._pipeline.receive(bundle)

    def _on_probe(self, name: str, probe: msg.Probe) -> None:
        reply = msg.Probe(vehicle=probe.vehicle, sequence=probe.sequence, sent_ns=probe.sent_ns)
        self._send(self._replies[name], reply)

    def _answer(self, result: Result) -> None:
        name = self._namespace_of.get(result.vehicle)
        if name is not None:
            self._send(self._results[name], messages.result_to_msg(result))

    def _send(self, outlet: Outlet, message: msg.Result | msg.Probe) -> None:
        try:
            outlet.publish(outlet.pack(message, message.vehicle))
        except ConfigError as error:  # its key was taken away meanwhile
            self.get_logger().warning(str(error), throttle_duration_sec=1.0)

    def _statuses(self) -> list[DiagnosticStatus]:
        refused = {**self._pipeline.rejected, **self._wire.refused}
        return [
            diagnostics.status(
                self,
                'vehicles',
                f'{self._pipeline.answered} bundles answered',
                {'answered': self._pipeline.answered, 'vehicles': len(self._namespace_of)},
            ),
            diagnostics.refusals(self, refused, is_sealed=self._wire.is_sealed),
        ]


def _topic(namespace: str, name: str) -> str:
    """Return a topic of a vehicle: relative for the node's own namespace, '.'."""
    return name if namespace == '.' else f'{namespace.rstrip("/")}/{name}'


def main() -> int:
    """Run the cloud node."""
    return base.run(CloudNode)


if __name__ == '__main__':
    sys.exit(main())
