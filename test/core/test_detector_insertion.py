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

"""A waist that is put into a trained network begins with what eight channels can hold of it."""

from dads_ros.detector.insertion import factorise
from dads_ros.detector.insertion import put_in_waist
from dads_ros.detector.network import CarNet
from dads_ros.detector.network import EDGE_CHANNELS
import torch


def test_a_waist_is_put_in_without_a_change_where_its_channels_hold_all():
    torch.manual_seed(0)
    twin, carnet = CarNet(waist=False).eval(), CarNet().eval()
    wide = twin.level8[0][0].weight
    narrow = torch.randn(96, 8, 3, 3), torch.randn(8, EDGE_CHANNELS)
    with torch.no_grad():
        wide.copy_(torch.einsum('ockl,ci->oikl', *narrow) * wide.std() / 8**0.5)
    frames = torch.randint(0, 256, (2, 192, 320, 3), dtype=torch.uint8)
    put_in_waist(carnet, twin, frames)
    features = twin.edge((frames.permute(0, 3, 1, 2).float() - 114) / 58)
    values = carnet.waist.project(features)
    channels = values.transpose(0, 1).flatten(1)
    assert torch.allclose(channels.std(dim=1), torch.tensor(1.5), atol=0.02)
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
