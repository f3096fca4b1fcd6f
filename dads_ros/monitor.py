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
The monitor's mind: live traffic in; link state, probes and plans out. Without ROS or threads.

Probes cost at most 1% of the last known rate: a budget fills at that pace and a probe waits until
it can pay. Small ones tell the round trip and that the cloud is there; larger ones tell the rate
while the plan in force sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from dads_ros.link import LinkEstimate
from dads_ros.link import LinkEstimator
from dads_ros.link import MessageKey
from dads_ros.link import SMALL_BYTES
from dads_ros.load import CameraRate
from dads_ros.load import SpeedFactor
from dads_ros.partition.situation import Situation
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.frame import StageTimes
from dads_ros.plan import Plan
from dads_ros.policy import Policy

PROBE_SHARE = 0.01
PROBE_LIMIT_BYTES = 64_000
PROBE_OVERHEAD_BYTES = 96
BUNDLE_OVERHEAD_BYTES = 320
PROBE_PERIOD_S = 0.5
UNKNOWN_RATE_BPS = 1e6
DEFAULT_CAMERA_HZ = 10.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the monitor believes and wants at one moment."""

    link: LinkEstimate
    situation: Situation
    plan: Plan | None
    probe_bytes: int | None


class Monitor:
    """
    Estimates from what the edge reports, and the policy's next plan.

    Times are seconds of the edge's monotonic clock, which is the monitor's own: they share a host.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._link = LinkEstimator()
        self._edge = SpeedFactor()
        self._cloud = SpeedFactor()
        self._camera = CameraRate()
        self._rows: dict[int, int] = {}
        self._budget = ProbeBudget()
        self._frame_ended = False

    def sent(self, key: MessageKey, size_bytes: int, now_s: float) -> None:
        """Note that the edge handed a message to the link."""
        self._link.sent(key, size_bytes, now_s)

    def answered(self, key: MessageKey, cloud_s: float, now_s: float) -> None:
        """Note that its answer came."""
        self._link.answered(key, cloud_s, now_s)

    def ended(self, stamp_ns: int, outcome: Outcome, plan_id: int, times: StageTimes) -> None:
        """Note how a frame ended and what its stages took."""
        self._camera.note(stamp_ns)
        self._frame_ended = True
        row = self._rows.get(plan_id, self.policy.table.local_row)
        totals = self.policy.table.rows[row].totals
        if outcome in (Outcome.VIA_CLOUD, Outcome.LOCAL):
            spent_s = times.preprocess_s + times.edge_s + times.encode_s
            self._edge.note(spent_s, float(totals.edge_ns) / 1e9)
        if outcome is Outcome.VIA_CLOUD:
            self._cloud.note(times.decode_s + times.cloud_s, float(totals.cloud_ns) / 1e9)

    def look(self, now_s: float) -> Outlook:
        """Return the present estimates, the next plan if it changes, and the next probe."""
        link = self._link.estimate(now_s)
        # Names and headers of a bundle are a fixed cost on the air, like the round trip.
        fixed_s = BUNDLE_OVERHEAD_BYTES * 8 / link.uplink_bps if link.uplink_bps else 0.0
        situation = Situation(
            uplink_bps=link.uplink_bps,
            rtt_s=link.rtt_s + fixed_s,
            edge_factor=self._edge.value,
            cloud_factor=self._cloud.value,
            rate_hz=self._camera.rate_hz or DEFAULT_CAMERA_HZ,
        )
        plan = self.policy.update(situation, link.alive, now_s, is_frame=self._frame_ended)
        self._frame_ended = False
        if plan is not None:
            self._rows[plan.plan_id] = self.policy.row
        sends = self.policy.plan is not None and not self.policy.plan.is_local
        known_bps = self._link.last_known_bps()
        return Outlook(link, situation, plan, self._budget.next_probe(known_bps, sends, now_s))


class ProbeBudget:
    """Bytes that probes may spend: PROBE_SHARE of the rate, saved up to PROBE_LIMIT_BYTES."""

    def __init__(self) -> None:
        self._bytes = float(SMALL_BYTES)
        self._filled_s: float | None = None
        self._probed_s = float('-inf')
        self._small_next = True

    def next_probe(self, rate_bps: float, sends_bundles: bool, now_s: float) -> int | None:
        """
        Return the padding of the probe to send now in bytes, or None.

        :param rate_bps: the last known rate; 0 stands for UNKNOWN_RATE_BPS.
        :param sends_bundles: whether the plan in force measures the rate by itself.
        """
        rate_bps = rate_bps or UNKNOWN_RATE_BPS
        if self._filled_s is not None:
            self._bytes += (now_s - self._filled_s) * rate_bps * PROBE_SHARE / 8
        self._filled_s = now_s
        self._bytes = min(self._bytes, float(PROBE_LIMIT_BYTES))
        if now_s - self._probed_s < PROBE_PERIOD_S or self._bytes < PROBE_OVERHEAD_BYTES:
            return None
        self._probed_s = now_s
        padding = 0
        # Every second probe is small, for the round trip that the others are measured against.
        affordable = int(self._bytes) - PROBE_OVERHEAD_BYTES
        if not (sends_bundles or self._small_next) and affordable > SMALL_BYTES:
            padding = affordable
        self._small_next = not self._small_next
        self._bytes -= padding + PROBE_OVERHEAD_BYTES
        return padding
