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

"""Sun, sky, haze and the camera's exposure of a generated scene."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np


@dataclass(frozen=True, slots=True)
class Light:
    """How a scene is lit; colours are RGB in 0 to 255."""

    sun: np.ndarray  # unit vector towards the sun
    direct: float
    ambient: float
    sky: np.ndarray
    haze: np.ndarray
    haze_m: float  # distance at which haze hides about two thirds

    def fade(self, z_m: float) -> float:
        """Return the share of haze in the colour of something ``z_m`` away."""
        return float(1 - np.exp(-max(z_m, 0.0) / self.haze_m))


def random_light(rng: np.random.Generator) -> Light:
    """Return a random time of day and weather."""
    clear = float(rng.uniform(0.2, 1.0))
    azimuth, height = float(rng.uniform(0, math.tau)), float(rng.uniform(0.5, 1.1))
    sun = np.array([
        math.cos(height) * math.sin(azimuth),
        math.sin(height),
        math.cos(height) * math.cos(azimuth),
    ])  # fmt: skip
    grey, blue = np.array([196.0, 202.0, 208.0]), np.array([112.0, 158.0, 212.0])
    sky = grey + (blue - grey) * clear
    haze = np.array([206.0, 211.0, 214.0]) * float(rng.uniform(0.9, 1.05))
    return Light(
        sun,
        direct=0.75 * clear,
        ambient=0.86 - 0.32 * clear,
        sky=sky,
        haze=np.clip(haze, 0, 235),
        haze_m=float(rng.uniform(350, 1200)),
    )


def tone_tables(rng: np.random.Generator) -> list[np.ndarray]:
    """Return look-up tables [256, 1, 3] for one slow swing of the camera's exposure."""
    gain, gamma = float(rng.uniform(0.82, 1.12)), float(rng.uniform(0.88, 1.18))
    contrast = float(rng.uniform(0.2, 0.7))
    balance = 1 + rng.uniform(-0.05, 0.05, 3)
    level = np.arange(256)[:, None] / 255
    tables = []
    for step in range(80):
        swing = 1 + 0.04 * math.sin(math.tau * step / 80)
        tone = np.clip(level**gamma * gain * balance * swing, 0, 1)
        tone = tone + contrast * (tone * tone * (3 - 2 * tone) - tone)
        tables.append(np.clip(tone * 255, 0, 255).astype(np.uint8)[:, None])
    return tables
