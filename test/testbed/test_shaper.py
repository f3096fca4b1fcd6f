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

"""The uplink's rate is the trace's, and a stall neither lets through nor loses."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from dads_ros.testbed.hosts import Link
from dads_ros.testbed.hosts import two_hosts
from dads_ros.testbed.hosts import Wiring
from dads_ros.testbed.shaper import Follower
from dads_ros.testbed.shaper import Shaper
from dads_ros.trace import Trace
import pytest

TRACE = Trace((0.0, 1.5, 3.0), (1.1e6, 0.13e6, 5.85e6))
SETTLING_S = 0.3  # the samples' change and what the buffer's first packets take
SHORT_QUEUE_BYTES = 8_000


@pytest.mark.root
@pytest.mark.parametrize('wiring', [Wiring.VETH, Wiring.BRIDGE])
def test_a_flow_gets_the_rates_of_the_trace(
    wiring: Wiring, make_flow: Callable[[Link], Any]
) -> None:
    with two_hosts(wiring) as link:
        shaper = Shaper(link.uplink, SHORT_QUEUE_BYTES)
        with Follower(TRACE, shaper.set_rate) as follower:
            flow = make_flow(link)
            follower.start()
            came = flow.run(8e6, 4.5)
        shaper.close()
    assert len(follower.late_s) == 2
    for begin_s, rate_bps in TRACE.samples:
        window_s = (begin_s + SETTLING_S, begin_s + 1.5)
        bits = sum(b for t, b in came if window_s[0] < t <= window_s[1])
        # One packet in or out of the window is 7 % at the lowest rate; late samples, 10 ms.
        packet_bits = 1442 * 8
        assert bits == pytest.approx(rate_bps * 1.2, rel=0.05, abs=2 * packet_bits)


@pytest.mark.root
def test_a_stall_holds_what_was_sent(make_flow: Callable[[Link], Any]) -> None:
    with two_hosts(Wiring.BRIDGE) as link:
        shaper = Shaper(link.uplink)
        flow = make_flow(link)
        shaper.set_rate(0)
        for _ in range(40):
            flow.send()
        time.sleep(1.0)
        leaked = flow.receive()
        assert leaked <= 2
        shaper.set_rate(5e6)
        came, start_s = leaked, time.monotonic()
        while came < 40 and time.monotonic() < start_s + 5:
            came += flow.receive()
        took_s = time.monotonic() - start_s
        shaper.close()
        assert came == 40
        # 38 packets at 5 Mbit/s are 88 ms; asleep, the bucket would wait for up to 12 s.
        assert 0.06 < took_s < 2.0
        assert link.uplink.counters().dropped_packets == 0


@pytest.mark.root
def test_a_switch_drops_what_overflows_and_a_cable_makes_senders_wait(
    make_flow: Callable[[Link], Any],
) -> None:
    dropped = {}
    for wiring in (Wiring.VETH, Wiring.BRIDGE):
        with two_hosts(wiring) as link:
            shaper = Shaper(link.uplink)
            shaper.set_rate(1e6)
            make_flow(link).run(20e6, 0.5)
            dropped[wiring] = link.uplink.counters().dropped_packets
            shaper.close()
    assert dropped[Wiring.VETH] == 0
    assert dropped[Wiring.BRIDGE] > 0


def test_a_follower_tells_what_went_wrong() -> None:
    def set_rate(rate_bps: float) -> None:
        if rate_bps == 2.0:
            raise OSError('gone')

    with (
        pytest.raises(OSError, match='gone'),
        Follower(Trace((0.0, 0.01), (1.0, 2.0)), set_rate) as f,
    ):
        f.start()
        until_s = time.monotonic() + 10
        while f._error is None and time.monotonic() < until_s:
            time.sleep(0.01)
