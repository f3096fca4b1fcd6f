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

"""What a testbed refuses before anything is made, and what it tells when it is down."""

from __future__ import annotations

from pathlib import Path

from dads_ros.errors import ConfigError
from dads_ros.testbed import drive
from dads_ros.testbed.__main__ import _drive_of
from dads_ros.testbed.__main__ import _parser
from dads_ros.testbed.bed import told_by_relay
from dads_ros.testbed.quota import cpu_quota
from dads_ros.testbed.relay import READY
import pytest


@pytest.mark.parametrize('told', [None, '', f'{READY}\n', f'{READY}\n{{"uplink": {{"byt'])
def test_a_relay_that_was_killed_has_told_nothing(tmp_path: Path, told: str | None) -> None:
    log = tmp_path / 'relay.log'
    if told is not None:
        log.write_text(told)
    assert told_by_relay(log) == {}


def test_the_last_that_a_relay_said_is_what_it_did(tmp_path: Path) -> None:
    log = tmp_path / 'relay.log'
    log.write_text(f'{READY}\n{{"uplink": {{"bytes": 3}}}}\n')
    assert told_by_relay(log) == {'uplink': {'bytes': 3}}


@pytest.mark.parametrize(('threads', 'most'), [(1, 400), (2, 800), (15, 1000)])
def test_a_car_slower_than_a_quota_can_make_it_is_refused_with_the_most_there_is(
    monkeypatch: pytest.MonkeyPatch, threads: int, most: int
) -> None:
    monkeypatch.setattr(drive, 'use_threads', lambda: threads)
    assert _drive_of(_parser().parse_args(['--edge-slowdown', str(most)])).edge_slowdown == most
    with pytest.raises(ConfigError, match=f'--edge-slowdown must be from 1 to {most}, not 1001'):
        _drive_of(_parser().parse_args(['--edge-slowdown', '1001']))


def test_the_most_is_what_the_kernel_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr('dads_ros.testbed.quota.find_controller', lambda _: tmp_path)
    monkeypatch.setattr('dads_ros.testbed.quota._remove', lambda _: None)
    monkeypatch.setattr(drive, 'use_threads', lambda: 3)
    with cpu_quota(drive.CAR_CORES * 3 / drive.most_slowdown()) as quota:
        assert (quota.folder / 'cpu.max').read_text() == '1000 100000'
