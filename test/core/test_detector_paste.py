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

from dads_ros.detector.data import Boxes
from dads_ros.detector.data import concatenate
from dads_ros.detector.data import DRAWN
from dads_ros.detector.data import Sample
from dads_ros.detector.paste import covered
from dads_ros.detector.paste import ENOUGH
from dads_ros.detector.paste import paste
from dads_ros.detector.paste import rare_patches
import numpy as np
import pytest

PERSON, BICYCLE, CAR, BUS = 0, 1, 2, 4
GREY = 90


def boxes(rows, class_ids, ignore=None):
    table = np.array(rows, np.float32).reshape(-1, 4)
    unsure = np.zeros(len(table), bool) if ignore is None else np.array(ignore)
    return Boxes(table, np.array(class_ids, np.int64), unsure)


def sample(truth, height=180, width=320):
    image = np.full((height, width, 3), GREY, np.uint8)
    for (x0, y0, x1, y1), kind in zip(truth.boxes.astype(int), truth.class_ids, strict=True):
        image[y0:y1, x0:x1] = 120 + 20 * kind
    return Sample(image, truth, 'clip')


def street():
    cars = [[10 * i, 100, 10 * i + 9, 130] for i in range(8)]
    return sample(boxes([*cars, [200, 40, 220, 90]], [CAR] * 8 + [PERSON]))


def test_the_commonest_class_and_boxes_that_are_unsure_or_small_are_not_cut_out():
    assert {kind: len(cut) for kind, cut in rare_patches([street(), street()]).items()} == {
        PERSON: 2
    }
    truth = street().truth
    unsure = Boxes(truth.boxes, truth.class_ids, np.ones(len(truth), bool))
    assert rare_patches([sample(unsure)]) == {}
    small = boxes([[0, 0, 9, 30]] * 3 + [[50, 50, 60, 60]], [CAR] * 3 + [PERSON])
    assert rare_patches([sample(small)]) == {}
    assert rare_patches([]) == {}


def test_drawn_objects_fill_up_where_real_ones_are_few():
    real = street()
    drawn = Sample(real.image, real.truth, DRAWN)
    few, many = [real] * 3, [real] * (ENOUGH + 5)
    assert len(rare_patches([*few, *[drawn] * 100])[PERSON]) == ENOUGH
    assert len(rare_patches([*many, *[drawn] * 100])[PERSON]) == ENOUGH + 5


def test_a_rider_is_cut_out_with_the_bicycle_and_a_border():
    cars = [[0, 150, 9, 170]] * 4
    truth = boxes([*cars, [100, 40, 120, 90], [98, 70, 122, 100]], [CAR] * 4 + [PERSON, BICYCLE])
    patches = rare_patches([sample(truth)])
    assert set(patches) == {PERSON, BICYCLE}
    for (patch,) in patches.values():
        assert patch.truth.class_ids.tolist() == [PERSON, BICYCLE]
        assert patch.truth.boxes.tolist() == [[6, 9, 26, 59], [4, 39, 28, 69]]
        assert patch.inner.tolist() == [4, 9, 28, 69]
        assert patch.image.shape == (78, 32, 3)  # 15 % of 24 and 60 on each side, whole pixels


@pytest.mark.parametrize('seed', range(20))
def test_what_is_pasted_fills_its_box_and_fades_into_the_frame(seed):
    patches = rare_patches([street()])
    blank = np.full((96, 160, 3), GREY, np.uint8)
    rng = np.random.default_rng(seed)
    image, truth = paste(blank, boxes([], []), patches, rng)
    assert (blank == GREY).all()
    assert 1 <= len(truth) <= 3 and set(truth.class_ids) == {PERSON}
    assert (truth.boxes >= 0).all() and (truth.boxes[:, 2:] <= (160, 96)).all()
    x0, y0, x1, y1 = truth.boxes[-1]  # none lies over the last
    inside = image[int(np.ceil(y0)) + 1 : int(y1) - 1, int(np.ceil(x0)) + 1 : int(x1) - 1]
    assert (inside == 120).all()
    if len(truth) == 1:
        changed = np.argwhere((image != GREY).any(axis=2))
        low, high = changed.min(axis=0), changed.max(axis=0) + 1
        assert abs(low - (y0, x0)).max() <= 2 and abs(high - (y1, x1)).max() <= 2


def test_what_a_patch_hides_is_left_out():
    patches = rare_patches([street()])
    everywhere = boxes([[x, y, x + 4, y + 4] for x in range(0, 156, 4) for y in range(0, 92, 4)],
                       [CAR] * 39 * 23)  # fmt: skip
    image = np.full((96, 160, 3), GREY, np.uint8)
    _, truth = paste(image, everywhere, patches, np.random.default_rng(1))
    pasted = truth.boxes[truth.class_ids == PERSON]
    left = truth.boxes[truth.class_ids == CAR]
    assert len(pasted) and len(left) < len(everywhere)
    obscured = truth.ignore[truth.class_ids == CAR]
    assert obscured.any() and not obscured.all()
    hidden = np.max([covered(left, box) for box in pasted], axis=0)
    assert (hidden < 0.95).all()
    assert (obscured == (hidden > 0.65)).all()


def test_what_else_lies_in_a_patch_bears_its_box():
    cars = [[0, 150, 9, 170]] * 4
    before, aside, beyond = [110, 60, 140, 88], [186, 40, 232, 90], [40, 40, 103, 90]
    truth = boxes(
        [*cars, [100, 20, 200, 90], before, aside, beyond], [CAR] * 4 + [BUS] + [CAR] * 3
    )
    ((patch,),) = rare_patches([sample(truth)]).values()
    assert patch.truth.class_ids.tolist() == [BUS, CAR, CAR]
    assert patch.truth.ignore.tolist() == [False, False, True]
    assert (patch.truth.boxes[:, 2:] <= patch.inner[2:]).all()


def test_patches_are_as_large_as_the_network_would_see_them():
    large = sample(boxes([[0, 0, 9, 30]] * 3 + [[200, 40, 280, 120]], [CAR] * 3 + [BUS]), 360, 640)
    small = sample(boxes([[0, 0, 5, 15]] * 3 + [[100, 20, 140, 60]], [CAR] * 3 + [BUS]), 180, 320)
    image = np.full((192, 320, 3), GREY, np.uint8)
    widths = []
    for frame in (large, small):
        rng = np.random.default_rng(3)
        pasted = paste(image, boxes([], []), rare_patches([frame]), rng)[1].boxes
        widths.append(float(pasted[-1, 2] - pasted[-1, 0]))
    assert abs(widths[0] - widths[1]) < 2


def test_a_class_with_few_is_pasted_more_often_than_its_share():
    places = [[4 + 12 * i, 10, 13 + 12 * i, 30] for i in range(23)]
    kinds = [CAR] * 10 + [PERSON] * 9 + [BUS] + [CAR] * 3
    patches = rare_patches([sample(boxes(places, kinds))])
    rng = np.random.default_rng(0)
    image = np.full((96, 160, 3), GREY, np.uint8)
    drawn = [paste(image, boxes([], []), patches, rng)[1] for _ in range(400)]
    pasted = np.bincount(concatenate(drawn).class_ids, minlength=5)
    assert pasted[CAR] == 0
    assert 2.3 < pasted[PERSON] / pasted[BUS] < 3.9  # three by the square root, nine by number
