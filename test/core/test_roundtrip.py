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

"""The round trip: what a drained queue left is forgotten."""

from dads_ros.monitor.roundtrip import QUEUE_RATIO
from dads_ros.monitor.roundtrip import RoundTrips
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.floats(0, 20), min_size=1, max_size=30), st.floats(0, 20))
def test_round_trip_is_never_much_longer_than_the_last_message(times_s, whole_s):
    trips = RoundTrips()
    for time_s in times_s:
        trips.refute(time_s)
        trips.note(time_s)
    trips.refute(whole_s)
    assert trips.is_known
    assert trips.median_s <= whole_s * QUEUE_RATIO


def test_jitter_forgets_nothing():
    trips = RoundTrips()
    for whole_s in (0.08, 0.12, 0.1, 0.09, 0.11):
        trips.refute(whole_s)
        trips.note(whole_s)
    assert trips.median_s == 0.1
