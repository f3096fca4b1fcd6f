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

"""Two values below 16 in one byte."""

import numpy as np


def join_nibbles(values: np.ndarray) -> np.ndarray:
    """Return uint8 values below 16 two to a byte, with a zero behind an odd number."""
    if len(values) % 2:
        values = np.append(values, np.uint8(0))
    return values[::2] << 4 | values[1::2]


def split_nibbles(pairs: np.ndarray) -> np.ndarray:
    """Return two uint8 values for each byte."""
    return np.stack([pairs >> 4, pairs & 15], axis=1).reshape(-1)
