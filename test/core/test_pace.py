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

"""The rate that is kept is the one that the samples kept show, whatever happened to them."""

from __future__ import annotations

from dads_ros.monitor.pace import Pace
from dads_ros.monitor.pace import Sample
from hypothesis import given
from hypothesis import strategies as st
import pytest

EVENTS = st.tuples(
    st.sampled_from(['note', 'note', 'note', 'note_unsure', 'prove', 'forget']),
    st.floats(1e3, 1e6),  # bits
    st.floats(1e-4, 3.0),  # seconds on the air
    st.booleans(),  # queued
    st.floats(1e-3, 4.0),  # seconds since the event before
    st.sampled_from([0.0, 0.001, 0.05]),  # noise in seconds
)


@given(st.lists(EVENTS, min_size=1, max_size=40))
def test_the_middle_rate_is_never_that_of_samples_before(
    events: list[tuple[str, float, float, bool, float, float]],
) -> None:
    pace, now_s = Pace(window=5, memory_s=10.0, change_ratio=2.0), 0.0
    for what, bits, air_s, queued, later_s, noise_s in events:
        now_s += later_s
        sample = Sample(bits, air_s, queued, now_s)
        if what == 'note':
            pace.note(sample, noise_s)
        elif what == 'note_unsure':
            pace.note_unsure(sample)
        elif what == 'prove':
            pace.prove(bits, air_s, now_s)
        else:
            pace.forget()
        if pace.is_known:
            (shown_bps,) = pace.rates_bps(0.5)
            assert pace.middle_bps == pytest.approx(shown_bps)
