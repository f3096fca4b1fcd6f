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

"""The hard cap on a frame's bytes, on frames that no coder likes: what is sent when it is met."""

from __future__ import annotations

from collections import Counter

from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import WAIST
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.bench.faults.hostile import conditions
from dads_ros.bench.faults.hostile import some_frames
from dads_ros.codec import encode_bundle
from dads_ros.errors import CodecError
from dads_ros.model.surgery import head
import numpy as np

CAP_BYTES = 1000
OVER_CAP = 'over the cap'


def capped(trial: Trial, cap_bytes: int = CAP_BYTES, seed: int = 0) -> dict[str, object]:
    """
    Return the largest frame and the share of frames by codec, under a cap and by condition.

    Frames go through the edge's own ``encode_bundle``. One that exceeds the cap even at the
    coarsest codec is not sent, and counts as ``over the cap``.
    """
    front = head(trial.model, (waist_layer(trial.model),))
    rows = {}
    for name, frames in conditions(some_frames(trial), np.random.default_rng(seed)):
        used: Counter[str] = Counter()
        largest = 0
        for frame in frames:
            try:
                codec, parts = encode_bundle([front(frame)[0]], WAIST, cap_bytes)
            except CodecError:
                used[OVER_CAP] += 1
                continue
            used[codec] += 1
            largest = max(largest, sum(len(part) for part in parts))
        rows[name] = {
            'largest': largest,
            'share_by_codec': {codec: count / len(frames) for codec, count in used.items()},
        }
    return {'cap_bytes': cap_bytes, 'by_condition': rows}
