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


"""The emulated link: when messages arrive, by an independent rule, and a thread that delivers."""

from __future__ import annotations

import itertools
import math
import threading
import time

from dads_ros.emulation import BUFFER_BYTES
from dads_ros.emulation import EmulatedUplink
from dads_ros.emulation import LinkSchedule
from dads_ros.emulation import Slowdown
from dads_ros.trace import Trace
from hypothesis import given
from hypothesis import strategies as st
import pytest

sends = st.lists(
    st.tuples(st.floats(0, 3), st.integers(1, BUFFER_BYTES // 30)), min_size=1, max_size=25
)


def arrivals(schedule: LinkSchedule[int]) -> list[tuple[int, float]]:
    """Drive a schedule by its own clock until nothing more comes."""
    found = []
    while not math.isinf(due_s := schedule.next_s()):
        found += [(item, due_s) for item in schedule.arrived(due_s)]
    return found


@given(waits=sends, rtt_s=st.floats(0, 0.2))
def test_messages_cross_one_after_another_at_the_rate(
    waits: list[tuple[float, int]], rtt_s: float
) -> None:
    trace = Trace((0.0, 4.0, 6.0, 9.0), (2e5, 0.0, 1e6, 5e4))
    schedule: LinkSchedule[int] = LinkSchedule(trace, rtt_s)
    schedule.start(100.0)
    handed = list(itertools.accumulate(wait_s for wait_s, _ in waits))
    free_s, expected = 0.0, []
    for number, (now_s, (_, size_bytes)) in enumerate(zip(handed, waits, strict=True)):
        schedule.send(number, size_bytes, 100.0 + now_s)
        free_s = trace.finish_s(max(free_s, now_s), 8.0 * size_bytes)
        expected.append((number, 100.0 + free_s + rtt_s))
    got = arrivals(schedule)
    assert [number for number, _ in got] == [number for number, _ in expected]
    assert [t for _, t in got] == pytest.approx([t for _, t in expected], abs=1e-6)
    assert schedule.dropped == 0


def test_nothing_arrives_before_its_time() -> None:
    schedule: LinkSchedule[str] = LinkSchedule(Trace((0.0,), (8000.0,)), 0.5)
    schedule.start(0.0)
    schedule.send('a', 1000, 0.0)
    assert schedule.arrived(1.49) == []
    assert schedule.arrived(1.51) == ['a']
    assert schedule.next_s() == math.inf


def test_a_full_buffer_drops_the_newest() -> None:
    schedule: LinkSchedule[int] = LinkSchedule(Trace((0.0, 1.0), (0.0, 1e9)), 0.0)
    schedule.start(0.0)
    size_bytes = BUFFER_BYTES // 4
    for number in range(7):
        schedule.send(number, size_bytes, 0.0)
    assert schedule.dropped == 3
    assert [number for number, _ in arrivals(schedule)] == [0, 1, 2, 3]


def test_a_message_larger_than_the_buffer_still_crosses_alone() -> None:
    schedule: LinkSchedule[str] = LinkSchedule(Trace((0.0,), (8e6,)), 0.0)
    schedule.start(0.0)
    schedule.send('large', 2 * BUFFER_BYTES, 0.0)
    schedule.send('small', 1, 0.0)
    assert schedule.dropped == 1
    assert [item for item, _ in arrivals(schedule)] == ['large']


def test_the_trace_begins_when_told_and_once() -> None:
    schedule: LinkSchedule[str] = LinkSchedule(Trace((0.0, 1.0), (8e3, 8e6)), 0.0)
    schedule.send('early', 500, 0.0)  # at the first rate, 0.5 s
    assert schedule.next_s() == pytest.approx(0.5)
    schedule.start(10.0)
    schedule.start(0.0)
    schedule.send('late', 500, 10.0)
    assert [t for _, t in arrivals(schedule)] == pytest.approx([0.5, 10.5])


def test_a_link_that_begins_at_zero_lets_the_nodes_meet_before_it_begins() -> None:
    schedule: LinkSchedule[str] = LinkSchedule(Trace((0.0, 5.0), (0.0, 8000.0)), 0.1)
    schedule.send('hello', 500, 1.0)
    assert schedule.arrived(1.2) == ['hello']
    schedule.start(2.0)
    schedule.send('frame', 500, 2.0)
    assert schedule.arrived(7.4) == []
    assert schedule.arrived(7.7) == ['frame']


def test_the_thread_delivers_in_order_and_no_sooner() -> None:
    got: list[tuple[int, float]] = []
    done = threading.Event()

    def deliver(number: int) -> None:
        got.append((number, time.monotonic()))
        if number == 4:
            done.set()

    link: EmulatedUplink[int] = EmulatedUplink(Trace((0.0,), (8e5,)), 0.02, deliver)
    link.start()
    began_s = time.monotonic()
    for number in range(5):
        link.send(number, 1000)  # 10 ms each
    assert done.wait(10)
    link.close()
    assert [number for number, _ in got] == list(range(5))
    for number, at_s in got:
        assert at_s - began_s >= 0.02 + 0.01 * (number + 1) - 1e-3
    assert link.dropped == 0


@pytest.mark.parametrize('rate_bps', [0.0, 1e-6, 1e-302])
def test_a_stalled_link_closes_at_once_and_delivers_nothing(rate_bps: float) -> None:
    got: list[int] = []
    link: EmulatedUplink[int] = EmulatedUplink(Trace((0.0,), (rate_bps,)), 0.0, got.append)
    link.start()
    link.send(1, 100)
    link._thread.join(0.2)
    assert link._thread.is_alive()  # it could still deliver
    began_s = time.monotonic()
    link.close()
    assert time.monotonic() - began_s < 5
    assert got == []


def test_slowdown_stretches_processor_time_and_not_waiting() -> None:
    def busy() -> None:
        end_s = time.thread_time() + 0.05
        while time.thread_time() < end_s:
            pass

    began_s, began_cpu_s = time.perf_counter(), time.thread_time()
    with Slowdown(4.0):
        busy()
    assert time.perf_counter() - began_s >= 4 * 0.05
    assert time.thread_time() - began_cpu_s < 2 * 0.05  # asleep, not busy
    cpu_s = time.thread_time()
    with Slowdown(1000.0):
        time.sleep(0.001)
    assert time.thread_time() - cpu_s < 0.05


def test_slowdown_of_one_and_errors_pass_through() -> None:
    with pytest.raises(KeyError), Slowdown(1.0):
        raise KeyError('x')
