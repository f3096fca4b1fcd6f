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

"""The memory of a process that holds the detector and nothing else."""

from __future__ import annotations

import os
from pathlib import Path
import re
import subprocess
import sys

from dads_ros.detector.shipped import detector
from dads_ros.model.capture import capture_detector
from dads_ros.model.surgery import tail
from dads_ros.model.threads import use_threads
import numpy as np

FRAMES = 20


def peak_memory_mb(weights: Path) -> float:
    """
    Return the most memory that a detector took, in MB, in a process of its own on one thread.

    The process loads and captures the network, as a node does, and finds objects in some frames.
    """
    path = os.pathsep.join(folder for folder in sys.path if folder)
    command = [sys.executable, '-c', f'from {__name__} import main; main()', str(weights)]
    environment = {**os.environ, 'PYTHONPATH': path}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Run the detector of the weights file given, and print the peak in MB."""
    use_threads(1)
    one = detector(Path(sys.argv[1]))
    model = capture_detector(one)
    whole = tail(model, model.graph.inputs)
    frame = np.zeros((1, one.input_height, one.input_width, 3), np.uint8)
    for _ in range(FRAMES):
        one.decode(whole(frame))
    # What getrusage tells begins with the peak of the process that started this one.
    peak = re.search(r'VmHWM:\s*(\d+) kB', Path('/proc/self/status').read_text())
    assert peak is not None
    print(int(peak[1]) / 1024)
