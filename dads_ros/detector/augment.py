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
Training batches: frames seen at random scale and place, in mosaics, light and noise.

All of a batch is drawn from the generator it is given, so that a seed fixes a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import concatenate
from dads_ros.detector.data import Sample
from dads_ros.detector.paste import paste
from dads_ros.detector.paste import rare_patches
from dads_ros.detector.paste import SMALLEST_PX
from dads_ros.detector.paste import VISIBLE_SHARE
from dads_ros.detector.recompress import recompress
import numpy as np

FILL = 114
OFTEN = 0.5  # share of frames from which on a class is no rare one
MOST_REPEATS = 4.0
NIGHT = 0.4
NIGHT_SHARE = 0.1
NOISE_SHARE = 0.25


@dataclass(frozen=True)
class Recipe:
    """
    How frames are varied.

    :param mosaic: share of frames made of four.
    :param paste: share of frames into which rarely seen objects are pasted.
    :param jpeg: share of frames that go through JPEG, WebP or H.264 of random quality, since
        both networks are compared with uploading such.
    """

    mosaic: float = 0.6
    paste: float = 0.4
    jpeg: float = 0.0


class Augmenter:
    """Draws training frames of one size from samples of any size."""

    def __init__(
        self,
        samples: Sequence[Sample],
        height: int,
        width: int,
        recipe: Recipe,
    ) -> None:
        self.samples = samples
        self.size = (height, width)
        self.recipe = recipe
        self.rng = np.random.default_rng()
        self.patches = rare_patches(samples)
        repeats = repeat_factors(samples)
        self.chances = repeats / repeats.sum()

    def batch(
        self, indices: Sequence[int], rng: np.random.Generator
    ) -> tuple[np.ndarray, list[Boxes]]:
        """Return uint8 frames [n, height, width, 3] and their boxes, from the samples named."""
        self.rng = rng
        drawn = [self._frame(int(index)) for index in indices]
        return np.stack([image for image, _ in drawn]), [truth for _, truth in drawn]

    def _frame(self, index: int) -> tuple[np.ndarray, Boxes]:
        height, width = self.size
        if self.rng.random() < self.recipe.mosaic:
            image, truth = self._mosaic(index)
        else:
            image, truth = self._view(self.samples[index], height, width, (0.75, 1.8))
        if self.patches and self.rng.random() < self.recipe.paste:
            image, truth = paste(image, truth, self.patches, self.rng)
        image = self._light(image)
        if self.rng.random() < self.recipe.jpeg:
            image = recompress(image, self.rng)
        return image, truth

    def _mosaic(self, index: int) -> tuple[np.ndarray, Boxes]:
        height, width = self.size
        x = int(width * self.rng.uniform(0.3, 0.7))
        y = int(height * self.rng.uniform(0.3, 0.7))
        image = np.empty((height, width, 3), np.uint8)
        parts = []
        others = self.rng.choice(len(self.samples), 3, p=self.chances)
        corners = ((0, y, 0, x), (0, y, x, width), (y, height, 0, x), (y, height, x, width))
        for sample, (y0, y1, x0, x1) in zip((index, *others), corners, strict=True):
            tile, truth = self._view(self.samples[sample], y1 - y0, x1 - x0, (0.5, 1.5))
            image[y0:y1, x0:x1] = tile
            shift = np.array([x0, y0, x0, y0], np.float32)
            parts.append(Boxes(truth.boxes + shift, truth.class_ids, truth.ignore))
        return image, concatenate(parts)

    def _view(
        self, sample: Sample, height: int, width: int, zoom: tuple[float, float]
    ) -> tuple[np.ndarray, Boxes]:
        """
        Return a random window on a frame; zoom 1 is as large as the network sees it in use.

        It is shrunk as it is in use, too: another way would leave other traces of small things.
        """
        rows, columns = sample.image.shape[:2]
        fit = min(self.size[0] / rows, self.size[1] / columns)
        scale = fit * np.exp(self.rng.uniform(*np.log(zoom)))
        stretch = np.exp(self.rng.uniform(-0.1, 0.1))
        across, down = scale * stretch, scale / stretch
        size = max(1, round(columns * across)), max(1, round(rows * down))
        left = _place(self.rng, size[0], width)
        top = _place(self.rng, size[1], height)
        smaller = size[0] < columns and size[1] < rows
        way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        seen = cv2.resize(sample.image, size, interpolation=way)
        image = np.full((height, width, 3), FILL, np.uint8)
        x0, y0 = max(left, 0), max(top, 0)
        part = seen[y0 - top : height - top, x0 - left : width - left]
        image[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] = part
        move = np.array([[size[0] / columns, 0, left], [0, size[1] / rows, top]], np.float32)
        if self.rng.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            move[0] = [-move[0, 0], 0, width - left]
        return image, _moved(sample.truth, move, height, width)

    def _light(self, image: np.ndarray) -> np.ndarray:
        draw = self.rng.uniform
        gain = np.exp(draw(-0.5, 0.35)) * (NIGHT if draw() < NIGHT_SHARE else 1.0)
        keep = draw(0.3, 1.5)
        mix = keep * np.eye(3) + (1 - keep) * np.full((3, 3), 1 / 3)
        mix *= gain * np.exp(draw(-0.12, 0.12, 3))[:, None]
        image = cv2.transform(image, np.column_stack((mix, np.full(3, draw(-12, 12)))))
        if draw() < NOISE_SHARE:
            noise = self.rng.standard_normal(image.shape, np.float32) * np.float32(draw(1, 10))
            image = np.clip(image + noise, 0, 255).astype(np.uint8)
        return image


def repeat_factors(samples: Sequence[Sample]) -> np.ndarray:
    """
    Return how many times as often as others each frame should be seen, for its rarest class [1].

    [1] Gupta et al., LVIS, CVPR 2019, section 5.2.
    """
    present = [np.unique(s.truth.class_ids[~s.truth.ignore]) for s in samples]
    share = np.bincount(np.concatenate(present), minlength=1) / len(samples)
    factors = np.sqrt(OFTEN / np.maximum(share, 1 / len(samples))).clip(1, MOST_REPEATS)
    return np.array([factors[kinds].max(initial=1.0) for kinds in present])


def _place(rng: np.random.Generator, extent: int, window: int) -> int:
    """Return where something starts so that it fills the window or lies wholly within it."""
    slack = window - extent
    return int(rng.integers(min(slack, 0), max(slack, 0) + 1))


def _moved(truth: Boxes, move: np.ndarray, height: int, width: int) -> Boxes:
    """Return the boxes after an axis-aligned affine map; what is barely visible is ignored."""
    corners = truth.boxes.reshape(-1, 2, 2) * np.diag(move[:, :2]) + move[:, 2]
    low, high = corners.min(axis=1), corners.max(axis=1)
    limit = np.array([width, height], np.float32)
    low_in, high_in = np.clip(low, 0, limit), np.clip(high, 0, limit)
    whole = (high - low).prod(axis=1)
    left = (high_in - low_in).prod(axis=1)
    share = left / np.maximum(whole, 1e-6)
    small = (high_in - low_in).min(axis=1) < SMALLEST_PX
    seen = share > 0.02
    ignore = truth.ignore | (share < VISIBLE_SHARE) | small
    boxes = np.concatenate((low_in, high_in), axis=1).astype(np.float32)
    return Boxes(boxes[seen], truth.class_ids[seen], ignore[seen])
