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

"""Input frames for measuring, spread evenly over a video, a bag, a folder or the drawn scene."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path

from dads_ros.detector.api import Detector
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import load_coco
from dads_ros.detector.data import spread
from dads_ros.detector.evaluate import scaled
from dads_ros.errors import ConfigError
from dads_ros.errors import MediaError
from dads_ros.image import letterbox
from dads_ros.image import letterbox_scale
from dads_ros.media.frame import Frame
from dads_ros.media.sources import open_source
import numpy as np

# How far back a car refers where answers are back within a frame period or two.
AGE_FRAMES = 2


def input_frames(source: str, detector: Detector, count: int) -> list[np.ndarray]:
    """
    Return network inputs, uint8 [1, height, width, 3], in the source's order.

    :param source: what ``open_source`` takes.
    :param count: how many to return; fewer where the source has fewer.
    Raises MediaError when the source cannot be read or is empty, ConfigError when count is not
    positive.
    """
    return [frame for frame, _ in input_pairs(source, detector, count)]


def input_pairs(
    source: str, detector: Detector, count: int
) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """
    Return what ``input_frames`` does, each with the frame ``AGE_FRAMES`` before it.

    The first frames of a source have none. Raises what ``input_frames`` does.
    """
    _require_some(count)
    size = (detector.input_height, detector.input_width)
    kept: list[tuple[np.ndarray, np.ndarray | None]] = []
    stride = 1
    for number, (image, before) in enumerate(with_earlier(open_source(source))):
        if number % stride:
            continue
        earlier = None if before is None else letterbox(before, *size)
        kept.append((letterbox(image, *size), earlier))
        if len(kept) == 4 * count:  # how long a source is, only playing tells
            kept, stride = kept[::2], 2 * stride
    if not kept:
        raise MediaError(f'{source!r} holds no frame that can be read')
    return [kept[i] for i in spread(len(kept), count)]


def with_earlier(frames: Iterable[Frame]) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yield each frame's image and the one ``AGE_FRAMES`` before; None where there is none."""
    recent: deque[np.ndarray] = deque(maxlen=AGE_FRAMES + 1)
    for frame in frames:
        recent.append(frame.image_rgb)
        yield frame.image_rgb, recent[0] if len(recent) > AGE_FRAMES else None


def labelled_frames(
    path: Path, detector: Detector, count: int
) -> tuple[list[np.ndarray], list[Boxes]]:
    """
    Return input frames of a COCO file and their true boxes in input pixels, evenly spread over it.

    :param count: how many to return; fewer where the file has fewer. No other is decoded.
    Raises MediaError when the file or a frame cannot be read or it has none, ConfigError when
    count is not positive.
    """
    _require_some(count)
    size = (detector.input_height, detector.input_width)
    samples = load_coco(path, detector.labels, count=count, size=size)
    if not samples:
        raise MediaError(f'{str(path)!r} lists no image')
    frames, truth = [], []
    for sample in samples:
        height, width = sample.image.shape[:2]
        frames.append(letterbox(sample.image, detector.input_height, detector.input_width))
        factor = letterbox_scale(width, height, detector.input_width, detector.input_height)
        truth.append(scaled(sample.truth, factor))
    return frames, truth


def _require_some(count: int) -> None:
    if count < 1:
        raise ConfigError(f'the number of frames must be at least 1, not {count}')
