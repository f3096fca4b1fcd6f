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

"""What coding a waist against an earlier frame's is measured to save."""

from dads_ros.bench.detector.temporal import AGES
from dads_ros.bench.detector.temporal import expected
from dads_ros.bench.detector.temporal import of_codec
from dads_ros.bench.detector.uploads import WAIST_CODECS
from dads_ros.codec import encode
from dads_ros.detector.waist import LEVELS
import numpy as np
import pytest


@pytest.mark.parametrize('codec', WAIST_CODECS)
def test_a_still_clip_saves_and_a_changing_one_hardly_loses(codec):
    rng = np.random.default_rng(0)
    still = [rng.integers(0, LEVELS, (1, 8, 24, 40), dtype=np.uint8)] * 8
    row = of_codec([still], codec)
    assert row.frames == 8 - max(AGES)
    assert row.intra == len(encode(still[0], codec))
    assert all(size < row.intra / 2 for size in row.by_age.values())
    assert row.encode_intra_ms > 0 and row.encode_ms > 0
    noise = [rng.integers(0, LEVELS, (1, 8, 24, 40), dtype=np.uint8) for _ in range(8)]
    row = of_codec([noise], codec)
    assert row.by_round_trip[2] == pytest.approx(row.intra, rel=0.1)


def test_clips_too_short_for_a_reference_give_no_figures():
    row = of_codec([[np.zeros((1, 8, 24, 40), np.uint8)] * 3], 'packed')
    assert row.frames == 0
    assert row.by_age == {}


def test_the_reference_is_older_the_longer_the_way_and_the_more_is_lost():
    by_age = {age: 100.0 * age for age in AGES}
    straight, far = expected(by_age, 900.0, 0), expected(by_age, 900.0, 2)
    # 90.25 % of frames are acknowledged: mostly the youngest reference, the next one now and then.
    assert 100 < straight < 120
    assert 300 < far < 330
