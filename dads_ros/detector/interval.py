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
By how much the AP50 of two detectors may differ, given how few frames they were compared on.

A block bootstrap (Künsch, Annals of Statistics 17, 1989) over the frames of a video.
"""

from __future__ import annotations

from collections.abc import Sequence
import contextlib
import io

from dads_ros.detections import Detections
from dads_ros.detector.data import Boxes
from dads_ros.detector.evaluate import judged
from dads_ros.detector.evaluate import RANGES
from dads_ros.detector.evaluate import vehicles
import numpy as np
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

# Frames in a row show the same cars: they are drawn together.
BLOCK_FRAMES = 10
SHARE = 0.95


def ap50_gain_interval(
    first: Sequence[Detections],
    second: Sequence[Detections],
    truth: Sequence[Boxes],
    clips: Sequence[str],
    labels: Sequence[str],
    rounds: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """
    Return the 95 % interval of the AP50 of vehicles by one detector, less that by another.

    Both are judged on the same frames, drawn again and again from those given. So the interval
    says what other moments of these clips might have given, and nothing of other clips.

    :param first, second: what each found, frame by frame.
    :param clips: the clip that each frame is of, frames of a clip in a row.
    :param rounds: how often frames are drawn.
    """
    blocks = blocks_of(clips)
    judges = [
        judged(*vehicles(found, truth, labels), {'all': RANGES['all']})
        for found in (first, second)
    ]
    frames_of = [judge.evalImgs for judge in judges]
    rng = np.random.default_rng(seed)
    gains = []
    for _ in tqdm(range(rounds), desc='interval', unit='draw', leave=False):
        drawn: list[int] = []
        while len(drawn) < len(clips):
            drawn.extend(blocks[int(rng.integers(len(blocks)))])
        del drawn[len(clips) :]
        for judge, frames in zip(judges, frames_of, strict=True):
            judge.evalImgs = [frames[index] for index in drawn]
        gains.append(_ap50(judges[0]) - _ap50(judges[1]))
    low, high = np.quantile(gains, ((1 - SHARE) / 2, (1 + SHARE) / 2))
    return float(low), float(high)


def blocks_of(clips: Sequence[str]) -> list[range]:
    """Return every stretch of so many frames of one clip; a shorter clip is one."""
    blocks = []
    begin = 0
    for index in range(1, len(clips) + 1):
        if index == len(clips) or clips[index] != clips[begin]:
            last = max(begin, index - BLOCK_FRAMES)
            blocks += [range(at, min(at + BLOCK_FRAMES, index)) for at in range(begin, last + 1)]
            begin = index
    return blocks


def _ap50(judge: COCOeval) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        judge.accumulate()
    precision = judge.eval['precision'][0]
    known = precision[precision > -1]
    return float(known.mean()) if known.size else 0.0
