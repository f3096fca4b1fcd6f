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

import json

import cv2
from dads_ros.detector.api import Detector
from dads_ros.errors import ConfigError
from dads_ros.errors import MediaError
from dads_ros.sampling import AGE_FRAMES
from dads_ros.sampling import input_frames
from dads_ros.sampling import input_pairs
from dads_ros.sampling import labelled_frames
import numpy as np
import pytest

DETECTOR = Detector('none', None, 18, 32, ('car',), None)


def write(folder, count, drawn=()):
    """Write a COCO file, and some of its frames, each as bright as its place in the list."""
    for index in drawn:
        cv2.imwrite(str(folder / f'{index}.png'), np.full((36, 64, 3), index, np.uint8))
    table = {
        'images': [
            {'id': index, 'file_name': f'{index}.png', 'clip': str(index // 5)}
            for index in range(count)
        ],
        'categories': [{'id': 1, 'name': 'car'}],
        'annotations': [
            {'image_id': index, 'category_id': 1, 'bbox': [4, 8, 20, 10]} for index in range(count)
        ],
    }
    (folder / 'val.json').write_text(json.dumps(table))
    return folder / 'val.json'


@pytest.mark.parametrize('count', [1, 3, 10, 40])
def test_frames_come_with_those_shortly_before(tmp_path, count):
    for index in range(29):
        cv2.imwrite(str(tmp_path / f'{index:03}.png'), np.full((36, 64, 3), index, np.uint8))
    pairs = input_pairs(str(tmp_path), DETECTOR, count)
    numbers = [int(frame[0, 0, 0, 0]) for frame, _ in pairs]
    assert len(numbers) == min(count, 29) and numbers == sorted(set(numbers))
    for number, (_, before) in zip(numbers, pairs, strict=True):
        if number < AGE_FRAMES:
            assert before is None
        else:
            assert int(before[0, 0, 0, 0]) == number - AGE_FRAMES
    frames = input_frames(str(tmp_path), DETECTOR, count)
    np.testing.assert_array_equal(frames, [frame for frame, _ in pairs])


def test_labelled_frames_reach_to_the_last_clip_and_no_other_is_read(tmp_path):
    path = write(tmp_path, 10, drawn=(0, 3, 6, 9))
    frames, truth = labelled_frames(path, DETECTOR, 4)
    assert [int(frame[0, 0, 0, 0]) for frame in frames] == [0, 3, 6, 9]
    assert {frame.shape for frame in frames} == {(1, 18, 32, 3)}
    for boxes in truth:
        np.testing.assert_array_equal(boxes.boxes, [[2, 4, 12, 9]])


def test_labelled_frames_are_all_where_there_are_fewer(tmp_path):
    frames, _ = labelled_frames(write(tmp_path, 3, drawn=range(3)), DETECTOR, 64)
    assert len(frames) == 3


def test_labelled_frames_refuse_a_count_of_none_and_a_file_of_none(tmp_path):
    with pytest.raises(ConfigError, match='must be at least 1, not 0'):
        labelled_frames(write(tmp_path, 3), DETECTOR, 0)
    with pytest.raises(MediaError, match='lists no image'):
        labelled_frames(write(tmp_path, 0), DETECTOR, 4)
