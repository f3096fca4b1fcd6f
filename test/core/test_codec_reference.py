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

"""Tensors coded against earlier ones come back as without, or are refused."""

from __future__ import annotations

import math

from dads_ros import codec
from dads_ros.errors import CodecError
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

PACKED = ('packed', 'packed2', 'packed4', 'packed6', 'packed8')
SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6).filter(
    lambda shape: math.prod(shape[:-2]) <= 64
)
LEVELS = st.integers(0, 15)


def waist(seed: int, shift: int = 0) -> np.ndarray:
    """Return a smooth scene as a waist has it, moved by some cells and with a little noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((24, 40))
    waves = [
        8 + 4 * np.sin((rows + i) / 3) + 3 * np.cos((columns + shift) / (2 + i % 3))
        for i in range(8)
    ]
    return np.clip(np.rint(waves + rng.normal(0, 0.3, (8, 24, 40))), 0, 15).astype(np.uint8)[None]


def there_and_back(now: np.ndarray, name: str, before: np.ndarray) -> np.ndarray:
    data = bytes(codec.encode_against(now, name, before))
    recall = {codec.checksum(before): before}.get
    return codec.decode(data, name + codec.REF_SUFFIX, now.shape, 'uint8', recall)


@settings(max_examples=200)
@given(data=st.data(), shape=SHAPES, name=st.sampled_from(PACKED))
def test_no_value_comes_back_further_off_than_half_a_step(data, shape, name):
    now, before = (data.draw(hnp.arrays(np.uint8, shape, elements=LEVELS)) for _ in range(2))
    alone = codec.decode(codec.encode(now, name), name, shape, 'uint8')
    np.testing.assert_array_equal(codec.received(now, name), alone)
    assert codec.supported(name + codec.REF_SUFFIX, shape, 'uint8')
    found = there_and_back(now, name, before)
    np.testing.assert_array_equal(codec.received(now, name, before), found)
    assert (found.shape, found.dtype) == (alone.shape, alone.dtype)
    half = int(name.removeprefix('packed') or 1) // 2
    assert np.abs(found.astype(int) - now).max(initial=0) <= half


@pytest.mark.parametrize('name', PACKED[1:])
def test_what_flickers_between_two_roundings_stays_as_it_was(name):
    step = int(name.removeprefix('packed'))
    now = np.full((1, 1, 24, 40), 8 + step // 2, np.uint8)  # half way to the next
    now[..., 0] = 15
    before = np.full_like(now, min(8 + step, 15))
    assert (there_and_back(now, name, before)[..., 1:] == min(8 + step, 15)).all()
    assert (codec.received(now, name)[..., 1:] == 8).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from(PACKED), st.sampled_from(PACKED))
def test_a_waist_comes_back_against_one_of_another_fineness(seed, name, other):
    now, before = waist(seed, 1), codec.received(waist(seed + 1), other)
    found = there_and_back(now, name, before)
    np.testing.assert_array_equal(found, codec.received(now, name, before))


@pytest.mark.parametrize('name', PACKED)
def test_what_stays_costs_little_and_another_scene_costs_little_more_than_none(name):
    now, other = waist(0), waist(1)[:, ::-1, ::-1].copy()
    alone = len(codec.encode(now, name))

    def against(reference: np.ndarray) -> int:
        return len(codec.encode_against(now, name, codec.received(reference, name)))

    assert against(now) < 0.2 * alone
    assert against(waist(1)) < 0.9 * alone
    assert against(other) < 1.2 * alone + 40
    noise = np.random.default_rng(3).integers(0, 16, now.shape, dtype=np.uint8)
    assert against(noise) < 1.4 * alone


def test_a_reference_that_is_gone_or_another_is_refused():
    now, before = waist(1, 1), waist(1)
    data = codec.encode_against(now, 'packed', before)
    changed = before.copy()
    changed[0, 3, 5, 7] ^= 1
    for kept in (changed, before[:, :4]):
        assert codec.checksum(kept) != codec.checksum(before)
    for recall in (None, {}.get, lambda _: before[:, :4]):
        with pytest.raises(CodecError, match='not there'):
            codec.decode(data, 'packed+ref', now.shape, 'uint8', recall)


@settings(max_examples=300)
@given(data=st.data(), seed=st.integers(0, 20))
def test_damage_gives_a_tensor_or_an_error_and_nothing_else(data, seed):
    now, before = waist(seed, 1), waist(seed)
    sent = bytearray(codec.encode_against(now, 'packed2', before))
    for _ in range(data.draw(st.integers(1, 4))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    sent = sent[: data.draw(st.integers(0, len(sent)))] + data.draw(st.binary(max_size=9))
    try:
        found = codec.decode(bytes(sent), 'packed2+ref', now.shape, 'uint8', lambda _: before)
    except CodecError:
        return
    assert (found.shape, found.dtype) == (now.shape, now.dtype)
    assert found.max() < 16


def test_what_cannot_refer_says_so():
    frame = np.zeros((1, 4, 4, 3), np.uint8)
    with pytest.raises(CodecError, match='cannot refer'):
        codec.received(frame, 'raw')
    with pytest.raises(CodecError, match='unknown codec'):
        codec.encode_against(frame, 'jpeg75', frame)
    with pytest.raises(CodecError, match='its own shape'):
        codec.encode_against(frame, 'packed', frame[:, :2])
    with pytest.raises(CodecError, match='its own shape'):
        codec.encode(frame, 'packed+ref')
    with pytest.raises(CodecError, match='up to 15'):
        codec.encode_against(frame, 'packed', frame + 16)
    assert [name for name in ('raw', 'jpeg75', 'packed4') if codec.can_refer(name)] == ['packed4']


def test_a_bundle_refers_where_its_codec_can_and_steps_down_past_the_cap():
    now, before = waist(2, 1), waist(2)
    known = [before]
    used, data = codec.encode_bundle([now], 'packed', 10_000, known)
    assert (used, bytes(data[0])) == (
        'packed+ref', bytes(codec.encode_against(now, 'packed', known[0])),
    )  # fmt: skip
    assert codec.encode_bundle([now], 'raw', 10_000, known)[0] == 'raw'
    assert codec.encode_bundle([now], 'packed', 10_000)[0] == 'packed'
    coarser, _ = codec.encode_bundle([now], 'packed', len(data[0]) - 1, known)
    assert coarser in {'packed2+ref', 'packed4+ref', 'packed6+ref', 'packed8+ref'}
