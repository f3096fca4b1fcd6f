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
The five networks of the DADS paper, from their public descriptions, with random weights.

They stand for what a network costs, not for what it finds: nothing here is trained. Each takes one
uint8 RGB frame [1, height, width, 3], at the 224 pixels of the paper's video or, for tiny YOLOv2,
the 288 that its published tensor sizes imply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, slots=True)
class ZooNetwork:
    """How to make one of the networks, and the side of its square input in pixels."""

    make: Callable[[], nn.Module]
    side: int

    def example_input(self, device: str = 'cpu') -> torch.Tensor:
        """Return a black frame."""
        return torch.zeros((1, self.side, self.side, 3), dtype=torch.uint8, device=device)


class FromFrame(nn.Module):
    """A network behind the conversion of a uint8 frame to a float image [1, 3, height, width]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        """Run the network on a frame."""
        return self.network(frame.permute(0, 3, 1, 2).float() / 255)


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0
) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.ReLU()]


def nin() -> nn.Module:
    """Return Network in Network for ImageNet (Lin et al., 2014)."""
    layers: list[nn.Module] = []
    inputs = 3
    for width, kernel, stride, padding in ((96, 11, 4, 0), (256, 5, 1, 2), (384, 3, 1, 1)):
        layers += _conv(inputs, width, kernel, stride, padding)
        layers += _conv(width, width, 1) + _conv(width, width, 1) + [nn.MaxPool2d(3, 2)]
        inputs = width
    layers += _conv(inputs, 1024, 3, 1, 1) + _conv(1024, 1024, 1) + _conv(1024, 1000, 1)
    return FromFrame(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def tiny_yolov2() -> nn.Module:
    """Return tiny YOLOv2 for 20 classes and 5 anchors (Redmon and Farhadi, 2017)."""
    layers: list[nn.Module] = []
    inputs = 3
    for width in (16, 32, 64, 128, 256, 512):
        layers += _dark(inputs, width)
        if width == 512:  # the last pool keeps the size: the edge is padded by one
            layers += [nn.ReplicationPad2d((0, 1, 0, 1)), nn.MaxPool2d(2, 1)]
        else:
            layers.append(nn.MaxPool2d(2, 2))
        inputs = width
    layers += _dark(512, 1024) + _dark(1024, 1024) + [nn.Conv2d(1024, 125, 1)]
    return FromFrame(nn.Sequential(*layers))


def _dark(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)]


def vgg16() -> nn.Module:
    """Return VGG-16 (Simonyan and Zisserman, 2015)."""
    layers: list[nn.Module] = []
    inputs = 3
    for width, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeats):
            layers += _conv(inputs, width, 3, 1, 1)
            inputs = width
        layers.append(nn.MaxPool2d(2, 2))
    return FromFrame(nn.Sequential(*layers, *_classifier(512 * 7 * 7)))


def alexnet() -> nn.Module:
    """Return AlexNet in its one-tower form (Krizhevsky, 2014)."""
    layers = [
        *_conv(3, 64, 11, 4, 2), nn.MaxPool2d(3, 2),
        *_conv(64, 192, 5, 1, 2), nn.MaxPool2d(3, 2),
        *_conv(192, 384, 3, 1, 1), *_conv(384, 256, 3, 1, 1), *_conv(256, 256, 3, 1, 1),
        nn.MaxPool2d(3, 2),
    ]  # fmt: skip
    return FromFrame(nn.Sequential(*layers, *_classifier(256 * 6 * 6)))


def _classifier(inputs: int) -> list[nn.Module]:
    return [
        nn.Flatten(),
        nn.Linear(inputs, 4096), nn.ReLU(),
        nn.Linear(4096, 4096), nn.ReLU(),
        nn.Linear(4096, 1000),
    ]  # fmt: skip


class _Residual(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        out = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.second_norm(self.second(out)) + self.shortcut(x))


def resnet18() -> nn.Module:
    """Return ResNet-18 (He et al., 2016)."""
    stem = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
    layers: list[nn.Module] = [stem, nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [_Residual(inputs, width, stride), _Residual(width, width, 1)]
        inputs = width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000)]
    return FromFrame(nn.Sequential(*layers))


ZOO = {
    'nin': ZooNetwork(nin, 224),
    'tiny_yolov2': ZooNetwork(tiny_yolov2, 288),
    'vgg16': ZooNetwork(vgg16, 224),
    'alexnet': ZooNetwork(alexnet, 224),
    'resnet18': ZooNetwork(resnet18, 224),
}
