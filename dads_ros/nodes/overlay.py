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

"""The camera's image with what was found drawn on it, for whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
import queue
from typing import Any

from dads_ros.detections import Detections
from dads_ros.errors import MediaError
from dads_ros.media.annotate import draw_boxes
from dads_ros.media.annotate import write
from dads_ros.nodes import images
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Plan
from dads_ros.report.schema import DetectionRecord
import numpy as np
from sensor_msgs.msg import Image

_WAYS = {
    Outcome.VIA_CLOUD: 'finished off board',
    Outcome.LOCAL: 'computed on the car',
    Outcome.LOCAL_AFTER_MISS: 'finished on the car after a missed deadline',
}
_INK = (255, 255, 255)
_SHADE_PX = 20  # behind the words


@dataclass(frozen=True, slots=True)
class _Shown:
    read: Callable[[], np.ndarray]
    stamp_ns: int
    frame_id: str
    found: Detections
    text: str


class Overlay:
    """
    Publishes the newest finished frame, drawn by a worker of the node's; nothing without a viewer.

    :param node: whose topic it is.
    :param labels: of the detector.
    """

    def __init__(self, node: Any, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._publisher = node.create_lifecycle_publisher(Image, 'overlay', qos.overlay())
        self._newest: queue.Queue[_Shown] = queue.Queue(maxsize=1)

    def show(self, frame: Frame, outcome: Outcome, found: Detections, plan: Plan | None) -> None:
        """Take a finished frame; returns at once. What the worker has no time for is left out."""
        if not self._publisher.get_subscription_count():
            return
        shown = _Shown(
            frame.read, frame.stamp_ns, frame.frame_id, found, describe(frame, outcome, plan)
        )
        with suppress(queue.Full):  # the worker is busy drawing an older one
            self._newest.put_nowait(shown)

    def step(self, timeout_s: float) -> bool:
        """Draw and publish one frame, waiting for it no longer than the timeout."""
        try:
            shown = self._newest.get(timeout=timeout_s)
            picture = draw(shown.read(), shown.found, self._labels, shown.text)
        except (queue.Empty, MediaError):
            return False
        header = messages.to_header(shown.stamp_ns, shown.frame_id)
        self._publisher.publish(images.to_msg(picture, 'rgb8', header))
        return True


def describe(frame: Frame, outcome: Outcome, plan: Plan | None) -> str:
    """Return one line: how the frame ended, how long it took, and under which plan."""
    words = f'{_WAYS[outcome]} in {frame.times.total_s * 1e3:.0f} ms'
    if plan is None or plan.plan_id != frame.plan_id:
        return f'{words}, plan {frame.plan_id}'
    sent = ', '.join(plan.boundary) or 'nothing'
    codec = f' as {plan.codec}' if plan.codec else ''
    return f'{words}, plan {plan.plan_id} {plan.mode.name.lower()}: sends {sent}{codec}'


def draw(
    image_rgb: np.ndarray, found: Detections, labels: tuple[str, ...], text: str
) -> np.ndarray:
    """Return a copy of the picture with boxes, their names, and a line of text at the top."""
    picture = image_rgb.copy()
    record = DetectionRecord(
        stamp_ns=0,
        t_s=0.0,
        boxes=tuple(tuple(box) for box in found.boxes.tolist()),
        scores=tuple(found.scores.tolist()),
        labels=tuple(labels[class_id] for class_id in found.class_ids.tolist()),
    )
    draw_boxes(picture, record)
    picture[:_SHADE_PX] //= 3
    write(picture, text, (6, 14), _INK)
    return picture
