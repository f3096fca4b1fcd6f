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

"""Codecs for tensors of few levels: what they keep, what they refuse, and that they are small."""

from dads_ros import codec
from dads_ros.codec.rounding import MIDDLE
from dads_ros.codec.rounding import rounding
from dads_ros.errors import CodecError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

FEW_PLANES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)
STEPS = ('', '2', '4', '6', '8')
NAMES = tuple(f'packed{step}' for step in STEPS) + tuple(f'levels{step}+zstd' for step in STEPS)


@given(
    array=hnp.arrays(np.uint8, FEW_PLANES, elements=st.integers(0, 15)),
    name=st.sampled_from(NAMES),
)
def test_levels_come_back_to_within_half_a_step(array, name):
    step = int(name[6:7].strip('+') or 1)
    data = bytes(codec.encode(array, name))
    result = codec.decode(data, name, array.shape, 'uint8')
    error = np.abs(result.astype(int) - array)
    assert (result.shape, result.dtype) == (array.shape, array.dtype)
    assert error.max(initial=0) <= step // 2
    assert codec.lossless(name, 'uint8') == (step == 1)


@pytest.mark.parametrize('step', [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_value_becomes_the_nearest_multiple_and_of_two_the_one_nearer_to_the_middle(step):
    law = rounding(step)
    for value, symbol in enumerate(law.symbols):
        off = value - MIDDLE
        nearest = min(range(-MIDDLE, MIDDLE + 1), key=lambda k: (abs(off - k * step), abs(k)))
        assert law.values[symbol] == np.clip(MIDDLE + nearest * step, 0, 15)
    assert np.array_equal(np.unique(law.symbols), np.arange(len(law.values)))


def test_packed_beats_zstd_on_smooth_levels():
    rows, columns = np.indices((24, 40))
    noise = np.random.default_rng(0).normal(size=(1, 6, 24, 40))
    waves = [np.sin(rows / (3 + i)) + np.cos(columns / (4 + i)) for i in range(6)]
    codes = np.clip(np.rint(8 + 2 * np.array(waves)[None] + 0.7 * noise), 0, 15).astype(np.uint8)
    assert len(codec.encode(codes, 'packed')) < 0.8 * len(codec.encode(codes, 'raw+zstd'))


def test_packed_codes_a_channel_by_those_before_it():
    rng = np.random.default_rng(0)
    first, other = rng.integers(4, 13, (2, 4, 24, 40), dtype=np.uint8)
    alike = len(codec.encode(np.concatenate([first, first])[None], 'packed'))
    unlike = len(codec.encode(np.concatenate([first, other])[None], 'packed'))
    assert alike < 0.8 * unlike


def test_channels_at_rest_cost_packed_next_to_nothing():
    rng = np.random.default_rng(0)
    busy = rng.integers(4, 13, (1, 4, 24, 40), dtype=np.uint8)
    rest = np.full((1, 28, 24, 40), 8, np.uint8)
    alone = len(codec.encode(busy, 'packed'))
    assert len(codec.encode(np.concatenate([busy, rest], axis=1), 'packed')) < alone + 10 * 28


@pytest.mark.parametrize('name', ['packed', 'levels+zstd'])
def test_more_than_16_levels_are_refused(name):
    with pytest.raises(CodecError, match='values up to 15, not 16'):
        codec.encode(np.array([3, 16], np.uint8), name)
