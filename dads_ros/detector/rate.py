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
Bits per frame of the waist, as a loss: training spends bits only where they find objects.

The model sees what the ``packed`` codecs see when they code a value: the mean and the spread of
its four decoded neighbours, on lattices that get finer by a factor of two. So the network learns
channels that this coder codes well. The model is used in training alone.
"""

from __future__ import annotations

import torch
from torch import nn
from torch import Tensor
from torch.nn import functional

# Distance and direction of the neighbours, lattice by lattice from the finest. The few values of
# coarser lattices are counted as if on the last of these.
AXIAL = ((-1, 0), (1, 0), (0, -1), (0, 1))
DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))


class RateModel(nn.Module):
    """Bits per frame of values [n, channels, height, width], with noise in place of rounding."""

    def __init__(self, hidden: int = 24) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, values: Tensor) -> Tensor:
        """Return the mean bits per frame."""
        noisy = values + torch.rand_like(values) - 0.5
        rows = torch.arange(values.shape[2], device=values.device)[:, None]
        columns = torch.arange(values.shape[3], device=values.device)
        fine = (rows + columns) % 2 == 1
        middle = (rows % 2 == 1) & (columns % 2 == 1)
        features = torch.where(
            fine,
            _seen(noisy, AXIAL, 1),
            torch.where(middle, _seen(noisy, DIAGONAL, 1), _seen(noisy, AXIAL, 2)),
        )
        kind = torch.stack((fine, middle, ~(fine | middle))).to(noisy.dtype)
        kind = kind[:, None, None].expand(-1, *noisy.shape[:2], -1, -1)
        shift, log_scale = self.body(torch.cat((features, kind)).movedim(0, -1)).unbind(-1)
        scale = torch.exp(torch.clamp(log_scale, -3, 3))
        far = noisy - features[0] - shift
        share = torch.sigmoid((far + 0.5) / scale) - torch.sigmoid((far - 0.5) / scale)
        return -torch.log2(torch.clamp(share, min=1e-6)).sum() / len(values)


def _seen(values: Tensor, offsets: tuple[tuple[int, int], ...], distance: int) -> Tensor:
    """Return the mean and the spread of each value's neighbours, stacked."""
    height, width = values.shape[2:]
    padded = functional.pad(values, (distance,) * 4, mode='replicate')
    around = torch.stack(
        [
            padded[
                :,
                :,
                distance * (1 + down) : distance * (1 + down) + height,
                distance * (1 + right) : distance * (1 + right) + width,
            ]
            for down, right in offsets
        ]
    )
    return torch.stack((around.mean(dim=0), around.amax(dim=0) - around.amin(dim=0)))
