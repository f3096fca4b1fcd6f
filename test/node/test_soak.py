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

"""Two minutes of a drive: nodes that run for long neither grow nor slow down."""

from __future__ import annotations

from pathlib import Path

from dads_ros.bench.faults.figures import account_of
from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.faults.soak import soak
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(400)]

SOAK_S = 60.0


def test_a_minute_leaves_memory_and_files_as_they_were(tmp_path: Path) -> None:
    with Rig(tmp_path / 'rig') as rig:
        found = soak(rig, SOAK_S)
        rig.stop('edge')
        rig.wait(0.5)
        account = account_of(rig)
    assert found.memory_growth < 0.02, found.memory_growth_of
    assert found.file_growth <= 0, found.file_growth_of
    assert account.frames > 0.9 * SOAK_S * rig.cast.camera_hz
    assert account.unaccounted == 0
    assert account.stale == 0
