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

"""The shipped detector: ``dads_ros.detector.shipped:detector``, weights in the package."""

from __future__ import annotations

import io
from pathlib import Path

from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.detector.decode import decode
from dads_ros.detector.network import CarNet
from dads_ros.detector.network import INPUT_HEIGHT
from dads_ros.detector.network import INPUT_WIDTH
from dads_ros.detector.network import LABELS
from dads_ros.detector.network import STRIDES
from dads_ros.errors import ConfigError
import numpy as np
import torch

WEIGHTS = Path(__file__).parent / 'weights' / 'carnet.pt'
# The same network, its waist taken out in training: what a waist costs is measured against it.
TWIN = WEIGHTS.with_name('twin.pt')
# One object is not a car and a truck at once; a rider and the bicycle may overlap.
GROUPS = tuple({'person': 0, 'bicycle': 1, 'motorcycle': 1}.get(label, 2) for label in LABELS)


def detector(weights: Path | None = None) -> Detector:
    """
    Return the shipped detector.

    :param weights: a file that ``dads train`` wrote; the package's own when None.
    Raises ConfigError when the file is not one.
    """
    return as_detector(load_network(weights or WEIGHTS))


def as_detector(network: CarNet) -> Detector:
    """Return a trained network with its decoder."""
    return Detector(
        name='carnet',
        module=network.eval(),
        input_height=INPUT_HEIGHT,
        input_width=INPUT_WIDTH,
        labels=LABELS,
        decode=_decode,
    )


def _decode(outputs: tuple[np.ndarray, ...]) -> Detections:
    return decode(outputs, STRIDES, GROUPS)


def save_network(network: CarNet, path: Path) -> None:
    """Write the network's weights, convolutions in half precision."""
    state = {
        name: value.half() if value.dim() == 4 else value.clone()
        for name, value in network.state_dict().items()
    }
    save_whole({'waist': network.waist is not None, 'state': state}, path)


def save_whole(state: dict, path: Path) -> None:
    """Write a file for ``torch.load``, whole or not at all. Raises OSError."""
    data = io.BytesIO()  # writing itself, torch raises RuntimeError on a full disk
    torch.save(state, data)
    partial = path.with_suffix('.partial')
    partial.write_bytes(data.getbuffer())
    partial.replace(path)


def load_network(path: Path) -> CarNet:
    """Return the network of a weights file, in eval mode. Raises ConfigError when it is none."""
    try:
        saved = torch.load(path, map_location='cpu', weights_only=True)
        network = CarNet(waist=saved['waist'])
        network.load_state_dict({k: v.float() for k, v in saved['state'].items()})
    except Exception as error:  # torch.load raises many kinds on a file that is not its own
        raise ConfigError(
            f'weights file {str(path)!r} is not one that `dads train` wrote: {error!s:.200}'
        ) from error
    return network.eval()
