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
Tell whether coding the waist against an earlier frame's, as video codecs do, would pay.

A car may only refer to a tensor that the cloud has: the last one that was acknowledged. With a
round trip of so many frame periods that is ``1 + round trip`` frames ago, and every frame (or its
answer) that is lost makes it one more. Nothing drifts then and nothing needs to be repaired, but
the reference is old. So bytes are measured by the reference's age, and weighed by how often it has
that age.

Two coders are tried. ``difference`` codes the difference modulo the number of levels.
``conditional`` predicts a value from its neighbours, the channels before it and the reference's
channels at the same place, with weights fitted to each frame; it is measured as what the waist
adds to the bytes of both tensors stacked. Each frame takes the smallest of these and of no
reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.codec import encode
from dads_ros.detector.waist import LEVELS
from dads_ros.detector.waist import REST
from dads_ros.model.surgery import head
import numpy as np

CODECS = ('packed', 'packed4')
AGES = (1, 2, 3, 4, 5)
# Frames, and answers, that are lost: each independently.
LOSS = 0.05
# Frame periods for which a frame and its answer are under way.
ROUND_TRIPS = (0, 1, 2)


@dataclass(frozen=True)
class Temporal:
    """
    Mean bytes of a frame by the reference's age in frames, and under the model of loss.

    :param intra: bytes of the same frames without a reference, as they are sent.
    :param by_age: of the best coder for each frame, by age.
    :param by_round_trip: of ``by_age``, weighed by the ages that a round trip and losses leave.
    """

    codec: str
    frames: int
    intra: float
    difference_by_age: dict[int, float]
    conditional_by_age: dict[int, float]
    by_age: dict[int, float]
    by_round_trip: dict[int, float]


def measure_temporal(trial: Trial) -> list[Temporal]:
    """Return what references would save, for the finest waist and for a coarse one."""
    front = head(trial.model, (waist_layer(trial.model),))
    codes = [front(frame)[0] for frame in trial.frames]
    clips: dict[str, list[np.ndarray]] = {}
    for tensor, clip in zip(codes, trial.clips, strict=True):
        clips.setdefault(clip, []).append(tensor)
    return [of_codec(list(clips.values()), codec) for codec in CODECS]


def of_codec(clips: Sequence[Sequence[np.ndarray]], codec: str) -> Temporal:
    """
    Return the bytes of frames that have a predecessor of every age.

    :param clips: the waist's tensors [1, channels, height, width], in order, clip by clip.
    """
    oldest = max(AGES)
    sizes: dict[str, dict[int, list[int]]] = {}
    intra: list[int] = []
    for clip in clips:
        alone = [_bytes(tensor, codec) for tensor in clip]
        for index in range(oldest, len(clip)):
            intra.append(alone[index])
            for age in AGES:
                now, before = clip[index], clip[index - age]
                tried = {
                    'difference': _bytes(difference(now, before), codec),
                    'conditional': conditional_bytes(now, before, alone[index - age], codec),
                }
                tried['best'] = min(alone[index], *tried.values())
                for name, size in tried.items():
                    sizes.setdefault(name, {}).setdefault(age, []).append(size)
    means = {
        name: {age: float(np.mean(column)) for age, column in by_age.items()}
        for name, by_age in sizes.items()
    }
    whole = float(np.mean(intra)) if intra else float('nan')
    return Temporal(
        codec=codec,
        frames=len(intra),
        intra=whole,
        difference_by_age=means.get('difference', {}),
        conditional_by_age=means.get('conditional', {}),
        by_age=means.get('best', {}),
        by_round_trip={trip: expected(means.get('best', {}), whole, trip) for trip in ROUND_TRIPS},
    )


def difference(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the difference modulo the number of levels, at rest where nothing changed."""
    return ((now.astype(np.int16) - before + REST) % LEVELS).astype(np.uint8)


def conditional_bytes(now: np.ndarray, before: np.ndarray, before_bytes: int, codec: str) -> int:
    """Return what a tensor adds to the bytes of an earlier one that is coded with it."""
    return _bytes(np.concatenate((before, now), axis=1), codec) - before_bytes


def expected(by_age: dict[int, float], intra: float, round_trip: int) -> float:
    """
    Return the mean bytes of a frame when a frame or its answer is lost now and then.

    A reference older than any that was measured is not used.
    """
    lost = 1 - (1 - LOSS) ** 2
    mean, left = 0.0, 1.0
    for age in range(1 + round_trip, max(AGES) + 1):
        share = left * (1 - lost)
        mean += share * by_age.get(age, intra)
        left -= share
    return mean + left * intra


def _bytes(tensor: np.ndarray, codec: str) -> int:
    return len(encode(tensor, codec))
