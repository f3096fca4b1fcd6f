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

What is coded are the symbols that a codec leaves of the waist: 16 of ``packed``, 9, 5 and 3 of the
coarser ones, of the frame and of the reference alike. They are coded without loss, so the cloud
gets the very tensor that the codec gives it without a reference, and what is found in it is that
codec's AP50.

Two coders are tried. ``difference`` codes the difference modulo the number of symbols.
``conditional`` predicts a symbol from its neighbours, the channels before it and the reference's
channels at the same place, with weights fitted to each frame; it is measured as what the waist
adds to the bytes of both tensors stacked. Each frame takes the smallest of these and of no
reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import WAIST_CODECS
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.codec import encode
from dads_ros.detector.waist import LEVELS
from dads_ros.detector.waist import REST
from dads_ros.model.surgery import head
import numpy as np

AGES = (1, 2, 3, 4, 5)
LOSSLESS = 'packed'
# Restoring coarse symbols takes the tensor's largest value, which a coarse codec sends as well.
LARGEST_BYTES = 1
# Frames, and answers, that are lost: each independently.
LOSS = 0.05
# Frame periods for which a frame and its answer are under way.
ROUND_TRIPS = (0, 1, 2)


@dataclass(frozen=True)
class Temporal:
    """
    Mean bytes of a frame by the reference's age in frames, and under the model of loss.

    All are empty where no frame has enough of its clip before it.

    :param intra: bytes of the same frames without a reference, as they are sent.
    :param by_age: of the best coder for each frame, by age.
    :param by_round_trip: of ``by_age``, weighed by the ages that a round trip and losses leave.
    """

    codec: str
    frames: int
    intra: float | None
    difference_by_age: dict[int, float]
    conditional_by_age: dict[int, float]
    by_age: dict[int, float]
    by_round_trip: dict[int, float]


def measure_temporal(trial: Trial) -> list[Temporal]:
    """Return what references would save, for each fineness of the waist, the finest first."""
    front = head(trial.model, (waist_layer(trial.model),))
    codes = [front(frame)[0] for frame in trial.frames]
    clips: dict[str, list[np.ndarray]] = {}
    for tensor, clip in zip(codes, trial.clips, strict=True):
        clips.setdefault(clip, []).append(tensor)
    return [of_codec(list(clips.values()), codec) for codec in WAIST_CODECS]


def of_codec(clips: Sequence[Sequence[np.ndarray]], codec: str) -> Temporal:
    """
    Return the bytes of frames that have a predecessor of every age.

    :param clips: the waist's tensors [1, channels, height, width], in order, clip by clip.
    """
    oldest = max(AGES)
    step = step_of(codec)
    sizes: dict[str, dict[int, list[int]]] = {}
    intra: list[int] = []
    for clip in clips:
        alone = [len(encode(tensor, codec)) for tensor in clip]
        coarse = [symbols(tensor, step) for tensor in clip]
        for index in range(oldest, len(clip)):
            intra.append(alone[index])
            for age in AGES:
                now, before = coarse[index], coarse[index - age]
                tried = {
                    'difference': difference_bytes(now, before, step),
                    'conditional': conditional_bytes(now, before, step),
                }
                tried['best'] = min(alone[index], *tried.values())
                for name, size in tried.items():
                    sizes.setdefault(name, {}).setdefault(age, []).append(size)
    if not intra:
        return Temporal(codec, 0, None, {}, {}, {}, {})
    means = {
        name: {age: float(np.mean(column)) for age, column in by_age.items()}
        for name, by_age in sizes.items()
    }
    whole = float(np.mean(intra))
    return Temporal(
        codec=codec,
        frames=len(intra),
        intra=whole,
        difference_by_age=means['difference'],
        conditional_by_age=means['conditional'],
        by_age=means['best'],
        by_round_trip={trip: expected(means['best'], whole, trip) for trip in ROUND_TRIPS},
    )


def step_of(codec: str) -> int:
    """Return how many levels a packed codec makes one symbol of."""
    return int(codec.removeprefix(LOSSLESS) or 1)


def symbols(tensor: np.ndarray, step: int) -> np.ndarray:
    """Return what a packed codec of that step codes of a waist, as its uint8 symbols."""
    return (tensor + np.uint8(step // 2)) // np.uint8(step)


def alphabet(step: int) -> int:
    """Return how many symbols the levels of a waist become."""
    return int(symbols(np.array(LEVELS - 1, np.uint8), step)) + 1


def difference(now: np.ndarray, before: np.ndarray, step: int = 1) -> np.ndarray:
    """Return the symbols' difference modulo their number, at rest where nothing changed."""
    return ((now.astype(np.int16) - before + REST // step) % alphabet(step)).astype(np.uint8)


def difference_bytes(now: np.ndarray, before: np.ndarray, step: int) -> int:
    """Return the bytes of a frame's symbols, coded as the difference from a reference's."""
    return _bytes(difference(now, before, step)) + (LARGEST_BYTES if step > 1 else 0)


def conditional_bytes(now: np.ndarray, before: np.ndarray, step: int) -> int:
    """Return what a frame's symbols add to the bytes of a reference's that are coded with them."""
    both = np.concatenate((before, now), axis=1)
    return _bytes(both) - _bytes(before) + (LARGEST_BYTES if step > 1 else 0)


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


def _bytes(values: np.ndarray) -> int:
    return len(encode(values, LOSSLESS))
