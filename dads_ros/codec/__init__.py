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
Codecs: one tensor to bytes and back. NumPy in, NumPy out, no torch, no pickle.

A codec has a short name. All that decoding needs is the bytes, the name, and the shape and type of
the tensor, which the receiver knows from its own model:

- ``raw``, ``raw+zstd``: lossless, any type;
- ``float16+zstd``, ``int8+zstd``, ``int4+zstd``: floats rounded, integers kept lossless;
- ``packed``: lossless for uint8 of at most 16 levels; ``packed2``, ``packed4``, ``packed6`` and
  ``packed8`` rounded to every second ... eighth level from the middle;
- ``levels+zstd``, ``levels2+zstd`` ...: the same, faster and larger;
- ``packed+ref`` ... ``packed8+ref``: the same, against an earlier tensor that the receiver has;
- ``jpegQQ``, ``webpQQ``: the uint8 input frame [1, height, width, 3] at a quality of 1 to 100.

One name serves all tensors of a bundle.
"""

from dads_ros.codec.bundle import encode_bundle
from dads_ros.codec.referring import checksum
from dads_ros.codec.referring import Recall
from dads_ros.codec.referring import REF_SUFFIX
from dads_ros.codec.registry import can_refer
from dads_ros.codec.registry import coarser
from dads_ros.codec.registry import decode
from dads_ros.codec.registry import encode
from dads_ros.codec.registry import encode_against
from dads_ros.codec.registry import lossless
from dads_ros.codec.registry import plainest
from dads_ros.codec.registry import received
from dads_ros.codec.registry import supported
from dads_ros.codec.registry import warm_up

__all__ = [
    'REF_SUFFIX', 'Recall', 'can_refer', 'checksum', 'coarser', 'decode', 'encode',
    'encode_against', 'encode_bundle', 'lossless', 'plainest', 'received', 'supported',
    'warm_up',
]  # fmt: skip
