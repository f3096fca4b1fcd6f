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

"""
Codecs for any tensor: raw, and floats rounded to 16, 8 or 4 bits, with zstd behind.

Rounding codecs keep integers and booleans lossless, so that one name serves a whole bundle.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dads_ros.codec import zstd
from dads_ros.codec.nibbles import join_nibbles
from dads_ros.codec.nibbles import split_nibbles
from dads_ros.errors import CodecError
import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Integers saturate here, so that a range never overflows float32 ...
LARGEST = 1e38
# ... and a channel whose range is smaller than this is taken to be constant.
SMALLEST_STEP = 1e-36


class Raw:
    """The tensor's memory in C order, little endian."""

    def supports(self, shape: tuple[int, ...], dtype: str) -> bool:  # noqa: ARG002
        """Take every tensor."""
        return True

    def lossless(self, dtype: str) -> bool:  # noqa: ARG002
        """Keep every bit."""
        return True

    def encode(self, array: np.ndarray) -> Buffer:
        """Return the array's own memory where it is contiguous, a copy otherwise."""
        return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data

    def decode(self, data: memoryview, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return a view of the data."""
        expected = math.prod(shape) * dtype.itemsize
        if len(data) != expected:
            raise CodecError(
                f'tensor has {len(data)} bytes where {dtype} {shape} needs {expected}'
            )
        return np.frombuffer(data, dtype).reshape(shape)


class Zstd:
    """The tensor's memory, compressed."""

    def supports(self, shape: tuple[int, ...], dtype: str) -> bool:  # noqa: ARG002
        """Take every tensor."""
        return True

    def lossless(self, dtype: str) -> bool:  # noqa: ARG002
        """Keep every bit."""
        return True

    def encode(self, array: np.ndarray) -> Buffer:
        """Compress the memory in C order."""
        return zstd.compress(Raw().encode(array))

    def decode(self, data: memoryview, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Decompress into fresh memory."""
        content = zstd.decompress(data, math.prod(shape) * dtype.itemsize)
        return np.frombuffer(content, dtype).reshape(shape)


class Float16(Zstd):
    """
    Floats as float16; finite values beyond its range saturate, NaN and infinities are kept.

    The error is at most 2**-11 of the value, or 2**-25 for values under 2**-14.
    """

    def lossless(self, dtype: str) -> bool:
        """Keep float16 and everything that is not a float."""
        return dtype not in ('float32', 'float64')

    def encode(self, array: np.ndarray) -> Buffer:
        """Round, then compress."""
        if self.lossless(array.dtype.name):
            return super().encode(array)
        with np.errstate(over='ignore', under='ignore'):
            half = array.astype(np.float16, order='C')
        infinite = np.isinf(half)
        if infinite.any():
            overflow = infinite & np.isfinite(array)
            half[overflow] = np.copysign(np.float16(65504), array[overflow])
        return super().encode(half)

    def decode(self, data: memoryview, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Decompress and widen."""
        if self.lossless(dtype.name):
            return super().decode(data, shape, dtype)
        return super().decode(data, shape, np.dtype(np.float16)).astype(dtype)


class Integer(Zstd):
    """
    Floats as integers of 8 or 4 bits with a range per channel (axis 1), carried in the data.

    The range is the tensor's own, so nothing is clipped and no calibration can be wrong. The error
    is at most half a step, (max - min) / (2**bits - 1) / 2 of the channel, and rounding. NaN
    becomes 0, and everything is first saturated at ±1e38.
    """

    def __init__(self, bits: int) -> None:
        self._top = 2**bits - 1
        self._bits = bits

    def lossless(self, dtype: str) -> bool:
        """Keep everything that is not a float."""
        return not dtype.startswith('float')

    def encode(self, array: np.ndarray) -> Buffer:
        """Quantise per channel, then compress ranges and values together."""
        if self.lossless(array.dtype.name):
            return super().encode(array)
        values = _by_channel(array).astype(np.float32, copy=False)
        header = np.zeros((2, values.shape[1]), '<f4')
        if values.size:
            values, header[0], header[1] = _ranges(values, self._top)
        low, step = header[:, None, :, None]
        inverse = np.divide(1, step, out=np.zeros_like(step), where=step > 0)
        scaled = np.subtract(values, low, order='C')
        scaled *= inverse
        np.rint(scaled, out=scaled)
        codes = np.minimum(scaled, self._top).astype(np.uint8).reshape(-1)
        if self._bits == 4:
            codes = join_nibbles(codes)
        return zstd.compress(header.tobytes() + codes.tobytes())

    def decode(self, data: memoryview, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Decompress and scale back."""
        if self.lossless(dtype.name):
            return super().decode(data, shape, dtype)
        count = math.prod(shape)
        groups = _channel_shape(shape)
        header_bytes = 2 * 4 * groups[1]
        body_bytes = count if self._bits == 8 else (count + 1) // 2
        content = zstd.decompress(data, header_bytes + body_bytes)
        header = np.frombuffer(content, '<f4', 2 * groups[1]).reshape(2, 1, groups[1], 1)
        codes = np.frombuffer(content, np.uint8, offset=header_bytes)
        if self._bits == 4:
            codes = split_nibbles(codes)[:count]
        if not (np.isfinite(header).all() and (np.abs(header) <= 2 * LARGEST).all()):
            raise CodecError('quantised tensor has a range that is not finite')
        values = codes.reshape(groups).astype(np.float32)
        values *= header[1]
        values += header[0]
        return values.reshape(shape).astype(dtype, copy=False)


def _channel_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (batch, channels, elements per channel); one channel below three dimensions."""
    if len(shape) < 3:
        return 1, 1, math.prod(shape)
    return shape[0], shape[1], math.prod(shape[2:])


def _by_channel(array: np.ndarray) -> np.ndarray:
    return array.reshape(_channel_shape(array.shape))


def _ranges(values: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the values made finite, each channel's minimum, and its step."""
    low, high = values.min(axis=(0, 2)), values.max(axis=(0, 2))
    if not (np.abs(low) <= LARGEST).all() or not (np.abs(high) <= LARGEST).all():
        values = np.clip(np.nan_to_num(values, nan=0.0), -LARGEST, LARGEST)
        low, high = values.min(axis=(0, 2)), values.max(axis=(0, 2))
    step = (high - low) / np.float32(top)
    step[step < SMALLEST_STEP] = 0
    return values, low, step
