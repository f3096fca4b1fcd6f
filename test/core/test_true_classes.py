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

"""Labels' classes from true boxes: what is set right, and what is left alone."""

from dataclasses import replace

from dads_ros.detector.coco import Annotation
from dads_ros.detector.coco import Image
from dads_ros.detector.true_classes import with_true_classes
from hypothesis import given
from hypothesis import strategies as st


def image(*annotations, name='0.jpg'):
    return Image(name, 'clip', 0, list(annotations))


def box(category, x=0.0, y=0.0, width=40.0, height=20.0, score=1.0, is_crowd=False):
    return Annotation(category, (x, y, width, height), score, is_crowd)


def classes(labels, true):
    (corrected,) = with_true_classes([image(*labels)], [image(*true)])
    return [a.category for a in corrected.annotations]


def test_a_vehicle_is_what_the_true_box_under_it_is():
    labels = [box('car', score=0.5), box('truck', x=100), box('bus', x=200)]
    true = [box('truck', width=50), box('car', x=105), box('car', x=230)]
    assert classes(labels, true) == ['truck', 'car', 'bus']  # the last overlaps by an eighth
    assert classes(labels, []) == ['car', 'truck', 'bus']


def test_of_two_true_boxes_the_one_that_overlaps_more_counts():
    near = [box('truck', width=60), box('car', x=2, width=40)]
    assert classes([box('truck')], near) == classes([box('truck')], near[::-1]) == ['car']


def test_what_is_half_hidden_is_what_it_is():
    assert classes([box('car')], [box('truck', is_crowd=True)]) == ['truck']


def test_a_rider_stays_a_person_and_a_car_beside_a_motorcycle_a_car():
    assert classes([box('person')], [box('motorcycle')]) == ['person']
    assert classes([box('person')], [box('truck')]) == ['person']
    assert classes([box('car')], [box('motorcycle')]) == ['car']


def test_frames_are_told_by_their_names():
    images = [image(box('car'), name='a.jpg'), image(box('car'), name='b.jpg')]
    corrected = with_true_classes(images, [image(box('bus'), name='b.jpg')])
    assert [one.annotations[0].category for one in corrected] == ['car', 'bus']
    assert [one.file_name for one in corrected] == ['a.jpg', 'b.jpg']


boxes = st.lists(
    st.builds(
        box,
        st.sampled_from(('car', 'Truck', 'bus', 'person', 'motorcycle')),
        *[st.floats(0, 60)] * 2,
        *[st.floats(1, 60)] * 2,
        st.floats(0.25, 1),
        st.booleans(),
    ),
    max_size=6,
)


@given(boxes, boxes)
def test_only_classes_change_and_once_is_enough(labels, true):
    once = with_true_classes([image(*labels)], [image(*true)])
    assert with_true_classes(once, [image(*true)]) == once
    told = {a.category for a in true}
    for before, after in zip(labels, once[0].annotations, strict=True):
        assert replace(after, category=before.category) == before
        changed = after.category != before.category
        assert not changed or {before.category, after.category} <= {'car', 'Truck', 'bus'}
        assert not changed or after.category in told
