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

"""The node on the car that watches the link and both machines, and moves the cut."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import sys
import threading
import time
from typing import Any

from dads_ros.monitor import watch
from dads_ros.monitor.link import MessageKey
from dads_ros.monitor.monitor import Monitor
from dads_ros.monitor.monitor import Outlook
from dads_ros.monitor.probing import PROBE_OVERHEAD_BYTES
from dads_ros.monitor.refine import RefinedTable
import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import diagnostics
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.nodes.wire import keyring_of_car
from dads_ros.nodes.wire import Wire
from dads_ros.nodes.worker import Worker
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Plan
from dads_ros.settings import MonitorSettings
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy

# How often the monitor looks: most of what it takes of a core is waking up and taking in the
# reports of frames, which cost less together. Their times are those of the edge, so this only
# delays decisions, and not those on a link that falls. Simulated along the traces, decisions with
# 0.05 to 1 s between looks give the same mean latency.
LOOK_S = 0.5
# How often while an answer is slow to come. The edge tells of such, which wakes the monitor.
LATE_S = 0.1
STATE_PERIOD_S = 1.0


class _Unwatched(MutuallyExclusiveCallbackGroup):
    """
    Subscriptions that the executor leaves alone: whoever made them takes their messages.

    For each message the executor gathers anew everything that a node might wait for. At a camera's
    10 Hz that alone takes 2 % of a core, three times as much as reading the messages now and then.
    """

    def can_execute(self, entity: object) -> bool:  # noqa: ARG002
        """Return that the executor has nothing to do."""
        return False


class MonitorNode(base.DadsNode[MonitorSettings]):
    """Feeds the monitor's mind with reports from the edge and publishes what it decides."""

    def __init__(self) -> None:
        super().__init__('monitor', MonitorSettings)
        self._lock = threading.Lock()
        self._worker: Worker | None = None

    def configure(self) -> None:
        """Build the plan table from both profiles; announce what is published."""
        # A monitor that was restarted must not use the ids of its earlier life.
        self._policy = watch.make_policy(self.settings, first_plan_id=int(time.time()) % 2**31)
        self._monitor = Monitor(self._policy)
        wire = Wire(self, keyring_of_car(self, self.settings.key_file), limit_bytes=0)
        self._plans = wire.outlet('plan', qos.latched())
        self._states = self.create_lifecycle_publisher(msg.LinkState, 'link_state', qos.local())
        self._requests = self.create_lifecycle_publisher(msg.Probe, 'probe_request', qos.local())
        self._probe_sequence = 0
        self._state_s = self._diagnosed_s = 0.0
        self._newest_sent_ns = 0
        unwatched = _Unwatched()
        self._late, self._ended = (
            self.create_subscription(kind, topic, take, profile, callback_group=unwatched)
            for kind, topic, take, profile in (
                (msg.LinkEvent, 'link_event', self._on_link_event, qos.local()),
                (msg.StageTimes, 'stage_times', self._on_frame, qos.local('best_effort')),
            )
        )
        context: Any = self.context
        self._waits = _rclpy.WaitSet(1, 0, 0, 0, 0, 0, context.handle)
        self._is_late = False
        self._looked_s = 0.0
        self._outlook: Outlook | None = None
        # A timer of its own would wake the executor, which costs more than all that it publishes.
        self._diagnostics = diagnostics.Diagnostics(self, self._statuses, is_timed=False)

    def activate(self) -> None:
        """Begin to decide."""
        self._probed_bytes = 0
        self._probes_before = self._probe_sequence
        self._worker = Worker('monitor', self._step, self.fail)

    def deactivate(self) -> None:
        """Decide no more; the edge goes local by its own watchdog."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def cleanup(self) -> None:
        """End the solver that may stand behind the table."""
        if hasattr(self, '_policy') and isinstance(self._policy.table, RefinedTable):
            self._policy.table.close()

    def settings_changed(self) -> None:
        """Take in a mode, or the cut of mode 'fixed', that was set while running."""
        if hasattr(self, '_policy'):
            with self._lock:
                watch.ask(self._policy, self.settings)

    def _on_link_event(self, event: msg.LinkEvent) -> None:
        key = MessageKey(event.probe, event.sequence)
        self._note_sent(key, event.size_bytes, event.sent_ns)
        if event.kind == msg.LinkEvent.ANSWERED:
            self._monitor.answered(key, event.cloud_s, event.answered_ns / 1e9)

    def _on_frame(self, frame: msg.StageTimes) -> None:
        outcome, times = Outcome(frame.outcome), messages.stage_times_from_msg(frame)
        if outcome is Outcome.VIA_CLOUD:
            key = MessageKey(is_probe=False, sequence=frame.sequence)
            self._note_sent(key, frame.size_bytes, frame.sent_ns)
            answered_s = frame.sent_ns / 1e9 + times.network_s + times.answering_s
            self._monitor.answered(key, times.answering_s, answered_s)
        self._monitor.ended(
            messages.to_stamp_ns(frame.header.stamp), outcome, frame.plan_id, times
        )

    def _note_sent(self, key: MessageKey, size_bytes: int, sent_ns: int) -> None:
        """Note that a message left, unless a report before this one told that."""
        # The edge tells of messages in the order in which they left. One from the future would
        # make all others old.
        if self._newest_sent_ns < sent_ns <= time.monotonic_ns():
            self._newest_sent_ns = sent_ns
            self._monitor.sent(key, size_bytes, sent_ns / 1e9)

    def _step(self, _: float) -> None:
        if self._is_late:
            time.sleep(LATE_S)
        else:
            _await(self._waits, self._late, LOOK_S)
        with self._lock:
            late = list(_waiting(self._late))
            is_due = _now_s() - self._looked_s >= LOOK_S
            if late or is_due or self._monitor.has_news(_now_s()):
                reports = [*late, *_waiting(self._ended)]
                for _, take, report in sorted(reports, key=lambda r: r[0]):
                    take(report)
                if is_due or self._monitor.has_news(_now_s()):
                    self._look()
            # Of a probe's answer nothing follows that a look in due time would not tell.
            tells_of_bundle = any(not event.probe for _, _, event in late)
            self._is_late = tells_of_bundle or self._monitor.awaits_answer

    def _look(self) -> None:
        self._looked_s = now_s = _now_s()
        self._outlook = outlook = self._monitor.look(now_s)
        if outlook.plan is not None:
            self._publish_plan(outlook.plan)
        if outlook.probe_bytes is not None:
            self._probe_sequence += 1
            self._probed_bytes += outlook.probe_bytes + PROBE_OVERHEAD_BYTES
            padding = messages.to_bytes_field(bytes(outlook.probe_bytes))
            self._requests.publish(msg.Probe(sequence=self._probe_sequence, data=padding))
        if now_s - self._state_s >= STATE_PERIOD_S:
            self._state_s = now_s
            self._publish_state(outlook)
        is_due = now_s - self._diagnosed_s >= diagnostics.PERIOD_S
        if is_due:
            self._diagnosed_s = now_s
        # A plan may be replaced before its second is over, and has its place there all the same.
        if is_due or outlook.plan is not None:
            self._diagnostics.publish()

    def _publish_plan(self, plan: Plan) -> None:
        header = messages.to_header(self.get_clock().now().nanoseconds, '')
        self._plans.publish(self._plans.pack(messages.plan_to_msg(plan, header)))
        self.get_logger().info(f'plan {plan.plan_id} {plan.mode.name.lower()}: {plan.reason}')

    def _publish_state(self, outlook: Outlook) -> None:
        link, situation = outlook.link, outlook.situation
        header = messages.to_header(self.get_clock().now().nanoseconds, '')
        self._states.publish(
            msg.LinkState(
                header=header,
                uplink_bps=float(link.uplink_bps),
                uplink_low_bps=float(link.low_bps),
                uplink_high_bps=float(link.high_bps),
                rtt_s=float(link.rtt_s),
                edge_factor=float(situation.edge_factor),
                cloud_factor=float(situation.cloud_factor),
                camera_hz=float(situation.rate_hz),
                cloud_alive=bool(link.alive),
                probes=self._probe_sequence - self._probes_before,
                probed_bytes=self._probed_bytes,
            )
        )

    def _statuses(self) -> list[DiagnosticStatus]:
        plan, outlook = self._policy.plan, self._outlook
        if plan is None or outlook is None:
            return []
        behind = plan.max_rate_hz < outlook.situation.rate_hz
        values = {
            'mode': plan.mode.name.lower(),
            'tensors sent': ', '.join(plan.boundary) or 'none',
            'codec': plan.codec or 'none',
            'predicted delay ms': f'{plan.delay_s * 1e3:.1f}',
            'highest rate Hz': f'{plan.max_rate_hz:.1f}',
            'uplink Mbit/s': f'{outlook.link.uplink_bps / 1e6:.3f}',
            'round trip ms': f'{outlook.link.rtt_s * 1e3:.1f}',
            'edge factor': f'{outlook.situation.edge_factor:.2f}',
            'cloud factor': f'{outlook.situation.cloud_factor:.2f}',
            'camera Hz': f'{outlook.situation.rate_hz:.1f}',
            'cloud answers': outlook.link.alive,
        }
        if isinstance(self._policy.table, RefinedTable):
            values['exact heavy plan'] = self._policy.table.told()
        level = diagnostics.WARN if behind or not outlook.link.alive else diagnostics.OK
        return [diagnostics.status(self, 'plan', plan.reason, values, level)]


def _now_s() -> float:
    return time.monotonic_ns() / 1e9


def _await(waits: Any, subscription: Any, timeout_s: float) -> None:
    """Wait for a message that nobody else waits for."""
    waits.clear_entities()
    waits.add_subscription(subscription.handle)
    waits.wait(int(timeout_s * 1e9))


def _waiting(subscription: Any) -> Iterator[tuple[int, Callable[[Any], None], Any]]:
    """Take the messages that have come in: when each was published, and what takes it."""
    with subscription.handle:
        while (
            taken := subscription.handle.take_message(subscription.msg_type, False)
        ) is not None:
            message, told = taken
            yield told['source_timestamp'], subscription.callback, message


def main() -> int:
    """Run the monitor node."""
    return base.run(MonitorNode)


if __name__ == '__main__':
    sys.exit(main())
