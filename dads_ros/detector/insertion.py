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
A waist for a network that was trained without one: its first convolution behind the cut in two.

Of all ways to hand on so few channels, the start is the one that leaves most of that convolution's
output on the frames it is shown: a truncated singular value decomposition of its weights, with the
channels decorrelated by their covariance there. Training makes the best of it from there.
"""

from __future__ import annotations

from dads_ros.detector.network import CarNet
import torch
from torch import Tensor

# The spread of a channel, in levels, that a waist starts with: its levels can hold it.
START_SPREAD = 1.5
# Of the largest variance: a direction of less is taken to have so much, lest noise be blown up.
LEAST_VARIANCE = 1e-6


@torch.no_grad()
def put_in_waist(network: CarNet, trained: CarNet, images: Tensor) -> None:
    """
    Give a network with a waist all that one without has learnt.

    The waist's channels rest at zero, where most of a frame is, with a spread of ``START_SPREAD``.

    :param images: uint8 RGB frames [n, 192, 320, 3] to fit the waist to.
    """
    state = trained.state_dict()
    wide = state.pop('level8.0.0.weight')
    network.load_state_dict({**network.state_dict(), **state})
    seen: list[Tensor] = []
    hook = trained.edge.register_forward_hook(lambda _module, _inputs, values: seen.append(values))
    trained.eval()(images)
    hook.remove()
    features = seen[0].float().transpose(0, 1).flatten(1)
    assert network.waist is not None
    project, bias = network.waist.project.weight, network.waist.project.bias
    assert bias is not None
    forth, back = factorise(wide, features, len(project))
    rest = (forth @ features).median(dim=1).values
    project.copy_(forth[:, :, None, None])
    bias.copy_(-rest)
    behind, norm = network.level8[0][0], network.level8[0][1]  # type: ignore[index]
    behind.weight.copy_(back)
    # What is lost of the convolution's mean, away from the borders, its batch norm makes good.
    mean = features.mean(dim=1)
    norm.running_mean.sub_(wide.sum(dim=(2, 3)) @ mean)
    norm.running_mean.add_(back.sum(dim=(2, 3)) @ (forth @ mean - rest))


def factorise(wide: Tensor, features: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """
    Return a projection [channels, inputs] and a convolution that together are nearly a given one.

    :param wide: weights [outputs, inputs, height, width] of the convolution.
    :param features: what it reads, [inputs, samples]; the error is least on these.
    """
    variances, directions = torch.linalg.eigh(torch.cov(features))
    spread = variances.clamp(min=LEAST_VARIANCE * float(variances[-1])).sqrt()
    taps = wide.permute(0, 2, 3, 1)
    _, _, rows = torch.linalg.svd(taps.flatten(0, 2) @ (directions * spread), full_matrices=False)
    project = START_SPREAD * rows[:channels] @ (directions / spread).T
    restore = (directions * spread) @ rows[:channels].T / START_SPREAD
    return project, (taps @ restore).permute(0, 3, 1, 2)
