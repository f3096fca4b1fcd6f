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
The shipped network: a light car's half, a waist made to be cut, a heavier cloud's half.

Plain convolutions throughout (they fold with their batch norm and run fast on any backend), CSP
blocks [1] behind the waist, a top-down pyramid at strides 8, 16 and 32, an anchor-free head [2].

[1] Wang et al., CSPNet, CVPR workshops 2020. [2] Ge et al., YOLOX, arXiv 2107.08430.
"""

from __future__ import annotations

from dads_ros.detector.waist import Waist
import torch
from torch import nn
from torch import Tensor
from torch.nn import functional

INPUT_HEIGHT = 192
INPUT_WIDTH = 320
STRIDES = (8, 16, 32)
LABELS = ('person', 'bicycle', 'car', 'motorcycle', 'bus', 'truck')
EDGE_CHANNELS = 64
WAIST_CHANNELS = 8


def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the size (up to its stride), batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.03, eps=1e-3),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """A squeeze to ``hidden`` channels and back, added to its input."""

    def __init__(self, channels: int, hidden: int, size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(channels, hidden, size), conv(hidden, channels, 3))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return features + self.body(features)


class Csp(nn.Module):
    """Half of the channels pass through a residual block, half go past it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.through = nn.Sequential(conv(inputs, half), Residual(half, half, 3))
        self.past = conv(inputs, half)
        self.merge = conv(2 * half, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``outputs`` channels of the same size."""
        return self.merge(torch.cat((self.through(features), self.past(features)), dim=1))


class CarNet(nn.Module):
    """
    One uint8 RGB frame [1, 192, 320, 3] to a tensor [1, 4 + classes, rows, columns] per stride.

    The first four channels of a cell are its box: the centre's offset from the cell's centre and
    the logarithms of width and height, in strides; the others are class logits.

    :param waist: False makes the twin without one, for comparison: the cloud's half then reads
        all ``EDGE_CHANNELS`` of the car's, as floats.
    """

    def __init__(self, classes: int = len(LABELS), waist: bool = True) -> None:
        super().__init__()
        self.edge = nn.Sequential(
            conv(3, 16, 3, 2),
            conv(16, 32, 3, 2),
            Residual(32, 16, 1),
            conv(32, EDGE_CHANNELS, 3, 2),
            Residual(EDGE_CHANNELS, 32, 1),
        )
        self.waist = Waist(EDGE_CHANNELS, WAIST_CHANNELS) if waist else None
        crossing = WAIST_CHANNELS if waist else EDGE_CHANNELS
        self.level8 = nn.Sequential(conv(crossing, 96, 3), Csp(96, 96))
        self.level16 = nn.Sequential(conv(96, 128, 3, 2), Csp(128, 128))
        self.level32 = nn.Sequential(conv(128, 160, 3, 2), Csp(160, 160), conv(160, 96))
        self.merge16 = nn.Sequential(Csp(96 + 128, 96), conv(96, 64))
        self.merge8 = Csp(64 + 96, 64)
        self.heads = nn.ModuleList(
            nn.Sequential(conv(channels, 64, 3), nn.Conv2d(64, 4 + classes, 1))
            for channels in (64, 64, 96)
        )
        self._start_rare()

    def _start_rare(self) -> None:
        # A cell holds an object about once in a hundred: start there, or the first steps are lost.
        for head in self.heads:
            bias = head[-1].bias  # type: ignore[index]
            nn.init.zeros_(bias[:4])
            nn.init.constant_(bias[4:], -4.6)

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        """Return the raw outputs, finest stride first."""
        return self.outputs(self.fine(frame))

    def fine(self, frame: Tensor) -> Tensor:
        """Return the features at the finest stride, [n, 96, 24, 40], which all else is made of."""
        pixels = (frame.permute(0, 3, 1, 2).to(torch.float32) - 114.0) * (1 / 58.0)
        features = self.edge(pixels)
        return self.level8(features if self.waist is None else self.waist(features))

    def outputs(self, fine: Tensor) -> tuple[Tensor, ...]:
        """Return the raw outputs of features at the finest stride."""
        middle = self.level16(fine)
        coarse = self.level32(middle)
        up = functional.interpolate(coarse, scale_factor=2.0)
        middle = self.merge16(torch.cat((up, middle), dim=1))
        up = functional.interpolate(middle, scale_factor=2.0)
        fine = self.merge8(torch.cat((up, fine), dim=1))
        return tuple(
            head(level) for head, level in zip(self.heads, (fine, middle, coarse), strict=True)
        )
