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
import json
from pathlib import Path

import cv2
from dads_ros.errors import MediaError
import numpy as np
from tqdm import tqdm

POSITIVE_SCORE = 0.40


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


def load_coco(path: Path, labels: Sequence[str], clips: Sequence[str] = ()) -> list[Sample]:
    """
    Return the frames of a COCO file; a box's ``score`` below 0.40 or ``iscrowd`` makes it ignored.

    :param path: the file; frames are named relative to its folder.
    :param labels: class ids are indices into these; boxes of other categories are left out.
    :param clips: only frames of these clips, all when empty.
    Raises MediaError when the file or a frame cannot be read.
    """
    try:
        table = json.loads(path.read_text())
        names = {category['id']: category['name'] for category in table['categories']}
        images = [i for i in table['images'] if not clips or _clip(i) in clips]
        boxes: dict[int, list[dict]] = {image['id']: [] for image in table['images']}
        for annotation in table['annotations']:
            boxes[annotation['image_id']].append(annotation)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MediaError(f'{str(path)!r} is no readable COCO file ({error!r})') from error
    return [
        Sample(
            _read(path.parent / image['file_name']),
            _boxes(boxes[image['id']], names, labels),
            _clip(image),
        )
        for image in tqdm(images, desc=path.name, unit='frame', disable=len(images) < 50)
    ]


def _clip(image: dict) -> str:
    return image.get('clip', str(Path(image['file_name']).parent))


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise MediaError(f'frame {str(path)!r} is missing or no image')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _boxes(annotations: Sequence[dict], names: dict[int, str], labels: Sequence[str]) -> Boxes:
    kept = [a for a in annotations if names[a['category_id']] in labels]
    boxes = np.array([a['bbox'] for a in kept], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    class_ids = np.array([labels.index(names[a['category_id']]) for a in kept], np.int64)
    ignore = [a.get('score', 1.0) < POSITIVE_SCORE or bool(a.get('iscrowd', 0)) for a in kept]
    return Boxes(boxes, class_ids, np.array(ignore, bool))
