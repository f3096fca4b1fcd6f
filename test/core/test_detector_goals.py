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

"""What the shipped weights are held to, on frames kept out of their training."""

import json
from pathlib import Path

from dads_ros.bench.detector.main import trial
from dads_ros.bench.detector.rates import EQUAL_AP50
from dads_ros.bench.detector.uploads import send
from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import WAIST_CODECS
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.detector.data import load_coco
from dads_ros.detector.network import INPUT_HEIGHT
from dads_ros.detector.network import INPUT_WIDTH
from dads_ros.detector.network import LABELS
from dads_ros.detector.shipped import TWIN
from dads_ros.detector.shipped import WEIGHTS
from dads_ros.model.surgery import head
from dads_ros.model.surgery import tail
from dads_ros.profiles.calibration import Calibration
import pytest

CODEC = 'packed4'  # what the planner uses on a slow link
# Images that are not as good, and the share of their bytes that the goals allow.
IMAGES = {'jpeg20': 0.3, 'webp20': 0.4}

pytestmark = pytest.mark.long


@pytest.fixture(scope='module')
def trials(shared: Path) -> tuple[Trial, Trial]:
    """Return the network with a waist and its twin, with the validation frames."""
    samples = load_coco(shared / 'driving/val.json', LABELS, size=(INPUT_HEIGHT, INPUT_WIDTH))
    return trial('shipped', WEIGHTS, True, samples), trial('twin', TWIN, False, samples)


@pytest.fixture(scope='module')
def whole(trials: tuple[Trial, Trial]) -> list[float]:
    """Return the AP50 of both."""
    return [one.ap50(one.find(one.whole, one.frames, 'frames')) for one in trials]


def test_the_weights_are_those_of_the_log(whole: list[float], root: Path) -> None:
    last = json.loads((root / 'docs/carnet.jsonl').read_text().splitlines()[-1])
    # The log is of the weights before they were rounded to half precision.
    assert whole == pytest.approx([last['ap50_vehicle'], last['twin_ap50_vehicle']], abs=0.005)


def test_the_waist_costs_a_point_at_most(whole: list[float]) -> None:
    shipped, twin = whole
    assert shipped > 0.8
    assert twin - shipped <= 0.01


def test_no_image_of_the_size_that_the_goals_allow_is_as_good(
    trials: tuple[Trial, Trial], whole: list[float]
) -> None:
    model = trials[0].model
    boundary = (waist_layer(model),)
    front = head(model, boundary)
    codes = [front(frame)[0] for frame in trials[0].frames]
    waist = send(trials[0], CODEC, codes, tail(model, boundary))
    assert waist.ap50 >= whole[0] - EQUAL_AP50
    for name, share in IMAGES.items():
        for one in trials:
            image = send(one, name, one.frames, one.whole)
            assert image.ap50 < whole[0] - EQUAL_AP50
            assert waist.bytes_mean <= share * image.bytes_mean


def test_every_fineness_of_the_waist_is_calibrated() -> None:
    model = trial('shipped', WEIGHTS, True, ()).model
    calibration = Calibration.find(None, model.hash)
    assert calibration is not None
    drops = [calibration.drop((waist_layer(model),), name) for name in WAIST_CODECS[1:]]
    assert None not in drops
