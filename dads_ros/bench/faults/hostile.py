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

"""How large the waist gets on frames that no coder likes: dark, rainy and noisy ones."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import WAIST_CODECS
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.codec import encode
from dads_ros.detector.data import spread
from dads_ros.model.surgery import head
import numpy as np

# Of all clips alike: enough for a largest frame under each condition.
MOST_FRAMES = 40
DROPS = 400
DROP_ROWS = 9


def largest_by_condition(trial: Trial, seed: int = 0) -> dict[str, dict[str, int]]:
    """Return the bytes of the largest frame, by condition and by waist codec or JPEG."""
    front = head(trial.model, (waist_layer(trial.model),))
    result = {}
    for name, frames in conditions(some_frames(trial), np.random.default_rng(seed)):
        codes = [front(frame)[0] for frame in frames]
        result[name] = {
            codec: max(len(encode(tensor, codec)) for tensor in codes) for codec in WAIST_CODECS
        }
        result[name]['jpeg75'] = max(len(encode(frame, 'jpeg75')) for frame in frames)
    return result


def some_frames(trial: Trial) -> list[np.ndarray]:
    """Return at most ``MOST_FRAMES`` of the trial's frames, evenly spread over all."""
    return [trial.frames[index] for index in spread(len(trial.frames), MOST_FRAMES)]


def conditions(
    frames: Sequence[np.ndarray], rng: np.random.Generator
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield the frames as they are and under each condition, all uint8 of the same shape."""
    yield 'as they are', list(frames)
    yield 'a tenth of the light, noise of 6', [_noisy(f * 0.1, 6, rng) for f in frames]
    yield 'streaks of rain', [_rainy(f, rng) for f in frames]
    yield 'noise of 25', [_noisy(f, 25, rng) for f in frames]
    yield 'noise alone', [rng.integers(0, 256, f.shape, dtype=np.uint8) for f in frames]


def _noisy(frame: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    return np.clip(frame + rng.normal(0, deviation, frame.shape), 0, 255).astype(np.uint8)


def _rainy(frame: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    wet = frame.copy()
    rows = rng.integers(0, wet.shape[1] - DROP_ROWS, DROPS)
    columns = rng.integers(0, wet.shape[2], DROPS)
    for row, column in zip(rows, columns, strict=True):
        wet[0, row : row + DROP_ROWS, column] = 200
    return wet
