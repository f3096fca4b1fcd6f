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

"""Runs made up for tests of what the testbed tells of them."""

from __future__ import annotations

from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import LinkKind
from dads_ros.report.schema import LinkSetup
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunInfo
from dads_ros.report.schema import RunRecord
from dads_ros.report.schema import SlowdownKind

GRAPH = LayerGraph(
    (
        Layer('frame', 'placeholder', (), (1, 4), 'uint8'),
        Layer('end', 'relu', ('frame',), (1, 4), 'uint8'),
    ),
    ('end',),
    'hash',
)


def frame(number: int, t_s: float, total_s: float = 0.5, **changes: object) -> FrameRecord:
    """Return a frame that the cloud finished: 0.1 s on the car, the rest on the way."""
    values: dict[str, object] = {
        'stamp_ns': number, 't_s': t_s, 'sequence': number, 'outcome': Outcome.VIA_CLOUD,
        'plan_id': 1, 'size_bytes': 1000, 'wait_s': 0.0, 'preprocess_s': 0.0, 'edge_s': 0.1,
        'encode_s': 0.0, 'network_s': total_s - 0.1, 'cloud_queue_s': 0.0, 'decode_s': 0.0,
        'cloud_s': 0.0, 'held_s': 0.0, 'total_s': total_s, 'received_ns': 0,
    }  # fmt: skip
    return FrameRecord(**{**values, **changes})  # type: ignore[arg-type]


def plan(t_s: float, codec: str) -> PlanRecord:
    """Return a plan that sends the frame in a codec."""
    return PlanRecord(t_s, 1, Mode.LIGHT, ('frame',), codec, 0, 0, 0, 0, 0, 0, '')


def run_of(
    *frames: FrameRecord,
    plans: tuple[PlanRecord, ...] = (),
    trace: tuple[tuple[float, float], ...] = ((0.0, 1e6),),
) -> RunRecord:
    """Return a run."""
    info = RunInfo(
        'dads', 'd', 'hash', 'clip', 10.0, len(frames),
        LinkSetup(LinkKind.SHAPED, 'made up', trace, 0.0), 1.0, SlowdownKind.NONE, (), GRAPH,
        '', {}, {}, 0,
    )  # fmt: skip
    return RunRecord(info, frames, (), plans, ())
