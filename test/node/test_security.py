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


"""A stranger on the domain can neither inject, replay, alter nor read; without keys it could."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dads_ros.bench.fault_figures import account
from dads_ros.bench.fault_intrusion import intrude
from dads_ros.bench.fault_intrusion import Intrusion
from dads_ros.bench.fault_intrusion import keyed
from dads_ros.bench.fault_rig import Rig

pytestmark = [pytest.mark.ros, pytest.mark.slow]

ATTACK_S = 5.0


@pytest.fixture(scope='module')
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Return nodes with a key, after an attack."""
    folder: Path = tmp_path_factory.mktemp('sealed')
    with Rig(folder / 'rig', keyed(folder / 'keys')) as rig:
        yield rig


@pytest.fixture(scope='module')
def intrusion(rig: Rig) -> Intrusion:
    return intrude(rig, ATTACK_S)


def test_nothing_of_a_stranger_is_accepted(intrusion: Intrusion) -> None:
    assert intrusion.accepted == 0


def test_stranger_tried_everything(intrusion: Intrusion) -> None:
    assert set(intrusion.sent) == {
        'repeated', 'altered', 'counted on', 'own key', 'cut off', 'noise', 'as another kind',
        'plain result', 'forged plain plan', 'nonsense plain plan',
    }  # fmt: skip
    assert all(intrusion.sent.values())


def test_stranger_hears_nothing_plain(intrusion: Intrusion) -> None:
    assert any(kind.startswith('sealed') for kind in intrusion.heard)
    assert not any(kind.startswith('plain') for kind in intrusion.heard)


def test_attacks_are_counted_and_told(intrusion: Intrusion) -> None:
    for kind, node in (('bundle', 'cloud'), ('result', 'edge'), ('probe', 'cloud')):
        reasons = intrusion.refused[node]
        assert {f'{kind} forged', f'{kind} replayed', f'{kind} malformed'} <= set(reasons)
    assert intrusion.refused['edge']['plan forged']


def test_car_goes_on_through_the_cloud(rig: Rig, intrusion: Intrusion) -> None:
    assert intrusion.sent
    since = len(rig.frames())
    rig.wait_for_cloud()
    assert any(f.size_bytes and f.network_s for f in rig.frames()[since:])


def test_every_frame_is_accounted_for(rig: Rig, intrusion: Intrusion) -> None:
    assert intrusion.sent
    rig.stop('edge')
    rig.wait(0.5)
    found = account(rig.frames(), rig.record.detections, rig.edge_starts_ns, rig.edge_kills_ns)
    assert (found.unaccounted, found.stale) == (0, 0)


def test_without_a_key_a_stranger_would_be_believed(tmp_path: Path) -> None:
    # What shows that the tests above can fail.
    with Rig(tmp_path / 'rig') as rig:
        found = intrude(rig, ATTACK_S)
    assert found.accepted
    assert any(kind.startswith('plain') for kind in found.heard)
