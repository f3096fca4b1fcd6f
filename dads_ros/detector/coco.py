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

"""COCO files as people write them: images in the order they were taken in, with their boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
import json
import math
from pathlib import Path
import re
from typing import Any
from typing import TypeGuard

from dads_ros.errors import MediaError

# What detectors, and so labels made by them, take for each other.
VEHICLES = ('car', 'truck', 'bus')


@dataclass(frozen=True)
class Annotation:
    """A box as x, y, width, height in pixels; ``score`` is 1 where the file gives none."""

    category: str
    bbox: tuple[float, float, float, float]
    score: float
    is_crowd: bool


@dataclass(frozen=True)
class Image:
    """
    An image of the file, with its boxes.

    :param clip: what it says itself, else the folder of its name.
    :param frame: its number in the clip, where it has one.
    """

    file_name: str
    clip: str
    frame: float | None
    annotations: list[Annotation] = field(default_factory=list)


def read_coco(path: Path) -> list[Image]:
    """
    Return the images, clip by clip, in the order of ``frame`` within a clip, else of the names.

    Raises MediaError when the file cannot be read, or an image or a box in it is not whole.
    """
    table = _table(path)
    try:
        images = {}
        for entry in table['images']:
            where = f'image {entry.get("id")!r} of {str(path)!r}'
            if entry['id'] in images:
                raise MediaError(f'{where} is there twice; give each its own id')
            images[entry['id']] = _image(entry, where)
        names = _names(table)
        for entry in table['annotations']:
            where = f'annotation {entry.get("id")!r} of {str(path)!r}'
            owner = entry.get('image_id')
            if owner not in images:
                raise MediaError(f'{where} is of image {owner!r}, which the file does not list')
            images[owner].annotations.append(_annotation(entry, names, where))
    except (KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, error) from error
    return _in_order(images.values())


def category_names(path: Path) -> list[str]:
    """Return the names of the file's categories. Raises MediaError when it cannot be read."""
    return list(_names(_table(path)).values())


def _table(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding='utf-8'))
        for key in ('categories', 'images', 'annotations'):
            if not isinstance(table[key], list):
                raise TypeError(f'{key} is no list')
        _names(table)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error
    return table


def _names(table: dict[str, Any]) -> dict[Any, str]:
    return {category['id']: str(category['name']) for category in table['categories']}


def _unreadable(path: Path, error: Exception) -> MediaError:
    return MediaError(f'{str(path)!r} is no readable COCO file ({error!r})')


def _image(entry: dict[str, Any], where: str) -> Image:
    name, clip, frame = (entry.get(key) for key in ('file_name', 'clip', 'frame'))
    if not isinstance(name, str) or not name:
        raise MediaError(f'{where} has no file_name; say which file it is')
    clip = str(Path(name).parent) if clip is None else str(clip)
    return Image(name, clip, float(frame) if _is_number(frame) else None)


def _annotation(entry: dict[str, Any], names: dict[Any, str], where: str) -> Annotation:
    category, bbox, score = entry.get('category_id'), entry.get('bbox'), entry.get('score', 1.0)
    if category not in names:
        raise MediaError(f'{where} has category_id {category!r}, which is none of its categories')
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(_is_number, bbox)):
        raise MediaError(f'{where} has bbox {bbox!r}; give x, y, width and height in pixels')
    if not _is_number(score):
        raise MediaError(f'{where} has score {score!r}; give a number, or leave it out if sure')
    x, y, width, height = map(float, bbox)
    return Annotation(names[category], (x, y, width, height), score, bool(entry.get('iscrowd', 0)))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _in_order(images: Iterable[Image]) -> list[Image]:
    clips: dict[str, list[Image]] = {}
    for image in images:
        clips.setdefault(image.clip, []).append(image)
    ordered = []
    for members in clips.values():
        if any(image.frame is None for image in members):
            ordered += sorted(members, key=lambda image: natural(image.file_name))
        else:
            ordered += sorted(members, key=lambda image: image.frame or 0)
    return ordered


def natural(name: str) -> list[str | int]:
    """Return a key that sorts ``9.jpg`` before ``10.jpg``."""
    return [
        int(part) if index % 2 else part for index, part in enumerate(re.split(r'(\d+)', name))
    ]
