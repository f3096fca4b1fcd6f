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
The stronger detector that drew the labels, at the shipped one's input size, for scale.

It drew the labels from much larger pictures, so that they agree with it more than another detector
of its strength could hope for.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
import time

from dads_ros.bench.detector import nanodet
from dads_ros.bench.detector.accuracy import accuracy
from dads_ros.bench.detector.memory import peak_memory_mb
from dads_ros.bench.detector.uploads import Trial
from dads_ros.detector.shipped import GROUPS
import numpy as np
from tqdm import tqdm

WEIGHTS = 'teacher'


def sibling(folder: Path, trial: Trial) -> dict[str, object] | None:
    """Return its figures on a trial's frames; None without ncnn or without its weights."""
    weights = folder / WEIGHTS
    paths = [weights / name for name in nanodet.FILES]
    if find_spec('ncnn') is None or not all(path.is_file() for path in paths):
        return None
    network = nanodet.load(weights)
    found, times_ms = [], []
    for frame in tqdm(trial.frames, desc='sibling', unit='frame', leave=False):
        started = time.thread_time()
        output = nanodet.run(network, frame[0])
        found.append(nanodet.decode(output, frame.shape[1], frame.shape[2], GROUPS))
        times_ms.append((time.thread_time() - started) * 1e3)
    frame_ms = float(np.median(times_ms))
    return {
        'is': 'NanoDet-Plus-m 416, which drew the labels, at the shipped input size',
        **accuracy(found, trial.truth),
        'frames_per_s_one_core': 1e3 / frame_ms,
        'frame_ms': frame_ms,
        'peak_memory_mb': peak_memory_mb('nanodet', weights),
        'weights_bytes': sum(path.stat().st_size for path in paths),
    }
