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
What dads_ros asks of a detector: a module, how to read its outputs, and its labels.

A factory named ``package.module:factory`` in a node's parameters returns a Detector. Everything
else in the package works on the captured layer graph and knows no particular network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import importlib
from pathlib import Path

from dads_ros.detections import Detections
from dads_ros.errors import ConfigError
import numpy as np
import torch


@dataclass(frozen=True)
class Detector:
    """
    A detection network and its decoder.

    :param module: in eval mode; maps one uint8 RGB frame [1, height, width, 3] to a tensor or a
        tuple of tensors, without data-dependent control flow (torch.export must accept it).
        Scaling to floats happens inside, so that the input tensor can cross the cut as a JPEG.
    :param decode: maps the tuple of raw outputs, as arrays, to Detections in input pixels (NMS
        goes here).
    :param labels: class names; a class id is an index into them.
    """

    name: str
    module: torch.nn.Module
    input_height: int
    input_width: int
    labels: tuple[str, ...]
    decode: Callable[[tuple[np.ndarray, ...]], Detections]

    def example_input(self) -> torch.Tensor:
        """Return a grey frame of the input's shape and type."""
        return torch.full((1, self.input_height, self.input_width, 3), 114, dtype=torch.uint8)


def load_detector(spec: str, weights: Path | None = None) -> Detector:
    """
    Return the detector that a factory makes.

    :param spec: ``package.module:factory``; the factory takes the weights file (or None).
    :param weights: passed on to the factory.
    Raises ConfigError when the module, the factory or the weights file is missing, or when what
    the factory returns is not a Detector.
    """
    module_name, _, factory_name = spec.partition(':')
    if not module_name or not factory_name:
        raise ConfigError(f'detector {spec!r} is not of the form package.module:factory')
    if weights is not None and not weights.is_file():
        raise ConfigError(f'weights file {str(weights)!r} does not exist')
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f'detector {spec!r}: no module named {error.name!r}; install it or correct the name'
        ) from error
    factory = getattr(module, factory_name, None)
    if factory is None:
        raise ConfigError(f'detector {spec!r}: module {module_name!r} has no {factory_name!r}')
    detector = factory(weights)
    if not isinstance(detector, Detector):
        raise ConfigError(
            f'detector {spec!r} returned a {type(detector).__name__}, not a Detector'
        )
    return detector
