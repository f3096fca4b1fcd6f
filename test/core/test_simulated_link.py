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

"""The simulated link where packets are lost and sent again."""

from statistics import median

from dads_ros.simulation.world import Chance
from dads_ros.simulation.world import Link
from dads_ros.simulation.world import World
from dads_ros.trace import Trace
import pytest


def test_simulated_link_holds_back_what_follows_from_the_same_writer():
    world = World(Trace((0.0,), (10e6,)), 60.0, 10.0, packet_loss=0.1, resend_s=0.2)
    link = Link(world, Chance(world))
    arrivals_s: dict[bool, list[float]] = {True: [], False: []}
    late_s = []
    for number in range(600):
        now_s, is_probe = number * 0.05, number % 5 == 0
        arrivals_s[is_probe].append(link.send(now_s, 2000, is_probe=is_probe))
        late_s.append(arrivals_s[is_probe][-1] - now_s - world.rtt_s / 2 - 2000 * 8 / 10e6)
    for times_s in arrivals_s.values():
        assert times_s == sorted(times_s)
    assert sum(time_s > world.rtt_s / 2 for time_s in late_s) > 60
    assert median(late_s) == pytest.approx(0.0, abs=1e-9)
