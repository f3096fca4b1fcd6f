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

"""A hard cap on a bundle's bytes: step to coarser codecs rather than stall the link."""

from __future__ import annotations

from collections.abc import Sequence

from dads_ros.codec.referring import REF_SUFFIX
from dads_ros.codec.registry import can_refer
from dads_ros.codec.registry import coarser
from dads_ros.codec.registry import encode
from dads_ros.codec.registry import encode_against
from dads_ros.errors import CodecError
import numpy as np


def encode_bundle(
    arrays: Sequence[np.ndarray],
    name: str,
    cap_bytes: int,
    references: Sequence[np.ndarray] = (),
) -> tuple[str, list[memoryview]]:
    """
    Return all tensors of a bundle as bytes, no more than the cap together.

    :param name: the codec to try first; coarser ones follow while the cap is exceeded.
    :param references: what the tensors are coded against where the codec can refer, one for each;
        the codec has the suffix ``+ref`` then.
    :return: the codec that was used, and the bytes of each tensor.
    Raises CodecError when even the coarsest codec exceeds the cap, or one takes no such tensor.
    """
    used: str | None = name
    while used is not None:
        is_referring = bool(references) and can_refer(used)
        data = (
            [encode_against(a, used, r) for a, r in zip(arrays, references, strict=True)]
            if is_referring
            else [encode(array, used) for array in arrays]
        )
        if sum(len(part) for part in data) <= cap_bytes:
            return used + REF_SUFFIX if is_referring else used, data
        used = coarser(used)
    raise CodecError(
        f'bundle exceeds {cap_bytes} bytes even at the coarsest step from codec {name!r}; '
        'raise the cap or choose a later cut'
    )
