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

from pathlib import Path

from dads_ros.bench.detector import main as bench
from dads_ros.bench.detector.nanodet import cells
from dads_ros.bench.detector.nanodet import CLASSES
from dads_ros.bench.detector.nanodet import decode
from dads_ros.bench.detector.sibling import sibling
from dads_ros.detector.data import load_coco
from dads_ros.detector.network import LABELS
from dads_ros.detector.shipped import WEIGHTS
import numpy as np
import pytest

DRIVING = Path(__file__).parents[3] / 'shared' / 'driving'


def test_a_box_is_read_from_distributions_of_its_sides():
    centres, strides = cells(192, 320)
    output = np.zeros((len(centres), 80 + 32), np.float32)
    cell = int(np.flatnonzero((centres == (160, 96)).all(axis=1) & (strides == 16))[0])
    output[cell, 2] = 0.9  # a car
    sides = output[cell, 80:].reshape(4, 8)
    sides[range(4), (2, 1, 2, 1)] = 50.0  # so many strides to the left, up, right, down
    found = decode(output, 192, 320, range(len(CLASSES)))
    np.testing.assert_allclose(found.boxes, [[128, 80, 192, 112]], atol=0.01)
    assert found.scores == pytest.approx([0.9])
    assert LABELS[found.class_ids[0]] == 'car'


def test_it_finds_the_cars_that_it_labelled():
    pytest.importorskip('ncnn', reason='ncnn is not installed')
    if not DRIVING.is_dir():
        pytest.skip(f'{DRIVING} is not here')
    samples = load_coco(DRIVING / 'val.json', LABELS, ['panda_front'])
    row = sibling(DRIVING, bench.trial('shipped', WEIGHTS, True, samples))
    assert row is not None
    assert row['ap50'] > 0.4
    assert row['ap50_by_height']['large'] > row['ap50_by_height']['small']
    # Without the shipped one's runtime it takes a fraction of the memory.
    assert 20 < row['peak_memory_mb'] < 200
