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

from collections.abc import Sequence
from dataclasses import dataclass
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
from dads_ros.nodes.worker import Worker
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.model import load_model
from dads_ros.settings import CloudSettings
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.exceptions import InvalidTopicNameException
from rclpy.validate_topic_name import validate_topic_name


@dataclass(frozen=True, slots=True)
class _Lane:
    """What connects the node with one namespace."""

    results: Outlet
    replies: Outlet
    listening: tuple[Any, ...]

    def close(self, node: base.DadsNode[CloudSettings]) -> None:
        """Hear and say no more there."""
        for subscription in self.listening:
            node.destroy_subscription(subscription)
        for outlet in (self.results, self.replies):
            outlet.close(node)


class CloudNode(base.DadsNode[CloudSettings]):
    """Wires the cloud pipeline to the topics of each vehicle's namespace."""

    def __init__(self) -> None:
        super().__init__('cloud', CloudSettings)
        self._worker: Worker | None = None
        self._lanes: dict[str, _Lane] = {}

    def configure(self) -> None:
        """Load the detector."""
        s = self.settings
        self._wire = Wire(self, keyring_of_cloud(self, s.key_folder), s.max_bytes)
        loaded = load_model(s, self.get_logger())
        self._pipeline = CloudPipeline(
            loaded.detector,
            loaded.model,
            loaded.halves,
            self._answer,
            CloudLimits(s.queue_depth, s.max_age_s, s.max_bytes, s.batch),
            self._note,
        )
        self._diagnostics = diagnostics.Diagnostics(self, self._statuses)

    def activate(self) -> None:
        """Start the worker and listen."""
        self._serve(self.settings.vehicles)
        self._worker = Worker('cloud pipeline', self._pipeline.step, self.fail)

    def deactivate(self) -> None:
        """Finish the bundle at hand and stop listening."""
        if self._worker is not None:
            self._worker.stop()
        self._worker = None
        self._serve([])

    def settings_changed(self) -> None:
        """Serve the vehicles that are listed now; those that stay notice nothing."""
        for name in self.settings.vehicles:
            _check_namespace(name)
        if self._worker is not None:
            self._worker.stop()  # it must not answer through a lane that is being closed
            self.activate()

    def cleanup(self) -> None:
        """Let go of the detector, whose share of the threads is free then."""
        if hasattr(self, '_diagnostics'):
            self._diagnostics.close()
            del self._diagnostics
        if hasattr(self, '_pipeline'):
            del self._pipeline

    def _serve(self, names: Sequence[str]) -> None:
        """Open and close lanes so that there is one for each namespace."""
        for name in self._lanes.keys() - set(names):
            self._lanes.pop(name).close(self)
        for name in names:
            if name not in self._lanes:
                self._lanes[name] = self._open_lane(name)

    def _open_lane(self, name: str) -> _Lane:
        _check_namespace(name)
        wire, probes = qos.wire(self.settings.reliability), qos.probes()
        results = self._wire.outlet(_topic(name, 'result'), wire)
        replies = self._wire.outlet(_topic(name, 'probe_reply'), probes)
        for outlet in (results, replies):
            outlet.activate()
        listening = tuple(
            self._wire.listen(_topic(name, kind), partial(callback, name), profile)
            for kind, callback, profile in (
                ('bundle', self._on_bundle, wire),
                ('probe', self._on_probe, probes),
            )
        )
        return _Lane(results, replies, listening)

    def _on_bundle(self, name: str, message: msg.Bundle) -> None:
        # Of a sealed one the vehicle is sure, whatever topic it came by; of a plain one it is not.
        account = message.vehicle if self._wire.is_sealed else None
        self._pipeline.receive(messages.bundle_from_msg(message), name, account)

    def _note(self, failure: str) -> None:
        self.get_logger().error(
            f'a bundle was not finished:\n{failure}', throttle_duration_sec=1.0
        )

    def _on_probe(self, name: str, probe: msg.Probe) -> None:
        reply = msg.Probe(vehicle=probe.vehicle, sequence=probe.sequence, sent_ns=probe.sent_ns)
        if lane := self._lanes.get(name):
            self._send(lane.replies, reply)

    def _answer(self, result: Result, name: str) -> None:
        lane = self._lanes.get(name)
        if lane is not None:
            self._send(lane.results, messages.result_to_msg(result))

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
                {
                    'answered': self._pipeline.answered,
                    'answered in batches': self._pipeline.answered_together,
                    'vehicles': self._pipeline.vehicles,
                },
            ),
            diagnostics.refusals(self, refused, is_sealed=self._wire.is_sealed),
        ]


def _check_namespace(name: str) -> None:
    """Raise ConfigError for what cannot be a vehicle's namespace."""
    try:
        validate_topic_name(_topic(name, 'bundle'))
    except InvalidTopicNameException as error:
        raise ConfigError(
            f"vehicles: {name!r} is no namespace; '.' is the node's own, '/car1' another"
        ) from error


def _topic(namespace: str, name: str) -> str:
    """Return a topic of a vehicle: relative for the node's own namespace, '.'."""
    return name if namespace == '.' else f'{namespace.rstrip("/")}/{name}'


def main() -> int:
    """Run the cloud node."""
    return base.run(CloudNode)


if __name__ == '__main__':
    sys.exit(main())
