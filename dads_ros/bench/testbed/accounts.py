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

"""Whether each frame is accounted for, and what the package itself took, from run records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dads_ros.bench.testbed.runs import began_s
from dads_ros.bench.testbed.tour import LEAD_S
from dads_ros.report.schema import RunRecord

# Of a datagram: Ethernet, IP, UDP, and the transport's own (RTPS with time and destination).
_PROBE_HEADERS_BYTES = 14 + 20 + 8 + 72


def unaccounted(run: RunRecord) -> int:
    """
    Return how many of the frames that reached the car ended not at all, or twice.

    The car numbers them as they come. When it is told to stop it ends those under way, too.
    """
    seen = [f.sequence for f in run.frames]
    missing = set(range(1, max(seen, default=0) + 1)) - set(seen)
    return len(missing) + len(seen) - len(set(seen))


def out_of_order(run: RunRecord) -> int:
    """Return how many detections came after those of a later frame."""
    newest_ns = count = 0
    for found in run.detections:  # in the order in which they came
        count += found.stamp_ns < newest_ns
        newest_ns = max(newest_ns, found.stamp_ns)
    return count


def not_received(run: RunRecord) -> int:
    """Return how many of the camera's frames did not reach the car's node, by their stamps."""
    stamps_ns = sorted(f.stamp_ns for f in run.frames)
    if not stamps_ns or not run.info.clip_rate_hz:
        return 0
    sent = round((stamps_ns[-1] - stamps_ns[0]) / 1e9 * run.info.clip_rate_hz) + 1
    return max(0, sent - len(stamps_ns))


def capacity_bytes(trace: Sequence[tuple[float, float]], seconds: float) -> float:
    """Return what a link could have carried from its trace's beginning on."""
    since_s = trace[0][0]
    times_s = [min(t - since_s, seconds) for t, _ in trace] + [seconds]
    return sum(
        rate_bps * (b - a) / 8
        for (_, rate_bps), (a, b) in zip(trace, pairwise(times_s), strict=True)
    )


@dataclass(frozen=True)
class Cost:
    """
    What the package itself took: the monitor's share of a core, and what was sent beside bundles.

    :param of_link: the monitor's probes as a share of what the link could have carried.
    :param of_sent: probes, headers of all layers, answers to the cloud's and what was sent again,
        as a share of what was sent.
    """

    monitor_cpu: float | None
    of_link: float | None
    of_sent: float | None


def own_cost(run: RunRecord, counted: dict[str, Any]) -> Cost:
    """
    Return a drive's own cost from its run and what the testbed counted.

    Of probes those count that came after the lead: as the trace begins, some are under way that
    were sized for the open link.
    """
    since_s, seconds = began_s(run), counted['seconds']
    payload = sum(f.size_bytes for f in run.frames if f.t_s + f.wait_s >= since_s)
    sent = counted['uplink_bytes']
    extra = max(0.0, sent - payload)
    used_s = counted.get('monitor_cpu_s')
    probed = _probed_bytes(run, since_s + LEAD_S)
    trace = run.info.link.trace or ((0.0, 0.0),)
    capacity = capacity_bytes(trace, seconds) - capacity_bytes(trace, min(LEAD_S, seconds))
    return Cost(
        monitor_cpu=used_s / seconds if used_s is not None and seconds else None,
        of_link=probed / capacity if run.links and capacity > 0 else None,
        of_sent=extra / sent if sent else None,
    )


def _probed_bytes(run: RunRecord, since_s: float) -> int:
    """Return the bytes of the probes from a moment on, headers included."""
    if not run.links:
        return 0
    before = [link for link in run.links if link.t_s <= since_s]
    count, size_bytes = (before[-1].probes, before[-1].probed_bytes) if before else (0, 0)
    last = run.links[-1]
    return last.probed_bytes - size_bytes + (last.probes - count) * _PROBE_HEADERS_BYTES
