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
Packed tensors against an earlier one that the receiver has: what did not change costs little.

What is coded is the change from the reference, as the tensor itself is without one, and no value
comes back further off than half a step, so nothing drifts. A checksum of the reference's values
goes before, by which the receiver finds it among those that it has: prediction from any other
tensor would give wrong values, not an error.
"""

from __future__ import annotations

from collections.abc import Callable
import struct
from typing import TYPE_CHECKING
import zlib

from dads_ros.codec.packed import Packed
from dads_ros.errors import CodecError
import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Buffer

REF_SUFFIX = '+ref'
"""Behind the name of the packed codec that is used."""

Recall = Callable[[int], 'np.ndarray | None']
"""Gives the tensor of a checksum; None when it is not there."""

_HEADER = struct.Struct('<I')


def checksum(values: np.ndarray) -> int:
    """Return what a tensor is known by among the few that are remembered."""
    return zlib.crc32(values.tobytes())


class Referring:
    """Code uint8 values below 16 as ``packed`` does, but against a reference."""

    def __init__(self, packed: Packed) -> None:
        self._packed = packed

    def supports(self, shape: tuple[int, ...], dtype: str) -> bool:
        """Take what the codec without a reference takes."""
        return self._packed.supports(shape, dtype)

    def lossless(self, dtype: str) -> bool:
        """Keep what the codec without a reference keeps."""
        return self._packed.lossless(dtype)

    def encode(self, array: np.ndarray, reference: np.ndarray | None = None) -> Buffer:
        """
        Return the reference's checksum and the tensor.

        Raises CodecError for values above 15, or without a reference of the tensor's shape.
        """
        if reference is None or reference.shape != array.shape:
            raise CodecError('a tensor is coded against one of its own shape')
        return _HEADER.pack(checksum(reference)) + bytes(self._packed.encode(array, reference))

    def decode(
        self,
        data: memoryview,
        shape: tuple[int, ...],
        dtype: np.dtype,
        recall: Recall | None = None,
    ) -> np.ndarray:
        """
        Decode against the reference that the data names.

        Raises CodecError when it is not there, or the data is damaged.
        """
        if len(data) < _HEADER.size:
            raise CodecError('referring tensor has a damaged header')
        reference = recall(*_HEADER.unpack(data[: _HEADER.size])) if recall else None
        if reference is None or reference.shape != shape:
            raise CodecError('the reference is not there')
        return self._packed.decode(data[_HEADER.size :], shape, dtype, reference)
