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

"""Writes what the car's nodes publish into a run folder, for reports and comparisons."""

from __future__ import annotations

from pathlib import Path
import sys
import time

from dads_ros.errors import BundleError
from dads_ros.errors import ConfigError
import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.nodes.wire import keyring_of_car
from dads_ros.nodes.wire import Wire
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.report.record import load_info
from dads_ros.report.record import RunWriter
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import LinkRecord
from dads_ros.report.schema import PlanRecord
from dads_ros.settings import RecorderSettings
from vision_msgs.msg import Detection2D
from vision_msgs.msg import Detection2DArray

MAX_PLAN_BYTES = 64 * 1024

Box = tuple[float, float, float, float]


class RecorderNode(base.DadsNode[RecorderSettings]):
    """Subscribes to reports, detections, plans and link states, and writes each as one line."""

    def __init__(self) -> None:
        super().__init__('recorder', RecorderSettings)
        self._writer: RunWriter | None = None

    def configure(self) -> None:
        """Create the run folder and listen from the start: latched plans must not be missed."""
        s = self.settings
        if not s.folder or not s.info:
            raise ConfigError("parameters 'folder' and 'info' must be given")
        self._writer = RunWriter(Path(s.folder), load_info(Path(s.info)))
        self._start_ns = time.monotonic_ns()
        self._sequence_of: dict[int, int] = {}
        listen = self.create_subscription
        listen(msg.StageTimes, 'stage_times', self._on_frame, qos.local())
        listen(Detection2DArray, 'detections', self._on_detections, qos.local())
        wire = Wire(self, keyring_of_car(self, s.key_file), MAX_PLAN_BYTES)
        wire.listen('plan', self._on_plan, qos.latched())
        listen(msg.LinkState, 'link_state', self._on_link_state, qos.local())

    def cleanup(self) -> None:
        """Close the files."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _now_s(self) -> float:
        return (time.monotonic_ns() - self._start_ns) / 1e9

    def _on_frame(self, frame: msg.StageTimes) -> None:
        if self._writer is None:
            return
        times = messages.stage_times_from_msg(frame)
        self._writer.append(
            FrameRecord(
                stamp_ns=messages.to_stamp_ns(frame.header.stamp),
                t_s=(frame.received_ns - self._start_ns) / 1e9,
                sequence=frame.sequence,
                outcome=Outcome(frame.outcome),
                plan_id=frame.plan_id,
                size_bytes=frame.size_bytes,
                received_ns=frame.received_ns,
                **{name: getattr(times, name) for name in messages.TIMES},
            )
        )

    def _on_detections(self, message: Detection2DArray) -> None:
        if self._writer is None:
            return
        self._writer.append(
            DetectionRecord(
                stamp_ns=messages.to_stamp_ns(message.header.stamp),
                t_s=self._now_s(),
                boxes=tuple(_box(d) for d in message.detections),
                scores=tuple(d.results[0].hypothesis.score for d in message.detections),
                labels=tuple(d.results[0].hypothesis.class_id for d in message.detections),
            )
        )

    def _on_plan(self, message: msg.Plan) -> None:
        if self._writer is None:
            return
        try:
            plan = messages.plan_from_msg(message)
        except BundleError as error:
            self.get_logger().error(f'plan refused: {error}', throttle_duration_sec=1.0)
            return
        self._writer.append(
            PlanRecord(
                t_s=self._now_s(),
                plan_id=plan.plan_id,
                mode=Mode(plan.mode),
                boundary=plan.boundary,
                codec=plan.codec,
                edge_s=plan.edge_s,
                transfer_s=plan.transfer_s,
                cloud_s=plan.cloud_s,
                delay_s=plan.delay_s,
                max_rate_hz=plan.max_rate_hz,
                deadline_s=plan.deadline_s,
                reason=plan.reason,
            )
        )

    def _on_link_state(self, state: msg.LinkState) -> None:
        if self._writer is None:
            return
        self._writer.append(
            LinkRecord(
                t_s=self._now_s(),
                uplink_bps=state.uplink_bps,
                uplink_low_bps=state.uplink_low_bps,
                uplink_high_bps=state.uplink_high_bps,
                rtt_s=state.rtt_s,
                edge_factor=state.edge_factor,
                cloud_factor=state.cloud_factor,
                camera_hz=state.camera_hz,
                cloud_alive=state.cloud_alive,
                probes=state.probes,
                probed_bytes=state.probed_bytes,
            )
        )


def _box(detection: Detection2D) -> Box:
    centre = detection.bbox.center.position
    half_x, half_y = detection.bbox.size_x / 2, detection.bbox.size_y / 2
    return (centre.x - half_x, centre.y - half_y, centre.x + half_x, centre.y + half_y)


def main() -> int:
    """Run the recorder node."""
    return base.run(RecorderNode)


if __name__ == '__main__':
    sys.exit(main())
