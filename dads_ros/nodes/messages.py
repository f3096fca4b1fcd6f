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

"""Between ROS messages and the core's types. Every number is cast: rclpy checks no field here."""

from __future__ import annotations

import array

from builtin_interfaces.msg import Time
from dads_ros.bundle import Bundle
from dads_ros.bundle import check_plan
from dads_ros.bundle import EncodedTensor
from dads_ros.bundle import Result
from dads_ros.detections import Detections
from dads_ros.errors import BundleError
import dads_ros.msg as msg
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.frame import StageTimes
from dads_ros.plan import Mode
from dads_ros.plan import Plan
import numpy as np
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D
from vision_msgs.msg import Detection2DArray
from vision_msgs.msg import ObjectHypothesisWithPose

TIMES = tuple(StageTimes.__dataclass_fields__)
_PLAN_NUMBERS = (
    'edge_s', 'transfer_s', 'cloud_s', 'delay_s', 'max_rate_hz', 'deadline_s'
)  # fmt: skip


def to_stamp_ns(stamp: Time) -> int:
    """Return a stamp as nanoseconds."""
    return stamp.sec * 10**9 + stamp.nanosec


def to_header(stamp_ns: int, frame_id: str) -> Header:
    """Return a header with this stamp."""
    seconds, nanoseconds = divmod(int(stamp_ns), 10**9)
    return Header(stamp=Time(sec=seconds, nanosec=nanoseconds), frame_id=frame_id)


def bundle_to_msg(bundle: Bundle) -> msg.Bundle:
    """Return the message of a bundle."""
    return msg.Bundle(
        header=to_header(bundle.stamp_ns, bundle.frame_id),
        vehicle=bundle.vehicle,
        model_hash=bundle.model_hash,
        sequence=int(bundle.sequence),
        plan_id=int(bundle.plan_id),
        image_width=int(bundle.image_width),
        image_height=int(bundle.image_height),
        sent_ns=int(bundle.sent_ns),
        tensors=[
            msg.Tensor(
                name=tensor.name,
                shape=[int(size) for size in tensor.shape],
                dtype=tensor.dtype,
                codec=tensor.codec,
                data=to_bytes_field(tensor.data),
            )
            for tensor in bundle.tensors
        ],
    )


def bundle_from_msg(message: msg.Bundle) -> Bundle:
    """Return the bundle of a message; nothing in it is checked yet."""
    return Bundle(
        vehicle=message.vehicle,
        model_hash=message.model_hash,
        sequence=message.sequence,
        plan_id=message.plan_id,
        stamp_ns=to_stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        image_width=message.image_width,
        image_height=message.image_height,
        sent_ns=message.sent_ns,
        tensors=tuple(
            EncodedTensor(
                tensor.name, tuple(tensor.shape), tensor.dtype, tensor.codec,
                memoryview(tensor.data),
            )
            for tensor in message.tensors
        ),
    )  # fmt: skip


def result_to_msg(result: Result) -> msg.Result:
    """Return the message of a result."""
    found = result.detections
    return msg.Result(
        header=to_header(result.stamp_ns, result.frame_id),
        vehicle=result.vehicle,
        model_hash=result.model_hash,
        sequence=int(result.sequence),
        plan_id=int(result.plan_id),
        sent_ns=int(result.sent_ns),
        boxes=array.array('f', found.boxes.astype(np.float32).tobytes()),
        scores=array.array('f', found.scores.astype(np.float32).tobytes()),
        class_ids=array.array('H', found.class_ids.astype(np.uint16).tobytes()),
        queue_s=float(result.queue_s),
        decode_s=float(result.decode_s),
        compute_s=float(result.compute_s),
    )


def result_from_msg(message: msg.Result) -> Result:
    """Return the result of a message; nothing in it is checked yet."""
    boxes = np.asarray(message.boxes, np.float32)
    return Result(
        vehicle=message.vehicle,
        model_hash=message.model_hash,
        sequence=message.sequence,
        plan_id=message.plan_id,
        stamp_ns=to_stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        sent_ns=message.sent_ns,
        detections=Detections(
            boxes.reshape(-1, 4) if len(boxes) % 4 == 0 else boxes,  # malformed stays so
            np.asarray(message.scores, np.float32),
            np.asarray(message.class_ids, np.int64),
        ),
        queue_s=message.queue_s,
        decode_s=message.decode_s,
        compute_s=message.compute_s,
    )


def plan_to_msg(plan: Plan, header: Header) -> msg.Plan:
    """Return the message of a plan."""
    message = msg.Plan(
        header=header,
        plan_id=int(plan.plan_id),
        model_hash=plan.model_hash,
        mode=int(plan.mode),
        boundary=list(plan.boundary),
        codec=plan.codec,
        reason=plan.reason,
    )
    for name in _PLAN_NUMBERS:
        setattr(message, name, float(getattr(plan, name)))
    return message


def plan_from_msg(message: msg.Plan) -> Plan:
    """
    Return the plan of a message.

    Raises BundleError when it says what no plan can say.
    """
    if message.mode not in Mode.__members__.values():
        raise BundleError('unknown mode')
    plan = Plan(
        plan_id=message.plan_id,
        model_hash=message.model_hash,
        mode=Mode(message.mode),
        boundary=tuple(message.boundary),
        codec=message.codec,
        reason=message.reason,
        **{name: getattr(message, name) for name in _PLAN_NUMBERS},
    )
    check_plan(plan)
    return plan


def frame_to_stage_times(frame: Frame, outcome: Outcome) -> msg.StageTimes:
    """Return the one report of a frame."""
    message = msg.StageTimes(
        header=to_header(frame.stamp_ns, frame.frame_id),
        sequence=int(frame.sequence),
        outcome=int(outcome),
        plan_id=int(frame.plan_id),
        size_bytes=int(frame.size_bytes),
        received_ns=int(frame.received_ns),
        sent_ns=int(frame.sent_ns),
    )
    for name in TIMES:
        setattr(message, name, float(getattr(frame.times, name)))
    return message


def stage_times_from_msg(message: msg.StageTimes) -> StageTimes:
    """Return the times of a frame's report."""
    return StageTimes(**{name: getattr(message, name) for name in TIMES})


def detections_to_msg(
    found: Detections, labels: tuple[str, ...], header: Header
) -> Detection2DArray:
    """Return detections as the message that other packages read; boxes in camera pixels."""
    return Detection2DArray(
        header=header,
        detections=[
            _detection(box, score, labels[class_id], header)
            for box, score, class_id in zip(
                found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True
            )
        ],
    )


def to_bytes_field(data: bytes | memoryview) -> array.array[int]:
    """Return bytes as a uint8[] field takes them fastest."""
    field = array.array('B')
    field.frombytes(data)
    return field


def _detection(box: list[float], score: float, label: str, header: Header) -> Detection2D:
    x0, y0, x1, y1 = box
    detection = Detection2D(header=header)
    detection.bbox.center.position.x = (x0 + x1) / 2
    detection.bbox.center.position.y = (y0 + y1) / 2
    detection.bbox.size_x = x1 - x0
    detection.bbox.size_y = y1 - y0
    hypothesis = ObjectHypothesisWithPose()
    hypothesis.hypothesis.class_id = label
    hypothesis.hypothesis.score = score
    detection.results.append(hypothesis)
    return detection
