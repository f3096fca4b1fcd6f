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

"""Annotated frames: COCO files as ``shared/driving`` has them, decoded once and kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import hashlib
from pathlib import Path

import cv2
from dads_ros.detector.coco import Annotation
from dads_ros.detector.coco import Image
from dads_ros.detector.coco import read_coco
from dads_ros.detector.true_classes import with_true_classes
from dads_ros.errors import MediaError
from dads_ros.image import fit
from dads_ros.image import letterbox_scale
import numpy as np
from tqdm import tqdm

POSITIVE_SCORE = 0.40
DRAWN = 'scene'  # the clip of a frame that is drawn


@dataclass(frozen=True)
class Boxes:
    """
    What is known about one frame.

    ``boxes`` is float32 [n, 4] as x0, y0, x1, y1 in the frame's pixels, ``class_ids`` int64 [n],
    ``ignore`` bool [n]: a region in which a detection is neither right nor wrong.
    """

    boxes: np.ndarray
    class_ids: np.ndarray
    ignore: np.ndarray

    def __len__(self) -> int:
        return len(self.ignore)


@dataclass(frozen=True)
class Sample:
    """An RGB frame [height, width, 3] with its boxes and the clip that it is of."""

    image: np.ndarray
    truth: Boxes
    clip: str


def load_coco(
    path: Path,
    labels: Sequence[str],
    clips: Sequence[str] = (),
    *,
    folder: Path | None = None,
    count: int | None = None,
    size: tuple[int, int] | None = None,
    true: Sequence[Image] = (),
) -> list[Sample]:
    """
    Return the frames of a COCO file, clip by clip, in the order in which they were taken.

    A box's ``score`` below 0.40 or ``iscrowd`` makes it ignored.

    :param path: the file; frames are named relative to its folder.
    :param labels: class ids are indices into these, which are matched without regard to case;
        boxes of other categories are left out.
    :param clips: only frames of these clips, all when empty.
    :param folder: where a frame is looked for that is not beside the file.
    :param count: how many frames, evenly spread over all; the others are not decoded.
    :param size: height and width that a larger frame is shrunk to fit into as it is read, its
        boxes with it.
    :param true: images whose true boxes tell what a vehicle is, where they are of these frames.
    Raises MediaError when the file or a frame cannot be read.
    """
    images = [image for image in read_coco(path) if not clips or image.clip in clips]
    images = with_true_classes(images, true)
    if count is not None:
        images = [images[index] for index in spread(len(images), count)]
    ids = {label.casefold(): index for index, label in reversed([*enumerate(labels)])}
    samples = []
    for image in tqdm(images, desc=path.name, unit='frame', disable=len(images) < 50):
        beside = path.parent / image.file_name
        elsewhere = beside if folder is None or beside.exists() else folder / image.file_name
        pixels, scale = _shrunk(_read(elsewhere if elsewhere.exists() else beside), size)
        samples.append(Sample(pixels, _boxes(image.annotations, ids, scale), image.clip))
    return samples


def fingerprint(samples: Sequence[Sample]) -> str:
    """Return what two lists of samples have in common only when they are the same."""
    told = hashlib.sha256()
    for sample in samples:
        truth = sample.truth
        for part in (sample.image, truth.boxes, truth.class_ids, truth.ignore):
            told.update(f'{part.shape}'.encode())
            told.update(part.tobytes())
    return told.hexdigest()


def concatenate(parts: Sequence[Boxes]) -> Boxes:
    """Return the boxes of several lists as one."""
    return Boxes(
        np.concatenate([p.boxes for p in parts]),
        np.concatenate([p.class_ids for p in parts]),
        np.concatenate([p.ignore for p in parts]),
    )


def spread(length: int, count: int) -> list[int]:
    """Return ``count`` indices evenly spread over a sequence, both its ends among them."""
    kept = np.linspace(0, length - 1, min(count, length)).round().astype(int)
    return np.unique(kept).tolist()


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise MediaError(f'frame {str(path)!r} is missing or no image')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _shrunk(image: np.ndarray, size: tuple[int, int] | None) -> tuple[np.ndarray, float]:
    """Return the image, made to fit where it is larger, and its pixels per pixel before."""
    if size is None:
        return image, 1.0
    rows, columns = image.shape[:2]
    scale = letterbox_scale(columns, rows, size[1], size[0])
    return (fit(image, *size), scale) if scale < 1 else (image, 1.0)


def _boxes(annotations: Sequence[Annotation], ids: dict[str, int], scale: float) -> Boxes:
    kept = [a for a in annotations if a.category.casefold() in ids]
    boxes = np.array([a.bbox for a in kept], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    class_ids = np.array([ids[a.category.casefold()] for a in kept], np.int64)
    ignore = [a.score < POSITIVE_SCORE or a.is_crowd for a in kept]
    return Boxes(boxes * np.float32(scale), class_ids, np.array(ignore, bool))
