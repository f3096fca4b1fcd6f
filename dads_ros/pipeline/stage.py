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

"""The edge's computing: a frame to boundary tensors and bundle, or all the way to detections."""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager
from statistics import median
import time

from dads_ros import codec
from dads_ros.bundle import Bundle
from dads_ros.bundle import EncodedTensor
from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.image import letterbox
from dads_ros.image import to_camera_pixels
from dads_ros.model.capture import Model
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.halves import PreparedPlan
from dads_ros.pipeline.references import SentTensors
from dads_ros.plan import Plan
import numpy as np

# Of the last so many images it is told how long one takes to read.
READS = 9


class EdgeStage:
    """
    Runs a frame's layers on the car and notes in the frame what each part took.

    :param cap_bytes: past it a bundle is encoded more coarsely.
    :param slowdown: entered around all computing; only a demo slows it down.
    """

    def __init__(
        self,
        detector: Detector,
        model: Model,
        vehicle: str,
        cap_bytes: int,
        slowdown: AbstractContextManager[object],
    ) -> None:
        self._detector = detector
        self._model = model
        self._vehicle = vehicle
        self._cap_bytes = cap_bytes
        self._sent = SentTensors()
        self._slowdown = slowdown
        self._reads_s: deque[float] = deque(maxlen=READS)

    @property
    def read_s(self) -> float:
        """Return what an image took to read and to resize lately; 0 before the first."""
        return median(self._reads_s) if self._reads_s else 0.0

    def begin(self, frame: Frame, prepared: PreparedPlan) -> None:
        """
        Read the image and compute what the plan keeps on the car.

        Afterwards ``frame.kept`` holds the boundary tensors; for a local plan the input frame.
        Raises MediaError when the image cannot be read.
        """
        started_ns = time.monotonic_ns()
        frame.times.wait_s = (started_ns - frame.received_ns) / 1e9
        frame.plan_id = prepared.plan.plan_id
        frame.rest = prepared.rest
        with self._slowdown:
            image = frame.read()
            frame.image_height, frame.image_width = image.shape[:2]
            pixels = letterbox(image, self._detector.input_height, self._detector.input_width)
        read_ns = time.monotonic_ns()
        frame.times.preprocess_s = (read_ns - started_ns) / 1e9
        self._reads_s.append(frame.times.preprocess_s)
        if prepared.head is None:
            frame.kept = (pixels,)
            return
        with self._slowdown:
            frame.kept = prepared.head(pixels)
        frame.times.edge_s = (time.monotonic_ns() - read_ns) / 1e9

    def bundle(self, frame: Frame, prepared: PreparedPlan) -> Bundle:
        """
        Encode the boundary tensors; the frame counts as sent from now on.

        Raises CodecError when they cannot be encoded within the cap.
        """
        plan = prepared.plan
        started_ns = time.monotonic_ns()
        with self._slowdown:
            references = self._references(plan)
            name = plan.codec.removesuffix(codec.REF_SUFFIX)
            used, data = codec.encode_bundle(frame.kept, name, self._cap_bytes, references)
        frame.sent_ns = time.monotonic_ns()
        frame.times.encode_s = (frame.sent_ns - started_ns) / 1e9
        # From now, not from the camera's stamp: a deadline judges the link and the cloud alone.
        frame.deadline_ns = frame.sent_ns + int((plan.deadline_s - plan.edge_s) * 1e9)
        self._remember(frame, plan, used, references)
        tensors = zip(plan.boundary, frame.kept, data, strict=True)
        return Bundle(
            vehicle=self._vehicle,
            model_hash=self._model.hash,
            sequence=frame.sequence,
            plan_id=plan.plan_id,
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            image_width=frame.image_width,
            image_height=frame.image_height,
            sent_ns=frame.sent_ns,
            tensors=tuple(
                EncodedTensor(name, array.shape, array.dtype.name, used, part)
                for name, array, part in tensors
            ),
        )

    def answered(self, sent_ns: int) -> None:
        """Note that the cloud has the tensors of a bundle."""
        self._sent.answered(sent_ns)

    def missed(self) -> None:
        """Note that a bundle was not answered in time: the cloud may have lost what it had."""
        self._sent.forget()

    def finish(self, frame: Frame) -> Detections:
        """Return the detections in camera pixels, computed from the tensors that were kept."""
        started_ns = time.monotonic_ns()
        with self._slowdown:
            found = self._detector.decode(frame.rest(*frame.kept))
        frame.times.edge_s += (time.monotonic_ns() - started_ns) / 1e9
        return in_camera_pixels(found, frame.image_width, frame.image_height, self._detector)

    def _references(self, plan: Plan) -> tuple[np.ndarray, ...]:
        """Return what a plan's bundle is coded against; nothing if it refers to none."""
        refers = plan.codec.endswith(codec.REF_SUFFIX)
        return self._sent.references(plan.boundary) if refers else ()

    def _remember(
        self, frame: Frame, plan: Plan, used: str, references: tuple[np.ndarray, ...]
    ) -> None:
        """Keep what the cloud gets of a bundle, if the plan codes later ones against it."""
        if not plan.codec.endswith(codec.REF_SUFFIX):
            return
        name = used.removesuffix(codec.REF_SUFFIX)
        known = references if used != name else [None] * len(frame.kept)
        received = tuple(
            codec.received(array, name, reference)
            for array, reference in zip(frame.kept, known, strict=True)
        )
        self._sent.sent(frame.sent_ns, plan.boundary, received)


def in_camera_pixels(
    found: Detections, image_width: int, image_height: int, detector: Detector
) -> Detections:
    """Return detections of an input frame with their boxes in the camera's pixels."""
    boxes: np.ndarray = to_camera_pixels(
        found.boxes, image_width, image_height, detector.input_width, detector.input_height
    )
    return Detections(boxes, found.scores, found.class_ids)
