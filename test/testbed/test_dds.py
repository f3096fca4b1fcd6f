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

"""Real DDS traffic between the two hosts goes over the link, at its rate and with its delay."""

from __future__ import annotations

import json
from pathlib import Path
import statistics
import sys
from typing import Any

from dads_ros.processes import placed
from dads_ros.processes import ProcessGroup
from dads_ros.testbed.bed import Bed
from dads_ros.testbed.bed import make_bed
from dads_ros.testbed.bed import Setup
from dads_ros.testbed.lane import Impairment
from dads_ros.trace import Trace
import pytest

pytestmark = [pytest.mark.root, pytest.mark.ros]

PEER = str(Path(__file__).with_name('dds_peer.py'))
STEADY = Trace((0.0,), (5e6,))
SIZE_BYTES = 50_000
COUNT = 8
CROSSING_S = SIZE_BYTES * 8 / 5e6


def exchange(bed: Bed, logs: Path) -> list[dict[str, Any]]:
    """Send messages from the car, each once the cloud has answered the last; return the times."""
    places = {'cloud': bed.link.cloud.place, 'car': bed.link.car.place}
    command = [sys.executable, PEER]
    with ProcessGroup() as group, placed(places.__getitem__):
        group.start('cloud', [*command, 'listen'], logs / 'cloud.log')
        arguments = ['talk', str(SIZE_BYTES), str(COUNT), '10']
        car = group.start('car', [*command, *arguments], logs / 'car.log', ends=True)
        group.wait_until('the messages', lambda: car.status == 0, 60)
    return [json.loads(line) for line in (logs / 'car.log').read_text().splitlines()]


def test_messages_take_the_time_of_a_shaped_link(tmp_path: Path) -> None:
    with make_bed(Setup(STEADY), tmp_path) as bed:
        bed.begin()
        rows = exchange(bed, tmp_path)
        sent_bytes = bed.link.uplink.counters().sent_bytes
    answers_s = [row['answer_s'] for row in rows]
    assert None not in answers_s
    # Headers cost 4 %; the token bucket lets a few packets pass at once.
    assert min(answers_s) > 0.95 * CROSSING_S
    assert statistics.median(answers_s) < 1.25 * CROSSING_S
    # The bottleneck is beyond the car: publishing does not wait for it.
    assert statistics.median(row['publish_s'] for row in rows) < 0.25 * CROSSING_S
    # Nothing took the way through shared memory.
    assert sent_bytes > COUNT * SIZE_BYTES


def test_a_relay_adds_its_round_trip(tmp_path: Path) -> None:
    with make_bed(Setup(STEADY, Impairment(delay_s=0.025)), tmp_path) as bed:
        bed.begin()
        rows = exchange(bed, tmp_path)
    answers_s = [row['answer_s'] for row in rows]
    assert None not in answers_s
    assert min(answers_s) > 0.95 * CROSSING_S + 0.05
    assert statistics.median(answers_s) < 1.25 * CROSSING_S + 0.05
    assert bed.relayed()['uplink']['bytes'] > COUNT * SIZE_BYTES
