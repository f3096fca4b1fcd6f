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

"""The node on the car: camera images in, detections out, bundles and results in between."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
import queue
import socket
import sys
import time
from typing import Any

from dads_ros.bundle import Bundle
from dads_ros.emulation import Slowdown
from dads_ros.errors import DadsError
import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import diagnostics
from dads_ros.nodes import images
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.nodes.labels import Labels
from dads_ros.nodes.overlay import Overlay
from dads_ros.nodes.reports import LinkReports
from dads_ros.nodes.uplink import SwitchedUplink
from dads_ros.nodes.wire import keyring_of_car
from dads_ros.nodes.wire import Wire
from dads_ros.nodes.worker import Worker
from dads_ros.pipeline.edge import EdgeLimits
from dads_ros.pipeline.edge import EdgePipeline
from dads_ros.pipeline.edge import EdgePorts
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.model import load_model
from dads_ros.plan import Plan
from dads_ros.settings import EdgeSettings
from diagnostic_msgs.msg import DiagnosticStatus
import numpy as np
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray

# Of what the car listens to; a result of 1000 boxes has 22 kB.
MAX_RECEIVED_BYTES = 256 * 1024
# A probe waits for so long for an idle link: behind another message it tells no round trip.
PROBE_PATIENCE_S = 0.25


class EdgeNode(base.DadsNode[EdgeSettings]):
    """Wires the edge pipeline to topics; all names are relative."""

    def __init__(self) -> None:
        super().__init__('edge', EdgeSettings)
        self._vehicle = self.settings.vehicle or self.get_namespace().strip('/')
        self._vehicle = self._vehicle or socket.gethostname()
        self._workers: list[Worker] = []
        self._listening: list[Any] = []
        self._camera: Any = None
        self._is_enabled = True
        self._plan: Plan | None = None
        self._plans: queue.Queue[msg.Plan] = queue.Queue(maxsize=1)

    def configure(self) -> None:
        """Load the detector; announce what is published."""
        s = self.settings
        self._wire = Wire(self, keyring_of_car(self, s.key_file), MAX_RECEIVED_BYTES)
        loaded = load_model(s, self.get_logger())
        self._labels = loaded.detector.labels
        self._told_labels = Labels(self, loaded.detector)
        self._overlay = Overlay(self, self._labels)
        self._uplink = SwitchedUplink(s.emulated_uplink, s.emulated_rtt_ms / 1e3)
        self._bundles = self._wire.outlet('bundle', qos.wire(s.reliability))
        self._probes = self._wire.outlet('probe', qos.probes())
        self._detections = self.create_lifecycle_publisher(
            Detection2DArray, 'detections', qos.local()
        )
        self._times = self.create_lifecycle_publisher(msg.StageTimes, 'stage_times', qos.local())
        self._reports = LinkReports(self)
        self._wanted_probe: tuple[msg.Probe, float] | None = None
        self._pipeline = EdgePipeline(
            loaded.detector,
            loaded.model,
            loaded.halves,
            EdgePorts(self._send, self._ended, self._note),
            EdgeLimits(s.miss_limit, s.watchdog_s, s.bundle_cap_bytes, s.finish_locally),
            self._vehicle,
            Slowdown(s.emulated_slowdown) if s.emulated_slowdown > 1 else None,
        )
        # From here on, not while active: a seal is opened once, and a new subscription would be
        # sent the newest plan again.
        self._wire.listen('plan', self._on_plan, qos.latched())
        self.create_service(SetBool, 'enable', self._on_enable)
        self._frame_watch = diagnostics.FrameWatch()
        self._diagnostics = diagnostics.Diagnostics(self, self._statuses)

    def activate(self) -> None:
        """Start the workers and listen."""
        self._told_labels.publish()
        self._workers = [
            Worker('plans', self._take_plan, self.fail),
            Worker('edge pipeline', self._work, self.fail),
            Worker('overlay', self._overlay.step, self.fail),
        ]
        listen = self.create_subscription
        self._listening = [
            self._wire.listen('result', self._on_result, qos.wire(self.settings.reliability)),
            self._wire.listen('probe_reply', self._on_probe_reply, qos.probes()),
            listen(msg.Probe, 'probe_request', self._on_probe_request, qos.local()),
            listen(msg.LinkState, 'link_state', self._on_link_state, qos.local()),
        ]
        self._watch_camera()

    def deactivate(self) -> None:
        """Stop listening, finish the frame at hand, and end the others."""
        self._leave_camera()
        for subscription in self._listening:
            self.destroy_subscription(subscription)
        for worker in self._workers:
            worker.stop()
        if self._workers:
            self._pipeline.close()
        self._listening, self._workers = [], []

    def settings_changed(self) -> None:
        """Meet another emulated link from now on."""
        s = self.settings
        if hasattr(self, '_uplink'):
            self._uplink.change(s.emulated_uplink, s.emulated_rtt_ms / 1e3)

    def cleanup(self) -> None:
        """Let go of the detector, whose share of the threads is free then, and of the link."""
        for part in ('_uplink', '_diagnostics', '_pipeline'):
            if hasattr(self, part):
                getattr(self, part).close()
                delattr(self, part)

    def _watch_camera(self) -> None:
        s = self.settings
        if self._camera is not None or not self._is_enabled:
            return
        profile = qos.camera(s.image_reliability, s.image_deadline_s)
        kind, topic, read = (
            (CompressedImage, 'image/compressed', images.read_compressed)
            if s.compressed
            else (Image, 'image', images.read)
        )
        self._camera = self.create_subscription(
            kind, topic, partial(self._on_image, read), profile
        )

    def _leave_camera(self) -> None:
        if self._camera is not None:
            self.destroy_subscription(self._camera)
            self._camera = None

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Watch the camera or look away; what is under way is finished in either case."""
        self._is_enabled = request.data
        if not self._workers:
            response.message = 'noted; the node is not active'
        elif self._is_enabled:
            self._watch_camera()
            response.message = 'detecting'
        else:
            self._leave_camera()
            response.message = 'paused: no image is received'
        response.success = True
        return response

    def _on_image(self, read: Callable[[Any], np.ndarray], image: Any) -> None:
        self._uplink.start()
        stamp_ns = messages.to_stamp_ns(image.header.stamp)
        self._pipeline.offer(partial(read, image), stamp_ns, image.header.frame_id)
        self._reports.tell_slow()  # the worker may be computing
        self._send_wanted_probe()

    def _work(self, timeout_s: float) -> None:
        self._pipeline.step(self._reports.wait_s(timeout_s))
        self._reports.tell_slow()

    def _on_plan(self, plan: msg.Plan) -> None:
        # Only the newest plan is worth building halves for.
        while True:
            try:
                self._plans.put_nowait(plan)
                return
            except queue.Full:
                with suppress(queue.Empty):  # the worker may have taken it just now
                    self._plans.get_nowait()

    def _take_plan(self, timeout_s: float) -> bool:
        try:
            message = self._plans.get(timeout=timeout_s)
            plan = messages.plan_from_msg(message)
            self._pipeline.set_plan(plan)
            self._plan = plan
        except queue.Empty:
            return False
        except DadsError as error:
            self.get_logger().error(f'plan refused: {error}', throttle_duration_sec=1.0)
        return True

    def _on_link_state(self, _: msg.LinkState) -> None:
        self._pipeline.monitor_alive()

    def _on_result(self, message: msg.Result) -> None:
        now_ns = time.monotonic_ns()
        result = messages.result_from_msg(message)
        # A frame that ends here and now tells of its answer; one that is late or held does not.
        if self._pipeline.receive(result) and not self._reports.has_ended(result.sequence):
            self._reports.answered(result, now_ns, cloud_s=result.cloud_s)
        self._send_wanted_probe()

    def _on_probe_request(self, probe: msg.Probe) -> None:
        self._wanted_probe = (probe, time.monotonic() + PROBE_PATIENCE_S)
        self._send_wanted_probe()

    def _send_wanted_probe(self) -> None:
        if self._wanted_probe is None:
            return
        probe, latest_s = self._wanted_probe
        if self._pipeline.in_flight and time.monotonic() < latest_s:
            return
        self._wanted_probe = None
        probe.vehicle = self._vehicle
        probe.sent_ns = time.monotonic_ns()
        packed = self._probes.pack(probe)
        self._reports.sent(probe, len(packed), is_probe=True)
        self._uplink.send(self._probes, packed)

    def _on_probe_reply(self, probe: msg.Probe) -> None:
        # Others may ask in this vehicle's name, ping_cloud for one, on a clock of their own.
        if probe.vehicle == self._vehicle and self._reports.awaits(probe):
            self._reports.answered(probe, time.monotonic_ns(), is_probe=True)

    def _send(self, bundle: Bundle) -> int:
        packed = self._bundles.pack(messages.bundle_to_msg(bundle))
        plan = self._plan
        self._reports.sent(
            bundle, len(packed), expected_s=plan.transfer_s + plan.cloud_s if plan else 0.0
        )
        return self._uplink.send(self._bundles, packed)

    def _statuses(self) -> list[DiagnosticStatus]:
        pipeline = self._pipeline
        values = {
            'enabled': self._is_enabled,
            'camera frames': pipeline.offered,
            'deadlines missed': pipeline.missed,
            'bundles over the cap': pipeline.over_cap,
            **{o.name.lower().replace('_', ' '): pipeline.ended[o] for o in Outcome},
        }
        level, told = self._frame_watch.judge(
            time.monotonic(), pipeline.offered, pipeline.ended, is_enabled=self._is_enabled
        )
        refused = {**pipeline.rejected, **self._wire.refused}
        return [
            diagnostics.status(self, 'frames', told, values, level),
            diagnostics.refusals(self, refused, is_sealed=self._wire.is_sealed),
        ]

    def _note(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=1.0)

    def _ended(self, frame: Frame, outcome: Outcome) -> None:
        if outcome is Outcome.VIA_CLOUD:
            self._reports.ended(frame)
        if outcome.is_published:
            header = messages.to_header(frame.stamp_ns, frame.frame_id)
            found = frame.detections.at_least(self.settings.min_score)
            self._detections.publish(messages.detections_to_msg(found, self._labels, header))
            self._overlay.show(frame, outcome, found, self._plan)
        self._times.publish(messages.frame_to_stage_times(frame, outcome))


def main() -> int:
    """Run the edge node."""
    return base.run(EdgeNode)


if __name__ == '__main__':
    sys.exit(main())
