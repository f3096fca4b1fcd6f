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

"""Key folders while nodes run: one that is away for a while revokes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dads_ros.errors import ConfigError
from dads_ros.security.keys import Keyring
import pytest

SECRET = '11' * 32


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr('dads_ros.security.keys.LOOK_PERIOD_S', 0.0)
    yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / 'keys'
    folder.mkdir()
    file = folder / 'car.key'
    file.touch(mode=0o600)
    file.write_text(SECRET, encoding='ascii')
    return folder


def test_a_folder_that_is_away_leaves_the_keys_in_force_and_is_told_once(folder: Path) -> None:
    told: list[str] = []
    cloud = Keyring.of_folder(folder, told.append)
    key = cloud.sealing('car')
    away = folder.rename(folder.with_name('away'))
    for _ in range(3):
        assert cloud.sealing('car') == key and cloud.opening(key.id)
    assert len(told) == 1
    assert str(folder) in told[0] and 'former keys stay in force' in told[0]
    away.rename(folder)
    assert cloud.sealing('car') == key
    assert len(told) == 1


def test_a_key_that_is_removed_is_revoked_even_the_last(folder: Path) -> None:
    cloud = Keyring.of_folder(folder)
    key = cloud.sealing('car')
    (folder / 'car.key').unlink()
    assert cloud.opening(key.id) is None
    with pytest.raises(ConfigError, match="'car' has no key"):
        cloud.sealing('car')


def test_a_folder_that_is_missing_at_the_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='No such file'):
        Keyring.of_folder(tmp_path / 'none')
