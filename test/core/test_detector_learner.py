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

"""What a network keeps when its waist begins to round, and its twin takes over."""

from dads_ros.detector.learner import Learner
from dads_ros.detector.loss import likeness_loss
from dads_ros.detector.loss import Targets
import pytest
import torch

BATCH = 2


IMAGES = torch.randint(0, 256, (BATCH, 192, 320, 3), dtype=torch.uint8)
BOX = torch.tensor([[[10.0, 20.0, 90.0, 80.0]]]).expand(BATCH, 1, 4)
TARGETS = Targets(BOX, torch.full((BATCH, 1), 2), torch.ones(BATCH, 1, dtype=torch.int64))


def learner(*, waist: bool) -> Learner:
    return Learner(waist, torch.device('cpu'), weight_decay=0.0, waist_bytes=1000.0)


@pytest.fixture
def narrow():
    found = learner(waist=True)
    found.set_rounding(False)
    found.learn(IMAGES, TARGETS, 1e-3)
    return found


def test_a_waist_that_does_not_round_is_not_charged_for(narrow):
    numbers, said = narrow.learn(IMAGES, TARGETS, 1e-3)
    assert set(numbers) == {'class', 'box'}
    narrow.round(IMAGES)
    numbers, _ = narrow.learn(IMAGES, TARGETS, 1e-3, said)
    assert set(numbers) == {'class', 'box', 'guide', 'likeness', 'bytes', 'price'}
    assert narrow.average.waist.rounds


def test_a_twin_begins_with_the_moments_of_the_network_that_it_is_made_of(narrow):
    twin = learner(waist=False)
    twin.start_wide(narrow)
    theirs = dict(narrow.network.named_parameters())
    new = set()
    for name, mine in twin.network.named_parameters():
        if mine not in twin.optimiser.state:
            new.add(name)
            continue
        moments = twin.optimiser.state[mine]['exp_avg_sq']
        assert moments is not narrow.optimiser.state[theirs[name]]['exp_avg_sq']
        torch.testing.assert_close(moments, narrow.optimiser.state[theirs[name]]['exp_avg_sq'])
    assert new == {'level8.0.0.weight'}


def test_channels_that_are_other_ones_once_they_are_rounded_begin_without_moments(narrow):
    narrow.round(IMAGES)
    new = {
        name
        for name, mine in narrow.network.named_parameters()
        if mine not in narrow.optimiser.state
    }
    assert new == {'waist.project.weight', 'waist.project.bias', 'level8.0.0.weight'}


def test_likeness_is_counted_in_the_guides_own_variance():
    guide = torch.randn(2, 3, 4, 5)
    assert float(likeness_loss(guide, guide)) == 0.0
    one = float(likeness_loss(torch.zeros_like(guide), guide - guide.mean()))
    assert one == pytest.approx(1.0, rel=0.02)
    assert float(likeness_loss(10 * guide + 1, 10 * guide)) < 0.02
