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

import cv2
from dads_ros.detector.augment import Augmenter
from dads_ros.detector.augment import MOST_REPEATS
from dads_ros.detector.augment import Recipe
from dads_ros.detector.augment import repeat_factors
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import Sample
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np

HEIGHT, WIDTH = 96, 160
PLAIN = Recipe(mosaic=0.0, paste=0.0, jpeg=0.0)


def boxes(rows, class_ids=None, ignore=None):
    table = np.array(rows, np.float32).reshape(-1, 4)
    ids = np.zeros(len(table), np.int64) if class_ids is None else np.array(class_ids, np.int64)
    return Boxes(table, ids, np.zeros(len(table), bool) if ignore is None else np.array(ignore))


def sample_with_white_box(box=(100, 60, 200, 130)):
    image = np.zeros((180, 320, 3), np.uint8)
    x0, y0, x1, y1 = box
    image[y0:y1, x0:x1] = 255
    return Sample(image, boxes([box]), 'clip')


def street(count=6):
    rng = np.random.default_rng(0)
    samples = []
    for index in range(count):
        image = rng.integers(0, 255, (180, 320, 3), dtype=np.uint8)
        truth = boxes([[20, 40, 80, 90], [100, 30, 130, 90]], [2, index % 2], [False, False])
        samples.append(Sample(image, truth, 'clip'))
    return samples


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_boxes_follow_their_objects(seed):
    augmenter = Augmenter([sample_with_white_box()], HEIGHT, WIDTH, PLAIN)
    images, truth = augmenter.batch([0], np.random.default_rng(seed))
    if not len(truth[0]):
        return
    x0, y0, x1, y1 = truth[0].boxes[0]
    assert 0 <= x0 <= x1 <= WIDTH
    assert 0 <= y0 <= y1 <= HEIGHT
    grey = cv2.cvtColor(images[0], cv2.COLOR_RGB2GRAY).astype(float)
    inside = grey[round(y0) + 2 : round(y1) - 2, round(x0) + 2 : round(x1) - 2]
    ring = np.ones(grey.shape, bool)
    ring[max(0, round(y0) - 2) : round(y1) + 2, max(0, round(x0) - 2) : round(x1) + 2] = False
    if inside.size and ring.any():
        # Padding is grey, the frame black, the object white, whatever light is drawn.
        assert inside.mean() > grey[ring].max() - 60


def test_a_seed_fixes_a_batch():
    augmenter = Augmenter(street(), HEIGHT, WIDTH, Recipe(jpeg=0.5))
    first = augmenter.batch(range(6), np.random.default_rng(5))
    second = augmenter.batch(range(6), np.random.default_rng(5))
    other = augmenter.batch(range(6), np.random.default_rng(6))
    np.testing.assert_array_equal(first[0], second[0])
    assert all(np.array_equal(a.boxes, b.boxes) for a, b in zip(first[1], second[1], strict=True))
    assert not np.array_equal(first[0], other[0])


def test_a_batch_has_frames_of_the_network_and_boxes_inside():
    augmenter = Augmenter(street(), HEIGHT, WIDTH, Recipe(mosaic=1.0, paste=1.0, jpeg=1.0))
    images, truth = augmenter.batch(range(6), np.random.default_rng(0))
    assert images.shape == (6, HEIGHT, WIDTH, 3)
    assert images.dtype == np.uint8
    for item in truth:
        assert (item.boxes >= 0).all()
        assert (item.boxes[:, 2:] <= (WIDTH, HEIGHT)).all()
        assert len(item.boxes) == len(item.class_ids) == len(item.ignore)


def test_frames_with_a_rare_class_count_for_more():
    image = np.zeros((180, 320, 3), np.uint8)
    box = [20, 40, 80, 90]
    kinds = [[2]] * 60 + [[2, 0]] * 25 + [[2, 1]] + [[]] * 14
    frames = [Sample(image, boxes([box] * len(ids), ids), 'clip') for ids in kinds]
    factors = repeat_factors(frames)
    assert set(factors[:60]) == {1.0} and set(factors[86:]) == {1.0}
    assert np.allclose(factors[60:85], np.sqrt(0.5 / 0.25))
    assert factors[85] == MOST_REPEATS
    unsure = [Sample(image, boxes([box], [0], [True]), 'clip')] * 3
    assert repeat_factors(unsure).tolist() == [1.0, 1.0, 1.0]
