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

"""A replay foretold from profiles: the same methods and monitor in simulated time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dads_ros.monitor.gain import best_plan
from dads_ros.monitor.limits import PolicyLimits
from dads_ros.monitor.monitor import BUNDLE_OVERHEAD_BYTES
from dads_ros.monitor.monitor import Monitor
from dads_ros.monitor.policy import Policy
from dads_ros.monitor.watch import with_cut
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.planning import build_table
from dads_ros.profiles.planning import cost_graphs
from dads_ros.profiles.profile import Profile
from dads_ros.replay.methods import at_budget
from dads_ros.replay.methods import JPEG_UPLOAD
from dads_ros.replay.methods import Method
from dads_ros.replay.methods import METHODS
from dads_ros.replay.methods import WARMUP_FRAMES
from dads_ros.report.stats import age_series
from dads_ros.report.summary import plan_name
from dads_ros.simulation.car import Car
from dads_ros.simulation.run import Run
from dads_ros.simulation.world import World
import numpy as np

# In a replay the nodes find each other and know the link before the first frame.
LEAD_S = 3.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """
    What a method would give on a drive, warm-up left out.

    Latencies are of the frames that were answered; a time that nothing was foretold for is None.
    """

    method: str
    mean_age_s: float | None
    mean_s: float | None
    median_s: float | None
    p95_s: float | None
    frames: int
    answered: int
    sent_bytes: int
    switches: int


@dataclass(frozen=True, slots=True)
class Steady:
    """
    Where the monitor settles when nothing changes.

    :param delay_s: of one frame; infinite where nothing arrives.
    :param upload_s: None where the frame must not be sent.
    :param detections_hz: how many frames a second are answered.
    """

    uplink_bps: float
    rate_hz: float
    edge_slowdown: float
    plan: str
    mode: str
    delay_s: float
    detections_hz: float
    edge_only_s: float
    upload_s: float | None


class Planner:
    """
    The plans of two machines, as the monitor would choose among them.

    Raises ProfileError or PlanError as ``build_table`` does.
    """

    def __init__(
        self,
        edge: Profile,
        cloud: Profile,
        calibration: Path | None,
        accuracy_budget: float,
        privacy: bool,
    ) -> None:
        self.graph = edge.graph
        self._graphs = cost_graphs(edge.graph, edge, cloud, privacy=privacy)
        found = Calibration.find(calibration, edge.model_hash)
        self.table = build_table(
            edge.graph,
            edge,
            cloud,
            accuracy_budget=accuracy_budget,
            calibration=found,
            privacy=privacy,
        )
        inputs = self.graph.inputs
        self._at_budget = partial(
            at_budget, calibration=found, inputs=inputs, budget=accuracy_budget
        )
        self._upload: tuple[PlanTable, int] | None = None
        if not privacy:
            jpeg = self._at_budget(METHODS[JPEG_UPLOAD]).codec
            table = with_cut(self.table, self._graphs, self.graph, inputs, jpeg)
            self._upload = table, table.row_of(inputs, jpeg)

    def policy(self, method: Method) -> Policy:
        """Return the policy of a method."""
        method = self._at_budget(method)
        boundary = (method.boundary or self.graph.inputs) if method.codec else ()
        table = self.table
        if boundary:
            table = with_cut(table, self._graphs, self.graph, boundary, method.codec)
        limits = PolicyLimits(
            deadline_floor_s=method.deadline_floor_s, deadline_ceiling_s=method.patience_s
        )
        policy = Policy(table, self.graph.model_hash, self.graph.inputs, limits)
        policy.ask(method.mode, boundary, method.codec)
        return policy

    def steady(
        self,
        uplink_bps: float,
        rate_hz: float,
        edge_slowdown: float,
        rtt_s: float,
        preprocess_s: float = 0.0,
    ) -> Steady:
        """
        Return the steady state of one situation; microseconds each.

        :param preprocess_s: what the car takes to make the network's input of an image.
        """
        situation = Situation(
            uplink_bps=uplink_bps,
            rtt_s=rtt_s,
            edge_factor=edge_slowdown,
            rate_hz=rate_hz,
            overhead_bits=BUNDLE_OVERHEAD_BYTES * 8.0,
        )
        plan = best_plan(self.table, situation, PolicyLimits().gain)
        upload_s = None
        if self._upload is not None:
            table, row = self._upload
            upload_s = preprocess_s + table.evaluate(row, situation, 'light').delay_s
        local = self.table.evaluate(self.table.local_row, situation, 'light')
        longest_s = max(plan.max_stage_s, preprocess_s + plan.edge_s)
        return Steady(
            uplink_bps=uplink_bps,
            rate_hz=rate_hz,
            edge_slowdown=edge_slowdown,
            plan=plan_name(self.graph, plan.boundary, plan.codec),
            mode=plan.mode if plan.boundary else 'local',
            delay_s=preprocess_s + plan.delay_s,
            detections_hz=min(rate_hz, 1.0 / longest_s) if longest_s > 0 else rate_hz,
            edge_only_s=preprocess_s + local.delay_s,
            upload_s=upload_s,
        )


def forecast(planner: Planner, world: World, method: Method) -> Forecast:
    """Return what one method would give in a world."""
    policy = planner.policy(method)
    car = Car(world, policy.table, Monitor(policy), finish_locally=method.finish_locally)
    return _forecast(method.name, car.run())


def _forecast(method: str, run: Run) -> Forecast:
    ordered = sorted(run.frames, key=lambda f: f.stamp_s)
    frames = ordered[WARMUP_FRAMES:]
    latencies_s = np.array([f.ended_s - f.stamp_s for f in frames if f.outcome.is_published])
    published = [(f.stamp_s, f.ended_s) for f in ordered if f.outcome.is_published]
    age_s = age_series(published, frames[0].stamp_s, frames[-1].stamp_s) if frames else np.empty(0)
    known_s = age_s[np.isfinite(age_s)]
    some = len(latencies_s) > 0
    return Forecast(
        method=method,
        mean_age_s=float(known_s.mean()) if len(known_s) else None,
        mean_s=float(latencies_s.mean()) if some else None,
        median_s=float(np.median(latencies_s)) if some else None,
        p95_s=float(np.quantile(latencies_s, 0.95)) if some else None,
        frames=len(frames),
        answered=len(latencies_s),
        sent_bytes=sum(f.size_bytes for f in frames),
        switches=sum(s.time_s > frames[0].stamp_s for s in run.switches) if frames else 0,
    )
