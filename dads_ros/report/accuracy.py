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

"""Accuracy of a run's detections against the clip's ground truth, where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dads_ros.detections import Detections
from dads_ros.detector.data import Boxes
from dads_ros.detector.evaluate import average_precision
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import RunRecord
from dads_ros.report.schema import TruthRecord
import numpy as np


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Average precision in 0 to 1, and how many frames and true boxes it rests on."""

    ap50: float
    ap50_95: float
    frames: int
    boxes: int


def measure_accuracy(run: RunRecord, frames: Sequence[FrameRecord]) -> Accuracy | None:
    """
    Return the accuracy of the frames that were answered and have ground truth.

    A frame that was dropped is not a miss here: it shows in the age of the detections. True boxes
    of classes that the detector does not know are left out.
    :return: None when there is no such frame or no true box in them.
    """
    stamps = _answered(run, frames)
    return _accuracy(run, sorted(stamps)) if stamps else None


def accuracy_gain(before: RunRecord, after: RunRecord) -> float:
    """
    Return by how much the AP50 of a run is above another's, on the frames that both answered.

    On different frames it would tell which frames were the easier ones. Frames of the warm-up are
    left out; 0 where there is nothing to tell by.
    """
    both = _answered(before, before.frames[before.info.warmup_frames :])
    both &= _answered(after, after.frames[after.info.warmup_frames :])
    old, new = (_accuracy(run, sorted(both)) if both else None for run in (before, after))
    return new.ap50 - old.ap50 if old and new else 0.0


def _answered(run: RunRecord, frames: Sequence[FrameRecord]) -> set[int]:
    """Return the stamps of those frames that were answered and have ground truth."""
    answered = {frame.stamp_ns for frame in frames if frame.outcome.is_published}
    truth = {record.stamp_ns for record in run.truth}
    return answered & truth & {record.stamp_ns for record in run.detections}


def _accuracy(run: RunRecord, stamps: Sequence[int]) -> Accuracy | None:
    truth = {record.stamp_ns: record for record in run.truth}
    found = {record.stamp_ns: record for record in run.detections}
    labels = run.info.labels
    measured = average_precision(
        [_found(found[stamp], labels) for stamp in stamps],
        [_truth(truth[stamp], labels) for stamp in stamps],
        labels,
        smallest_px=0.0,
    )
    boxes = sum(measured.boxes_by_class.values())
    return Accuracy(measured.ap50, measured.ap50_95, len(stamps), boxes) if boxes else None


def _found(record: DetectionRecord, labels: Sequence[str]) -> Detections:
    return Detections(
        np.array(record.boxes, np.float32).reshape(-1, 4),
        np.array(record.scores, np.float32),
        np.array([labels.index(label) for label in record.labels], np.int64),
    )


def _truth(record: TruthRecord, labels: Sequence[str]) -> Boxes:
    known = [
        (box, labels.index(label))
        for box, label in zip(record.boxes, record.labels, strict=True)
        if label in labels
    ]
    # A region to ignore holds for every class, but the measure wants one of each box.
    ignored = [(box, index) for box in record.ignore for index in range(len(labels))]
    everything = known + ignored
    return Boxes(
        np.array([box for box, _ in everything], np.float32).reshape(-1, 4),
        np.array([index for _, index in everything], np.int64),
        np.arange(len(everything)) >= len(known),
    )
