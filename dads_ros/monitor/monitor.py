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

"""The monitor's mind: live traffic in; link state, probes and plans out. No ROS, no threads."""

from __future__ import annotations

from dataclasses import dataclass

from dads_ros.monitor.estimate import LinkEstimate
from dads_ros.monitor.link import LinkEstimator
from dads_ros.monitor.link import MessageKey
from dads_ros.monitor.load import CameraRate
from dads_ros.monitor.load import SpeedFactor
from dads_ros.monitor.misses import Misses
from dads_ros.monitor.policy import DRIFT
from dads_ros.monitor.policy import Policy
from dads_ros.monitor.probing import ProbeBudget
from dads_ros.partition.situation import Situation
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.frame import StageTimes
from dads_ros.plan import Mode
from dads_ros.plan import Plan

BUNDLE_OVERHEAD_BYTES = 320
DEFAULT_CAMERA_HZ = 10.0
PLANS_KEPT = 64
# A stage with less of the whole network's work is mostly overhead, which no factor scales: a car
# that only encodes the frame does not learn from it how long half a network would take.
TELLING_SHARE = 0.1
# A cloud that was slow when last used may be fast by now: nobody knows until it is tried again.
CLOUD_MEMORY_S = 5.0


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
        self._plans: dict[int, tuple[int, Mode]] = {}
        self._budget = ProbeBudget()
        self._frames = 0  # that have ended since the last look
        self._misses = Misses()
        self._sending_s = 0.0
        self._looked_bps = 0.0

    def has_news(self, now_s: float) -> bool:
        """Return whether the link is another than at the last look, or an answer is overdue."""
        before_bps, known_bps = self._looked_bps, self._link.last_known_bps()
        has_moved = not before_bps / DRIFT <= known_bps <= before_bps * DRIFT
        return has_moved or self._link.is_overdue(now_s)

    @property
    def awaits_answer(self) -> bool:
        """Return whether a message was told of that may still be on the link."""
        return any(True for _ in self._link.outstanding())

    def sent(self, key: MessageKey, size_bytes: int, now_s: float) -> None:
        """Note that the edge handed a message to the link."""
        self._link.sent(key, size_bytes, now_s)

    def answered(self, key: MessageKey, cloud_s: float, now_s: float) -> None:
        """Note that its answer came."""
        self._link.answered(key, cloud_s, now_s)

    def ended(self, stamp_ns: int, outcome: Outcome, plan_id: int, times: StageTimes) -> None:
        """Note how a frame ended and what its stages took."""
        self._camera.note(stamp_ns)
        self._frames += 1
        self._count_misses(outcome, plan_id)
        table = self.policy.table
        row, mode = self._plans.get(plan_id, (table.local_row, Mode.LOCAL))
        if outcome is Outcome.LOCAL:
            # Whatever the plan was, the car computed every layer.
            self._edge.note(times.edge_s, float(table.rows[table.local_row].totals.edge_ns) / 1e9)
        if outcome is Outcome.VIA_CLOUD:
            totals = table.rows[row].totals
            local_ns = table.rows[table.local_row].totals.edge_ns
            if totals.edge_ns > local_ns * TELLING_SHARE:
                self._edge.note(times.edge_s + times.encode_s, float(totals.edge_ns) / 1e9)
            worked_s = times.decode_s + times.cloud_s
            # The car's own frames queue under heavy load, and where the cloud takes longer than
            # the camera; else only those of others do, and make it a slower cloud.
            crowds_itself = mode is Mode.HEAVY or worked_s * self._camera.rate_hz > 1
            queue_s = 0.0 if crowds_itself else times.cloud_queue_s
            self._cloud.note(queue_s + worked_s, float(totals.cloud_ns) / 1e9)

    def look(self, now_s: float) -> Outlook:
        """Return the present estimates, the next plan if it changes, and the next probe."""
        self._age_cloud(now_s)
        link = self._link.estimate(now_s)
        self._looked_bps = self._link.last_known_bps()
        situation = self._situation(link)
        missed = self._misses.in_a_row
        plan = self.policy.update(
            situation,
            link.alive,
            now_s,
            frames=self._frames,
            sure_bps=link.low_bps,
            missed=missed,
            missed_share=self._misses.share,
        )
        self._frames = 0
        if missed:
            self._misses.restart()
        if plan is not None:
            self._remember(plan)
        probe_bytes = self._budget.next_probe(
            self._link.last_known_bps(),
            self._bundle_bytes(),
            now_s,
            link_is_idle=self._link.is_idle,
            telling_bytes=self._link.head_start.telling_bytes,
            look_bytes=self._link.head_start.look_bytes,
            is_in_doubt=self._link.head_start.is_in_doubt,
        )
        return Outlook(link, situation, plan, probe_bytes)

    def _situation(self, link: LinkEstimate) -> Situation:
        # What the link surely carries must be worth leaving the car for: probes tell little.
        is_local = self.policy.plan is None or self.policy.plan.is_local
        uplink_bps = link.low_bps if is_local else link.uplink_bps
        return Situation(
            uplink_bps=uplink_bps,
            rtt_s=link.rtt_s,
            edge_factor=self._edge.value,
            cloud_factor=self._cloud.value,
            rate_hz=self._camera.rate_hz or DEFAULT_CAMERA_HZ,
            overhead_bits=BUNDLE_OVERHEAD_BYTES * 8.0,
            head_start_bits=link.head_start_bits,
        )

    def _age_cloud(self, now_s: float) -> None:
        """Forget how slow the cloud was when the car has computed by itself for long."""
        if self.policy.plan is not None and not self.policy.plan.is_local:
            self._sending_s = now_s
        elif now_s - self._sending_s > CLOUD_MEMORY_S:
            self._cloud.forget()

    def _bundle_bytes(self) -> float:
        """Return the size of the bundles that the plan in force sends; 0 if none."""
        return float(self.policy.table.rows[self.policy.row].totals.mean_bytes)

    def _count_misses(self, outcome: Outcome, plan_id: int) -> None:
        """Count frames that were sent under the plan in force, and whether an answer came."""
        plan = self.policy.plan
        if plan is None or plan.is_local:
            self._misses.forget()
        elif outcome is Outcome.VIA_CLOUD:
            self._misses.answered()
        elif outcome is Outcome.DROPPED_STALE and plan_id == plan.plan_id:
            self._misses.lost()
        elif (outcome is Outcome.LOCAL_AFTER_MISS and plan_id == plan.plan_id) or (
            # The edge has given up by itself: it computes under no plan of the monitor's.
            outcome is Outcome.LOCAL and plan_id not in self._plans
        ):
            self._misses.missed()

    def _remember(self, plan: Plan) -> None:
        self._misses.restart()
        self._plans[plan.plan_id] = (self.policy.row, plan.mode)
        if len(self._plans) > PLANS_KEPT:
            del self._plans[next(iter(self._plans))]
