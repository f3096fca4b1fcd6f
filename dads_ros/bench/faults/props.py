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

"""What the faults are made with: traces of links, pictures of another camera, a bag that loops."""

from __future__ import annotations

from pathlib import Path

import cv2
from dads_ros.media.bag import write_bag
from dads_ros.media.frame import Frame
from dads_ros.media.sources import open_source
import numpy as np

OLD_STAMP_NS = 10**18


def write_trace(path: Path, samples: list[tuple[float, float]]) -> Path:
    """Write a link's trace of seconds and Mbit/s, and return its path."""
    lines = ['time_s,uplink_mbps', *(f'{time_s:g},{mbps:g}' for time_s, mbps in samples)]
    path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return path


def write_pictures(folder: Path) -> Path:
    """Write pictures of half the usual size, and return their folder."""
    folder.mkdir(exist_ok=True)
    for number, frame in zip(range(20), open_source('scene'), strict=False):
        small = cv2.resize(frame.image_rgb, (322, 180))
        cv2.imwrite(str(folder / f'{number:02d}.png'), cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return folder


def write_short_bag(path: Path) -> Path:
    """Write a bag of a second, with old stamps, and return its path."""
    frames = zip(range(10), open_source('scene'), strict=False)
    write_bag(
        path,
        (
            Frame(np.ascontiguousarray(f.image_rgb), OLD_STAMP_NS + i * 10**8, 'camera')
            for i, f in frames
        ),
    )
    return path
