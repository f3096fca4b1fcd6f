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
The waist: where the network is made to be cut.

The car's half ends in a few channels at stride 8, rounded *inside the graph* to ``LEVELS`` levels
and handed on as uint8. The tensor at the cut is therefore already what a lossless coder packs, and
a frame that crosses it gives the very outputs of the whole network.

To whoever codes this tensor (uint8 [1, channels, 24, 40], values 0 to ``LEVELS`` - 1): most values
are near ``REST`` in every channel, from which the codecs ``packed2``, ``packed4``, ``packed6`` and
``packed8`` count their coarser levels, so that a resting value is kept exactly. The network is
trained with the steps 1, 2, 4 and 6 drawn at random for each frame; 8 is for a hard cap on bytes
only.
"""

from __future__ import annotations

from collections.abc import Sequence

from dads_ros.codec.rounding import MAX_LEVELS
from dads_ros.codec.rounding import MIDDLE
from dads_ros.codec.rounding import rounding
import numpy as np
import torch
from torch import nn
from torch import Tensor
from torch.nn import functional

LEVELS = MAX_LEVELS
REST = MIDDLE
STEPS = (1, 2, 4, 6)
STEP_SHARES = (0.35, 0.2, 0.3, 0.15)


class Waist(nn.Module):
    """
    Project features to a few channels, round them, and hand them on.

    In training the rounding passes gradients straight through, with a step drawn for each frame,
    but none to what is cut off, and ``values`` keeps what was rounded, for a rate model. While
    ``rounds`` is False, the first phase of a training, they are handed on as they are.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(in_channels, channels, 1)
        self.values: Tensor | None = None
        self.rounds = True

    def forward(self, features: Tensor) -> Tensor:
        """Return the values that the cloud's half reads: codes less ``REST``, as floats."""
        if not self.rounds:
            return functional.conv2d(features, self.project.weight)
        values = self.project(features)
        if self.training:
            # What is cut off costs no bits and tells nothing more, however far off it is.
            self.values = torch.clamp(values.float(), -REST, LEVELS - 1 - REST)
            return straight_through(self.values, draw_steps(len(values)).tolist())
        codes = torch.clamp(torch.round(values + REST), 0, LEVELS - 1).to(torch.uint8)
        return codes.to(values.dtype) - REST


def draw_steps(frames: int) -> Tensor:
    """Return a step for each frame to train with, by torch's random state."""
    drawn = torch.multinomial(torch.tensor(STEP_SHARES), frames, replacement=True)
    return torch.tensor(STEPS)[drawn]


def straight_through(values: Tensor, steps: Sequence[int]) -> Tensor:
    """
    Return the values as codecs of coarser steps restore them, with the gradient of the values.

    :param values: ``-REST`` to ``LEVELS - 1 - REST``, the first axis being of frames.
    :param steps: of each frame.
    """
    # A value that is none stays none in the sum below: training finds it in its losses.
    codes = torch.round(values.detach() + REST).nan_to_num(REST)
    restored = [
        torch.from_numpy(law.values[law.symbols].astype(np.float32))
        for law in map(rounding, steps)
    ]
    table = torch.stack(restored).to(values)  # of each frame: what each value becomes
    coarse = table.gather(1, codes.long().flatten(1)).reshape(codes.shape)
    coarse = torch.minimum(coarse, codes.amax(dim=(1, 2, 3), keepdim=True))
    return values + (coarse - REST - values.detach())
