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
The edge's pipeline: newest frame wins, the car never waits for the cloud, every frame ends once.

One worker thread computes; results and camera frames come in from the caller's threads. Nothing
here knows ROS: the node hands in callables that send, publish and report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextlib import nullcontext
from dataclasses import dataclass
import threading
import time

from dads_ros.bundle import Bundle
from dads_ros.bundle import check_result
from dads_ros.bundle import Result
from dads_ros.detector.api import Detector
from dads_ros.errors import BundleError
from dads_ros.errors import CodecError
from dads_ros.errors import ConfigError
from dads_ros.errors import MediaError
from dads_ros.model.capture import Model
from dads_ros.pipeline.book import FrameBook
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.halves import PreparedPlan
from dads_ros.pipeline.stage import EdgeStage
from dads_ros.plan import Plan
import numpy as np


@dataclass(frozen=True)
class EdgePorts:
    """
    Where the pipeline's products go.

    ``send`` hands a bundle to the link and returns at once, with the size of the message in
    bytes. ``ended`` is called once for each frame, in order of publication, under a lock: it
    publishes and must not call back. ``note`` tells a person what happened, in one line.
    """

    send: Callable[[Bundle], int]
    ended: Callable[[Frame, Outcome], None]
    note: Callable[[str], None]


@dataclass(frozen=True)
class EdgeLimits:
    """
    What keeps the car from waiting.

    :param miss_limit: so many deadlines missed in a row, and the edge goes local by itself.
    :param watchdog_s: so long without a word from the monitor, and the edge goes local.
    :param bundle_cap_bytes: past it a bundle is encoded more coarsely.
    :param finish_locally: False leaves late frames undetected, as plain offloading would; only
        for measuring it.
    """

    miss_limit: int = 3
    watchdog_s: float = 3.0
    bundle_cap_bytes: int = 1_000_000
    finish_locally: bool = True


class EdgePipeline:
    """Frames in, bundles out, results in, detections out."""

    def __init__(
        self,
        detector: Detector,
        model: Model,
        halves: HalfCache,
        ports: EdgePorts,
        limits: EdgeLimits,
        vehicle: str,
        slowdown: AbstractContextManager[object] | None = None,
    ) -> None:
        self._labels = detector.labels
        self._model_hash = model.hash
        self._halves = halves
        self._ports = ports
        self._limits = limits
        self._vehicle = vehicle
        slowed, cap_bytes = slowdown or nullcontext(), limits.bundle_cap_bytes
        self._stage = EdgeStage(detector, model, vehicle, cap_bytes, slowed)
        self._changed = threading.Condition()
        self._book = FrameBook(ports.ended)
        self._mailbox: Frame | None = None
        self._sequence = 0
        self._local = halves.prepare(Plan.local(model.hash))
        self._prepared = self._local
        self._misses = 0
        self._gave_up_on: int | None = None
        self._monitor_seen_ns = time.monotonic_ns()
        self.rejected: Counter[str] = Counter()
        self.missed = 0
        self.over_cap = 0

    @property
    def ended(self) -> Counter[Outcome]:
        """Return how many frames ended in each way."""
        return self._book.ended

    @property
    def offered(self) -> int:
        """Return how many camera frames came in."""
        return self._sequence

    @property
    def in_flight(self) -> int:
        """Return how many frames were sent and neither answered nor given up."""
        return self._book.in_flight

    def offer(self, read: Callable[[], np.ndarray], stamp_ns: int, frame_id: str) -> None:
        """Take a camera frame; one that still waits is superseded by it."""
        now_ns = time.monotonic_ns()
        with self._changed:
            self._sequence += 1
            # The worker may be computing; what waited for an older frame's deadline goes out now.
            self._book.release(now_ns)
            if self._mailbox is not None:
                self._book.drop(self._mailbox, Outcome.DROPPED_SUPERSEDED, now_ns)
            self._mailbox = Frame(self._sequence, stamp_ns, frame_id, now_ns, read)
            self._changed.notify()

    def set_plan(self, plan: Plan) -> None:
        """
        Build the plan's halves, then put it in force for the frames that follow.

        Blocks while building; call it from a thread of its own. Raises CutError or ConfigError
        when the plan is not one of this model.
        """
        if plan.model_hash != self._model_hash:
            raise ConfigError('plan is for another model; restart the monitor with this model')
        prepared = self._halves.prepare(plan)
        with self._changed:
            self._prepared = prepared
            self._misses = 0
            self._gave_up_on = None
            self._changed.notify()

    def monitor_alive(self) -> None:
        """Note that the monitor is still there to change the plan."""
        self._monitor_seen_ns = time.monotonic_ns()

    def receive(self, result: Result) -> bool:
        """
        Take a result; one that fails a check, or that nobody waits for, is counted and dropped.

        :return: whether its times may be believed; a late result still tells of the link, one
            that answers nothing, or answers again, does not.
        """
        now_ns = time.monotonic_ns()
        try:
            check_result(result, self._model_hash, self._vehicle, len(self._labels))
        except BundleError as error:
            with self._changed:
                self.rejected[str(error)] += 1
            return False
        with self._changed:
            frame = self._book.answered(result.sequence, result.sent_ns)
            is_late = frame is None and self._book.answered_late(result.sequence, result.sent_ns)
            if frame is not None or is_late:
                self._stage.answered(result.sent_ns)
            if frame is None:
                self.rejected['too late' if is_late else 'not asked for'] += 1
                return is_late
            self._misses = 0
            frame.times.network_s = (now_ns - frame.sent_ns) / 1e9 - result.cloud_s
            frame.times.cloud_queue_s = result.queue_s
            frame.times.decode_s = result.decode_s
            frame.times.cloud_s = result.compute_s
            self._book.complete(frame, Outcome.VIA_CLOUD, result.detections, now_ns)
            self._changed.notify()
        return True

    def step(self, timeout_s: float) -> bool:
        """
        Do one piece of work, waiting for it no longer than the timeout.

        Called in a loop by the one worker thread.
        :return: whether there was any.
        """
        with self._changed:
            late, frame = self._next(timeout_s)
        if late is not None:
            late.times.network_s = (time.monotonic_ns() - late.sent_ns) / 1e9
            self._finish(late, Outcome.LOCAL_AFTER_MISS)
        elif frame is not None:
            self._begin(frame)
        return late is not None or frame is not None

    def close(self) -> None:
        """End all frames; call it when the worker has stopped."""
        now_ns = time.monotonic_ns()
        with self._changed:
            if self._mailbox is not None:
                self._book.drop(self._mailbox, Outcome.DROPPED_SUPERSEDED, now_ns)
                self._mailbox = None
            self._book.close(now_ns)

    def _next(self, timeout_s: float) -> tuple[Frame | None, Frame | None]:
        """Return a frame to finish after a miss, or a new one to begin."""
        end_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            now_ns = time.monotonic_ns()
            missed, late = self._book.expire(now_ns)
            self.missed += len(missed)
            if missed:
                self._stage.missed()
            # A plan is not to blame for what was sent under the one before.
            in_force = self._prepared.plan.plan_id
            self._count_misses(sum(1 for frame in missed if frame.plan_id == in_force))
            if late is not None:
                if self._limits.finish_locally:
                    return late, None
                self._book.drop(late, Outcome.DROPPED_STALE, now_ns)
            prepared = self._in_force(now_ns)
            if self._mailbox is not None and self._has_room(prepared.plan):
                frame, self._mailbox = self._mailbox, None
                return None, frame
            if now_ns >= end_ns:
                return None, None
            wake_ns = min(end_ns, self._book.next_deadline_ns or end_ns)
            self._changed.wait(max(0.0, (wake_ns - now_ns) / 1e9))

    def _has_room(self, plan: Plan) -> bool:
        """Return whether a frame may begin: the link bounds how many are sent, not the car."""
        return plan.is_local or self._book.in_flight < plan.window(self._stage.read_s)

    def _count_misses(self, missed: int) -> None:
        if not missed:
            return
        self._misses += missed
        plan = self._prepared.plan
        if self._misses >= self._limits.miss_limit and self._gave_up_on is None:
            self._gave_up_on = plan.plan_id
            self._ports.note(
                f'{self._misses} deadlines missed in a row under plan {plan.plan_id}; '
                'computing on the car until the monitor has a new plan'
            )

    def _in_force(self, now_ns: int) -> PreparedPlan:
        """Return the plan for the next frame: the monitor's, or local if it cannot be trusted."""
        silent_s = (now_ns - self._monitor_seen_ns) / 1e9
        if self._limits.finish_locally and (
            self._gave_up_on is not None or silent_s > self._limits.watchdog_s
        ):
            return self._local
        return self._prepared

    def _begin(self, frame: Frame) -> None:
        """Compute the edge's part of a new frame, then send it or finish it."""
        prepared = self._in_force(time.monotonic_ns())
        try:
            self._stage.begin(frame, prepared)
            if prepared.head is not None:
                self._send(frame, self._stage.bundle(frame, prepared))
                return
        except MediaError as error:
            self._ports.note(f'camera frame dropped: {error}')
            with self._changed:
                self._book.drop(frame, Outcome.DROPPED_INVALID, time.monotonic_ns())
            return
        except CodecError as error:
            # Nothing was sent: a frame too rich for the cap is the car's own.
            self.over_cap += 1
            self._ports.note(f'frame finished on the car: {error}')
        self._finish(frame, Outcome.LOCAL)

    def _send(self, frame: Frame, bundle: Bundle) -> None:
        with self._changed:
            self._book.sent(frame)
        frame.size_bytes = self._ports.send(bundle)

    def _finish(self, frame: Frame, outcome: Outcome) -> None:
        found = self._stage.finish(frame)
        with self._changed:
            self._book.complete(frame, outcome, found, time.monotonic_ns())
