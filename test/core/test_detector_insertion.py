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

"""A twin and a waist begin with what the network has learnt that they are made of."""

from dads_ros.detector.insertion import factorise
from dads_ros.detector.insertion import leave_unrounded
from dads_ros.detector.insertion import put_in_waist
from dads_ros.detector.insertion import START_SPREAD
from dads_ros.detector.insertion import widened
from dads_ros.detector.network import CarNet
from dads_ros.detector.network import EDGE_CHANNELS
from dads_ros.detector.network import WAIST_CHANNELS
from dads_ros.detector.shipped import load_network
from dads_ros.detector.shipped import WEIGHTS
import pytest
import torch


def test_the_twin_does_what_the_unrounded_network_does():
    torch.manual_seed(0)
    frames = torch.randint(0, 256, (2, 192, 320, 3), dtype=torch.uint8)
    narrow = CarNet()
    narrow.waist.rounds = False
    narrow.train()(frames)  # batch norms that say something
    narrow.eval()
    twin = widened(narrow)
    assert twin.waist is None
    with torch.no_grad():
        for mine, theirs in zip(twin(frames), narrow(frames), strict=True):
            assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))


def test_a_shipped_waist_that_is_left_unrounded_tells_the_next_layer_the_same():
    network = load_network(WEIGHTS)
    features = torch.rand(1, EDGE_CHANNELS, 8, 10)
    with torch.no_grad():
        before = network.level8[0](network.waist.project(features))
        leave_unrounded(network)
        after = network.level8[0](network.waist(features))
    inside = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(after[inside], before[inside], rtol=1e-3, atol=1e-3)
    assert float(before[inside].abs().max()) > 0.1


def test_a_waist_is_put_in_without_a_change_where_its_channels_hold_all():
    torch.manual_seed(0)
    twin, carnet = CarNet(waist=False).eval(), CarNet().eval()
    wide = twin.level8[0][0].weight
    narrow = torch.randn(96, WAIST_CHANNELS, 3, 3), torch.randn(WAIST_CHANNELS, EDGE_CHANNELS)
    with torch.no_grad():
        wide.copy_(torch.einsum('ockl,ci->oikl', *narrow) * wide.std() / WAIST_CHANNELS**0.5)
    frames = torch.randint(0, 256, (2, 192, 320, 3), dtype=torch.uint8)
    put_in_waist(carnet, twin, frames)
    features = twin.edge((frames.permute(0, 3, 1, 2).float() - 114) / 58)
    values = carnet.waist.project(features)
    channels = values.transpose(0, 1).flatten(1).detach()
    spreads = channels.std(dim=1)
    assert (spreads[1:] < spreads[:-1] + 1e-3).all()  # the first tell most
    assert float(spreads.log().mean().exp()) == pytest.approx(START_SPREAD, rel=0.01)
    assert torch.allclose(channels.median(dim=1).values, torch.tensor(0.0), atol=0.01)
    before = twin.level8[0][:2](features)
    after = carnet.level8[0][:2](values)
    # At the borders alone the rest is missing.
    torch.testing.assert_close(
        before[..., 1:-1, 1:-1], after[..., 1:-1, 1:-1], rtol=1e-3, atol=1e-3
    )
    for name in ('edge', 'level16', 'heads'):
        pairs = zip(
            getattr(twin, name).parameters(), getattr(carnet, name).parameters(), strict=True
        )
        assert all(torch.equal(theirs, mine) for theirs, mine in pairs)


def test_of_too_few_channels_those_are_kept_that_matter_on_the_frames():
    torch.manual_seed(0)
    features = torch.randn(6, 500) * torch.tensor([9.0, 0.1, 5.0, 0.1, 7.0, 0.1])[:, None]
    wide = torch.randn(10, 6, 3, 3)
    project, restore = factorise(wide, features, 3)
    both = torch.einsum('ockl,ci->oikl', restore, project)
    lost = ((wide - both).permute(0, 2, 3, 1).flatten(0, 2) @ features).norm()
    assert lost < 0.05 * (wide.permute(0, 2, 3, 1).flatten(0, 2) @ features).norm()


def test_a_channel_has_the_more_levels_the_more_it_tells():
    torch.manual_seed(0)
    features = torch.randn(6, 5000) * torch.tensor([9.0, 7.0, 5.0, 3.0, 2.0, 1.0])[:, None]
    project, restore = factorise(torch.randn(10, 6, 3, 3), features, 4)
    spreads = (project @ features).std(dim=1)
    costs = restore.square().sum(dim=(0, 2, 3)).sqrt()  # of an error of a level, in the output
    gains = spreads * costs
    assert (gains[1:] < gains[:-1]).all()
    torch.testing.assert_close(
        spreads.square() / gains, (spreads.square() / gains).mean().expand(4), rtol=1e-3, atol=0.0
    )
