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

"""
Synthetic run folders for tests of the report: simulated times, made-up boxes, no measurement.

A tiny simulator with one worker on the car, a link that follows a trace, and the newest frame
winning. Everything derives from one seed. Nothing made here is ever shown as a result.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.report.record import RunWriter
from dads_ros.report.record import write_truth
from dads_ros.report.schema import CurvePoint
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import LinkKind
from dads_ros.report.schema import LinkRecord
from dads_ros.report.schema import LinkSetup
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RateCurve
from dads_ros.report.schema import RunInfo
from dads_ros.report.schema import SlowdownKind
from dads_ros.report.schema import TruthRecord
import numpy as np

RATE_HZ = 10.0
TRACE = ((0.0, 6e6), (12.0, 1.5e6), (22.0, 0.0), (26.0, 3e6), (32.0, 12e6))
START_NS = 1_700_000_000_000_000_000
RTT_S = 0.03
PREPROCESS_S = 0.003
CODEC_S = 0.001


def make_graph(blocks: int = 12) -> LayerGraph:
    """Return a backbone of residual blocks, a waist, a small pyramid and three heads."""
    layers = [Layer('image', 'input', (), (1, 192, 320, 3), 'uint8')]

    def add(name: str, op: str, inputs: tuple[str, ...], shape: tuple[int, ...]) -> str:
        layers.append(Layer(name, op, inputs, shape, 'float32'))
        return name

    last = add('stem', 'conv2d', ('image',), (1, 16, 96, 160))
    channels, height, width = 16, 96, 160
    taps = []
    for block in range(blocks):
        if block % max(1, blocks // 4) == 0 and height > 12:
            channels, height, width = channels * 2, height // 2, width // 2
            last = add(f'down_{block}', 'conv2d', (last,), (1, channels, height, width))
        shape = (1, channels, height, width)
        left = add(f'conv_{block}a', 'conv2d', (last,), shape)
        left = add(f'relu_{block}a', 'relu', (left,), shape)
        left = add(f'conv_{block}b', 'conv2d', (left,), shape)
        last = add(f'add_{block}', 'add', (left, last), shape)
        last = add(f'relu_{block}b', 'relu', (last,), shape)
        taps.append(last)
        if block == blocks // 3:
            last = add('waist', 'quantize', (last,), (1, 6, height, width))
    heads = []
    for index, tap in enumerate(taps[-3:]):
        shape = next(layer.shape for layer in layers if layer.id == tap)
        up = add(f'lateral_{index}', 'conv2d', (tap,), (1, 64, *shape[2:]))
        heads.append(add(f'head_{index}', 'conv2d', (up,), (1, 6, *shape[2:])))
    add('detections', 'detections', tuple(heads), (1, 100, 6))
    return LayerGraph(tuple(layers), ('detections',), 'synthetic0123')


@dataclass(frozen=True)
class Way:
    """How a frame is computed under one plan: times, and what is sent."""

    boundary: tuple[str, ...]
    codec: str
    edge_s: float
    cloud_s: float
    sent_bytes: int
    box_noise: float


WAYS = {
    'local': Way((), '', 0.150, 0.0, 0, 2.0),
    'waist': Way(('waist',), 'int4+zstd', 0.040, 0.012, 2300, 2.0),
    'jpeg': Way(('image',), 'jpeg75', 0.006, 0.020, 8400, 3.0),
    'raw': Way(('image',), 'raw', 0.004, 0.020, 184320, 2.0),
}
METHODS = {
    'dads': None,
    'edge-only': WAYS['local'],
    'cloud-only-jpeg': WAYS['jpeg'],
    'cloud-only-raw': WAYS['raw'],
}


def make_curve() -> RateCurve:
    """Return a calibration in which fewer bytes cost accuracy, and uploads more of them."""
    points = [
        CurvePoint(way.boundary, way.codec, float(way.sent_bytes), 0.4 - way.box_noise / 100)
        for way in WAYS.values()
        if way.boundary
    ]
    for step in range(30):
        size, ap50 = 1500.0 * 1.17**step, 0.4 - 0.03 * 0.9**step - 0.01 * (step % 3)
        points.append(CurvePoint((f'relu_{step}b',), 'int8+zstd', size, ap50))
    points.sort(key=lambda point: point.bytes_mean)
    return RateCurve('labels', 64, 0.4, 0.01, tuple(points))


def uplink_bps(t_s: float) -> float:
    """Return the prescribed rate at a time."""
    return next(rate for start, rate in reversed(TRACE) if start <= t_s)


def write_session(folder: Path, *, methods=tuple(METHODS), seconds=40.0, graph=None) -> Path:
    """Write one run folder per method and return the session's folder."""
    for method in methods:
        write_run(folder / 'runs' / method, method, seconds, graph or make_graph())
    return folder


def write_run(folder: Path, method: str, seconds: float, graph: LayerGraph) -> None:
    """Simulate one replay and record it."""
    rng = np.random.default_rng([len(method), int(seconds)])
    count = int(seconds * RATE_HZ)
    info = RunInfo(
        method=method,
        detector='synthetic.module:detector',
        model_hash=graph.model_hash,
        clip='synthetic-street.mp4',
        clip_rate_hz=RATE_HZ,
        frame_count=count + 1,
        link=LinkSetup(LinkKind.EMULATED, 'synthetic trace, 0 to 12 Mbit/s', TRACE, RTT_S),
        edge_slowdown=6.0,
        edge_slowdown_kind=SlowdownKind.EMULATED,
        labels=('vehicle',),
        graph=graph,
        started='2026-01-02T03:04:05+00:00',
        versions={'dads_ros': '0.0.0-synthetic', 'python': '3.11', 'rmw': 'none: simulated'},
        machine={'host': 'synthetic', 'cpu': 'none: simulated', 'cores': 2},
        warmup_frames=20,
        curve=make_curve(),
    )
    with RunWriter(folder, info) as writer:
        _simulate(writer, method, count, rng)
    write_truth(folder, tuple(_truth(i) for i in range(count)))


def _simulate(writer: RunWriter, method: str, count: int, rng: np.random.Generator) -> None:
    way, plan_id, free_s, link_free_s, shown_s = METHODS[method], 0, 0.0, 0.0, -1.0
    current = None
    for index in range(count):
        t_s = index / RATE_HZ
        wanted = way or _choose(t_s)
        if wanted is not current:
            current, plan_id = wanted, plan_id + 1
            writer.append(_plan(wanted, plan_id, t_s, fixed=way is not None))
        if index % 5 == 0:
            writer.append(_belief(t_s, rng))
        frame = _frame(index, t_s, plan_id)
        if free_s > t_s + 1 / RATE_HZ:
            superseded = replace(frame, outcome=Outcome.DROPPED_SUPERSEDED, total_s=1 / RATE_HZ)
            writer.append(superseded)
            continue
        begin_s = max(free_s, t_s)
        edge_s = wanted.edge_s * rng.normal(1.0, 0.04)
        free_s = begin_s + PREPROCESS_S + edge_s
        frame = replace(frame, wait_s=begin_s - t_s, preprocess_s=PREPROCESS_S, edge_s=edge_s)
        if not wanted.boundary:
            frame = replace(frame, outcome=Outcome.LOCAL, total_s=free_s - t_s)
        else:
            frame, link_free_s = _send(frame, wanted, free_s, link_free_s, rng)
        if frame.outcome is Outcome.LOCAL_AFTER_MISS:
            free_s = t_s + frame.total_s
        if frame.outcome.is_published and t_s + frame.total_s < shown_s:
            frame = replace(frame, outcome=Outcome.DROPPED_STALE)
        writer.append(frame)
        if frame.outcome.is_published:
            shown_s = t_s + frame.total_s
            writer.append(_detections(frame, wanted, rng))


def _send(
    frame: FrameRecord, way: Way, ready_s: float, link_free_s: float, rng: np.random.Generator
) -> tuple[FrameRecord, float]:
    rate = uplink_bps(frame.t_s)
    sent_bytes = int(way.sent_bytes * rng.normal(1.0, 0.05))
    ready_s += CODEC_S
    start_s = max(ready_s, link_free_s)
    transfer_s = sent_bytes * 8 / rate if rate else 60.0
    network_s = start_s - ready_s + transfer_s + RTT_S
    total_s = ready_s - frame.t_s + network_s + CODEC_S + way.cloud_s
    if total_s > 0.4:
        deadline_s = 0.4 + WAYS['local'].edge_s - way.edge_s
        missed = replace(
            frame, outcome=Outcome.LOCAL_AFTER_MISS, size_bytes=sent_bytes, encode_s=CODEC_S,
            edge_s=WAYS['local'].edge_s, total_s=deadline_s,
        )  # fmt: skip
        return missed, min(start_s + transfer_s, frame.t_s + 1.0)
    via = replace(
        frame, outcome=Outcome.VIA_CLOUD, size_bytes=sent_bytes, encode_s=CODEC_S,
        network_s=network_s, decode_s=CODEC_S, cloud_s=way.cloud_s, total_s=total_s,
    )  # fmt: skip
    return via, start_s + transfer_s


def _choose(t_s: float) -> Way:
    """Return what a monitor that lags half a second behind would choose."""
    rate = uplink_bps(max(0.0, t_s - 0.5))
    if rate == 0:
        return WAYS['local']
    return WAYS['jpeg'] if rate > 8e6 else WAYS['waist']


def _frame(index: int, t_s: float, plan_id: int) -> FrameRecord:
    stamp_ns = START_NS + int(t_s * 1e9)
    return FrameRecord(
        stamp_ns=stamp_ns, t_s=t_s, sequence=index, outcome=Outcome.LOCAL, plan_id=plan_id,
        size_bytes=0, wait_s=0.0, preprocess_s=0.0, edge_s=0.0, encode_s=0.0, network_s=0.0,
        cloud_queue_s=0.0, decode_s=0.0, cloud_s=0.0, held_s=0.0, total_s=0.0,
        received_ns=int(t_s * 1e9),
    )  # fmt: skip


def _plan(way: Way, plan_id: int, t_s: float, *, fixed: bool) -> PlanRecord:
    rate = uplink_bps(t_s)
    transfer_s = way.sent_bytes * 8 / rate if rate and way.sent_bytes else 0.0
    mode = Mode.FIXED if fixed else Mode.LOCAL if not way.boundary else Mode.LIGHT
    if mode is Mode.LIGHT and rate < 2e6:
        mode = Mode.HEAVY
    return PlanRecord(
        t_s=t_s, plan_id=plan_id, mode=mode, boundary=way.boundary, codec=way.codec,
        edge_s=way.edge_s, transfer_s=transfer_s, cloud_s=way.cloud_s,
        delay_s=way.edge_s + transfer_s + way.cloud_s + (RTT_S if way.boundary else 0.0),
        max_rate_hz=1 / max(way.edge_s, transfer_s, way.cloud_s), deadline_s=0.4,
        reason='asked for by parameter' if fixed else f'uplink about {rate / 1e6:.1f} Mbit/s',
    )  # fmt: skip


def _belief(t_s: float, rng: np.random.Generator) -> LinkRecord:
    rate = uplink_bps(max(0.0, t_s - 0.5)) * rng.normal(1.0, 0.08)
    return LinkRecord(
        t_s=t_s, uplink_bps=rate, uplink_low_bps=rate * 0.8, uplink_high_bps=rate * 1.25,
        rtt_s=RTT_S, edge_factor=1.0, cloud_factor=1.0, camera_hz=RATE_HZ, cloud_alive=rate > 0,
    )  # fmt: skip


def _truth(index: int) -> TruthRecord:
    x_px, stamp_ns = 40.0 + 2.0 * index % 400, START_NS + int(index / RATE_HZ * 1e9)
    boxes = ((x_px, 200.0, x_px + 90.0, 260.0), (500.0 - x_px, 190.0, 540.0 - x_px, 220.0))
    return TruthRecord(stamp_ns, boxes, ('vehicle', 'vehicle'))


def _detections(frame: FrameRecord, way: Way, rng: np.random.Generator) -> DetectionRecord:
    truth = _truth(frame.sequence)
    found = [box for box in truth.boxes if rng.random() > 0.08 * way.box_noise]
    boxes = tuple(tuple(float(v + rng.normal(0, way.box_noise)) for v in box) for box in found)
    return DetectionRecord(
        frame.stamp_ns, frame.t_s + frame.total_s, boxes,
        tuple(float(rng.uniform(0.5, 1.0)) for _ in boxes), ('vehicle',) * len(boxes),
    )  # fmt: skip
