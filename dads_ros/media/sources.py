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

"""Where camera frames come from: the drawn scene, a video, a ROS 2 bag, a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from dads_ros.errors import MediaError
from dads_ros.media import bag
from dads_ros.media.clip import SceneSource
from dads_ros.media.frame import Frame
from dads_ros.media.video import FolderSource
from dads_ros.media.video import VideoSource
from dads_ros.report.schema import TruthRecord


class Source(Protocol):
    """
    Something that yields frames, as often as it is iterated.

    ``frame_count`` is None where only playing tells; ``has_stamps`` says that the frames carry
    stamps of a real camera.
    """

    name: str
    rate_hz: float
    frame_count: int | None
    has_stamps: bool

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order."""

    def truth(self) -> tuple[TruthRecord, ...]:
        """Return the true boxes by stamp; empty when they are not known."""


def path_and_topic(spec: str) -> tuple[Path, str]:
    """Return what ``PATH#/TOPIC`` consists of; the topic is empty where none is named."""
    if Path(spec).exists():
        return Path(spec), ''
    path, _, topic = spec.partition('#')
    return Path(path), topic


def open_source(spec: str) -> Source:
    """
    Return the source that a text names.

    :param spec: ``scene``, ``scene:SEED``, or the path of a video, bag or folder of images;
        ``BAG#/TOPIC`` where a bag has several image topics.
    Raises MediaError when there is no such thing or it cannot be read.
    """
    kind, _, seed = spec.partition(':')
    if kind == 'scene' and not Path(spec).exists():
        if seed and not seed.isdigit():
            raise MediaError(f'scene seed {seed!r} is not a whole number; use scene:7, say')
        return SceneSource(int(seed or 0))
    path, topic = path_and_topic(spec)
    if not path.exists():
        raise MediaError(
            f'{spec!r} does not exist; give a video, a bag, a folder, or scene[:seed]'
        )
    if path.suffix in bag.SUFFIXES or (path / 'metadata.yaml').is_file():
        return bag.BagSource(path, topic)
    if topic:
        raise MediaError(f'{str(path)!r} is not a bag and has no topic {topic!r}; leave it out')
    return FolderSource(path) if path.is_dir() else VideoSource(path)
