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

"""What one drive on the testbed left, in figures: pure functions of run records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
import math
from statistics import fmean
from statistics import median

from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import RunRecord
import numpy as np

# A cut and its codec; nothing for the car alone.
Way = tuple[tuple[str, ...], str]
CAR_ALONE: Way = ((), '')
# Around a message: UDP's header and those of the transport (RTPS with time and destination).
_DATAGRAM_BYTES = 80
# A datagram travels in packets of this much payload, each behind Ethernet's and IP's headers.
_PACKET_BYTES = 1480
_HEADER_BYTES = 34
_IN_A_ROW = 10


@dataclass(frozen=True)
class Window:
    """
    Figures of a stretch of time; None for what no frame told.

    :param frames: that arrived in the stretch and were answered.
    :param latency_s: median from camera to detections of these.
    :param longer_than_s: without any of these, for how long one was waited for in vain at least:
        the longest of those sent, or the whole stretch.
    :param answered_hz: detections published in the stretch.
    :param max_stage_s: the longest of car, link and cloud, each in the mean of these, as a rate is
        a mean; the link's is what the bundle alone would take at the link's rate.
    :param pace_s: the least time from frame to frame: see pace_s.
    :param way: the cut and codec of most of these,
    :param way_share: and of how many of them, 0 to 1.
    """

    frames: int
    latency_s: float | None
    longer_than_s: float | None
    answered_hz: float
    max_stage_s: float | None
    pace_s: float | None
    way: Way
    way_share: float


@dataclass(frozen=True)
class Latency:
    """
    From the image's arrival on the car (or from its stamp) to its detections, along the trace.

    Of all frames that were answered; ``share`` says how many that were of those that came.
    """

    answered: int
    share: float | None
    answered_hz: float
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None


def steady(run: RunRecord, number: int, end_s: float, settling_s: float) -> Window:
    """
    Return the figures of one level of a staircase.

    :param number: of the sample of the run's trace.
    :param end_s: of the drive, since the trace's beginning: the last level has no end of its own.
    :param settling_s: at its beginning, which does not count.
    """
    samples = run.info.link.trace or ()
    begin_s, rate_bps = samples[number]
    stop_s = samples[number + 1][0] if number + 1 < len(samples) else samples[0][0] + end_s
    return window(run, begin_s + settling_s, stop_s, rate_bps)


def window(run: RunRecord, begin_s: float, end_s: float, rate_bps: float) -> Window:
    """Return the figures of a stretch of time, on the recorder's clock, at a steady rate."""
    inside = [f for f in run.frames if begin_s <= f.t_s < end_s]
    arrived = [f for f in inside if f.outcome.is_published]
    waited_s = [f.total_s for f in inside if f.size_bytes and not f.outcome.is_published]
    wires_s = {
        f.sequence: wire_s(f.size_bytes, rate_bps)
        for f in arrived
        if f.outcome is Outcome.VIA_CLOUD
    }
    way, share = _way(run, arrived)
    return Window(
        frames=len(arrived),
        latency_s=median(f.total_s for f in arrived) if arrived else None,
        longer_than_s=None if arrived else max(waited_s, default=end_s - begin_s),
        answered_hz=published_hz(run.frames, begin_s, end_s),
        max_stage_s=max(_stages_s(arrived, wires_s)) if arrived else None,
        pace_s=pace_s(
            arrived, link_busy_s(inside, rate_bps, _rtt_s(run)), 1 / run.info.clip_rate_hz
        ),
        way=way,
        way_share=share,
    )


def published_hz(frames: Sequence[FrameRecord], begin_s: float, end_s: float) -> float:
    """
    Return the rate of publication in a stretch of time.

    It is counted from the last frame before to the first after, where there are such: in a few
    seconds a slow car publishes so few that one more or less would be a tenth.
    """
    ended_s = sorted(f.t_s + f.total_s for f in frames if f.outcome.is_published)
    inside = sum(begin_s <= t < end_s for t in ended_s)
    first_s = max((t for t in ended_s if t < begin_s), default=begin_s)
    after_s = min((t for t in ended_s if t >= end_s), default=None)
    if after_s is None:
        return inside / (end_s - first_s)
    return (inside + 1) / (after_s - first_s)


def wire_s(size_bytes: float, rate_bps: float) -> float:
    """Return how long a message of so many bytes keeps a link busy, all headers included."""
    if not size_bytes or not rate_bps:
        return 0.0
    datagram = size_bytes + _DATAGRAM_BYTES
    headers = math.ceil(datagram / _PACKET_BYTES) * _HEADER_BYTES
    return (datagram + headers) * 8 / rate_bps


def pace_s(
    frames: Sequence[FrameRecord], links_s: Mapping[int, float], period_s: float
) -> float | None:
    """
    Return the least time from frame to frame that the camera and the longest stage allow.

    The longest stage of ten frames in a row, each stage in their mean, then the mean of all tens:
    queues even out what single frames take, but they are too short for a machine that is slower
    for seconds, so that the camera bounds the rate at first and then the cloud.

    :param links_s: for how long each frame's bundle kept the link busy, by its sequence.
    """
    tens = np.array_split(np.array(frames, object), max(1, round(len(frames) / _IN_A_ROW)))
    longest_s = [
        len(ten) * max(period_s, *_stages_s(ten.tolist(), links_s)) for ten in tens if len(ten)
    ]
    return sum(longest_s) / len(frames) if frames else None


def link_busy_s(frames: Sequence[FrameRecord], rate_bps: float, rtt_s: float) -> dict[int, float]:
    """
    Return for how long each bundle that was answered in time kept the link busy, by sequence.

    That is from when it was handed over, or the one before had come, until it came, as measured:
    what the transport says beside it is in it. Not in it are pauses of the link, bundles that were
    sent in vain, and the round trip, which the smallest message takes, too.
    """
    busy_s: dict[int, float] = {}
    free_s = -math.inf
    sent = ((f.t_s + f.wait_s + f.preprocess_s + f.edge_s + f.encode_s, f) for f in frames)
    for sent_s, f in sorted((s for s in sent if s[1].size_bytes), key=lambda s: s[0]):
        begin_s = max(sent_s + rtt_s, free_s)
        if f.outcome is Outcome.VIA_CLOUD:
            free_s = sent_s + f.network_s
            busy_s[f.sequence] = max(0.0, free_s - begin_s)
        else:
            free_s = begin_s + wire_s(f.size_bytes, rate_bps)
    return busy_s


def _rtt_s(run: RunRecord) -> float:
    """Return the shortest round trip that the monitor told of; 0 where it knew none."""
    return min((link.rtt_s for link in run.links if link.rtt_s > 0), default=0.0)


def _stages_s(
    frames: Sequence[FrameRecord], links_s: Mapping[int, float]
) -> tuple[float, float, float]:
    """Return for how long a frame kept the car, the link and the cloud busy, in the mean."""
    return (
        fmean(f.preprocess_s + f.edge_s + f.encode_s for f in frames),
        fmean(links_s.get(f.sequence, 0.0) for f in frames),
        fmean(f.decode_s + f.cloud_s for f in frames),
    )


def _way(run: RunRecord, frames: Sequence[FrameRecord]) -> tuple[Way, float]:
    """Return how most frames were detected, and how many of them."""
    plans = {plan.plan_id: (plan.boundary, plan.codec) for plan in run.plans}
    ways = Counter(
        plans.get(f.plan_id, CAR_ALONE) if f.outcome is Outcome.VIA_CLOUD else CAR_ALONE
        for f in frames
    )
    if not ways:
        return CAR_ALONE, 0.0
    way, count = ways.most_common(1)[0]
    return way, count / len(frames)


def latency(run: RunRecord, camera_zero_ns: int | None = None, *, lead_s: float = 0.0) -> Latency:
    """
    Return how late the detections were since the trace's beginning, and how many there were.

    :param camera_zero_ns: added to a frame's stamp the time at which it was due on the clock of
        ``received_ns``: latencies are from then on, the image's way to the car's node included.
    :param lead_s: since the beginning, which does not count.
    """
    since_s = began_s(run) + lead_s
    came = [f for f in run.frames if f.t_s >= since_s]
    totals_s = [
        f.total_s
        + (0 if camera_zero_ns is None else f.received_ns - f.stamp_ns - camera_zero_ns) / 1e9
        for f in came
        if f.outcome.is_published
    ]
    if not totals_s:
        return Latency(0, 0.0 if came else None, 0.0, None, None, None, None)
    end_s = max(f.t_s + f.total_s for f in came)
    p50_s, p95_s, p99_s = (float(q) for q in np.quantile(totals_s, [0.5, 0.95, 0.99]))
    return Latency(
        answered=len(totals_s),
        share=len(totals_s) / len(came),
        answered_hz=len(totals_s) / (end_s - since_s),
        mean_s=fmean(totals_s),
        p50_s=p50_s,
        p95_s=p95_s,
        p99_s=p99_s,
    )


def began_s(run: RunRecord) -> float:
    """Return when the trace began, on the recorder's clock."""
    trace = run.info.link.trace
    return trace[0][0] if trace else 0.0


def stage_sum_error(run: RunRecord) -> float | None:
    """Return by what share the stages of a frame fail to add up to its time, at worst."""
    errors = [
        abs(_sum_s(f) - f.total_s) / f.total_s
        for f in run.frames
        if f.outcome is Outcome.VIA_CLOUD and f.total_s > 0
    ]
    return max(errors, default=None)


def _sum_s(f: FrameRecord) -> float:
    return (
        f.wait_s + f.preprocess_s + f.edge_s + f.encode_s + f.network_s
        + f.cloud_queue_s + f.decode_s + f.cloud_s + f.held_s
    )  # fmt: skip


def stage_medians_s(run: RunRecord) -> dict[str, float]:
    """Return where the time of frames went that the cloud finished, stage by stage."""
    frames = [f for f in run.frames if f.outcome is Outcome.VIA_CLOUD]
    names = (
        'wait_s', 'preprocess_s', 'edge_s', 'encode_s', 'network_s',
        'cloud_queue_s', 'decode_s', 'cloud_s', 'held_s', 'total_s',
    )  # fmt: skip
    return {name: median(getattr(f, name) for f in frames) for name in names} if frames else {}


def one_way_s(run: RunRecord) -> tuple[float, float] | None:
    """
    Return what a bundle's way to the cloud took, in the median, and by how much that may be wrong.

    Clocks are not compared: of the measured way there and back, half a round trip is taken to be
    the way back, which is right to half a round trip. None without bundles or round trips.
    """
    rtts_s = [link.rtt_s for link in run.links if link.cloud_alive and link.rtt_s > 0]
    ways_s = [f.network_s for f in run.frames if f.outcome is Outcome.VIA_CLOUD]
    if not rtts_s or not ways_s:
        return None
    bound_s = median(rtts_s) / 2
    return median(ways_s) - bound_s, bound_s
