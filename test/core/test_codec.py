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

"""Codecs give back what they promise for every type, shape and value, and refuse damaged bytes."""

from dads_ros import codec
from dads_ros.codec.registry import DTYPES
from dads_ros.errors import CodecError
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6)
LOSSLESS = ('raw', 'raw+zstd')
ROUNDING = ('float16+zstd', 'int8+zstd', 'int4+zstd')
PACKED = ('packed', 'packed2', 'packed4', 'packed6', 'packed8')
LEVELS = ('levels+zstd', 'levels2+zstd', 'levels4+zstd', 'levels6+zstd', 'levels8+zstd')
IMAGES = ('jpeg1', 'jpeg50', 'jpeg100', 'webp50')
ALL = (*LOSSLESS, *ROUNDING, *PACKED, *LEVELS, *IMAGES)


def there_and_back(array: np.ndarray, name: str) -> np.ndarray:
    data = bytes(codec.encode(array, name))
    return codec.decode(data, name, array.shape, array.dtype.name)


def bits(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array).tobytes()


@given(data=st.data(), name=st.sampled_from(LOSSLESS), dtype=st.sampled_from(sorted(DTYPES)))
def test_lossless_codecs_keep_every_bit(data, name, dtype):
    array = data.draw(hnp.arrays(dtype, SHAPES))  # NaN payloads, infinities, denormals included
    result = there_and_back(array, name)
    assert (result.shape, result.dtype) == (array.shape, array.dtype)
    assert bits(result) == bits(array)


@given(
    data=st.data(), name=st.sampled_from(ROUNDING), dtype=st.sampled_from(('int64', 'bool', 'u1'))
)
def test_rounding_codecs_keep_every_bit_of_integers(data, name, dtype):
    array = data.draw(hnp.arrays(dtype, SHAPES))
    assert codec.lossless(name, array.dtype.name)
    assert codec.plainest(name, array.dtype.name) == 'raw+zstd'
    assert bits(there_and_back(array, name)) == bits(array)


@given(data=st.data(), order=st.permutations(range(4)), step=st.sampled_from((1, 2, -1)))
def test_strides_do_not_matter(data, order, step):
    array = data.draw(hnp.arrays(np.float32, (2, 3, 4, 5), elements=st.floats(-9, 9, width=32)))
    view = array.transpose(order)[::step]
    for name in (*LOSSLESS, *ROUNDING):
        assert bits(there_and_back(view, name)) == bits(there_and_back(view.copy(), name))


@settings(max_examples=200)
@given(
    array=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
        elements=st.floats(-(2.0**122), 2.0**122, width=32),
    ),
    bits_=st.sampled_from((8, 4)),
)
def test_integer_codecs_are_within_half_a_step(array, bits_):
    result = there_and_back(array, f'int{bits_}+zstd')
    axes = tuple(i for i in range(array.ndim) if i != 1) if array.ndim >= 3 else None
    if not array.size:
        return
    exact = array.astype(np.float64)
    low, high = exact.min(axis=axes, keepdims=True), exact.max(axis=axes, keepdims=True)
    step = (high - low) / (2**bits_ - 1)
    rounding = 2.0**-21 * np.maximum(np.abs(low), np.abs(high))
    assert (np.abs(result - exact) <= step / 2 + rounding + 256 * 1e-36).all()


@given(hnp.arrays(np.float64, SHAPES, elements=st.floats(-60000, 60000)))
def test_float16_is_within_its_bound(array):
    result = there_and_back(array, 'float16+zstd')
    assert (np.abs(result - array) <= np.maximum(2.0**-11 * np.abs(array), 2.0**-25)).all()


def test_float16_saturates_and_keeps_infinities():
    array = np.array([1e9, -1e9, np.inf, -np.inf, np.nan], np.float32)
    result = there_and_back(array, 'float16+zstd')
    np.testing.assert_array_equal(result, [65504, -65504, np.inf, -np.inf, np.nan])


@given(hnp.arrays(np.float32, (2, 3, 4)))
def test_integer_codecs_give_finite_values_for_any_input(array):
    for name in ('int8+zstd', 'int4+zstd'):
        assert np.isfinite(there_and_back(array, name)).all()


def test_integer_codecs_keep_constant_channels():
    array = np.stack([np.full((4, 4), v, np.float32) for v in (0, 1e-40, -7.25, 3e37)])[None]
    for name in ('int8+zstd', 'int4+zstd'):
        assert np.array_equal(there_and_back(array, name), array)


@pytest.fixture(scope='module')
def frame() -> np.ndarray:
    rows, columns = np.indices((48, 64), dtype=np.float32)
    planes = [128 + 100 * np.sin(rows / 9 + i) * np.cos(columns / 7 - i) for i in range(3)]
    return np.stack(planes, axis=-1)[None].astype(np.uint8)


@pytest.mark.parametrize(('name', 'worst'), [('jpeg90', 24), ('webp90', 24), ('jpeg20', 60)])
def test_pictures_come_back_alike(frame, name, worst):
    result = there_and_back(frame, name)
    assert (result.shape, result.dtype) == (frame.shape, frame.dtype)
    assert np.abs(result.astype(int) - frame).max() <= worst
    assert not codec.lossless(name, 'uint8')


@pytest.mark.parametrize('family', ['jpeg', 'webp'])
def test_lower_quality_is_smaller(frame, family):
    sizes = [len(codec.encode(frame, f'{family}{quality}')) for quality in (20, 50, 95)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


@pytest.mark.parametrize(
    ('name', 'shape', 'dtype'),
    [
        ('jpeg75', (1, 3, 8, 8), 'uint8'),
        ('jpeg75', (1, 8, 8, 3), 'float32'),
        ('jpeg75', (2, 8, 8, 3), 'uint8'),
        ('webp50', (1, 0, 8, 3), 'uint8'),
        ('packed', (4,), 'int8'),
        ('raw', (4,), 'complex64'),
        ('raw', (4,), 'object'),
    ],
)
def test_what_is_not_supported_is_refused_both_ways(name, shape, dtype):
    assert not codec.supported(name, shape, dtype)
    with pytest.raises(CodecError):
        codec.decode(b'', name, shape, dtype)
    if dtype != 'object':
        with pytest.raises(CodecError, match='does not take'):
            codec.encode(np.zeros(shape, dtype), name)


@pytest.mark.parametrize('name', ['', 'float32', 'jpeg', 'jpeg0', 'jpeg101', 'jpeg075', 'packed3'])
def test_unknown_codecs_are_named(name):
    with pytest.raises(CodecError, match=f"unknown codec '{name}'"):
        codec.encode(np.zeros(1), name)


def test_negative_sizes_are_refused():
    with pytest.raises(CodecError, match='no tensor has type'):
        codec.decode(b'', 'raw', (-1, 4), 'uint8')


def examples() -> list[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(3)
    floats = rng.normal(size=(1, 3, 6, 5)).astype(np.float32)
    levels = rng.integers(0, 16, (1, 3, 6, 5), np.uint8)
    picture = rng.integers(0, 256, (1, 16, 24, 3), np.uint8)
    return [
        *((name, floats) for name in (*LOSSLESS, *ROUNDING)),
        *((name, levels) for name in PACKED + LEVELS),
        *((name, picture) for name in IMAGES),
    ]


@settings(max_examples=400)
@given(data=st.data(), example=st.sampled_from(examples()))
def test_damaged_bytes_raise_nothing_but_codec_errors(data, example):
    name, array = example
    good = bytearray(codec.encode(array, name))
    kind = data.draw(st.sampled_from(('flip', 'cut', 'grow', 'random')))
    if kind == 'flip':
        for _ in range(data.draw(st.integers(1, 4))):
            good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    elif kind == 'cut':
        del good[data.draw(st.integers(0, len(good) - 1)) :]
    elif kind == 'grow':
        good += data.draw(st.binary(min_size=1, max_size=9))
    else:
        good = bytearray(data.draw(st.binary(max_size=64)))
    try:
        result = codec.decode(bytes(good), name, array.shape, array.dtype.name)
    except CodecError:
        return
    assert (result.shape, result.dtype) == (array.shape, array.dtype)


@pytest.mark.parametrize('name', ['raw+zstd', 'float16+zstd', 'int8+zstd', 'int4+zstd'])
def test_a_frame_that_unpacks_to_more_is_refused_before_unpacking(name):
    import zstandard

    bomb = zstandard.ZstdCompressor().compress(bytes(2**28))
    assert len(bomb) < 20_000
    with pytest.raises(CodecError, match='states 268435456 bytes'):
        codec.decode(bomb, name, (1, 3, 4, 4), 'float32')


def test_a_picture_of_another_size_is_refused_before_decoding(frame):
    for name in ('jpeg75', 'webp75'):
        data = codec.encode(frame, name)
        with pytest.raises(CodecError, match=r'picture is \(48, 64\)'):
            codec.decode(data, name, (1, 48, 65, 3), 'uint8')


def test_damaged_pictures_leave_no_line_on_standard_error(frame, capfd):
    data = bytes(codec.encode(frame, 'jpeg90'))
    for place in range(len(data) // 2, len(data), 40):
        with pytest.raises(CodecError):
            codec.decode(data[:place], 'jpeg90', frame.shape, 'uint8')
    assert capfd.readouterr().err == ''


def test_raw_shares_memory_both_ways():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    data = codec.encode(array, 'raw')
    result = codec.decode(data, 'raw', (3, 4), 'float32')
    assert np.shares_memory(array, np.frombuffer(data, np.uint8))
    assert np.shares_memory(array, result)


def test_bundle_under_its_cap_keeps_its_codec():
    arrays = [np.zeros((1, 2, 3, 3), np.float32), np.ones(5, np.int64)]
    used, data = codec.encode_bundle(arrays, 'int8+zstd', 10_000)
    assert used == 'int8+zstd' and len(data) == 2


def test_bundle_over_its_cap_steps_to_coarser_codecs():
    noise = np.random.default_rng(0).normal(size=(1, 8, 20, 20)).astype(np.float32)
    sizes = {name: len(codec.encode(noise, name)) for name in ('raw+zstd', *ROUNDING)}
    for name in ROUNDING:
        used, data = codec.encode_bundle([noise], 'raw', sizes[name])
        assert used == name and len(data[0]) == sizes[name]


def test_picture_over_its_cap_steps_to_lower_quality(frame):
    cap = len(codec.encode(frame, 'jpeg23'))
    used, data = codec.encode_bundle([frame], 'jpeg90', cap)
    assert used == 'jpeg23' and len(data[0]) <= cap


@pytest.mark.parametrize('name', ['int4+zstd', 'packed8', 'levels8+zstd', 'jpeg5'])
def test_bundle_that_never_fits_is_refused(frame, name):
    levels = np.random.default_rng(0).integers(0, 16, frame.shape, np.uint8)
    array = levels.astype(np.float32) if name.startswith('int') else levels
    with pytest.raises(CodecError, match='exceeds 10 bytes even at the coarsest step from codec'):
        codec.encode_bundle([array], name, 10)


@given(name=st.sampled_from(ALL))
def test_coarser_codecs_end(name):
    seen = []
    step: str | None = name
    while step is not None:
        seen.append(step)
        step = codec.coarser(step)
    assert len(seen) == len(set(seen)) <= 8
