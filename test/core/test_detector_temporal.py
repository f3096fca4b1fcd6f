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

from dads_ros.bench.detector.temporal import AGES
from dads_ros.bench.detector.temporal import alphabet
from dads_ros.bench.detector.temporal import difference
from dads_ros.bench.detector.temporal import difference_bytes
from dads_ros.bench.detector.temporal import expected
from dads_ros.bench.detector.temporal import of_codec
from dads_ros.bench.detector.temporal import step_of
from dads_ros.bench.detector.temporal import symbols
from dads_ros.bench.detector.uploads import WAIST_CODECS
from dads_ros.codec import decode
from dads_ros.codec import encode
from dads_ros.detector.waist import LEVELS
from dads_ros.detector.waist import REST
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest


@given(st.integers(0, 2**32 - 1))
def test_a_difference_gives_the_values_back(seed):
    rng = np.random.default_rng(seed)
    now, before = rng.integers(0, LEVELS, (2, 1, 8, 6, 10), dtype=np.uint8)
    sent = difference(now, before)
    assert sent.max() < LEVELS
    again = (sent.astype(int) - REST + before) % LEVELS
    np.testing.assert_array_equal(again, now)
    np.testing.assert_array_equal(difference(now, now), np.full_like(now, REST))


@given(st.sampled_from(WAIST_CODECS), st.integers(0, 2**32 - 1))
def test_coarse_symbols_give_the_cloud_the_tensor_that_the_codec_gives_it(codec, seed):
    rng = np.random.default_rng(seed)
    step = step_of(codec)
    now, before = rng.integers(0, rng.integers(1, LEVELS + 1), (2, 1, 8, 6, 10), dtype=np.uint8)
    received = decode(encode(before, codec), codec, before.shape, 'uint8')
    # The cloud has the reference as the codec left it: its symbols are those of the car's.
    reference = symbols(received, step)
    np.testing.assert_array_equal(reference, symbols(before, step))
    sent = difference(symbols(now, step), symbols(before, step), step)
    assert sent.max() < alphabet(step)
    again = (sent.astype(int) - REST // step + reference) % alphabet(step)
    restored = np.minimum(again * step, now.max())
    np.testing.assert_array_equal(restored, decode(encode(now, codec), codec, now.shape, 'uint8'))


def test_coarse_symbols_cost_a_byte_more_than_their_difference():
    rng = np.random.default_rng(0)
    now, before = rng.integers(0, 3, (2, 1, 8, 24, 40), dtype=np.uint8)
    changed = difference(now, before, 8)
    assert difference_bytes(now, before, 8) == len(encode(changed, 'packed')) + 1
    assert difference_bytes(now, before, 1) == len(encode(difference(now, before), 'packed'))
    assert [alphabet(step) for step in (1, 2, 4, 8)] == [16, 9, 5, 3]


def test_a_still_clip_is_nearly_free_and_a_changing_one_gains_nothing():
    rng = np.random.default_rng(0)
    still = [rng.integers(0, LEVELS, (1, 8, 24, 40), dtype=np.uint8)] * 8
    row = of_codec([still], 'packed')
    assert row.frames == 8 - max(AGES)
    assert row.by_age[1] < row.intra / 20
    assert row.conditional_by_age[3] < row.intra / 2
    noise = [rng.integers(0, LEVELS, (1, 8, 24, 40), dtype=np.uint8) for _ in range(8)]
    for codec in ('packed4', 'packed8'):
        row = of_codec([still], codec)
        assert row.by_age[1] < row.intra / 20
    row = of_codec([noise], 'packed')
    assert row.by_age[1] == pytest.approx(row.intra, rel=0.01)
    assert row.by_round_trip[2] == pytest.approx(row.intra, rel=0.01)


def test_clips_too_short_for_a_reference_give_no_figures():
    clip = [np.zeros((1, 8, 24, 40), np.uint8)] * 3
    row = of_codec([clip], 'packed')
    assert row.frames == 0
    assert row.by_age == {}


def test_the_reference_is_older_the_longer_the_way_and_the_more_is_lost():
    by_age = {age: 100.0 * age for age in AGES}
    straight, far = expected(by_age, 900.0, 0), expected(by_age, 900.0, 2)
    # 90.25 % of frames are acknowledged: mostly the youngest reference, the next one now and then.
    assert 100 < straight < 120
    assert 300 < far < 330
