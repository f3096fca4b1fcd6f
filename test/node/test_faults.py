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
The nodes survive what roads, clouds and crowds do to them: one fault after another.

Real processes, and the scenarios of `dads bench faults`, in one running set of nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dads_ros.bench.faults.figures import Account
from dads_ros.bench.faults.figures import account_of
from dads_ros.bench.faults.figures import PROMISED_S
from dads_ros.bench.faults.figures import Row
from dads_ros.bench.faults.figures import rows_of
from dads_ros.bench.faults.loads import Flood
from dads_ros.bench.faults.loads import flood
from dads_ros.bench.faults.loads import Overload
from dads_ros.bench.faults.loads import overload
from dads_ros.bench.faults.main import CLOUD_KILL
from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.faults.scenarios import scenarios
from dads_ros.pipeline.frame import Outcome
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.quiet, pytest.mark.timeout(900)]

FAULTS = (
    CLOUD_KILL,
    'cloud paused for 5 s',
    'monitor killed and restarted',
    'two clouds',
    'camera stops for 1 s',
    'camera jumps back by years',
    'camera changes size and encoding',
    'camera at 60 Hz',
    'bag loops',
    'edge killed and restarted',
    'link at 50 kbit/s',
    'link to zero and back',
)


@dataclass(frozen=True)
class Played:
    """What came of all of it."""

    camera_hz: float
    account: Account
    rows: dict[str, Row]
    flood: Flood
    overload: Overload


@pytest.fixture(scope='module')
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Return what all faults and loads did to one set of nodes."""
    folder: Path = tmp_path_factory.mktemp('faults')
    rig = Rig(folder / 'rig')
    with rig:
        phases = [fault.play(rig) for fault in scenarios(folder / 'props', quick=True)]
        flooded = flood(rig, 4.0)
        overloaded = overload(rig, 3.0)
        rig.stop('edge')
        rig.wait(0.5)
    rows = {r.test: r for r in rows_of(rig, phases)}
    yield Played(rig.cast.camera_hz, account_of(rig), rows, flooded, overloaded)


def test_every_frame_ends_exactly_once(played: Played) -> None:
    found = played.account
    assert found.unaccounted == 0
    assert sum(found.ended.values()) == found.frames
    assert set(found.ended) <= {outcome.name.lower() for outcome in Outcome}


@pytest.mark.parametrize('name', FAULTS)
def test_every_frame_of_a_fault_ends_exactly_once(played: Played, name: str) -> None:
    assert played.rows[name].unaccounted == 0


def test_no_detection_is_published_after_a_newer_one(played: Played) -> None:
    assert played.account.stale == 0


def test_gap_after_a_cloud_kill_is_two_periods_and_the_deadline_at_most(played: Played) -> None:
    killed = played.rows[CLOUD_KILL]
    assert killed.frames > 10
    # The camera is a process on this machine too: what made its frames late made all else late.
    late_s = killed.camera_gap_s - 1 / played.camera_hz
    assert killed.gap_s <= 2 / played.camera_hz + killed.deadline_s + max(0.0, late_s)


@pytest.mark.parametrize('name', FAULTS)
def test_frames_go_through_the_cloud_again_in_time(played: Played, name: str) -> None:
    found_s = played.rows[name].recovered_s
    assert found_s is not None and found_s <= PROMISED_S


def test_all_faults_are_listed(played: Played) -> None:
    assert set(played.rows) == set(FAULTS)


def test_flood_starves_nobody_and_memory_stays_flat(played: Played) -> None:
    found = played.flood
    assert found.sent_hz > 300  # a busy machine may not reach all of its 1000
    assert found.sent > 0.5 * found.frames
    assert found.via_cloud > 0.7 * found.sent
    assert found.answered_hz > 1
    assert found.memory_growth < 0.05


def test_edge_at_twice_its_rate_publishes_the_newest_and_wastes_nothing(played: Played) -> None:
    found = played.overload
    assert found.camera_hz > 1.5 / found.frame_s
    assert found.published_hz > 0.7 / found.frame_s
    # A frame waits for the one at hand at most, then it is computed.
    assert found.age_p95_s < 2.5 * found.frame_s
    assert found.wasted < 0.02
