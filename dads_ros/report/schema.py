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

"""What one replay leaves behind: how each frame ended and what was decided on the way."""

from __future__ import annotations

from dataclasses import dataclass
import enum
from typing import Any

from dads_ros.graph import LayerGraph
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode


class LinkKind(enum.Enum):
    """What the bundles travelled over."""

    EMULATED = enum.auto()
    SHAPED = enum.auto()
    REAL = enum.auto()
    NONE = enum.auto()


class SlowdownKind(enum.Enum):
    """How the car's computer was made slower than this machine."""

    EMULATED = enum.auto()
    CGROUP = enum.auto()
    NONE = enum.auto()


@dataclass(frozen=True, slots=True)
class LinkSetup:
    """
    The link of a run.

    ``trace`` is (seconds since the first frame, bits per second), each rate holding until the
    next; None when the rate was not prescribed. ``rtt_s`` is the prescribed round trip.
    """

    kind: LinkKind
    description: str
    trace: tuple[tuple[float, float], ...] | None = None
    rtt_s: float | None = None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What one codec at one cut sends per frame, and the accuracy that is left."""

    boundary: tuple[str, ...]
    codec: str
    bytes_mean: float
    ap50: float


@dataclass(frozen=True, slots=True)
class RateCurve:
    """
    The calibration that plans were chosen by, with the profiled sizes.

    ``reference`` is what counted as true: ``labels`` or ``detector``, its own float32 output;
    ``ap50`` is with nothing lost; plans may cost ``budget`` of it.
    """

    reference: str
    frames: int
    ap50: float
    budget: float
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class RunInfo:
    """
    What was run, where and over what.

    ``method`` is ``dads``, ``edge-only``, ``cloud-only-jpeg`` and the like; ``edge_slowdown`` says
    how many times slower the car was made; ``started`` is the wall clock in ISO 8601. The first
    ``warmup_frames`` camera frames are recorded but count nowhere.
    """

    method: str
    detector: str
    model_hash: str
    clip: str
    clip_rate_hz: float
    frame_count: int
    link: LinkSetup
    edge_slowdown: float
    edge_slowdown_kind: SlowdownKind
    labels: tuple[str, ...]
    graph: LayerGraph
    started: str
    versions: dict[str, str]
    machine: dict[str, Any]
    warmup_frames: int
    curve: RateCurve | None = None


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """How one camera frame ended: StageTimes.msg, and ``t_s`` since the run's start at arrival."""

    stamp_ns: int
    t_s: float
    sequence: int
    outcome: Outcome
    plan_id: int
    size_bytes: int
    wait_s: float
    preprocess_s: float
    edge_s: float
    encode_s: float
    network_s: float
    cloud_queue_s: float
    decode_s: float
    cloud_s: float
    held_s: float
    total_s: float
    received_ns: int


@dataclass(frozen=True, slots=True)
class DetectionRecord:
    """The boxes published for one frame, in camera pixels, and when they came."""

    stamp_ns: int
    t_s: float
    boxes: tuple[tuple[float, float, float, float], ...]
    scores: tuple[float, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan that came into force: Plan.msg, and when."""

    t_s: float
    plan_id: int
    mode: Mode
    boundary: tuple[str, ...]
    codec: str
    edge_s: float
    transfer_s: float
    cloud_s: float
    delay_s: float
    max_rate_hz: float
    deadline_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """What the monitor believed at one moment: LinkState.msg, and when."""

    t_s: float
    uplink_bps: float
    uplink_low_bps: float
    uplink_high_bps: float
    rtt_s: float
    edge_factor: float
    cloud_factor: float
    camera_hz: float
    cloud_alive: bool
    probes: int = 0
    probed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class TruthRecord:
    """The true boxes of one frame in camera pixels; ``ignore`` are regions that count nowhere."""

    stamp_ns: int
    boxes: tuple[tuple[float, float, float, float], ...]
    labels: tuple[str, ...]
    ignore: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class RunRecord:
    """One replay of one method."""

    info: RunInfo
    frames: tuple[FrameRecord, ...]
    detections: tuple[DetectionRecord, ...]
    plans: tuple[PlanRecord, ...]
    links: tuple[LinkRecord, ...]
    truth: tuple[TruthRecord, ...] = ()
