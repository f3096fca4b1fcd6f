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

"""What a drive's frames tell of its machines, for a simulation of the same drive."""

from __future__ import annotations

from dataclasses import replace

from dads_ros.bench.testbed.as_driven import as_driven
from dads_ros.partition.costs import CutTotals
from dads_ros.partition.plan import LOCAL_CODEC
from dads_ros.partition.table import PlanTable
from dads_ros.partition.table import Row
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import FrameRecord
from dads_ros.trace import Trace
import pytest
from testbed_runs import frame
from testbed_runs import plan
from testbed_runs import run_of

LOCAL, UPLOAD = 0, 1
TABLE = PlanTable(
    ('frame', 'end'),
    (
        Row((), 3, LOCAL_CODEC, CutTotals(200_000_000, 0, 0, 0, False)),
        Row(('frame',), 1, 'raw', CutTotals(2_000_000, 1000, 1000, 20_000_000, True)),
    ),
    complete=True,
)
TRACE = Trace((0.0,), (1e6,))


def uploaded(number: int, **changes: object) -> FrameRecord:
    """Return a frame that took 3 ms on the car, and 30 in the cloud."""
    values: dict[str, object] = {
        'edge_s': 0.0, 'encode_s': 0.003, 'decode_s': 0.001, 'cloud_s': 0.029,
        'network_s': 0.01, 'preprocess_s': 0.004, **changes,
    }  # fmt: skip
    return frame(number, 10.0 + number, 0.05, **values)


def test_a_row_that_was_driven_takes_what_its_frames_took_and_others_what_the_table_says() -> None:
    early = [frame(i, 0.1 * i, 9.0, cloud_s=8.0, encode_s=1.0) for i in range(20)]
    run = run_of(*early, *map(uploaded, range(12)), plans=(plan(0, 'raw'),))
    world, driven = as_driven(TABLE, TRACE, run, since_s=9.0, seconds=12.0)
    upload, local = driven.rows[UPLOAD].totals, driven.rows[LOCAL].totals
    assert upload.edge_ns * world.edge_factor == pytest.approx(3e6, abs=1)
    assert upload.cloud_ns * world.cloud_factor == pytest.approx(30e6, abs=1)
    assert world.cloud_factor == pytest.approx(1.5)
    # An upload is too little work to tell how slow the car is: as slow as the cloud then.
    assert (world.edge_factor, local.edge_ns) == (world.cloud_factor, 200_000_000)
    assert world.preprocess_s == pytest.approx(0.004)
    assert world.rtt_s == pytest.approx(0.01, abs=1e-3)  # 1000 bytes pass with the bucket's first


def test_few_frames_tell_how_slow_a_machine_is_but_not_what_their_row_takes() -> None:
    local = [frame(i, 10.0 + i, 0.3, outcome=Outcome.LOCAL, edge_s=0.3) for i in range(4)]
    run = run_of(*local, uploaded(5), plans=(plan(0, 'raw'),))
    world, driven = as_driven(TABLE, TRACE, run, since_s=9.0, seconds=9.0)
    assert (world.edge_factor, world.cloud_factor) == pytest.approx((1.5, 1.5))
    assert driven.rows == TABLE.rows


def test_a_queue_of_our_own_is_not_a_way_that_no_plan_can_avoid() -> None:
    queued = replace(
        uploaded(0), t_s=10.02, network_s=5.0
    )  # handed over before the first was answered
    run = run_of(uploaded(0), queued, uploaded(9, network_s=0.02), plans=(plan(0, 'raw'),))
    world, _ = as_driven(TABLE, TRACE, run, since_s=9.0, seconds=9.0)
    assert world.rtt_s == pytest.approx(0.015, abs=1e-3)
