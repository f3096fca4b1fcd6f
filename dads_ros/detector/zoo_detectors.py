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
The five networks of the DADS paper as detectors: what they cost is real, what they find is not.

Their weights are random, from a fixed seed so that car and cloud have the same, and nothing is
decoded: they find no object. They serve measurements of time only.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.detector.zoo import ZOO
from dads_ros.errors import ConfigError
import numpy as np
import torch


def zoo_detector(name: str, weights: Path | None = None) -> Detector:
    """
    Return a network of the zoo.

    Raises ConfigError when weights are given: there are none to be had.
    """
    if weights is not None:
        raise ConfigError(f'zoo network {name!r} has random weights; leave weights out')
    network = ZOO[name]
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        module = network.make().eval()
    return Detector(name, module, network.side, network.side, (), _finds_nothing)


def _finds_nothing(outputs: tuple[np.ndarray, ...]) -> Detections:  # noqa: ARG001
    return Detections.empty()


nin = partial(zoo_detector, 'nin')
tiny_yolov2 = partial(zoo_detector, 'tiny_yolov2')
vgg16 = partial(zoo_detector, 'vgg16')
alexnet = partial(zoo_detector, 'alexnet')
resnet18 = partial(zoo_detector, 'resnet18')
