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

from dads_ros.detector.decode import decode
from dads_ros.detector.decode import MAX_IOU
from dads_ros.detector.decode import pairwise_iou
from dads_ros.detector.decode import suppress
from dads_ros.detector.loss import flatten
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import torch

STRIDES = (8, 16)


def quiet_outputs(classes=3):
    return [np.full((1, 4 + classes, 24 // s, 40 // s), -9.0, np.float32) for s in (1, 2)]


@st.composite
def boxes_and_groups(draw):
    count = draw(st.integers(0, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    low = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate((low, low + rng.uniform(1, 60, (count, 2))), axis=1)
    return boxes.astype(np.float32), rng.integers(0, 2, count)


@given(boxes_and_groups())
def test_suppress_keeps_what_does_not_overlap_a_better_box(case):
    boxes, groups = case
    kept = suppress(boxes, groups)
    iou = pairwise_iou(boxes, boxes)
    for index in range(len(boxes)):
        better = [k for k in kept if k < index and groups[k] == groups[index]]
        assert (index in kept) == all(iou[k, index] <= MAX_IOU for k in better)


def test_pairwise_iou_of_known_boxes():
    first = np.array([[0, 0, 10, 10]], np.float32)
    second = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    np.testing.assert_allclose(pairwise_iou(first, second), [[1.0, 1 / 3, 0.0]], atol=1e-6)


def test_decode_finds_nothing_in_quiet_outputs():
    assert len(decode(quiet_outputs(), STRIDES, (0, 1, 2))) == 0


def test_decode_reads_box_class_and_score_of_a_cell():
    outputs = quiet_outputs()
    outputs[1][0, :, 2, 3] = [0.25, -0.5, np.log(2), np.log(3), -5, 0.0, -5]
    found = decode(outputs, STRIDES, (0, 1, 2))
    assert found.class_ids.tolist() == [1]
    np.testing.assert_allclose(found.scores, [0.5])
    centre = np.array([(3.5 + 0.25) * 16, (2.5 - 0.5) * 16])
    half = np.array([16.0, 24.0])
    np.testing.assert_allclose(found.boxes, [[*(centre - half), *(centre + half)]], rtol=1e-6)


def test_decode_suppresses_doubles_within_a_group_only():
    outputs = quiet_outputs()
    outputs[0][0, :, 5, 5] = [0, 0, 2, 2, 1.0, -5, -5]
    outputs[0][0, :, 5, 6] = [-1, 0, 2, 2, -5, 0.5, -5]
    assert decode(outputs, STRIDES, (0, 0, 1)).class_ids.tolist() == [0]
    assert decode(outputs, STRIDES, (0, 1, 2)).class_ids.tolist() == [0, 1]


def test_decode_and_training_read_boxes_alike():
    rng = np.random.default_rng(3)
    outputs = [rng.normal(0, 1, o.shape).astype(np.float32) for o in quiet_outputs(classes=1)]
    cells = flatten([torch.from_numpy(o) for o in outputs], STRIDES)
    best = int(cells.logits[0, :, 0].argmax())
    found = decode(outputs, STRIDES, (0,))
    np.testing.assert_allclose(found.boxes[0], cells.boxes[0, best].numpy(), rtol=1e-4)
