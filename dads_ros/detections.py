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

"""Boxes found in one frame: what every part of the package passes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Detections:
    """
    Boxes found in one frame.

    ``boxes`` is float32 [n, 4] as x0, y0, x1, y1 in pixels, of the network's input as the decoder
    returns them and of the camera's image as a node publishes them; ``scores`` is float32 [n] in
    0 to 1; ``class_ids`` is int64 [n], an index into the detector's labels.
    """

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def at_least(self, score: float) -> Detections:
        """Return those that are as sure as that."""
        kept = self.scores >= score
        return Detections(self.boxes[kept], self.scores[kept], self.class_ids[kept])

    @staticmethod
    def empty() -> Detections:
        """Return no boxes."""
        return Detections(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
        )
