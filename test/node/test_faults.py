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


"""The nodes survive what roads and clouds do to them; real processes, one fault after another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dads_ros.bench.faults.figures import Account
from dads_ros.bench.faults.figures import account
from dads_ros.bench.faults.figures import Row
from dads_ros.bench.faults.figures import row
from dads_ros.bench.faults.main import CLOUD_KILL
from dads_ros.bench.faults.rig import CAMERA_HZ
from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.faults.scenarios import scenarios
from dads_ros.pipeline.frame import Outcome
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]

# `dads bench faults` plays the long ones too.
SHORT = (
    CLOUD_KILL,
    'cloud paused for 5 s',
    'monitor killed and restarted',
    'camera stops for 1 s',
    'camera jumps back by years',
    'camera changes size and encoding',
    'camera at 60 Hz',
    'bag loops',
)


@pytest.fixture(scope='module')
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Account, dict[str, Row]]]:
    """Return the account of all frames, and what each fault did."""
    folder: Path = tmp_path_factory.mktemp('faults')
    rig = Rig(folder / 'rig')
    with rig:
        faults = scenarios(folder / 'props', quick=True)
        phases = [fault.play(rig) for fault in faults if not fault.is_long]
        rig.stop('edge')
        rig.wait(0.5)
    frames, record = rig.frames(), rig.record
    found = account(frames, record.detections, rig.edge_starts_ns, rig.edge_kills_ns)
    rows = [row(phase, frames, record.detections, record.plans) for phase in phases]
    yield found, {r.test: r for r in rows}


def test_every_frame_ends_exactly_once(played: tuple[Account, dict[str, Row]]) -> None:
    found, _ = played
    assert found.unaccounted == 0
    assert sum(found.ended.values()) == found.frames
    assert set(found.ended) <= {outcome.name.lower() for outcome in Outcome}


def test_no_detection_is_published_after_a_newer_one(
    played: tuple[Account, dict[str, Row]],
) -> None:
    found, _ = played
    assert found.stale == 0


def test_gap_after_a_cloud_kill_is_two_periods_and_the_deadline_at_most(
    played: tuple[Account, dict[str, Row]],
) -> None:
    killed = played[1][CLOUD_KILL]
    assert killed.frames > 10
    assert killed.gap_s <= 2 / CAMERA_HZ + killed.deadline_s


@pytest.mark.parametrize('name', SHORT)
def test_frames_go_through_the_cloud_again(
    played: tuple[Account, dict[str, Row]], name: str
) -> None:
    recovered_s = played[1][name].recovered_s
    assert recovered_s is not None
    assert recovered_s < 20


def test_the_short_faults_are_all_listed(played: tuple[Account, dict[str, Row]]) -> None:
    assert set(played[1]) == set(SHORT)
