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

"""From a codec's name to the codec, and the checks that all codecs share."""

from __future__ import annotations

from functools import lru_cache
import math
import re
from typing import Protocol
from typing import TYPE_CHECKING

from dads_ros.codec.image import ImageCodec
from dads_ros.codec.levels import Levels
from dads_ros.codec.numeric import Float16
from dads_ros.codec.numeric import Integer
from dads_ros.codec.numeric import Raw
from dads_ros.codec.numeric import Zstd
from dads_ros.codec.packed import Packed
from dads_ros.codec.referring import Recall
from dads_ros.codec.referring import REF_SUFFIX
from dads_ros.codec.referring import Referring
from dads_ros.errors import CodecError
import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Buffer

DTYPES = frozenset(
    np.dtype(t).name
    for t in ('?', 'u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f2', 'f4', 'f8')
)

# Each codec's next coarser one, for bundles over their cap.
_COARSER = {
    'raw': 'raw+zstd',
    'raw+zstd': 'float16+zstd',
    'float16+zstd': 'int8+zstd',
    'int8+zstd': 'int4+zstd',
    'levels+zstd': 'levels2+zstd',
    'levels2+zstd': 'levels4+zstd',
    'levels4+zstd': 'levels6+zstd',
    'levels6+zstd': 'levels8+zstd',
    'packed': 'packed2',
    'packed2': 'packed4',
    'packed4': 'packed6',
    'packed6': 'packed8',
}
_IMAGE = re.compile(r'(jpeg|webp)([1-9][0-9]?|100)')


class Codec(Protocol):
    """One way to write a tensor."""

    def supports(self, shape: tuple[int, ...], dtype: str) -> bool:
        """Return whether tensors of this shape and type can be encoded."""

    def lossless(self, dtype: str) -> bool:
        """Return whether decoding gives back every bit."""

    def encode(self, array: np.ndarray) -> Buffer:
        """Return the bytes; they may share memory with the array."""

    def decode(self, data: memoryview, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the tensor; it may share memory with the data, and be read-only."""


def encode(array: np.ndarray, name: str) -> memoryview:
    """
    Return a tensor as bytes.

    The bytes may share memory with the array, so send them before it changes. Raises CodecError
    when the codec is unknown or does not take this tensor.
    """
    if not supported(name, array.shape, array.dtype.name):
        raise CodecError(f'codec {name!r} does not take a tensor {array.dtype.name} {array.shape}')
    return memoryview(_find(name).encode(array)).cast('B')


def encode_against(array: np.ndarray, name: str, reference: np.ndarray) -> memoryview:
    """
    Return a tensor as bytes that only who has the reference can decode.

    :param name: of a codec that can refer; the data's codec is this with the suffix ``+ref``.
    :param reference: an earlier tensor of the same shape, as it was received.
    Raises CodecError when the codec cannot, or does not take this tensor or this reference.
    """
    found = _find(name + REF_SUFFIX)
    if not isinstance(found, Referring):
        raise CodecError(f'codec {name!r} cannot refer to an earlier tensor')
    return memoryview(found.encode(array, reference)).cast('B')


def can_refer(name: str) -> bool:
    """Return whether tensors in a codec can be coded against an earlier one, or are already."""
    return isinstance(_find(name), Packed | Referring)


def received(array: np.ndarray, name: str, reference: np.ndarray | None = None) -> np.ndarray:
    """
    Return what decoding a tensor gives in a codec that can refer; maybe the array itself.

    :param reference: what it is coded against, if anything.
    Raises CodecError for other codecs.
    """
    found = _find(name)
    if not isinstance(found, Packed):
        raise CodecError(f'codec {name!r} cannot refer to an earlier tensor')
    return found.received(array, reference)


def decode(
    data: Buffer,
    name: str,
    shape: tuple[int, ...],
    dtype: str,
    recall: Recall | None = None,
) -> np.ndarray:
    """
    Return the tensor that was encoded.

    :param recall: gives the tensor that a codec with the suffix ``+ref`` refers to, by its
        checksum.

    It may share memory with the data and be read-only. No more memory is taken than a few times
    what shape and type say, whatever the data claims. Raises CodecError on anything malformed.
    """
    if dtype not in DTYPES or any(size < 0 for size in shape):
        raise CodecError(f'no tensor has type {dtype!r} and shape {shape}')
    if not supported(name, shape, dtype):
        raise CodecError(f'codec {name!r} does not take a tensor {dtype} {shape}')
    found, view = _find(name), memoryview(data).cast('B')
    if isinstance(found, Referring):
        return found.decode(view, shape, np.dtype(dtype), recall)
    return found.decode(view, shape, np.dtype(dtype))


def supported(name: str, shape: tuple[int, ...], dtype: str) -> bool:
    """
    Return whether a codec takes tensors of a shape and type.

    Raises CodecError when there is no codec of that name.
    """
    return dtype in DTYPES and _find(name).supports(shape, dtype)


def warm_up() -> None:
    """Do what else the first tensor would wait for: tables of a tenth of a second, and imports."""
    for name, shape in (
        ('packed', (1, 2, 8, 8)),
        ('jpeg50', (1, 8, 8, 3)),
        ('webp50', (1, 8, 8, 3)),
    ):
        decode(encode(np.zeros(shape, np.uint8), name), name, shape, 'uint8')


def lossless(name: str, dtype: str) -> bool:
    """
    Return whether a codec keeps every bit of tensors of a type.

    Raises CodecError when there is no codec of that name.
    """
    return _find(name).lossless(dtype)


def plainest(name: str, dtype: str) -> str:
    """Return the codec that a name comes down to: rounding codecs leave integers to raw+zstd."""
    return 'raw+zstd' if isinstance(_find(name), Zstd) and lossless(name, dtype) else name


def coarser(name: str) -> str | None:
    """Return the codec that gives fewer bytes for the same tensor, or None at the coarsest."""
    image = _IMAGE.fullmatch(name)
    if image:
        quality = int(image[2])
        return f'{image[1]}{math.ceil(quality / 2)}' if quality > 5 else None
    return _COARSER.get(name)


@lru_cache(maxsize=128)
def _find(name: str) -> Codec:
    image = _IMAGE.fullmatch(name)
    if image:
        return ImageCodec(image[1], int(image[2]))
    match name:
        case 'raw':
            return Raw()
        case 'raw+zstd':
            return Zstd()
        case 'float16+zstd':
            return Float16()
        case 'int8+zstd':
            return Integer(bits=8)
        case 'int4+zstd':
            return Integer(bits=4)
        case 'levels+zstd':
            return Levels(step=1)
        case 'levels2+zstd' | 'levels4+zstd' | 'levels6+zstd' | 'levels8+zstd':
            return Levels(step=int(name[6]))
        case 'packed':
            return Packed(step=1)
        case 'packed2' | 'packed4' | 'packed6' | 'packed8':
            return Packed(step=int(name[-1]))
        case 'packed+ref' | 'packed2+ref' | 'packed4+ref' | 'packed6+ref' | 'packed8+ref':
            return Referring(Packed(step=int(name.removesuffix(REF_SUFFIX)[6:] or 1)))
    raise CodecError(
        f'unknown codec {name!r}; use raw, raw+zstd, float16+zstd, int8+zstd, int4+zstd, '
        'packed, packed2, packed4, packed6, packed8, levels+zstd, levels2+zstd, levels4+zstd, '
        'levels6+zstd, levels8+zstd, jpegQQ or webpQQ (QQ from 1 to 100)'
    )
