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

"""The edge's uplink changes while it is in use, and a bad trace changes nothing."""

from __future__ import annotations

from pathlib import Path
import time

from dads_ros.errors import ConfigError
from dads_ros.nodes.uplink import SwitchedUplink
import pytest


class Publisher:
    """Notes what it is told to publish."""

    def __init__(self) -> None:
        self.published: list[bytes] = []

    def publish(self, data: bytes) -> None:
        self.published.append(data)

    def wait_for(self, data: bytes) -> float:
        """Return how long it took until something was published."""
        began_s = time.monotonic()
        while data not in self.published:
            assert time.monotonic() - began_s < 10
            time.sleep(0.005)
        return time.monotonic() - began_s


@pytest.fixture
def slow(tmp_path: Path) -> str:
    path = tmp_path / 'slow.csv'
    path.write_text('time_s,uplink_mbps\n0,0.08\n', encoding='utf-8')
    return str(path)


def test_link_is_changed_and_changed_back(slow: str) -> None:
    publisher, uplink = Publisher(), SwitchedUplink('', 0.0)
    assert uplink.send(publisher, b'direct') == 6
    publisher.wait_for(b'direct')
    uplink.change(slow, 0.0)
    uplink.start()
    large = bytes(3000)
    uplink.send(publisher, large)
    assert publisher.wait_for(large) > 0.25  # 24 kbit at 80 kbit/s
    uplink.change('', 0.0)
    uplink.send(publisher, b'direct again')
    publisher.wait_for(b'direct again')
    uplink.close()


def test_same_link_goes_on_with_its_trace(slow: str) -> None:
    publisher, uplink = Publisher(), SwitchedUplink(slow, 0.0)
    uplink.send(publisher, b'on its way')
    uplink.change(slow, 0.0)
    publisher.wait_for(b'on its way')
    uplink.close()


@pytest.mark.parametrize('text', ['', 'time_s,uplink_mbps\n0,1\n0,2\n'])
def test_bad_trace_is_refused_and_the_link_stays(tmp_path: Path, text: str) -> None:
    publisher, uplink = Publisher(), SwitchedUplink('', 0.0)
    bad = tmp_path / 'bad.csv'
    if text:
        bad.write_text(text, encoding='utf-8')
    with pytest.raises(ConfigError, match='bad'):
        uplink.change(str(bad), 0.0)
    uplink.send(publisher, b'still here')
    publisher.wait_for(b'still here')
    uplink.close()
