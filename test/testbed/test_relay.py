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

"""The relay delays both ways and holds the uplink to its rate."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import statistics
import time
from typing import Any

from dads_ros.processes import ProcessGroup
from dads_ros.testbed.hosts import Link
from dads_ros.testbed.hosts import two_hosts
from dads_ros.testbed.hosts import Wiring
from dads_ros.testbed.lane import Impairment
from dads_ros.testbed.relay import READY
from dads_ros.testbed.relay import relay_command
from dads_ros.testbed.relay import RelayControl
import pytest

pytestmark = pytest.mark.root


def round_trip_s(flow: Any, link: Link) -> float:
    """Return how long a datagram takes to the cloud and one back."""
    start_s = time.monotonic()
    flow.send()
    while not flow.receive():
        time.sleep(0.0002)
    flow.receiver.sendto(b'back', (link.car.address, 5000))
    while time.monotonic() < start_s + 5:
        try:
            flow.sender.recv(100)
            return time.monotonic() - start_s
        except BlockingIOError:
            time.sleep(0.0002)
    raise TimeoutError


def test_the_relay_delays_and_limits(tmp_path: Path, make_flow: Callable[[Link], Any]) -> None:
    with two_hosts(Wiring.TAPS) as link, ProcessGroup() as group:
        command = relay_command(link, tmp_path / 'control', Impairment(0.025), 8_000)
        relay = group.start('relay', command, tmp_path / 'relay.log')
        group.wait_until('the relay', lambda: relay.has_logged(READY), 10)
        flow = make_flow(link)
        trips_s = [round_trip_s(flow, link) for _ in range(20)]
        control = RelayControl(tmp_path / 'control')
        control.set_rate(5e6)
        came = flow.run(8e6, 2.5)
        control.close()
    # Never early; late as much as a busy machine makes everything late.
    assert min(trips_s) >= 0.05
    assert statistics.median(trips_s) < 0.06
    bits = sum(b for t, b in came if 0.5 < t <= 2.5)
    assert bits / 2.0 == pytest.approx(5e6, rel=0.05)
    assert group.statuses == {'relay': 0}
    counts = json.loads((tmp_path / 'relay.log').read_text().splitlines()[-1])
    assert counts['uplink']['overflowed'] > 0
    assert counts['downlink']['packets'] == 20
