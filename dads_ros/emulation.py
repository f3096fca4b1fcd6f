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

"""
Stand-ins for a slow link and a slow computer, for demos that need neither root nor a car.

They act where the real ones would: messages wait before they are published, stages take longer.
Whoever reports on a run that used them has to say so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import heapq
import itertools
import math
import threading
import time
from types import TracebackType
from typing import Generic
from typing import TypeVar

from dads_ros.trace import Trace

T = TypeVar('T')
# What a modem would buffer; the newest is dropped when it is full, as a modem does.
BUFFER_BYTES = 256_000


@dataclass(frozen=True, slots=True)
class _Queued(Generic[T]):
    item: T
    size_bytes: int
    handed_s: float


class LinkSchedule(Generic[T]):
    """
    When messages arrive that cross a link one after another. Pure: the caller says the time.

    :param trace: the link's rate; its time 0 is the time given to ``start``.
    :param rtt_s: added to every crossing: the way there and, there being no other place for it
        in an emulation at the sender, the way back.
    """

    def __init__(self, trace: Trace, rtt_s: float) -> None:
        self._trace = trace
        self._rtt_s = rtt_s
        self._origin_s: float | None = None
        self._queue: deque[_Queued[T]] = deque()
        self._free_at_s = -math.inf
        self._on_the_way: list[tuple[float, int, T]] = []
        self._order = itertools.count()
        self.dropped = 0

    def start(self, now_s: float) -> None:
        """
        Begin to follow the trace; until then its first rate holds.

        A first rate of 0 lets everything through until then: else the nodes would never meet.
        """
        if self._origin_s is None:
            self._origin_s = now_s

    def send(self, item: T, size_bytes: int, now_s: float) -> None:
        """Queue a message; it is dropped when the buffer is full."""
        if sum(q.size_bytes for q in self._queue) + size_bytes > BUFFER_BYTES and self._queue:
            self.dropped += 1
            return
        self._queue.append(_Queued(item, size_bytes, now_s))

    def arrived(self, now_s: float) -> list[T]:
        """Return what has arrived since the last call, in order."""
        while self._queue:
            finish_s = self._finish_s(self._queue[0])
            if finish_s > now_s:
                break
            sent = self._queue.popleft()
            self._free_at_s = finish_s
            entry = (finish_s + self._rtt_s, next(self._order), sent.item)
            heapq.heappush(self._on_the_way, entry)
        items = []
        while self._on_the_way and self._on_the_way[0][0] <= now_s:
            items.append(heapq.heappop(self._on_the_way)[2])
        return items

    def next_s(self) -> float:
        """Return when to ask again: the next arrival, or the end of a transfer."""
        due_s = self._on_the_way[0][0] if self._on_the_way else math.inf
        return min(due_s, self._finish_s(self._queue[0])) if self._queue else due_s

    def _finish_s(self, head: _Queued[T]) -> float:
        begin_s = max(head.handed_s, self._free_at_s)
        bits = head.size_bytes * 8.0
        if self._origin_s is None:
            rate_bps = self._trace.rates_bps[0]
            return begin_s + bits / rate_bps if rate_bps > 0 else begin_s
        return self._origin_s + self._trace.finish_s(begin_s - self._origin_s, bits)


class EmulatedUplink(Generic[T]):
    """
    A link of a traced rate in front of a publisher, with a thread that delivers.

    :param deliver: called with each message when its last bit would have crossed.
    """

    def __init__(self, trace: Trace, rtt_s: float, deliver: Callable[[T], None]) -> None:
        self._schedule: LinkSchedule[T] = LinkSchedule(trace, rtt_s)
        self._deliver = deliver
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name='emulated uplink', daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Return how many messages found the buffer full."""
        return self._schedule.dropped

    def start(self) -> None:
        """Begin to follow the trace now, unless it has begun."""
        with self._changed:
            self._schedule.start(time.monotonic())
            self._changed.notify()

    def send(self, item: T, size_bytes: int) -> None:
        """Hand a message to the link; returns at once."""
        with self._changed:
            self._schedule.send(item, size_bytes, time.monotonic())
            self._changed.notify()

    def close(self) -> None:
        """Stop; what is still on the way is lost."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now_s = time.monotonic()
                items = self._schedule.arrived(now_s)
                if not items:
                    wait_s = self._schedule.next_s() - now_s
                    # At next to no rate the end is years away, longer than a wait can be.
                    self._changed.wait(min(max(0.0, wait_s), threading.TIMEOUT_MAX))
            for item in items:
                self._deliver(item)


class Slowdown:
    """
    Makes what runs inside it take ``factor`` times as long, by sleeping afterwards.

    It stands for a slower computer; unlike one, it leaves the processor idle meanwhile. What is
    stretched is the thread's processor time, so that other load on this machine is not magnified.
    """

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._started = threading.local()

    def __enter__(self) -> Slowdown:
        self._started.at_s = time.thread_time()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        spent_s = time.thread_time() - self._started.at_s
        time.sleep(max(0.0, spent_s * (self._factor - 1.0)))
