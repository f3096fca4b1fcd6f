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

"""What the monitor is told of messages on the link: what is slow, and all that left before."""

from dads_ros.pipeline.outstanding import Outstanding
from dads_ros.pipeline.outstanding import Sent
from hypothesis import given
from hypothesis import strategies as st

PATIENCE_NS = 80


def sent(number: int, at_ns: int, *, is_probe: bool = False) -> Sent:
    return Sent(is_probe, number, 100 + number, at_ns, at_ns + PATIENCE_NS)


def test_what_is_answered_soon_is_never_told() -> None:
    told: list[Sent] = []
    link = Outstanding(told.append)
    for number in range(5):
        link.sent(sent(number, number * 100))
        link.tell_slow(number * 100 + PATIENCE_NS - 1)
        assert link.answered(False, number) == 100 + number
    link.tell_slow(10_000)
    assert not told


def test_what_is_slow_is_told_once_and_its_answer_says_so() -> None:
    told: list[Sent] = []
    link = Outstanding(told.append)
    link.sent(sent(1, 0))
    link.sent(sent(2, 50))
    assert link.wait_s(30, 1.0) == 50e-9
    for now_ns in (PATIENCE_NS - 1, PATIENCE_NS, PATIENCE_NS + 1):
        link.tell_slow(now_ns)
    assert [m.sequence for m in told] == [1]
    assert link.answered(False, 1) == 0
    assert link.answered(False, 2) == 102
    assert link.wait_s(0, 0.2) == 0.2 and len(told) == 1


def test_probe_that_overtakes_a_bundle_has_it_told_first() -> None:
    told: list[Sent] = []
    link = Outstanding(told.append)
    link.sent(sent(7, 0))
    link.sent(sent(7, 10, is_probe=True))
    assert link.answered(True, 7) == 107
    assert told == [sent(7, 0)]


@given(st.lists(st.tuples(st.sampled_from(['send', 'answer', 'look']), st.integers(0, 9))))
def test_order_of_leaving_is_kept_whatever_is_answered_when(steps: list[tuple[str, int]]) -> None:
    """Reports, be it of leaving or of an answer, make known messages in the order of leaving."""
    known: list[int] = []
    link = Outstanding(lambda message: known.append(message.sequence))
    left = 0
    for now_ns, (step, which) in enumerate(steps):
        if step == 'send':
            link.sent(sent(left, 20 * now_ns))
            left += 1
        elif step == 'answer' and left:
            number = which % left
            if link.answered(False, number):
                known.append(number)
        else:
            link.tell_slow(20 * now_ns)
    assert known == list(range(len(known)))
