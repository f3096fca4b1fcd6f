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
Rarely seen objects, cut out of the training frames and pasted into others [1].

A rider comes with what is ridden, and a patch has a border of its own background that fades into
the frame, so that neither half a thing nor a hard edge is what a class is known by.

[1] Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation Method, CVPR 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import concatenate
from dads_ros.detector.data import DRAWN
from dads_ros.detector.data import Sample
import numpy as np

# What is smaller in the network's input, or of which less is seen, is ignored.
SMALLEST_PX = 4.0
VISIBLE_SHARE = 0.35
LEAST_WIDTH_PX = 8
LEAST_HEIGHT_PX = 16
MOST_PASTED = 3
ENOUGH = 60
_BORDER = 0.15  # of an object's size, on each side
_TOGETHER = 0.2  # share of one that another covers, when they are cut out together
# Of a box, the share that lies in a patch: more is an object, less nothing, between it is ignored.
_WHOLE = 0.5
_TRACE = 0.05
_HIDDEN = 0.95  # of a box, the share that a patch hides and more than which leaves nothing


@dataclass(frozen=True)
class Patch:
    """
    An object with what belongs to it, cut out of a frame.

    ``image`` is RGB [height, width, 3], ``truth`` in its pixels, ``inner`` the x0, y0, x1, y1 that
    what is cut out fills; outside lies the border that fades. ``frame_size`` is the height and the
    width of the frame that it was cut out of.
    """

    image: np.ndarray
    truth: Boxes
    inner: np.ndarray
    frame_size: tuple[int, int]


def rare_patches(samples: Sequence[Sample]) -> dict[int, list[Patch]]:
    """
    Return the objects of all classes but the commonest, by class id.

    Those of drawn frames are taken where real ones, which come first, are fewer than ``ENOUGH``.
    """
    ids = np.concatenate([s.truth.class_ids for s in samples] or [np.empty(0, np.int64)])
    if not len(ids):
        return {}
    common = np.bincount(ids).argmax()
    patches: dict[int, list[Patch]] = {}
    for sample in samples:
        truth = sample.truth
        width, height = (truth.boxes[:, 2:] - truth.boxes[:, :2]).T
        large = (width >= LEAST_WIDTH_PX) & (height >= LEAST_HEIGHT_PX)
        rare = truth.class_ids != common
        for index in np.flatnonzero(rare & large & ~truth.ignore):
            cut_out = patches.setdefault(int(truth.class_ids[index]), [])
            if sample.clip == DRAWN and len(cut_out) >= ENOUGH:
                continue
            box = truth.boxes[index]
            near = (covered(truth.boxes, box) > _TOGETHER) & rare
            near[index] = True
            cut_out.append(_cut(sample.image, truth, near))
    return patches


def _cut(image: np.ndarray, truth: Boxes, chosen: np.ndarray) -> Patch:
    """Return what is chosen with a border around it, and the boxes of all that is seen there."""
    boxes = truth.boxes[chosen]
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    border = np.maximum((high - low) * _BORDER, 2)
    rows, columns = image.shape[:2]
    x0, y0 = np.maximum(np.floor(low - border), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high + border), (columns, rows)).astype(int)
    inner = np.concatenate((low, high))
    share = covered(truth.boxes, inner)
    seen = share > _TRACE
    cut_off = np.clip(truth.boxes[seen], np.tile(low, 2), np.tile(high, 2))
    shift = np.array([x0, y0, x0, y0], np.float32)
    ignore = truth.ignore[seen] | (share[seen] < _WHOLE)
    moved = Boxes(cut_off - shift, truth.class_ids[seen], ignore)
    return Patch(image[y0:y1, x0:x1].copy(), moved, inner - shift, (rows, columns))


def paste(
    image: np.ndarray,
    truth: Boxes,
    patches: Mapping[int, Sequence[Patch]],
    rng: np.random.Generator,
) -> tuple[np.ndarray, Boxes]:
    """
    Return a frame with some patches on it, and its boxes.

    What is hidden by a patch is left out, what is hidden for the most part is ignored.

    A class is chosen by the square root of how many of it there are: one with few would be lost
    among the others, and of one with many each looks another way.
    """
    height, width = image.shape[:2]
    image = image.copy()
    kinds = list(patches)
    weights = np.sqrt([len(patches[kind]) for kind in kinds])
    for _ in range(int(rng.integers(1, MOST_PASTED + 1))):
        choice = patches[kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]]
        patch = choice[int(rng.integers(len(choice)))]
        fit = min(np.divide((height, width), patch.frame_size))
        scale = fit * np.exp(rng.uniform(-0.4, 0.5))
        rows, columns = (max(4, round(n * scale)) for n in patch.image.shape[:2])
        if rows >= height * 0.8 or columns >= width * 0.8:
            continue
        x = int(rng.integers(0, width - columns))
        y = int(rng.integers(height // 4, max(height // 4 + 1, height - rows)))
        y = min(y, height - rows)
        small = cv2.resize(patch.image, (columns, rows), interpolation=cv2.INTER_AREA)
        share = np.array([columns, rows], np.float32) / patch.image.shape[1::-1]
        share = np.concatenate((share, share))
        boxes, inner = patch.truth.boxes * share, patch.inner * share
        opaque = _fading(inner, rows, columns)
        if rng.random() < 0.5:
            small, opaque = small[:, ::-1], opaque[:, ::-1]
            boxes[:, [0, 2]] = columns - boxes[:, [2, 0]]
            inner[[0, 2]] = columns - inner[[2, 0]]
        view = image[y : y + rows, x : x + columns]
        view[:] = np.round(view + opaque * (small.astype(np.float32) - view))
        shift = np.array([x, y, x, y], np.float32)
        hidden = covered(truth.boxes, inner + shift)
        kept, obscured = hidden < _HIDDEN, truth.ignore | (1 - hidden < VISIBLE_SHARE)
        seen = Boxes(truth.boxes[kept], truth.class_ids[kept], obscured[kept])
        tiny = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) < SMALLEST_PX
        pasted = Boxes(boxes + shift, patch.truth.class_ids, patch.truth.ignore | tiny)
        truth = concatenate((seen, pasted))
    return image, truth


def _fading(inner: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return a patch's opacity [rows, columns, 1]: one within the inner box, none at the rim."""
    x0, y0, x1, y1 = inner
    across = _ramp(np.arange(columns) + 0.5, x0, x1, columns)
    down = _ramp(np.arange(rows) + 0.5, y0, y1, rows)
    return np.minimum(down[:, None], across[None])[..., None].astype(np.float32)


def _ramp(at: np.ndarray, low: float, high: float, end: int) -> np.ndarray:
    """Return 1 from low to high, falling towards 0 and end."""
    rising = at / max(low, 1e-3)
    falling = (end - at) / max(end - high, 1e-3)
    return np.clip(np.minimum(rising, falling), 0.0, 1.0)


def covered(boxes: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Return the share of each box that another one hides."""
    low = np.maximum(boxes[:, :2], cover[:2])
    high = np.minimum(boxes[:, 2:], cover[2:])
    inter = np.clip(high - low, 0, None).prod(axis=1)
    return inter / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
