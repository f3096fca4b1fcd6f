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
from dads_ros.detector import recompress as module
from dads_ros.detector.recompress import recompress
import numpy as np
import pytest


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (12, 20, 3), dtype=np.uint8)
    return cv2.resize(small, (320, 192), interpolation=cv2.INTER_CUBIC)


def test_a_frame_comes_back_worse_but_the_same_frame(image):
    for seed in range(12):
        again = recompress(image, np.random.default_rng(seed))
        assert again.shape == image.shape
        assert again.dtype == np.uint8
        error = np.abs(again.astype(int) - image)
        assert 0 < error.mean() < 16
        # Red is red still: a swapped channel order would be far off.
        assert error.mean(axis=(0, 1)).max() < 24
        np.testing.assert_array_equal(again, recompress(image, np.random.default_rng(seed)))


def test_without_pyav_still_images_take_its_share(image, monkeypatch):
    monkeypatch.setattr(module, 'find_spec', lambda _name: None)
    monkeypatch.setattr(module, '_h264', lambda *_: pytest.fail('PyAV was asked for'))
    for seed in range(12):
        assert recompress(image, np.random.default_rng(seed)).shape == image.shape
