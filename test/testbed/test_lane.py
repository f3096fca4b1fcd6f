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

"""A lane delivers in order, at its rate, after its delay, and loses what it says."""

from __future__ import annotations

import math
import random

from dads_ros.testbed.lane import Impairment
from dads_ros.testbed.lane import Lane
from dads_ros.trace import Trace
from hypothesis import given
from hypothesis import strategies as st
import pytest

RATES = st.one_of(st.just(0.0), st.floats(1e4, 1e8))
SIZES = st.integers(60, 1514)


def make_lane(impairment: Impairment | None = None, queue_bytes: int = 2**30) -> Lane:
    return Lane(impairment or Impairment(), queue_bytes, random.Random(0))


def packet(number: int, size: int) -> bytes:
    return number.to_bytes(4, 'little') + bytes(size - 4)


def run_out(lane: Lane, now_s: float = 0.0) -> list[tuple[float, bytes]]:
    """Return what comes out, with the times, asking exactly when the lane says."""
    out = []
    while math.isfinite(next_s := lane.next_s()):
        now_s = max(now_s, next_s)
        out += [(now_s, p) for p in lane.take(now_s)]
    return out


@given(st.lists(SIZES, min_size=1, max_size=30), st.lists(RATES, min_size=1, max_size=6))
def test_packets_leave_when_the_trace_says(sizes: list[int], rates: list[float]) -> None:
    trace = Trace(tuple(0.01 * i for i in range(len(rates) + 1)), (*rates, 1e6))
    lane = make_lane()
    lane.set_rate(rates[0], 0.0)
    for number, size in enumerate(sizes):
        lane.offer(packet(number, size), 0.0)
    out = []
    for time_s, rate_bps in trace.samples:
        while lane.next_s() < time_s:
            now_s = lane.next_s()
            out += [(now_s, p) for p in lane.take(now_s)]
        lane.set_rate(rate_bps, time_s)
    out += run_out(lane, trace.duration_s)
    assert [int.from_bytes(p[:4], 'little') for _, p in out] == list(range(len(sizes)))
    sent_bits = 0
    for time_s, p in out:
        sent_bits += len(p) * 8
        assert time_s == pytest.approx(trace.finish_s(0.0, sent_bits), abs=1e-6)


@given(
    st.lists(st.tuples(st.floats(0, 0.01), SIZES), max_size=40),
    st.floats(0.01, 0.1), st.floats(0, 0.01), st.integers(0, 2**32),
)  # fmt: skip
def test_delay_is_within_the_jitter_and_order_is_kept(
    offers: list[tuple[float, int]], delay_s: float, jitter_s: float, seed: int
) -> None:
    lane = Lane(Impairment(delay_s, jitter_s), 2**30, random.Random(seed))
    now_s, offered = 0.0, []
    out: list[tuple[float, bytes]] = []
    for number, (gap_s, size) in enumerate(offers):
        now_s += gap_s
        while lane.next_s() <= now_s:
            due_s = lane.next_s()
            out += [(due_s, p) for p in lane.take(due_s)]
        lane.offer(packet(number, size), now_s)
        offered.append(now_s)
    out += run_out(lane)
    assert [int.from_bytes(p[:4], 'little') for _, p in out] == list(range(len(offers)))
    for start_s, (time_s, _) in zip(offered, out, strict=True):
        assert delay_s - jitter_s - 1e-9 <= time_s - start_s
        # A packet never overtakes: it may have to wait for one that was delayed by more.
        assert time_s - start_s <= delay_s + jitter_s + 1e-9


def test_losses_have_the_share_asked_for() -> None:
    lane = make_lane(Impairment(loss=0.01))
    for number in range(20_000):
        lane.offer(packet(number, 100), float(number))
    arrived = len(run_out(lane, 20_000.0))
    assert arrived + lane.counts.lost == 20_000
    assert lane.counts.lost == pytest.approx(200, abs=60)  # four standard deviations


def test_a_full_buffer_loses_the_newest() -> None:
    lane = make_lane(queue_bytes=3000)
    lane.set_rate(1e6, 0.0)
    for number in range(5):
        lane.offer(packet(number, 1000), 0.0)
    assert [p[0] for _, p in run_out(lane)] == [0, 1, 2]
    assert lane.counts.overflowed == 2


def test_a_rate_of_zero_holds_and_loses_nothing() -> None:
    lane = make_lane()
    lane.set_rate(0.0, 0.0)
    lane.offer(packet(0, 1000), 0.0)
    assert lane.next_s() == math.inf
    assert lane.take(1e6) == []
    lane.set_rate(8000.0, 1e6)
    assert lane.next_s() == 1e6 + 1.0
