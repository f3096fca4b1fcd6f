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

"""The shipped network on frames with known boxes: predictions, and the accuracy that is logged."""

from __future__ import annotations

from collections.abc import Sequence
import copy

from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import Sample
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.evaluate import scaled
from dads_ros.detector.evaluate import vehicles
from dads_ros.detector.network import CarNet
from dads_ros.detector.shipped import as_detector
from dads_ros.image import letterbox
from dads_ros.image import letterbox_scale
import torch


def validate(network: CarNet, samples: Sequence[Sample]) -> dict[str, float]:
    """Return the AP at IoU 0.5 of vehicles as one class, and the mean of classes, on the CPU."""
    detector = as_detector(copy.deepcopy(network).cpu())
    predictions = [detect(detector, letterbox_sample(sample, detector)) for sample in samples]
    truth = [input_truth(sample, detector) for sample in samples]
    classes = average_precision(predictions, truth, detector.labels)
    merged = average_precision(*vehicles(predictions, truth, detector.labels))
    return {'ap50_vehicle': merged.ap50, 'ap50': classes.ap50, 'ap50_95': classes.ap50_95}


def letterbox_sample(sample: Sample, detector: Detector) -> torch.Tensor:
    """Return the network's input frame of a sample."""
    frame = letterbox(sample.image, detector.input_height, detector.input_width)
    return torch.from_numpy(frame)


def input_truth(sample: Sample, detector: Detector) -> Boxes:
    """Return the true boxes in pixels of the network's input."""
    height, width = sample.image.shape[:2]
    factor = letterbox_scale(width, height, detector.input_width, detector.input_height)
    return scaled(sample.truth, factor)


@torch.inference_mode()
def detect(detector: Detector, frame: torch.Tensor) -> Detections:
    """Return the boxes in one input frame, in its pixels."""
    outputs = detector.module(frame)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return detector.decode(tuple(output.numpy() for output in outputs))
