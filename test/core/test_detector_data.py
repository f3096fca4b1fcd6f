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
from dads_ros.detector.data import load_coco
from dads_ros.errors import MediaError
import numpy as np
import pytest

LABELS = ('person', 'car')


def write(folder, annotations, clip='a'):
    (folder / 'frames').mkdir(exist_ok=True)
    image = np.zeros((36, 64, 3), np.uint8)
    image[..., 2] = 200  # red as OpenCV writes it
    cv2.imwrite(str(folder / 'frames' / '0.png'), image)
    table = {
        'images': [{'id': 7, 'file_name': 'frames/0.png', 'clip': clip}],
        'categories': [
            {'id': 1, 'name': 'person'},
            {'id': 3, 'name': 'car'},
            {'id': 9, 'name': 'cat'},
        ],
        'annotations': [{'id': i, 'image_id': 7, **a} for i, a in enumerate(annotations)],
    }
    path = folder / 'val.json'
    path.write_text(json.dumps(table))
    return path


def test_boxes_are_corners_with_class_and_doubt(tmp_path):
    path = write(
        tmp_path,
        [
            {'category_id': 3, 'bbox': [1, 2, 10, 20], 'score': 0.9},
            {'category_id': 1, 'bbox': [5, 5, 5, 5], 'score': 0.39},
            {'category_id': 3, 'bbox': [0, 0, 8, 8], 'iscrowd': 1},
            {'category_id': 9, 'bbox': [0, 0, 8, 8]},
        ],
    )
    (sample,) = load_coco(path, LABELS)
    assert sample.image.shape == (36, 64, 3)
    assert sample.image[0, 0].tolist() == [200, 0, 0]
    np.testing.assert_array_equal(
        sample.truth.boxes, [[1, 2, 11, 22], [5, 5, 10, 10], [0, 0, 8, 8]]
    )
    assert sample.truth.class_ids.tolist() == [1, 0, 1]
    assert sample.truth.ignore.tolist() == [False, True, True]
    assert load_coco(path, LABELS, ['another']) == []


def test_frames_without_boxes_are_kept(tmp_path):
    (sample,) = load_coco(write(tmp_path, []), LABELS)
    assert len(sample.truth) == 0
    assert sample.truth.boxes.shape == (0, 4)


def test_errors_name_the_file(tmp_path):
    with pytest.raises(MediaError, match='is no readable COCO file'):
        load_coco(tmp_path / 'missing.json', LABELS)
    path = write(tmp_path, [])
    (tmp_path / 'frames' / '0.png').write_bytes(b'no image')
    with pytest.raises(MediaError, match=r"0\.png' is missing or no image"):
        load_coco(path, LABELS)
    path.write_text('[]')
    with pytest.raises(MediaError, match='is no readable COCO file'):
        load_coco(path, LABELS)
