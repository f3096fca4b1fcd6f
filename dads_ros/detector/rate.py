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

Each value is a discretised logistic whose mean and scale are told by its causal neighbours, after
Minnen, Balle and Toderici, Joint Autoregressive and Hierarchical Priors, NeurIPS 2018. The model is
used in training alone; what is sent is coded by ``dads_ros.codec`` with contexts that adapt.
"""

from __future__ import annotations

import torch
from torch import nn
from torch import Tensor
from torch.nn import functional

REACH = 2


class RateModel(nn.Module):
    """Bits per frame of values [n, channels, height, width], with noise in place of rounding."""

    def __init__(self, channels: int, hidden: int = 48) -> None:
        super().__init__()
        size = 2 * REACH + 1
        self.around = nn.Conv2d(channels, hidden, size)
        self.head = nn.Conv2d(hidden, 2 * channels, 1)
        self.across = nn.Parameter(torch.zeros(channels, channels))
        mask = torch.zeros(size, size)
        mask[:REACH] = 1
        mask[REACH, :REACH] = 1
        self.register_buffer('mask', mask, persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Return the mean bits per frame."""
        noisy = values + torch.rand_like(values) - 0.5
        weight = self.around.weight * self.get_buffer('mask')
        hidden = functional.conv2d(noisy, weight, self.around.bias, padding=REACH)
        mean, log_scale = self.head(functional.relu(hidden)).float().chunk(2, dim=1)
        mean = mean + torch.einsum('oc,nchw->nohw', self.across.tril(-1), noisy)
        scale = torch.exp(torch.clamp(log_scale, -3, 3))
        upper = torch.sigmoid((noisy + 0.5 - mean) / scale)
        lower = torch.sigmoid((noisy - 0.5 - mean) / scale)
        return -torch.log2(torch.clamp(upper - lower, min=1e-6)).sum() / len(values)
