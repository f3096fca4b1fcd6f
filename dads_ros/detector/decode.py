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

"""From the shipped network's raw outputs to boxes: threshold, decode, suppress doubles."""

from __future__ import annotations

from collections.abc import Sequence

from dads_ros.detections import Detections
import numpy as np

MIN_SCORE = 0.05
MAX_IOU = 0.55
MAX_CANDIDATES = 300
MAX_BOXES = 100


def decode(
    outputs: Sequence[np.ndarray], strides: Sequence[int], groups: Sequence[int]
) -> Detections:
    """
    Return the boxes of raw outputs [1, 4 + classes, rows, columns], best first, in input pixels.

    :param groups: a number per class; boxes of classes with the same number suppress each other,
        as one object is not both a car and a truck.
    """
    cells = [_cells(output[0], stride) for output, stride in zip(outputs, strides, strict=True)]
    boxes, scores, class_ids = (np.concatenate(part) for part in zip(*cells, strict=True))
    order = np.argsort(-scores, kind='stable')[:MAX_CANDIDATES]
    boxes, scores, class_ids = boxes[order], scores[order], class_ids[order]
    kept = suppress(boxes, np.asarray(groups)[class_ids])[:MAX_BOXES]
    return Detections(boxes[kept], scores[kept], class_ids[kept])


def _cells(output: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return boxes, scores and class ids of the cells whose best class passes the threshold."""
    logits = output[4:].max(axis=0)
    rows, columns = np.nonzero(logits > np.log(MIN_SCORE / (1 - MIN_SCORE)))
    raw = output[:, rows, columns].T.astype(np.float32)
    centres = np.stack((columns, rows), axis=1) + np.float32(0.5) + raw[:, :2]
    half = np.exp(np.clip(raw[:, 2:4], -4, 4)) / 2
    boxes = np.concatenate((centres - half, centres + half), axis=1) * np.float32(stride)
    scores = 1 / (1 + np.exp(-raw[:, 4:].max(axis=1, initial=-np.inf)))
    class_ids = raw[:, 4:].argmax(axis=1).astype(np.int64)
    return boxes.astype(np.float32), scores.astype(np.float32), class_ids


def suppress(boxes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """
    Return the indices that greedy non-maximum suppression keeps.

    :param boxes: [n, 4], best first.
    :param groups: [n]; only boxes of one group suppress each other.
    """
    clash = (pairwise_iou(boxes, boxes) > MAX_IOU) & (groups[:, None] == groups)
    alive = np.ones(len(boxes), bool)
    for index in range(len(boxes)):
        if alive[index]:
            alive[index + 1 :] &= ~clash[index, index + 1 :]
    return np.flatnonzero(alive)


def pairwise_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the IoU of each box [n, 4] with each of [m, 4]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(axis=1) for b in (first, second)]
    return inter / np.maximum(areas[0][:, None] + areas[1] - inter, 1e-9)
