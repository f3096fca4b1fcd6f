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
From a network that hands on a few unrounded channels to its twin and to one with a waist.

The twin has no bottleneck: the projection and the first convolution behind it become one. For a
waist, that one becomes two again, with channels that are decorrelated on frames and in the order
of what they tell: a truncated singular value decomposition. Of all ways to hand on so few, it is
the one that leaves most of the convolution's output there.
"""

from __future__ import annotations

from dads_ros.detector.network import CarNet
import torch
from torch import Tensor

# The geometric mean of the channels' spreads, in levels, that a waist starts with.
START_SPREAD = 2.5
# Of the largest variance: a direction of less is taken to have so much, lest noise be blown up.
LEAST_VARIANCE = 1e-6


@torch.no_grad()
def widened(network: CarNet) -> CarNet:
    """Return the network without a bottleneck that does what one with an unrounded waist does."""
    state = network.state_dict()
    project = state.pop('waist.project.weight')[:, :, 0, 0]
    del state['waist.project.bias']
    behind = state['level8.0.0.weight']
    state['level8.0.0.weight'] = torch.einsum('ockl,ci->oikl', behind, project)
    wide = CarNet(waist=False).to(behind.device)
    wide.load_state_dict(state)
    return wide.eval()


@torch.no_grad()
def leave_unrounded(network: CarNet) -> None:
    """Hand the waist's values on as they are; its bias, unused then, goes to the next norm."""
    assert network.waist is not None
    network.waist.rounds = False
    bias = network.waist.project.bias
    assert bias is not None
    behind, norm = network.level8[0][0], network.level8[0][1]  # type: ignore[index]
    norm.running_mean.sub_(behind.weight.sum(dim=(2, 3)) @ bias)  # the same but at the borders
    bias.zero_()


@torch.no_grad()
def put_in_waist(network: CarNet, trained: CarNet, images: Tensor) -> None:
    """
    Give a network with a waist all that one without has learnt, as far as its channels hold it.

    The waist's channels rest at zero, where most of a frame is.

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

    A channel is spread over the more levels the more it tells of the output, by the square root.
    In full proportion an error would cost the fewest bits ("reverse water-filling"), but coarser
    levels would leave nothing of the last channels.

    :param wide: weights [outputs, inputs, height, width] of the convolution.
    :param features: what it reads, [inputs, samples]; the error is least on these.
    """
    variances, directions = torch.linalg.eigh(torch.cov(features))
    spread = variances.clamp(min=LEAST_VARIANCE * float(variances[-1])).sqrt()
    taps = wide.permute(0, 2, 3, 1)
    _, gains, rows = torch.linalg.svd(
        taps.flatten(0, 2) @ (directions * spread), full_matrices=False
    )
    rows, levels = rows[:channels], gains[:channels].sqrt()
    levels *= START_SPREAD / levels.log().mean().exp()
    project = levels[:, None] * rows @ (directions / spread).T
    restore = (directions * spread) @ rows.T / levels
    return project, (taps @ restore).permute(0, 3, 1, 2)
