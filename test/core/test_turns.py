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

"""Vehicles take turns in the cloud's queue, also when bundles of one cut are taken together."""

from dataclasses import replace

from dads_ros.bundle import Bundle
from dads_ros.bundle import EncodedTensor
from dads_ros.pipeline.turns import Turns
from dads_ros.pipeline.turns import Waiting
from hypothesis import given
from hypothesis import strategies as st

CARS = 'abcd'
HARMLESS = Bundle('car', 'f' * 32, 1, 1, 5, 'camera', 32, 32, 7, ())


def tensor_named(name: str) -> EncodedTensor:
    return EncodedTensor(name, (1,), 'float32', 'raw', bytes(4))


ARRIVALS = st.lists(st.one_of(st.none(), st.tuples(st.sampled_from(CARS), st.sampled_from('xy'))))


@given(ARRIVALS)
def test_no_turn_moves_further_away_and_none_is_skipped(arrivals):
    turns = Turns(depth=3)
    waiting: dict[str, list[int]] = {name: [] for name in CARS}
    for number, arrival in enumerate([*arrivals, *[None] * 3 * len(CARS)]):
        before = [vehicle.queue[0].bundle.vehicle for vehicle in turns._order]
        if arrival is not None:
            vehicle, boundary = arrival
            one = replace(
                HARMLESS, vehicle=vehicle, sent_ns=number, tensors=(tensor_named(boundary),)
            )
            if turns.put(Waiting(one, 'here', 'here', 0)):
                waiting[vehicle].pop(0)
            waiting[vehicle].append(number)
            continue
        first = turns.take()
        if first is None:
            assert not any(waiting.values())
            continue
        batched = [first, *turns.take_like(first, 2)]
        served = [one.bundle.vehicle for one in batched]
        assert served == [name for name in before if name in served]
        assert served[0] == before[0] and len(set(served)) == len(served) <= 3
        assert len({one.bundle.boundary for one in batched}) == 1
        for one in batched:
            assert one.bundle.sent_ns == waiting[one.bundle.vehicle].pop(0)
        after = [vehicle.queue[0].bundle.vehicle for vehicle in turns._order]
        left_out = [name for name in before if name not in served]
        assert after[: len(left_out)] == left_out
