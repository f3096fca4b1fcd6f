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

"""Detections of a detector that finds bright squares: cells of 8 x 8 pixels."""

from collections.abc import Callable

from dads_ros.detections import Detections
import numpy as np


def cells_above(light: float) -> Callable[[tuple[np.ndarray, ...]], Detections]:
    """Return what decodes outputs [1, 1, rows, columns]: a box for each cell above a light."""

    def decode(outputs: tuple[np.ndarray, ...]) -> Detections:
        rows, columns = np.nonzero(outputs[0][0, 0] > light)
        boxes = np.stack([columns * 8, rows * 8, columns * 8 + 8, rows * 8 + 8], axis=1)
        scores = outputs[0][0, 0, rows, columns]
        return Detections(boxes.astype(np.float32), scores, np.zeros(len(rows), np.int64))

    return decode
