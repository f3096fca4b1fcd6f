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

"""Classes of a detector's labels set right by true boxes, where a frame has both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dads_ros.detector.coco import Annotation
from dads_ros.detector.coco import Image
from dads_ros.detector.coco import read_coco
from dads_ros.detector.coco import VEHICLES
from dads_ros.detector.decode import pairwise_iou
from dads_ros.errors import MediaError
import numpy as np

MIN_IOU = 0.5


def with_true_classes(images: Sequence[Image], true: Sequence[Image]) -> list[Image]:
    """
    Return the images, a vehicle's label having the class of the true vehicle that it lies on.

    A label keeps its own box, which may be the tighter one, and its own class where no true
    vehicle overlaps it by half. Only car, truck and bus are told apart by it: a label of a rider
    on the true box of a motorcycle is right. A true box that measuring ignores (``iscrowd``), as
    what is half hidden may be marked, still says what is there.

    :param true: images with true boxes, in the same pixels; what they show is told by their names.
    """
    vehicles = {image.file_name: [*filter(_is_vehicle, image.annotations)] for image in true}
    corrected = []
    for image in images:
        there = vehicles.get(image.file_name, [])
        annotations = [_reclassed(label, there) for label in image.annotations]
        corrected.append(replace(image, annotations=annotations))
    return corrected


def read_true(path: Path, labels: Sequence[Path]) -> list[Image]:
    """Return the images of a file of true boxes; raise MediaError if no file of labels has any."""
    true = read_coco(path)
    named = {image.file_name for one in labels for image in read_coco(one)}
    if not any(image.file_name in named for image in true):
        raise MediaError(
            f'{str(path)!r} has none of the frames of {", ".join(repr(str(p)) for p in labels)}; '
            'frames are the same where their file_name is'
        )
    return true


def _is_vehicle(annotation: Annotation) -> bool:
    return annotation.category.casefold() in VEHICLES


def _reclassed(label: Annotation, true: Sequence[Annotation]) -> Annotation:
    if not true or not _is_vehicle(label):
        return label
    overlap = pairwise_iou(_corners([label]), _corners(true))[0]
    best = int(overlap.argmax())
    return replace(label, category=true[best].category) if overlap[best] >= MIN_IOU else label


def _corners(annotations: Sequence[Annotation]) -> np.ndarray:
    boxes = np.array([a.bbox for a in annotations])
    boxes[:, 2:] += boxes[:, :2]
    return boxes
