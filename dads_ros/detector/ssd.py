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

"""What is an SSD's own: its raw outputs, its anchors, and the boxes that its codes mean there."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch import Tensor

# The variances of SSD's box code, as torchvision's SSD has them.
SSD_WEIGHTS = np.array([10.0, 10.0, 5.0, 5.0], np.float32)


class SsdRaw(nn.Module):
    """The part of an SSD between its preprocessing and its decoding."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self.backbone = whole.get_submodule('backbone')
        self.head = whole.get_submodule('head')

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return box codes [n, anchors, 4] and logits [n, anchors, classes]."""
        found = self.head(list(self.backbone(pixels).values()))
        return found['bbox_regression'], found['cls_logits']


def ssd_anchors(whole: nn.Module, height: int, width: int) -> np.ndarray:
    """Return the anchors as corners in pixels [n, 4]."""
    from torchvision.models.detection.image_list import ImageList

    pixels = torch.zeros(1, 3, height, width)
    images = ImageList(pixels, [(height, width)])
    with torch.inference_mode():
        features = list(whole.get_submodule('backbone')(pixels).values())
        boxes = whole.get_submodule('anchor_generator')(images, features)
    return boxes[0].numpy()


def decode_ssd(codes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return the boxes [n, 4] that box codes mean at their anchors."""
    size = anchors[:, 2:] - anchors[:, :2]
    middle = anchors[:, :2] + size / 2
    scaled = codes / SSD_WEIGHTS
    middle = middle + scaled[:, :2] * size
    half = size * np.exp(np.minimum(scaled[:, 2:], np.log(1000 / 16))) / 2
    return np.concatenate((middle - half, middle + half), axis=1)
