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

"""The doctor: every check of the environment, each with what to do."""

from __future__ import annotations

import json
from pathlib import Path

from dads_ros import doctor
from dads_ros.cli.main import main
from dads_ros.doctor import examine
from dads_ros.doctor import Finding
from dads_ros.doctor import Health
import pytest

SUBJECTS = {
    'processor', 'ROS 2', 'messages', 'programs', 'middleware', 'discovery', 'socket buffers',
    'IP fragments', 'shared memory', 'GPU', 'cv_bridge', 'clock',
}  # fmt: skip


def findings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    """Return what is found, the cloud left out: asking for it takes seconds."""
    monkeypatch.setenv('PATH', '')
    return {finding.subject: finding for finding in examine()}


def test_every_subject_is_looked_at_and_every_flaw_has_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = findings(monkeypatch)
    assert set(found) == SUBJECTS
    for finding in found.values():
        assert finding.found
        assert bool(finding.remedy) == (finding.health is not Health.OK), finding


@pytest.mark.parametrize(
    ('limits', 'subject', 'remedy'),
    [
        ({'net.core.rmem_max': 212992}, 'socket buffers', 'net.core.rmem_max=4194304'),
        ({'net.core.wmem_max': 212992}, 'socket buffers', 'net.core.wmem_max=4194304'),
        ({'net.ipv4.ipfrag_high_thresh': 262144}, 'IP fragments', 'ipfrag_high_thresh='),
        ({'net.ipv4.ipfrag_time': 30}, 'IP fragments', 'net.ipv4.ipfrag_time=3'),
    ],
)
def test_kernel_limits_come_with_the_command_that_raises_them(
    limits: dict[str, int], subject: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {'net.ipv4.ipfrag_time': 3}
    monkeypatch.setattr(doctor, '_kernel', lambda name: {**good, **limits}.get(name, 2**30))
    finding = findings(monkeypatch)[subject]
    assert finding.health is Health.HINT
    assert remedy in finding.remedy and 'sudo sysctl -w' in finding.remedy


def test_limits_that_the_kernel_hides_are_no_flaw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, '_kernel', lambda _: None)
    found = findings(monkeypatch)
    assert found['socket buffers'].health is Health.OK
    assert 'not told here' in found['socket buffers'].found


@pytest.mark.parametrize(
    ('distribution', 'variable', 'file'),
    [
        ('humble', 'FASTRTPS_DEFAULT_PROFILES_FILE', 'fastdds2.xml'),
        ('jazzy', 'FASTRTPS_DEFAULT_PROFILES_FILE', 'fastdds2.xml'),
        ('kilted', 'FASTDDS_DEFAULT_PROFILES_FILE', 'fastdds.xml'),
    ],
)
def test_the_profile_is_asked_for_in_the_words_of_the_distribution(
    monkeypatch: pytest.MonkeyPatch, root: Path, distribution: str, variable: str, file: str
) -> None:
    monkeypatch.setenv('ROS_DISTRO', distribution)
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    for name in ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'):
        monkeypatch.delenv(name, raising=False)
    told = findings(monkeypatch)['middleware']
    assert told.health is Health.HINT and f'{variable} to config/{file}' in told.remedy
    monkeypatch.delenv('RMW_IMPLEMENTATION')  # as most have it: the default is the same
    assert findings(monkeypatch)['middleware'].health is Health.HINT
    monkeypatch.setenv(variable, str(root / 'config' / file))
    assert findings(monkeypatch)['middleware'].health is Health.OK


def test_both_fast_dds_files_say_the_same(root: Path) -> None:
    new, old = (
        (root / 'config' / name).read_text('utf-8').partition('<transport_descriptors>')[2]
        for name in ('fastdds.xml', 'fastdds2.xml')
    )
    assert old == new.replace('heartbeat_period', 'heartbeatPeriod') != new


def test_a_profile_that_is_not_there_is_bad_and_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('FASTDDS_DEFAULT_PROFILES_FILE', str(tmp_path / 'none.xml'))
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    assert findings(monkeypatch)['middleware'].health is Health.BAD
    assert main(['doctor', '--json']) == 1
    rows = json.loads(capsys.readouterr().out)
    assert {row['subject'] for row in rows} == SUBJECTS
    assert next(r for r in rows if r['subject'] == 'middleware')['health'] == 'bad'
