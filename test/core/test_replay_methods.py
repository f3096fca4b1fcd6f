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

"""Ways to compare are held to the same accuracy."""

from __future__ import annotations

from dads_ros.errors import ConfigError
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.calibration import CodecAccuracy
from dads_ros.replay.methods import at_budget
from dads_ros.replay.methods import choose
from dads_ros.replay.methods import DEFAULT_METHODS
from dads_ros.replay.methods import JPEG_UPLOAD
from dads_ros.replay.methods import METHODS
import pytest

FRAME = ('frame',)
AP50 = {'jpeg30': 0.60, 'jpeg75': 0.695, 'jpeg90': 0.699}


def calibration() -> Calibration:
    rows = [CodecAccuracy(FRAME, codec, ap50) for codec, ap50 in AP50.items()]
    # At another cut, or not a JPEG: no upload of the frame.
    rows += [CodecAccuracy(('waist',), 'jpeg50', 0.7), CodecAccuracy(FRAME, 'raw', 0.7)]
    return Calibration('hash', 'labels', 8, 0.7, tuple(rows))


@pytest.mark.parametrize(
    ('budget', 'codec'),
    [(0.2, 'jpeg30'), (0.01, 'jpeg75'), (0.002, 'jpeg90'), (0.0, METHODS[JPEG_UPLOAD].codec)],
)
def test_upload_is_the_coarsest_within_the_budget(budget: float, codec: str) -> None:
    assert at_budget(METHODS[JPEG_UPLOAD], calibration(), FRAME, budget).codec == codec


@pytest.mark.parametrize('name', sorted(METHODS))
def test_nothing_changes_without_a_calibration(name: str) -> None:
    assert at_budget(METHODS[name], None, FRAME, 0.01) is METHODS[name]


@pytest.mark.parametrize('name', sorted(set(METHODS) - {JPEG_UPLOAD}))
def test_other_ways_stay_as_they_are(name: str) -> None:
    assert at_budget(METHODS[name], calibration(), FRAME, 0.2) is METHODS[name]


@pytest.mark.parametrize('names', ['all', ','.join(DEFAULT_METHODS), 'edge-only', 'none'])
def test_with_privacy_nothing_is_compared_that_sends_the_frame(names: str) -> None:
    chosen = [method.name for method in choose(names, privacy=True)]
    assert chosen == ['dads', 'edge-only'][: 1 if names == 'none' else 2]
    assert len(choose(names)) >= len(chosen)


@pytest.mark.parametrize('name', ['cloud-only-jpeg', 'cloud-only-raw'])
def test_with_privacy_an_upload_that_is_named_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match='sends the frame, which privacy forbids'):
        choose(f'edge-only,{name}', privacy=True)
