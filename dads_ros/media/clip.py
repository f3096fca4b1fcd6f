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

"""The drawn scene as a clip: drawn once, kept as JPEG with its truth, then only played."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
import hashlib
import io
import os
from pathlib import Path
import zipfile

import cv2
from dads_ros.cache import cache_folder
from dads_ros.errors import MediaError
from dads_ros.media import scene
from dads_ros.media.frame import Frame
from dads_ros.report.schema import TruthRecord
import numpy as np
from tqdm import tqdm

FRAMES = 300
RATE_HZ = 10.0
JPEG_QUALITY = 95
TRUTH = 'truth.npz'


class SceneSource:
    """
    The drawn scene of a seed; drawing it takes half a minute the first time.

    Drawing at ten frames a second would take a core from the nodes that are measured.
    """

    rate_hz = RATE_HZ
    frame_count: int | None = FRAMES
    has_stamps = False

    def __init__(self, seed: int) -> None:
        self.name = f'scene:{seed}'
        self._seed = seed

    def __iter__(self) -> Iterator[Frame]:
        with zipfile.ZipFile(self._path) as clip:
            for number in range(FRAMES):
                data = np.frombuffer(clip.read(f'{number:05d}.jpg'), np.uint8)
                image = cv2.imdecode(data, cv2.IMREAD_COLOR)
                assert image is not None, 'written by ourselves'
                yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), _stamp_ns(number))

    def truth(self) -> tuple[TruthRecord, ...]:
        """Return the boxes that were drawn."""
        with zipfile.ZipFile(self._path) as clip, np.load(io.BytesIO(clip.read(TRUTH))) as truth:
            numbers, boxes, class_ids = truth['numbers'], truth['boxes'], truth['class_ids']
            ignore = truth['ignore']
        records = []
        for number in range(FRAMES):
            here = numbers == number
            asked, other = here & ~ignore, here & ignore
            records.append(
                TruthRecord(
                    _stamp_ns(number),
                    tuple(tuple(box) for box in boxes[asked].tolist()),
                    tuple(scene.LABELS[i] for i in class_ids[asked]),
                    ignore=tuple(tuple(box) for box in boxes[other].tolist()),
                )
            )
        return tuple(records)

    @cached_property
    def _path(self) -> Path:
        """Return the file with the pictures; draw them where it is missing."""
        path = cache_folder() / f'scene-{self._seed}-{_drawing_hash()}.zip'
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f'{path.name}.{os.getpid()}')
            try:
                _draw(self._seed, unfinished)
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
        return path


def _draw(seed: int, path: Path) -> None:
    numbers, boxes, class_ids, ignore = [], [], [], []
    frames = scene.frames(seed, FRAMES, rate_hz=RATE_HZ)
    with zipfile.ZipFile(path, 'w') as clip:
        for number, frame in enumerate(tqdm(frames, 'drawing the clip', FRAMES, unit='frame')):
            bgr = cv2.cvtColor(frame.image_rgb, cv2.COLOR_RGB2BGR)
            done, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            if not done:
                raise MediaError('OpenCV cannot write JPEG here; install opencv-python-headless')
            clip.writestr(f'{number:05d}.jpg', data.tobytes())
            numbers += [number] * len(frame.class_ids)
            boxes.append(frame.boxes)
            class_ids.append(frame.class_ids)
            ignore.append(frame.ignore)
        truth = io.BytesIO()
        np.savez(
            truth,
            numbers=np.array(numbers, np.int64),
            boxes=np.concatenate(boxes),
            class_ids=np.concatenate(class_ids),
            ignore=np.concatenate(ignore),
        )
        clip.writestr(TRUTH, truth.getvalue())


def _drawing_hash() -> str:
    """Return a hash of the code that draws, so that no old picture outlives a change of it."""
    folder = Path(scene.__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*folder.glob('drawing/*.py'), folder / 'scene.py', Path(__file__)]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _stamp_ns(number: int) -> int:
    return round(number * 1e9 / RATE_HZ)
