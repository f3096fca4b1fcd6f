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
What coding the waist against an earlier frame's saves, as the edge does with ``temporal``.

A car may only refer to a tensor that the cloud has: the last one that was acknowledged. With a
round trip of so many frame periods that is ``1 + round trip`` frames ago, and every frame (or its
answer) that is lost makes it one more. Nothing drifts then and nothing needs to be repaired, but
the reference is old. So bytes are measured by the reference's age, and weighed by how often it has
that age.

The codecs are the product's own, ``packed+ref`` and its coarser kin. Of two roundings equally near
the coarser ones take the one that changes nothing, so the cloud gets another tensor than without a
reference, and the AP50 is measured, too: of whole clips, each frame against the one so long ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
import time

from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import WAIST_CODECS
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.codec import encode
from dads_ros.codec import encode_against
from dads_ros.codec import received
from dads_ros.model.surgery import head
from dads_ros.model.surgery import tail
import numpy as np

AGES = (1, 2, 3, 4, 5)
# Frames, and answers, that are lost: each independently.
LOSS = 0.05
# Frame periods for which a frame and its answer are under way.
ROUND_TRIPS = (0, 1, 2)


@dataclass(frozen=True)
class Temporal:
    """
    Mean bytes of a frame by the reference's age in frames, and under the model of loss.

    All are empty where no frame has enough of its clip before it.

    :param intra: bytes of the same frames without a reference.
    :param by_age: bytes with a reference so many frames old.
    :param by_round_trip: of ``by_age``, weighed by the ages that a round trip and losses leave.
    :param ap50_by_round_trip: of vehicles in all frames, each against the one that is one more
        than the round trip before it, with nothing lost.
    :param encode_ms: with a reference, in the median; ``encode_intra_ms`` without.
    """

    codec: str
    frames: int
    intra: float | None
    by_age: dict[int, float]
    by_round_trip: dict[int, float]
    ap50_by_round_trip: dict[int, float]
    encode_ms: float | None
    encode_intra_ms: float | None


def measure_temporal(trial: Trial) -> list[Temporal]:
    """Return what references save, for each fineness of the waist, the finest first."""
    boundary = (waist_layer(trial.model),)
    front, back = head(trial.model, boundary), tail(trial.model, boundary)
    places: dict[str, list[int]] = {}
    for index, clip in enumerate(trial.clips):
        places.setdefault(clip, []).append(index)
    clips = [[front(trial.frames[index])[0] for index in members] for members in places.values()]
    order = np.argsort(np.concatenate(list(places.values())))
    rows = []
    for codec in WAIST_CODECS:
        row = of_codec(clips, codec)
        ap50 = {}
        for trip in ROUND_TRIPS if row.frames else ():
            sent = [tensor for clip in clips for tensor in as_received(clip, codec, 1 + trip)]
            found = trial.find(back, [sent[place] for place in order], f'{codec}, {trip}')
            ap50[trip] = trial.ap50(found)
        rows.append(replace(row, ap50_by_round_trip=ap50))
    return rows


def as_received(clip: Sequence[np.ndarray], codec: str, age: int) -> list[np.ndarray]:
    """Return what the cloud gets of a clip, each frame against the one so many before it."""
    sent: list[np.ndarray] = []
    for index, tensor in enumerate(clip):
        sent.append(received(tensor, codec, sent[index - age] if index >= age else None))
    return sent


def of_codec(clips: Sequence[Sequence[np.ndarray]], codec: str) -> Temporal:
    """
    Return the bytes of frames that have a predecessor of every age; AP50 is not measured.

    :param clips: the waist's tensors [1, channels, height, width], in order, clip by clip.
    """
    oldest = max(AGES)
    sizes: dict[int, list[int]] = {age: [] for age in AGES}
    intra: list[int] = []
    times_s: dict[bool, list[float]] = {True: [], False: []}
    for clip in clips:
        known = {age: as_received(clip, codec, age) for age in AGES}
        for index in range(oldest, len(clip)):
            started_s = time.thread_time()
            intra.append(len(encode(clip[index], codec)))
            times_s[False].append(time.thread_time() - started_s)
            for age in AGES:
                started_s = time.thread_time()
                data = encode_against(clip[index], codec, known[age][index - age])
                times_s[True].append(time.thread_time() - started_s)
                sizes[age].append(len(data))
    if not intra:
        return Temporal(codec, 0, None, {}, {}, {}, None, None)
    by_age = {age: float(np.mean(column)) for age, column in sizes.items()}
    whole = float(np.mean(intra))
    return Temporal(
        codec=codec,
        frames=len(intra),
        intra=whole,
        by_age=by_age,
        by_round_trip={trip: expected(by_age, whole, trip) for trip in ROUND_TRIPS},
        ap50_by_round_trip={},
        encode_ms=1e3 * float(np.median(times_s[True])),
        encode_intra_ms=1e3 * float(np.median(times_s[False])),
    )


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
