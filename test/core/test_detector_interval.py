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
from dads_ros.detector.data import Boxes
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.interval import ap50_gain_interval
from dads_ros.detector.interval import BLOCK_FRAMES
from dads_ros.detector.interval import blocks_of
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

LABELS = ('car',)
BOX = np.array([[10, 10, 50, 50]], np.float32)
NONE = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))
FOUND = Detections(BOX, np.array([0.9], np.float32), np.array([0]))
TRUTH = Boxes(BOX, np.array([0]), np.array([False]))


def interval(first, second, clips, rounds=100):
    return ap50_gain_interval(first, second, [TRUTH] * len(clips), clips, LABELS, rounds)


def test_two_that_found_the_same_differ_by_nothing():
    found = [FOUND, NONE] * 10
    assert interval(found, found, ['a'] * 20) == (0, 0)


def test_a_difference_in_every_stretch_of_frames_is_certain():
    low, high = interval([FOUND] * 40, [FOUND, NONE] * 20, ['a'] * 40)
    whole = average_precision([FOUND, NONE] * 20, [TRUTH] * 40, LABELS).ap50
    assert low == pytest.approx(1 - whole, abs=0.02)
    assert high == pytest.approx(1 - whole, abs=0.02)


def test_a_difference_in_one_stretch_of_frames_is_not():
    second = [NONE] * 10 + [FOUND] * 50
    low, high = interval([FOUND] * 60, second, ['a'] * 60, rounds=400)
    assert low == 0
    assert high > 0.3


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_blocks_lie_within_a_clip_and_reach_each_frame(lengths):
    clips = [name for name, count in zip('abcde', lengths, strict=False) for _ in range(count)]
    blocks = blocks_of(clips)
    assert {frame for block in blocks for frame in block} == set(range(len(clips)))
    for block in blocks:
        assert len({clips[frame] for frame in block}) == 1
        assert len(block) == min(BLOCK_FRAMES, clips.count(clips[block[0]]))
