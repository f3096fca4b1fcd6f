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

"""The camera of the generated scene: a pinhole that looks along the road's tangent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR_M = 0.6  # what is nearer than this is cut away


@dataclass(frozen=True, slots=True)
class Camera:
    """
    A level pinhole camera above the road; x right, y up from the road, z ahead, in metres.

    :param horizon_px: image row of the horizon; it moves with the car's pitch.
    :param curvature: of the road ahead in 1/m, positive to the right.
    """

    width: int
    height: int
    focal_px: float
    horizon_px: float
    height_m: float
    curvature: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return the pixels [..., 2] of points [..., 3]; depth is clamped to NEAR_M."""
        scale = self.focal_px / np.maximum(points[..., 2], NEAR_M)
        pixels = np.empty((*scale.shape, 2))
        pixels[..., 0] = self.width / 2 + points[..., 0] * scale
        pixels[..., 1] = self.horizon_px + (self.height_m - points[..., 1]) * scale
        return pixels

    def lateral_m(self, road_x_m: float, z_m: float) -> float:
        """Return the camera's x of a point at ``road_x_m`` across the road, ``z_m`` ahead."""
        return road_x_m + self.curvature * z_m * z_m / 2

    def heading_rad(self, z_m: float) -> float:
        """Return the road's direction ``z_m`` ahead, relative to the camera's axis."""
        return float(np.arctan(self.curvature * z_m))
