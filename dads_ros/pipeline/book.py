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
The edge's book of frames: every camera frame is entered once and ends exactly once, in order.

Pure bookkeeping without threads or clocks of its own: the caller holds a lock and says the time.
"""

from __future__ import annotations

from collections import Counter
from collections import OrderedDict
from collections.abc import Callable

from dads_ros.detections import Detections
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.frame import Outcome

# Given up frames whose answers are still told from forged ones.
REMEMBERED = 64


class FrameBook:
    """
    Frames in flight, frames done but held for order, and the count of how frames ended.

    A frame that is done waits while an older one is in flight and still within its deadline; so a
    switch to a faster plan publishes every frame, in order, and a dead link holds nothing back
    for longer than the deadline.

    :param end: called once for each frame, with its outcome; publishes and reports it.
    """

    def __init__(self, end: Callable[[Frame, Outcome], None]) -> None:
        self._end = end
        self._in_flight: dict[int, Frame] = {}
        self._done: dict[int, tuple[Frame, Outcome]] = {}
        self._given_up: OrderedDict[int, int] = OrderedDict()
        self._published_sequence = 0
        # With all that may come: other threads look through it.
        self.ended = Counter(dict.fromkeys(Outcome, 0))

    @property
    def in_flight(self) -> int:
        """Return how many frames were sent and neither answered nor given up."""
        return len(self._in_flight)

    @property
    def next_deadline_ns(self) -> int | None:
        """Return the earliest deadline in flight."""
        return min((f.deadline_ns for f in self._in_flight.values()), default=None)

    def sent(self, frame: Frame) -> None:
        """Enter a frame that is about to be handed to the link."""
        self._in_flight[frame.sequence] = frame

    def answered(self, sequence: int, sent_ns: int) -> Frame | None:
        """Take the frame that a result answers out of flight; None when nobody waits for it."""
        frame = self._in_flight.get(sequence)
        if frame is None or frame.sent_ns != sent_ns:
            return None
        return self._in_flight.pop(sequence)

    def answered_late(self, sequence: int, sent_ns: int) -> bool:
        """Return whether a result answers a frame that was sent and given up; true once for it."""
        if self._given_up.get(sequence) != sent_ns:
            return False
        del self._given_up[sequence]
        return True

    def complete(self, frame: Frame, outcome: Outcome, found: Detections, now_ns: int) -> None:
        """Hold the frame's detections until no older frame can come, then publish them."""
        frame.detections = found
        frame.completed_ns = now_ns
        self._done[frame.sequence] = (frame, outcome)
        self.release(now_ns)

    def drop(self, frame: Frame, outcome: Outcome, now_ns: int) -> None:
        """End a frame without detections."""
        frame.completed_ns = frame.completed_ns or now_ns
        self._finish(frame, outcome, now_ns)

    def release(self, now_ns: int) -> None:
        """Publish, in order, what is done and waits for nothing older."""
        for sequence in sorted(self._done):
            older = [f for f in self._in_flight.values() if f.sequence < sequence]
            if any(f.deadline_ns > now_ns for f in older):
                return
            for frame in older:
                self.drop(self._give_up(frame.sequence), Outcome.DROPPED_STALE, now_ns)
            frame, outcome = self._done.pop(sequence)
            if sequence <= self._published_sequence:
                outcome = Outcome.DROPPED_STALE
            else:
                self._published_sequence = sequence
            self._finish(frame, outcome, now_ns)

    def expire(self, now_ns: int) -> tuple[list[Frame], Frame | None]:
        """
        Give up the frames past their deadline.

        :return: those frames, and the newest of them for the edge to finish itself; None when
            newer detections are out already. The others end as stale.
        """
        late = [f for _, f in sorted(self._in_flight.items()) if f.deadline_ns <= now_ns]
        self.release(now_ns)
        left = [self._give_up(f.sequence) for f in late if f.sequence in self._in_flight]
        newest = left.pop() if left and left[-1].sequence > self._published_sequence else None
        for frame in left:
            self.drop(frame, Outcome.DROPPED_STALE, now_ns)
        return late, newest

    def close(self, now_ns: int) -> None:
        """End everything in flight or held, so that the counters add up at shutdown."""
        for sequence in sorted(self._in_flight):
            self.drop(self._give_up(sequence), Outcome.DROPPED_STALE, now_ns)
        self.release(now_ns)

    def _give_up(self, sequence: int) -> Frame:
        frame = self._in_flight.pop(sequence)
        self._given_up[sequence] = frame.sent_ns
        while len(self._given_up) > REMEMBERED:
            self._given_up.popitem(last=False)
        return frame

    def _finish(self, frame: Frame, outcome: Outcome, now_ns: int) -> None:
        frame.kept = ()
        frame.times.held_s = (now_ns - frame.completed_ns) / 1e9
        frame.times.total_s = (now_ns - frame.received_ns) / 1e9
        self.ended[outcome] += 1
        self._end(frame, outcome)
