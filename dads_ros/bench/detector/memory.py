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

"""The memory of a process that holds a detector and nothing else."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import re
import subprocess
import sys

import numpy as np

FRAMES = 20
FRAME = (192, 320, 3)


def peak_memory_mb(detector: str, weights: Path) -> float:
    """
    Return the most memory that a detector took, in MB, in a process of its own on one thread.

    The process loads it, the shipped one as a node does, and finds objects in some frames.

    :param detector: a key of DETECTORS.
    """
    path = os.pathsep.join(folder for folder in sys.path if folder)
    command = [
        sys.executable,
        '-c',
        f'from {__name__} import main; main()',
        detector,
        str(weights),
    ]
    environment = {**os.environ, 'PYTHONPATH': path}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Run a detector with the weights given, and print the peak in MB."""
    find = DETECTORS[sys.argv[1]](Path(sys.argv[2]))
    for _ in range(FRAMES):
        find(np.zeros(FRAME, np.uint8))
    # What getrusage tells begins with the peak of the process that started this one.
    peak = re.search(r'VmHWM:\s*(\d+) kB', Path('/proc/self/status').read_text())
    assert peak is not None
    print(int(peak[1]) / 1024)


# Imports are here because what is imported for the one would count as the other's.


def _shipped(weights: Path) -> Callable[[np.ndarray], object]:
    from dads_ros.detector.shipped import detector
    from dads_ros.model.capture import capture_detector
    from dads_ros.model.surgery import tail
    from dads_ros.model.threads import use_threads

    use_threads(1)
    one = detector(weights)
    model = capture_detector(one)
    whole = tail(model, model.graph.inputs)
    return lambda frame: one.decode(whole(frame[None]))


def _nanodet(weights: Path) -> Callable[[np.ndarray], object]:
    from dads_ros.bench.detector import nanodet

    network = nanodet.load(weights)
    height, width = FRAME[:2]
    alone = range(len(nanodet.CLASSES))
    return lambda frame: nanodet.decode(nanodet.run(network, frame), height, width, alone)


DETECTORS = {'shipped': _shipped, 'nanodet': _nanodet}
