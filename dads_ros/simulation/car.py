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
A car in simulated time: what a policy would have done with a trace, in a fraction of the time.

Stage times and sizes come from the plan table. The monitor, the policy and the book of frames are
the real ones and are told what the nodes would tell them; the edge's worker follows the pipeline:
newest frame wins, late frames are finished on the car, too many misses and it computes by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import heapq
import itertools
import math
from typing import Protocol

from dads_ros.detections import Detections
from dads_ros.monitor.estimate import LinkEstimate
from dads_ros.monitor.link import MessageKey
from dads_ros.monitor.misses import IN_A_ROW
from dads_ros.monitor.monitor import BUNDLE_OVERHEAD_BYTES
from dads_ros.monitor.monitor import Monitor
from dads_ros.monitor.probing import PROBE_OVERHEAD_BYTES
from dads_ros.partition.table import PlanTable
from dads_ros.pipeline.book import FrameBook
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Plan
from dads_ros.simulation.run import Change
from dads_ros.simulation.run import FrameRecord
from dads_ros.simulation.run import Run
from dads_ros.simulation.world import Chance
from dads_ros.simulation.world import Cloud
from dads_ros.simulation.world import Link
from dads_ros.simulation.world import World
import numpy as np

LOOK_PERIOD_S = 0.05
# The monitor goes on for so long after the last frame, for those still on their way.
QUIET_S = 3.0
# Thirty years: what would come later, over a link of next to no rate, does not come.
NEVER_S = 1e9


class Chooser(Protocol):
    """Decides frame by frame, in the monitor's place."""

    def choose(self, now_s: float, link: Link, cloud: Cloud) -> tuple[Plan, int]:
        """Return the plan for a frame that begins now, and its row."""


class Car:
    """
    One run through a world.

    :param table: stage times and sizes of every row.
    :param mind: the monitor, or what decides in its place.
    :param finish_locally: False leaves late frames undetected, as plain offloading would.
    """

    def __init__(
        self,
        world: World,
        table: PlanTable,
        mind: Monitor | Chooser,
        *,
        finish_locally: bool = True,
    ) -> None:
        self._world = world
        self._table = table
        self._monitor = mind if isinstance(mind, Monitor) else None
        self._finish_locally = finish_locally
        self._chooser = None if isinstance(mind, Monitor) else mind
        self._chance = Chance(world)
        self._link = Link(world, self._chance)
        self._cloud = Cloud(world, self._chance)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._book = FrameBook(self._ended)
        self._now_s = 0.0
        self._mailbox: Frame | None = None
        self._busy = False
        self._wake_s = math.inf
        self._local = (Plan.local(''), table.local_row)
        self._in_force = self._local
        self._misses = 0
        self._rows: dict[int, int] = {}
        self._frames: list[FrameRecord] = []
        self._changes: list[Change] = []
        self._probes: list[tuple[float, int]] = []
        self._estimates: list[tuple[float, LinkEstimate]] = []

    def run(self) -> Run:
        """Return what happened until the last frame ended."""
        for number in range(int(self._world.duration_s * self._world.camera_hz)):
            self._at(number / self._world.camera_hz, partial(self._camera, number + 1))
        if self._monitor is not None:
            self._at(-self._world.lead_s, self._tick)
        while self._events:
            self._now_s, _, action = heapq.heappop(self._events)
            action()
        return Run(
            tuple(self._frames), tuple(self._changes), tuple(self._probes), tuple(self._estimates)
        )

    @property
    def _now_ns(self) -> int:
        return round(self._now_s * 1e9)

    def _at(self, time_s: float, action: Callable[[], None]) -> None:
        if time_s < NEVER_S:
            heapq.heappush(self._events, (time_s, next(self._order), action))

    # The edge's worker.

    def _camera(self, sequence: int) -> None:
        self._book.release(self._now_ns)
        if self._mailbox is not None:
            self._book.drop(self._mailbox, Outcome.DROPPED_SUPERSEDED, self._now_ns)
        self._mailbox = Frame(sequence, self._now_ns, 'camera', self._now_ns, _no_image)
        self._work()

    def _work(self) -> None:
        """Do the next thing there is to do, as the pipeline's worker would."""
        if self._busy:
            return
        late, newest = self._book.expire(self._now_ns)
        self._misses += sum(1 for f in late if f.plan_id == self._in_force[0].plan_id)
        if newest is not None and not self._finish_locally:
            self._book.drop(newest, Outcome.DROPPED_STALE, self._now_ns)
            newest = None
        if newest is not None:
            self._busy = True
            row = self._rows[newest.sequence]
            spent_s = self._edge_s(self._table.local_row) - self._edge_s(row)
            self._at(self._now_s + max(0.0, spent_s), partial(self._finished, newest, True))
        elif self._mailbox is not None:
            self._begin()
        if not self._busy:
            self._wake_at_deadline()

    def _wake_at_deadline(self) -> None:
        deadline_ns = self._book.next_deadline_ns
        if deadline_ns is None or self._wake_s <= deadline_ns / 1e9:
            return
        self._wake_s = deadline_ns / 1e9
        self._at(self._wake_s, self._wake)

    def _wake(self) -> None:
        self._wake_s = math.inf
        self._work()

    def _begin(self) -> None:
        plan, row = self._plan()
        if not plan.is_local and self._book.in_flight >= plan.window(self._world.preprocess_s):
            return
        frame, self._mailbox = self._mailbox, None
        assert frame is not None
        self._busy = True
        self._rows[frame.sequence] = row
        frame.plan_id = plan.plan_id
        frame.times.wait_s = self._now_s - frame.received_ns / 1e9
        frame.times.edge_s = self._edge_s(row) * self._chance.vary()
        done = (
            partial(self._finished, frame, False)
            if plan.is_local
            else partial(self._send, frame, plan, row)
        )
        frame.times.preprocess_s = self._world.preprocess_s
        self._at(self._now_s + frame.times.preprocess_s + frame.times.edge_s, done)

    def _plan(self) -> tuple[Plan, int]:
        if self._chooser is not None:
            return self._chooser.choose(self._now_s, self._link, self._cloud)
        has_failed = self._finish_locally and self._misses >= IN_A_ROW
        return self._local if has_failed else self._in_force

    def _edge_s(self, row: int) -> float:
        return float(self._table.rows[row].totals.edge_ns) / 1e9 * self._world.edge_factor

    def _finished(self, frame: Frame, is_late: bool) -> None:
        outcome = Outcome.LOCAL_AFTER_MISS if is_late else Outcome.LOCAL
        self._book.complete(frame, outcome, Detections.empty(), self._now_ns)
        self._busy = False
        self._work()

    def _send(self, frame: Frame, plan: Plan, row: int) -> None:
        frame.sent_ns = self._now_ns
        frame.deadline_ns = frame.sent_ns + round((plan.deadline_s - plan.edge_s) * 1e9)
        frame.size_bytes = int(self._table.rows[row].totals.mean_bytes) + BUNDLE_OVERHEAD_BYTES
        self._book.sent(frame)
        arrival_s = self._link.send(self._now_s, frame.size_bytes)
        self._at(self._cloud.awake_s(arrival_s), partial(self._arrived, frame, row))
        if self._monitor is not None:
            self._monitor.sent(MessageKey(False, frame.sequence), frame.size_bytes, self._now_s)
        self._busy = False
        self._work()

    # The cloud and its answers.

    def _arrived(self, frame: Frame, row: int) -> None:
        cloud_s = float(self._table.rows[row].totals.cloud_ns) / 1e9
        began_s, ended_s = self._cloud.finish(self._now_s, cloud_s)
        frame.times.cloud_queue_s = began_s - self._now_s
        frame.times.cloud_s = ended_s - began_s
        self._at(
            ended_s + self._link.way_s(), partial(self._answered, frame, ended_s - self._now_s)
        )

    def _answered(self, frame: Frame, cloud_s: float) -> None:
        if self._monitor is not None:
            self._monitor.answered(MessageKey(False, frame.sequence), cloud_s, self._now_s)
        if self._book.answered(frame.sequence, frame.sent_ns) is not None:
            self._misses = 0
            self._book.complete(frame, Outcome.VIA_CLOUD, Detections.empty(), self._now_ns)
        self._look()
        self._work()

    def _ended(self, frame: Frame, outcome: Outcome) -> None:
        self._frames.append(
            FrameRecord(
                frame.sequence, frame.stamp_ns / 1e9, self._now_s, outcome, frame.plan_id,
                self._rows.pop(frame.sequence, None), frame.size_bytes,
            )
        )  # fmt: skip
        if self._monitor is not None:
            self._monitor.ended(frame.stamp_ns, outcome, frame.plan_id, frame.times)
            self._look()

    # The monitor.

    def _tick(self) -> None:
        self._look()
        if self._is_driving():
            self._at(self._now_s + LOOK_PERIOD_S, self._tick)

    def _is_driving(self) -> bool:
        """Return whether the monitor still looks: each probe's answer would ask for another."""
        return self._now_s < self._world.duration_s + QUIET_S

    def _look(self) -> None:
        if self._monitor is None or not self._is_driving():
            return
        outlook = self._monitor.look(self._now_s)
        self._estimates.append((self._now_s, outlook.link))
        if outlook.plan is not None:
            row = self._monitor.policy.row
            self._changes.append(Change(self._now_s, outlook.plan, row))
            self._at(self._now_s + self._world.plan_s, partial(self._obey, outlook.plan, row))
        if outlook.probe_bytes is not None:
            self._probe(outlook.probe_bytes + PROBE_OVERHEAD_BYTES)

    def _obey(self, plan: Plan, row: int) -> None:
        self._in_force = (plan, row)
        self._misses = 0
        self._work()

    def _probe(self, size_bytes: int) -> None:
        assert self._monitor is not None
        key = MessageKey(True, len(self._probes))
        self._probes.append((self._now_s, size_bytes))
        self._monitor.sent(key, size_bytes, self._now_s)
        arrival_s = self._link.send(self._now_s, size_bytes, is_probe=True)
        awake_s = self._cloud.awake_s(arrival_s)
        self._at(awake_s + self._link.way_s(), partial(self._probe_answered, key))

    def _probe_answered(self, key: MessageKey) -> None:
        assert self._monitor is not None
        self._monitor.answered(key, 0.0, self._now_s)
        self._look()


def _no_image() -> np.ndarray:
    raise RuntimeError('a simulated camera has no images')
