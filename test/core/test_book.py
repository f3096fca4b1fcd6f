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

"""Every frame ends exactly once and detections come out in order, whatever happens in between."""

from collections import Counter
from itertools import pairwise

from dads_ros.detections import Detections
from dads_ros.pipeline.book import FrameBook
from dads_ros.pipeline.book import REMEMBERED
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.frame import Outcome
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize
from hypothesis.stateful import invariant
from hypothesis.stateful import precondition
from hypothesis.stateful import rule
from hypothesis.stateful import RuleBasedStateMachine
import numpy as np


def new_frame(sequence: int, now_ns: int) -> Frame:
    return Frame(sequence, now_ns, 'camera', now_ns, lambda: np.zeros((1, 1, 3), np.uint8))


class Bookkeeping(RuleBasedStateMachine):
    """The worker begins frames in order; time, answers and deadlines do as they please."""

    def __init__(self) -> None:
        super().__init__()
        self.book = FrameBook(self.on_end)
        self.now_ns = 0
        self.sequence = 0
        self.begun: Frame | None = None
        self.late: Frame | None = None
        self.sent: dict[int, Frame] = {}
        self.done_at: dict[int, int] = {}
        self.ends: list[tuple[int, Outcome]] = []

    def on_end(self, frame: Frame, outcome: Outcome) -> None:
        self.ends.append((frame.sequence, outcome))
        self.sent.pop(frame.sequence, None)
        assert frame.kept == ()
        assert frame.times.held_s >= 0 and frame.times.total_s >= frame.times.held_s

    @initialize()
    def start(self) -> None:
        self.now_ns = 1000

    @rule(step_ns=st.integers(1, 400))
    def time_passes(self, step_ns: int) -> None:
        self.now_ns += step_ns

    @precondition(lambda self: self.begun is None and self.late is None)
    @rule()
    def begin(self) -> None:
        self.sequence += 1
        self.begun = new_frame(self.sequence, self.now_ns)

    @rule()
    def superseded(self) -> None:
        if self.begun is None:
            self.sequence += 1
            frame = new_frame(self.sequence, self.now_ns)
            self.book.drop(frame, Outcome.DROPPED_SUPERSEDED, self.now_ns)

    @precondition(lambda self: self.begun is not None)
    @rule(patience_ns=st.integers(-50, 800), plan=st.integers(1, 3))
    def send(self, patience_ns: int, plan: int) -> None:
        frame, self.begun = self.begun, None
        frame.plan_id, frame.sent_ns = plan, self.now_ns
        frame.deadline_ns = self.now_ns + patience_ns
        self.book.sent(frame)
        self.sent[frame.sequence] = frame

    @precondition(lambda self: self.begun is not None)
    @rule()
    def finish_on_the_car(self) -> None:
        frame, self.begun = self.begun, None
        self.complete(frame, Outcome.LOCAL)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        sequence = data.draw(st.sampled_from(sorted(self.sent)))
        sent_ns = self.sent[sequence].sent_ns
        assert self.book.answered(sequence, sent_ns + 1) is None
        frame = self.book.answered(sequence, sent_ns)
        assert frame is not None
        assert self.book.answered(sequence, sent_ns) is None
        self.complete(frame, Outcome.VIA_CLOUD)

    @precondition(lambda self: self.late is None and self.begun is None)
    @rule()
    def expire(self) -> None:
        late, self.late = self.book.expire(self.now_ns)
        assert all(frame.deadline_ns <= self.now_ns for frame in late)
        if self.late is not None:
            del self.sent[self.late.sequence]

    @precondition(lambda self: self.late is not None)
    @rule()
    def finish_late(self) -> None:
        frame, self.late = self.late, None
        self.complete(frame, Outcome.LOCAL_AFTER_MISS)

    @rule()
    def release(self) -> None:
        self.book.release(self.now_ns)
        # Nothing is held back beyond the deadlines of what is older and still in flight.
        ended = {sequence for sequence, _ in self.ends}
        for sequence in set(self.done_at) - ended:
            older = [f.deadline_ns for s, f in self.sent.items() if s < sequence]
            assert max(older, default=0) > self.now_ns

    def complete(self, frame: Frame, outcome: Outcome) -> None:
        self.sent.pop(frame.sequence, None)
        self.done_at[frame.sequence] = self.now_ns
        self.book.complete(frame, outcome, Detections.empty(), self.now_ns)

    @invariant()
    def ends_are_in_order_and_single(self) -> None:
        assert len({sequence for sequence, _ in self.ends}) == len(self.ends)
        published = [sequence for sequence, outcome in self.ends if outcome.is_published]
        assert all(before < after for before, after in pairwise(published))
        assert self.book.ended == Counter(outcome for _, outcome in self.ends)

    @invariant()
    def all_are_accounted_for(self) -> None:
        held = set(self.done_at) - {sequence for sequence, _ in self.ends}
        under_way = sum(frame is not None for frame in (self.begun, self.late))
        assert self.book.in_flight == len(self.sent)
        assert len(self.ends) + len(held) + len(self.sent) + under_way == self.sequence

    def teardown(self) -> None:
        for frame in (self.begun, self.late):
            if frame is not None:
                self.complete(frame, Outcome.LOCAL)
        self.book.close(self.now_ns)
        assert len(self.ends) == self.sequence
        assert self.book.in_flight == 0


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def sent_frame(book: FrameBook, sequence: int, sent_ns: int, deadline_ns: int) -> Frame:
    frame = new_frame(sequence, sent_ns)
    frame.sent_ns, frame.deadline_ns = sent_ns, deadline_ns
    book.sent(frame)
    return frame


def test_faster_plan_waits_for_the_frames_of_the_slower_one():
    ends = []
    book = FrameBook(lambda frame, outcome: ends.append((frame.sequence, outcome)))
    slow = sent_frame(book, 1, 0, 1000)
    book.complete(new_frame(2, 10), Outcome.LOCAL, Detections.empty(), 20)
    assert ends == []
    assert book.answered(1, 0) is slow
    book.complete(slow, Outcome.VIA_CLOUD, Detections.empty(), 500)
    assert ends == [(1, Outcome.VIA_CLOUD), (2, Outcome.LOCAL)]


def test_newest_late_frame_is_finished_and_the_others_are_stale():
    ends = []
    book = FrameBook(lambda frame, outcome: ends.append((frame.sequence, outcome)))
    for sequence in (1, 2, 3):
        sent_frame(book, sequence, sequence, 100)
    late, newest = book.expire(100)
    assert [frame.sequence for frame in late] == [1, 2, 3]
    assert newest is not None and newest.sequence == 3
    assert ends == [(1, Outcome.DROPPED_STALE), (2, Outcome.DROPPED_STALE)]


@given(st.integers(1, 3 * REMEMBERED))
def test_late_answers_are_told_from_forged_ones_once(count):
    book = FrameBook(lambda *_: None)
    for sequence in range(1, count + 1):
        sent_frame(book, sequence, sequence, 0)
    book.close(1)
    assert book.answered(count, count) is None
    assert not book.answered_late(count, count + 1)
    assert book.answered_late(count, count)
    assert not book.answered_late(count, count)
    assert book.answered_late(1, 1) == (1 < count <= REMEMBERED)
