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
from dads_ros.detector.coco import category_names
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import concatenate
from dads_ros.detector.data import load_coco
from dads_ros.detector.data import spread
from dads_ros.errors import MediaError
from dads_ros.image import letterbox
from hypothesis import given
from hypothesis import strategies as st
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


def test_categories_are_matched_whatever_their_case(tmp_path):
    path = write(tmp_path, [{'category_id': 3, 'bbox': [0, 0, 8, 8]}])
    path.write_text(path.read_text().replace('"car"', '"Car"'))
    (sample,) = load_coco(path, LABELS)
    assert sample.truth.class_ids.tolist() == [1]
    assert load_coco(path, ('Person', 'CAR'))[0].truth.class_ids.tolist() == [1]
    assert category_names(path) == ['person', 'Car', 'cat']


@pytest.mark.parametrize(
    ('annotation', 'message'),
    [
        ({'category_id': 3}, 'annotation 0 of .* has bbox None; give x, y, width and height'),
        ({'category_id': 3, 'bbox': [1, 2, 3]}, r'has bbox \[1, 2, 3\]; give'),
        ({'category_id': 3, 'bbox': [1, 2, 3, None]}, 'has bbox .*None'),
        ({'category_id': 3, 'bbox': [0, 0, 8, 8], 'score': None}, 'has score None; give a number'),
        ({'category_id': 5, 'bbox': [0, 0, 8, 8]}, 'has category_id 5, which is none of its'),
        ({'bbox': [0, 0, 8, 8]}, 'has category_id None'),
        ({'category_id': [], 'bbox': [0, 0, 8, 8]}, 'is no readable COCO file'),
        ({'category_id': 3, 'bbox': [0, 0, 8, 8], 'image_id': 8}, 'is of image 8, which the file'),
    ],
)
def test_a_box_that_is_not_whole_is_told_in_one_line(tmp_path, annotation, message):
    with pytest.raises(MediaError, match=message) as raised:
        load_coco(write(tmp_path, [annotation]), LABELS)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        ([{'id': 1}], 'image 1 of .* has no file_name'),
        ([{'id': 1, 'file_name': None}], 'image 1 of .* has no file_name'),
        ([{'id': 1, 'file_name': '0.png'}] * 2, 'image 1 of .* is there twice'),
        ([{'file_name': '0.png'}], 'is no readable COCO file'),
        (['0.png'], 'is no readable COCO file'),
        (None, 'is no readable COCO file'),
    ],
)
def test_an_image_that_is_not_whole_is_told_in_one_line(tmp_path, images, message):
    path = write(tmp_path, [])
    path.write_text(json.dumps({**json.loads(path.read_text()), 'images': images}))
    with pytest.raises(MediaError, match=message) as raised:
        load_coco(path, LABELS)
    assert '\n' not in str(raised.value)


def several(folder, entries, drawn=None):
    """Write images whose brightness is their place in the list, all or those of some places."""
    for index, entry in enumerate(entries):
        if drawn is None or index in drawn:
            cv2.imwrite(str(folder / entry['file_name']), np.full((18, 32, 3), index, np.uint8))
    table = {
        'images': [{'id': index, **entry} for index, entry in enumerate(entries)],
        'categories': [{'id': 1, 'name': 'car'}],
        'annotations': [],
    }
    (folder / 'val.json').write_text(json.dumps(table))
    return folder / 'val.json'


def brightness(samples):
    return [int(sample.image[0, 0, 0]) for sample in samples]


def test_frames_come_clip_by_clip_in_the_order_they_were_taken(tmp_path):
    names = ['b9.png', 'x.png', 'b10.png', 'a.png', 'b2.png']
    entries = [{'file_name': name, 'clip': name[0]} for name in names]
    path = several(tmp_path, entries)
    assert brightness(load_coco(path, LABELS)) == [4, 0, 2, 1, 3]  # by names
    for entry, frame in zip(entries, (3, 1, 2, 1, 5), strict=True):
        entry['frame'] = frame
    samples = load_coco(several(tmp_path, entries), LABELS)
    assert brightness(samples) == [2, 0, 4, 1, 3]
    assert [sample.clip for sample in samples] == ['b', 'b', 'b', 'x', 'a']


def test_a_share_of_the_frames_reaches_from_the_first_to_the_last_and_no_other_is_read(tmp_path):
    entries = [{'file_name': f'{index}.png', 'clip': str(index // 5)} for index in range(10)]
    path = several(tmp_path, entries, drawn=(0, 3, 6, 9))
    assert brightness(load_coco(path, LABELS, count=4)) == [0, 3, 6, 9]


@given(st.integers(1, 300), st.integers(1, 300))
def test_indices_are_spread_evenly(length, count):
    kept = spread(length, count)
    assert len(kept) == min(length, count)
    assert kept[0] == 0
    assert count == 1 or kept[-1] == length - 1
    steps = np.diff(kept)
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_frames_are_found_in_the_folder_where_they_are_not_beside_the_file(tmp_path):
    path = write(tmp_path, [])
    moved = tmp_path / 'labels' / 'val.json'
    moved.parent.mkdir()
    path.rename(moved)
    assert len(load_coco(moved, LABELS, folder=tmp_path)) == 1
    with pytest.raises(MediaError, match=r"labels/frames/0\.png' is missing or no image"):
        load_coco(moved, LABELS)


def test_large_frames_are_shrunk_with_their_boxes_as_the_network_would_see_them(tmp_path):
    path = write(tmp_path, [{'category_id': 3, 'bbox': [10, 4, 20, 8]}])
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / 'frames/0.png'), rng.integers(0, 255, (37, 65, 3), dtype=np.uint8))
    (whole,), (small,) = load_coco(path, LABELS), load_coco(path, LABELS, size=(20, 32))
    assert small.image.shape == (18, 32, 3)
    np.testing.assert_array_equal(letterbox(small.image, 20, 32), letterbox(whole.image, 20, 32))
    np.testing.assert_allclose(small.truth.boxes, whole.truth.boxes * 32 / 65, rtol=1e-6)
    (same,) = load_coco(path, LABELS, size=(192, 320))
    np.testing.assert_array_equal(same.image, whole.image)


def test_concatenate_joins_lists():
    one = Boxes(np.array([[0, 0, 1, 1]], np.float32), np.array([3]), np.array([False]))
    two = Boxes(np.array([[1, 1, 2, 2]], np.float32), np.array([4]), np.array([True]))
    none = Boxes(np.empty((0, 4), np.float32), np.empty(0, np.int64), np.empty(0, bool))
    both = concatenate([one, none, two])
    assert both.boxes.tolist() == [[0, 0, 1, 1], [1, 1, 2, 2]]
    assert both.class_ids.tolist() == [3, 4]
    assert both.ignore.tolist() == [False, True]
