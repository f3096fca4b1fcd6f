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

from dads_ros.detections import Detections
from dads_ros.detector.augment import concatenate
from dads_ros.detector.data import Boxes
from dads_ros.detector.decode import pairwise_iou
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.evaluate import false_positives
from dads_ros.detector.evaluate import scaled
from dads_ros.detector.evaluate import vehicles
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

LABELS = ('person', 'car', 'truck')


def truth(*boxes, class_id=1, ignore=False):
    count = len(boxes)
    return Boxes(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, class_id, np.int64),
        np.full(count, ignore, bool),
    )


def found(*rows, class_id=1):
    boxes = np.array([r[:4] for r in rows], np.float32).reshape(-1, 4)
    scores = np.array([r[4] for r in rows], np.float32)
    return Detections(boxes, scores, np.full(len(rows), class_id, np.int64))


def plain_ap50(predictions, frames):
    """AP at IoU 0.5 by its definition: 101 recall points, greedy matching by score."""
    total = sum(len(t) for t in frames)
    rows = [(float(s), f, i) for f, p in enumerate(predictions) for i, s in enumerate(p.scores)]
    taken = [set() for _ in frames]
    hits = []
    for _, frame, index in sorted(rows, key=lambda r: -r[0]):
        iou = pairwise_iou(predictions[frame].boxes[index : index + 1], frames[frame].boxes)[0]
        free = [g for g in range(len(iou)) if g not in taken[frame] and iou[g] >= 0.5]
        hits.append(bool(free))
        if free:
            taken[frame].add(max(free, key=lambda g: iou[g]))
    if not hits:
        return 0.0
    right = np.cumsum(hits)
    recall, precision = right / total, right / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    points = np.linspace(0, 1, 101)
    at = np.searchsorted(recall, points, side='left')
    return float(np.mean([precision[i] if i < len(hits) else 0.0 for i in at]))


@st.composite
def frames_and_predictions(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames, predictions = [], []
    for _ in range(draw(st.integers(1, 4))):
        count = int(rng.integers(1, 5))
        low = rng.uniform(0, 200, (count, 2))
        boxes = np.concatenate((low, low + rng.uniform(8, 60, (count, 2))), axis=1)
        extra = rng.uniform(0, 200, (int(rng.integers(0, 3)), 2))
        shifted = np.concatenate(
            (boxes + rng.normal(0, 4, boxes.shape), np.hstack((extra, extra + 20)))
        )
        scores = rng.permutation(len(shifted)) / 10 + rng.uniform(0.01, 0.05)
        frames.append(truth(*boxes))
        predictions.append(found(*np.column_stack((shifted, scores))))
    return predictions, frames


@given(frames_and_predictions())
def test_ap50_is_what_its_definition_says(case):
    predictions, frames = case
    # Distinct scores: the order of equal ones is not defined.
    predictions = [
        Detections(p.boxes, p.scores + np.float32(1e-3 * f), p.class_ids)
        for f, p in enumerate(predictions)
    ]
    accuracy = average_precision(predictions, frames, LABELS)
    assert accuracy.ap50 == pytest.approx(plain_ap50(predictions, frames), abs=1e-6)


def test_perfect_boxes_have_an_ap_of_one():
    frames = [truth((10, 10, 40, 40), (60, 60, 90, 90))]
    accuracy = average_precision(
        [found((10, 10, 40, 40, 0.9), (60, 60, 90, 90, 0.8))], frames, LABELS
    )
    assert accuracy.ap50 == accuracy.ap50_95 == pytest.approx(1.0)
    assert accuracy.ap50_by_class == {'person': None, 'car': pytest.approx(1.0), 'truck': None}
    assert accuracy.boxes_by_class == {'person': 0, 'car': 2, 'truck': 0}
    assert accuracy.ap50_by_size['large'] == pytest.approx(1.0)
    assert accuracy.ap50_by_size['small'] is None


def test_a_box_found_at_an_iou_of_0_62_counts_at_three_thresholds_of_ten():
    accuracy = average_precision(
        [found((10, 10, 40, 28.6, 0.9))], [truth((10, 10, 40, 40))], LABELS
    )
    assert (accuracy.ap50, accuracy.ap50_95) == pytest.approx((1.0, 0.3))
    assert accuracy.ap50_95_by_class == {'person': None, 'car': pytest.approx(0.3), 'truck': None}
    assert accuracy.ap50_95_by_size == {'small': None, 'medium': None, 'large': pytest.approx(0.3)}


def test_each_class_is_judged_at_each_height():
    low, high = (10, 10, 40, 18), (60, 60, 90, 90)
    accuracy = average_precision([found((*high, 0.9))], [truth(low, high)], LABELS)
    sizes = accuracy.ap50_by_class_and_size
    assert sizes['car'] == {'small': 0.0, 'medium': None, 'large': pytest.approx(1.0)}
    assert sizes['truck'] == {'small': None, 'medium': None, 'large': None}
    assert accuracy.boxes_by_class_and_size['car'] == {'small': 1, 'medium': 0, 'large': 1}


def test_ignored_boxes_count_neither_found_nor_missed():
    sure = truth((10, 10, 40, 40))
    unsure = truth((100, 100, 140, 140), ignore=True)
    frames = [concatenate((sure, unsure))]
    hit = (10, 10, 40, 40, 0.5)
    for rows in ([hit], [hit, (100, 100, 140, 140, 0.9)], [hit, (105, 105, 120, 120, 0.9)]):
        assert average_precision([found(*rows)], frames, LABELS).ap50 == pytest.approx(1.0)
    wrong = average_precision([found(hit, (200, 10, 230, 40, 0.9))], frames, LABELS)
    assert wrong.ap50 == pytest.approx(0.5)


def test_boxes_too_low_to_see_are_ignored():
    frames = [truth((10, 10, 40, 40), (60, 60, 90, 64))]
    hit = found((10, 10, 40, 40, 0.9))
    assert average_precision([hit], frames, LABELS).ap50 == pytest.approx(1.0)
    assert average_precision([hit], frames, LABELS, smallest_px=1.0).ap50 < 0.6


def test_cars_and_trucks_are_one_class_of_vehicles():
    frames = [truth((10, 10, 40, 40), class_id=2)]
    called_car = [found((10, 10, 40, 40, 0.9), class_id=1)]
    assert average_precision(called_car, frames, LABELS).ap50 == 0
    assert average_precision(*vehicles(called_car, frames, LABELS)).ap50 == pytest.approx(1.0)
    people = [truth((10, 10, 40, 40), class_id=0)]
    predictions, known, labels = vehicles(called_car, people, LABELS)
    assert labels == ('vehicle',)
    assert len(predictions[0]) == 1
    assert len(known[0]) == 0


def test_classes_weigh_what_they_have_of_true_boxes_where_asked():
    cars = truth(*((20 * i, 0, 20 * i + 10, 20) for i in range(9)))
    person = truth((0, 100, 10, 140), class_id=0)
    rows = [(*box, 0.9) for box in cars.boxes.tolist()]
    accuracy = average_precision([found(*rows)], [concatenate((cars, person))], LABELS)
    assert accuracy.ap50 == pytest.approx(0.5, abs=1e-3)
    assert accuracy.ap50_by_boxes == pytest.approx(0.9, abs=1e-3)
    # Ignored boxes do not weigh, and without any box there is nothing to weigh.
    crowd = truth((0, 100, 10, 140), class_id=0, ignore=True)
    accuracy = average_precision([found(*rows)], [concatenate((cars, crowd))], LABELS)
    assert accuracy.ap50_by_boxes == pytest.approx(1.0, abs=1e-3)
    assert average_precision([found(*rows)], [crowd], LABELS).ap50_by_boxes == 0


def test_nothing_found_is_an_ap_of_zero():
    assert average_precision([Detections.empty()], [truth((0, 0, 20, 20))], LABELS).ap50 == 0


def test_a_prediction_per_frame_is_needed():
    with pytest.raises(ValueError, match='1 predictions for 2 frames'):
        average_precision([Detections.empty()], [truth(), truth()], LABELS)


def test_false_positives_are_counted_on_empty_frames_only():
    frames = [truth(), truth((0, 0, 20, 20)), truth()]
    predictions = [
        found((0, 0, 9, 9, 0.5), (0, 0, 9, 9, 0.1)),
        found((50, 50, 60, 60, 0.9)),
        found(),
    ]
    assert false_positives(predictions, frames) == (0.5, 2)
    assert false_positives(predictions[1:2], frames[1:2]) == (None, 0)


def test_scaled_multiplies_boxes():
    np.testing.assert_array_equal(scaled(truth((2, 4, 6, 8)), 0.5).boxes, [[1, 2, 3, 4]])
