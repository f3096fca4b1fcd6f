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
NanoDet-Plus-m (Apache-2.0) under ncnn, an optional package, from its two files.

It imports no more than it needs, as its memory is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dads_ros.detections import Detections
from dads_ros.detector.decode import suppress
import numpy as np

FILES = ('nanodet-plus-m_416.param', 'nanodet-plus-m_416.bin')
# Of COCO's eighty: person, bicycle, car, motorcycle, bus, truck, as the shipped detector has them.
CLASSES = (0, 1, 2, 3, 5, 7)
STRIDES = (8, 16, 32, 64)
BINS = 8  # a side's distance is the mean of a distribution over so many strides
ALL_CLASSES = 80
MEAN_BGR = np.array([103.53, 116.28, 123.675], np.float32)
SCALE_BGR = np.array([0.017429, 0.017507, 0.017125], np.float32)
MIN_SCORE = 0.05
MAX_CANDIDATES = 300


def load(folder: Path) -> Any:
    """Return the network of the files in a folder, on one thread."""
    import ncnn

    network = ncnn.Net()
    network.opt.num_threads = 1
    network.opt.use_vulkan_compute = False
    network.load_param(str(folder / FILES[0]))
    network.load_model(str(folder / FILES[1]))
    return network


def run(network: Any, frame: np.ndarray) -> np.ndarray:
    """Return the output for a frame uint8 [h, w, 3], RGB."""
    import ncnn

    scaled = (frame[:, :, ::-1].astype(np.float32) - MEAN_BGR) * SCALE_BGR
    # A Mat of a NumPy array does not own its memory: the array has to live until it is cloned.
    pixels = np.ascontiguousarray(scaled.transpose(2, 0, 1))
    given = ncnn.Mat(pixels).clone()
    runner = network.create_extractor()
    runner.input('data', given)
    _, output = runner.extract('output')
    return np.array(output).copy()


def decode(output: np.ndarray, height: int, width: int, groups: Sequence[int]) -> Detections:
    """
    Return the boxes of its output, best first, in input pixels.

    :param output: [cells, 80 + 4 x 8]: probabilities, then a distribution of each side's distance.
    :param groups: of each class; boxes of one group suppress each other.
    """
    scores = output[:, CLASSES]
    sure = scores.max(axis=1)
    kept = np.argsort(-sure, kind='stable')[:MAX_CANDIDATES]
    kept = kept[sure[kept] > MIN_SCORE]
    sides = output[kept, ALL_CLASSES:].reshape(-1, 4, BINS).astype(np.float64)
    shares = np.exp(sides - sides.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    centres, strides = cells(height, width)
    reach = shares @ np.arange(BINS) * strides[kept, None]
    boxes = np.concatenate((centres[kept] - reach[:, :2], centres[kept] + reach[:, 2:]), axis=1)
    boxes = np.clip(boxes, 0, (width, height, width, height)).astype(np.float32)
    class_ids = scores[kept].argmax(axis=1)
    alone = suppress(boxes, np.asarray(groups)[class_ids])
    return Detections(
        boxes[alone], sure[kept][alone].astype(np.float32), class_ids[alone].astype(np.int64)
    )


def cells(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each cell's centre [n, 2] and stride [n], in the order of the output."""
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = -(-height // stride), -(-width // stride)
        y, x = np.mgrid[:rows, :columns]
        centres.append(np.stack((x.ravel(), y.ravel()), axis=1) * stride)
        strides.append(np.full(rows * columns, stride))
    return np.concatenate(centres).astype(np.float64), np.concatenate(strides)
