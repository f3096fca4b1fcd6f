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

"""Answers missed: in a row, and lately."""

from __future__ import annotations

from dads_ros.monitor.misses import FEW
from dads_ros.monitor.misses import IN_A_ROW
from dads_ros.monitor.misses import LATELY
from dads_ros.monitor.misses import Misses
from hypothesis import given
from hypothesis import strategies as st

WORDS = ('answered', 'missed', 'lost')


@given(st.lists(st.sampled_from(WORDS)))
def test_both_counts_are_those_of_the_words_said(words: list[str]) -> None:
    misses = Misses()
    for word in words:
        getattr(misses, word)()
    last = max((i for i, word in enumerate(words) if word == 'answered'), default=-1)
    row = words[last + 1 :].count('missed')
    lately = sum(word != 'answered' for word in words[-LATELY:])
    assert misses.in_a_row == (row if row >= IN_A_ROW else 0)
    assert misses.share == (lately / LATELY if lately >= FEW else 0.0)
    misses.restart()
    assert misses.in_a_row == 0
    misses.forget()
    assert (misses.in_a_row, misses.share) == (0, 0.0)
