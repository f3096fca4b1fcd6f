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

"""How well boxes found on frames agree with the true ones, by class and height."""

from __future__ import annotations

from collections.abc import Sequence

from dads_ros.detections import Detections
from dads_ros.detector.data import Boxes
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.evaluate import false_positives
from dads_ros.detector.evaluate import SMALLEST_PX
from dads_ros.detector.evaluate import vehicles
from dads_ros.detector.network import LABELS


def accuracy(found: Sequence[Detections], truth: Sequence[Boxes]) -> dict[str, object]:
    """Return the figures of a detector on frames."""
    classes = average_precision(found, truth, LABELS)
    found_vehicles, true_vehicles, names = vehicles(found, truth, LABELS)
    merged = average_precision(found_vehicles, true_vehicles, names)
    wrong, without = false_positives(found_vehicles, true_vehicles)
    return {
        'ap50': merged.ap50,
        'ap50_is': f'car, truck and bus as one class, boxes from {SMALLEST_PX:g} px in height',
        'ap50_95': merged.ap50_95,
        'ap50_by_class': {**classes.ap50_by_class, 'vehicle': merged.ap50},
        'ap50_95_by_class': {**classes.ap50_95_by_class, 'vehicle': merged.ap50_95},
        'ap50_by_height': merged.ap50_by_size,
        'ap50_95_by_height': merged.ap50_95_by_size,
        'boxes_by_class': {**classes.boxes_by_class, **merged.boxes_by_class},
        'ap50_by_class_and_height': classes.ap50_by_class_and_size,
        'boxes_by_class_and_height': classes.boxes_by_class_and_size,
        'false_vehicles_per_frame_without': wrong,
        'frames_without_vehicles': without,
    }
