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

"""Annotated frames that are drawn: a few of each of many generated drives, with exact boxes."""

from __future__ import annotations

from collections.abc import Iterator

from dads_ros.detector.data import Boxes
from dads_ros.detector.data import DRAWN
from dads_ros.detector.data import Sample
from dads_ros.media import scene
from tqdm import tqdm

# Seeds of drives: a demo takes small ones, a bench those from here on,
FIRST_TRIAL = 1_000
# and training runs from those on, each this far from the next.
FIRST_TRAINING = 100_000
_FRAMES_PER_DRIVE = 3
_RATE_HZ = 0.7


def draw_samples(count: int, first_drive: int) -> list[Sample]:
    """Return so many frames of drives from the one named on, all kinds in them, with progress."""
    samples: list[Sample] = []
    bar = tqdm(total=count, desc='scenes', unit='frame', disable=not count)
    while len(samples) < count:
        wanted = min(_FRAMES_PER_DRIVE, count - len(samples))
        drive = first_drive + len(samples)
        for sample in samples_of(drive, wanted, _RATE_HZ, busy=True):
            samples.append(sample)
            bar.update()
    return samples


def samples_of(drive: int, count: int, rate_hz: float, *, busy: bool = False) -> Iterator[Sample]:
    """Yield the first frames of one drive."""
    drawn = scene.frames(drive, count, rate_hz=rate_hz, busy=busy)
    for frame in drawn:
        yield Sample(frame.image_rgb, Boxes(frame.boxes, frame.class_ids, frame.ignore), DRAWN)
