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

"""
Average precision on plain arrays, by pycocotools, with regions in which nothing is asked.

Used by training, ``dads bench detector``, ``dads calibrate`` and the report alike. What they call
AP50 differs: the bench's is of ``vehicles``, a calibration's is ``ap50_by_boxes``, the report's
the plain mean, of boxes of any height::

    accuracy = average_precision(predictions, truth, labels)
    accuracy.ap50, accuracy.ap50_by_class['person']

``predictions`` is one Detections per frame, ``truth`` one Boxes (``dads_ros.detector.data``) per
frame, both in the same pixels. A true box that is marked ``ignore``, or is lower than
``smallest_px``, counts neither when found nor when missed. Classes without a counted true box have
no AP (None) and take no part in a mean. ``vehicles`` makes car, truck and bus one class.

Means over the classes are plain, as COCO has them; ``ap50_by_boxes`` weighs the classes by their
true boxes, for decisions that a class of one or two boxes must not make.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
from dataclasses import dataclass
import io

from dads_ros.detections import Detections
from dads_ros.detector.coco import VEHICLES
from dads_ros.detector.data import Boxes
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

MAX_BOXES = 100
# By height in pixels of the network's input.
SIZES = {'small': (6.0, 12.0), 'medium': (12.0, 24.0), 'large': (24.0, 1e4)}
RANGES = {'all': (0.0, 1e4), **SIZES}
REPORTED_SCORE = 0.4  # from which on a false detection is counted
SMALLEST_PX = 6.0


@dataclass(frozen=True)
class Accuracy:
    """
    Average precision in 0 to 1, the classes' mean: at IoU 0.5, and over IoU 0.5 to 0.95.

    ``boxes_by_class`` counts the true boxes behind each figure; sizes are those of ``SIZES``.
    """

    ap50: float
    ap50_95: float
    ap50_by_class: dict[str, float | None]
    ap50_95_by_class: dict[str, float | None]
    ap50_by_size: dict[str, float | None]
    ap50_95_by_size: dict[str, float | None]
    boxes_by_class: dict[str, int]
    ap50_by_class_and_size: dict[str, dict[str, float | None]]
    boxes_by_class_and_size: dict[str, dict[str, int]]

    @property
    def ap50_by_boxes(self) -> float:
        """
        Return the AP at IoU 0.5 over the classes, each weighed by how many true boxes it has.

        It is of the objects that are there: a class of a single box moves it by no more than that
        box's share of all, where it moves the plain mean by a whole class.
        """
        aps = {label: ap50 for label, ap50 in self.ap50_by_class.items() if ap50 is not None}
        boxes = sum(self.boxes_by_class[label] for label in aps)
        return sum(self.boxes_by_class[label] * ap50 for label, ap50 in aps.items()) / max(
            1, boxes
        )


def average_precision(
    predictions: Sequence[Detections],
    truth: Sequence[Boxes],
    labels: Sequence[str],
    smallest_px: float = SMALLEST_PX,
) -> Accuracy:
    """
    Return the accuracy of predictions against true boxes, frame by frame.

    :param smallest_px: true boxes lower than this are ignored.
    Raises ValueError when the numbers of frames differ.
    """
    judge = judged(predictions, truth, labels, RANGES, smallest_px)
    with contextlib.redirect_stdout(io.StringIO()):
        judge.accumulate()
    # [iou, recall, class, size, max boxes], -1 where a class has no true box
    precision = np.asarray(judge.eval['precision'])[..., 0]
    heights: dict[int, list[float]] = {index: [] for index in range(len(labels))}
    for box in judge.cocoGt.dataset['annotations']:
        if not box['iscrowd']:
            heights[box['category_id'] - 1].append(box['bbox'][3])
    return Accuracy(
        ap50=_mean(precision[0, :, :, 0]) or 0.0,
        ap50_95=_mean(precision[:, :, :, 0]) or 0.0,
        ap50_by_class={
            label: _mean(precision[0, :, index, 0]) for index, label in enumerate(labels)
        },
        ap50_95_by_class={
            label: _mean(precision[:, :, index, 0]) for index, label in enumerate(labels)
        },
        ap50_by_size={size: _mean(precision[0, :, :, at]) for at, size in enumerate(SIZES, 1)},
        ap50_95_by_size={size: _mean(precision[:, :, :, at]) for at, size in enumerate(SIZES, 1)},
        boxes_by_class={label: len(heights[index]) for index, label in enumerate(labels)},
        ap50_by_class_and_size={
            label: {size: _mean(precision[0, :, index, at]) for at, size in enumerate(SIZES, 1)}
            for index, label in enumerate(labels)
        },
        boxes_by_class_and_size={
            label: {
                size: sum(low <= height < high for height in heights[index])
                for size, (low, high) in SIZES.items()
            }
            for index, label in enumerate(labels)
        },
    )


def judged(
    predictions: Sequence[Detections],
    truth: Sequence[Boxes],
    labels: Sequence[str],
    ranges: Mapping[str, tuple[float, float]],
    smallest_px: float = SMALLEST_PX,
) -> COCOeval:
    """
    Return pycocotools' evaluation with each frame matched, and nothing added up yet.

    :param ranges: of heights in pixels, by name.
    Raises ValueError when the numbers of frames differ.
    """
    if len(predictions) != len(truth):
        raise ValueError(f'{len(predictions)} predictions for {len(truth)} frames')
    tables = (_truth_table(truth, labels, smallest_px), _found_table(predictions, labels))
    with contextlib.redirect_stdout(io.StringIO()):
        sides = []
        for table in tables:
            side = COCO()
            side.dataset = table
            side.createIndex()
            sides.append(side)
        judge = COCOeval(*sides, 'bbox')
        judge.params.maxDets = [MAX_BOXES]
        # 'area' holds the height squared: a car's height says how far it is, its area how it
        # turns.
        judge.params.areaRng = [[low**2, high**2] for low, high in ranges.values()]
        judge.params.areaRngLbl = list(ranges)
        judge.evaluate()
    return judge


def vehicles(
    predictions: Sequence[Detections], truth: Sequence[Boxes], labels: Sequence[str]
) -> tuple[list[Detections], list[Boxes], tuple[str, ...]]:
    """Return predictions, truth and labels with only cars, trucks and buses, as one class."""
    wanted = [index for index, label in enumerate(labels) if label in VEHICLES]
    found, known = [], []
    for prediction, boxes in zip(predictions, truth, strict=True):
        kept = np.isin(prediction.class_ids, wanted)
        ids = np.zeros(int(kept.sum()), np.int64)
        found.append(Detections(prediction.boxes[kept], prediction.scores[kept], ids))
        kept = np.isin(boxes.class_ids, wanted)
        ids = np.zeros(int(kept.sum()), np.int64)
        known.append(Boxes(boxes.boxes[kept], ids, boxes.ignore[kept]))
    return found, known, ('vehicle',)


def false_positives(
    predictions: Sequence[Detections], truth: Sequence[Boxes]
) -> tuple[float | None, int]:
    """
    Return detections of a score of 0.40 or more per frame without a box, and how many those are.

    Given what ``vehicles`` returns, it is of vehicles on frames without one.
    """
    empty = [p for p, t in zip(predictions, truth, strict=True) if not len(t)]
    if not empty:
        return None, 0
    return float(np.mean([(p.scores >= REPORTED_SCORE).sum() for p in empty])), len(empty)


def scaled(truth: Boxes, factor: float) -> Boxes:
    """Return the boxes in pixels ``factor`` times as many."""
    return Boxes(truth.boxes * np.float32(factor), truth.class_ids, truth.ignore)


def _mean(precision: np.ndarray) -> float | None:
    known = precision[precision > -1]
    return float(known.mean()) if known.size else None


def _truth_table(truth: Sequence[Boxes], labels: Sequence[str], smallest_px: float) -> dict:
    annotations: list[dict] = []
    for frame, boxes in enumerate(truth, 1):
        for box, class_id, ignore in zip(boxes.boxes, boxes.class_ids, boxes.ignore, strict=True):
            small = box[3] - box[1] < smallest_px
            annotations.append(
                {
                    **_annotation(len(annotations) + 1, frame, box, int(class_id)),
                    'iscrowd': int(bool(ignore) or bool(small)),
                }
            )
    return _table(len(truth), labels, annotations)


def _found_table(predictions: Sequence[Detections], labels: Sequence[str]) -> dict:
    annotations: list[dict] = []
    for frame, found in enumerate(predictions, 1):
        for box, class_id, score in zip(found.boxes, found.class_ids, found.scores, strict=True):
            annotations.append(
                {
                    **_annotation(len(annotations) + 1, frame, box, int(class_id)),
                    'score': float(score),
                }
            )
    return _table(len(predictions), labels, annotations)


def _annotation(number: int, frame: int, box: np.ndarray, class_id: int) -> dict:
    x0, y0, x1, y1 = (float(v) for v in box)
    return {
        'id': number,
        'image_id': frame,
        'category_id': class_id + 1,
        'bbox': [x0, y0, x1 - x0, y1 - y0],
        'area': (y1 - y0) ** 2,
    }


def _table(frames: int, labels: Sequence[str], annotations: list[dict]) -> dict:
    return {
        'info': {},
        'images': [{'id': index + 1} for index in range(frames)],
        'categories': [{'id': index + 1, 'name': label} for index, label in enumerate(labels)],
        'annotations': annotations,
    }
