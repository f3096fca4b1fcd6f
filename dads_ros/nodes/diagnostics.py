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


"""What nodes tell of themselves on /diagnostics, once a second, as other ROS tools read it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import math
from typing import Any

from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.pipeline.frame import Outcome
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue
from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.node import Node

PERIOD_S = 1.0
# No frame, or none finished, for so long: nothing is detected, whatever the reason.
SILENT_S = 5.0
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
# Reasons for a refusal that no node of ours gives cause for, unless it is set up wrongly.
STRANGE = frozenset(
    {
        'forged', 'replayed', 'unknown key', 'malformed', 'too large', 'another vehicle',
        'another model',
    }
)  # fmt: skip


class Diagnostics:
    """
    Publishes a node's status while the node is active.

    :param statuses: called each time; makes them with ``status``.
    :param is_timed: by a timer; else the node calls ``publish``, at least every PERIOD_S or so.
    """

    def __init__(
        self, node: Any, statuses: Callable[[], list[DiagnosticStatus]], *, is_timed: bool = True
    ) -> None:
        self._node = node
        self._statuses = statuses
        # The one absolute name: tools read the whole system's diagnostics there.
        self._publisher = node.create_lifecycle_publisher(
            DiagnosticArray, '/diagnostics', qos.local()
        )
        # Not on ROS time: a bag that is paused must not silence them.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(PERIOD_S, self.publish, clock=clock) if is_timed else None

    def close(self) -> None:
        """Publish no more."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
        self._node.destroy_lifecycle_publisher(self._publisher)

    def publish(self) -> None:
        """Publish the present status."""
        if self._publisher.is_activated:
            header = messages.to_header(self._node.get_clock().now().nanoseconds, '')
            self._publisher.publish(DiagnosticArray(header=header, status=self._statuses()))


class FrameWatch:
    """Judges once a second, from counts alone, whether frames come in and are finished."""

    def __init__(self) -> None:
        self._judged_s = -math.inf
        self._offered = self._finished = self._unread = 0
        self._frame_s = -math.inf
        self._unfinished_s: float | None = None

    def judge(
        self, now_s: float, offered: int, ended: Mapping[Outcome, int], *, is_enabled: bool
    ) -> tuple[bytes, str]:
        """
        Return the level and what it means.

        :param now_s: of a monotonic clock. After a gap the node was inactive: the past is no sign.
        :param offered: camera frames so far.
        :param ended: how they ended, so far.
        """
        finished = sum(count for outcome, count in ended.items() if outcome.is_published)
        unread = ended.get(Outcome.DROPPED_INVALID, 0)
        newly_unread = unread - self._unread
        was_looking = is_enabled and now_s - self._judged_s < 3 * PERIOD_S
        if offered != self._offered or not was_looking:
            self._frame_s = now_s
        if finished != self._finished or not was_looking:
            self._unfinished_s = None
        elif self._unfinished_s is None and offered != self._offered:
            self._unfinished_s = now_s
        self._judged_s = now_s
        self._offered, self._finished, self._unread = offered, finished, unread
        if not is_enabled:
            return OK, 'paused by the service enable'
        if (silent_s := now_s - self._frame_s) >= SILENT_S:
            return ERROR, f'no camera frame for {silent_s:.0f} s'
        if self._unfinished_s is not None and now_s - self._unfinished_s >= SILENT_S:
            return ERROR, f'no camera frame finished for {now_s - self._unfinished_s:.0f} s'
        if was_looking and newly_unread:
            return WARN, f'{newly_unread} images of the last second could not be read'
        return OK, f'{offered} camera frames'


def status(
    node: Node, part: str, message: str, values: Mapping[str, object], level: bytes = OK
) -> DiagnosticStatus:
    """
    Return the status of a part of a node.

    :param level: WARN: a person should look; ERROR: the part does not do its work.
    """
    return DiagnosticStatus(
        level=level,
        name=f'{node.get_fully_qualified_name()}: {part}',
        message=message,
        hardware_id=node.get_namespace(),
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )


def refusals(node: Node, refused: Mapping[str, int], *, is_sealed: bool) -> DiagnosticStatus:
    """
    Return the status of what a node refused, by reason.

    It warns of what a stranger sent, and of a detector that failed. It is never an error: whoever
    reaches the network could cause one. It stays a warning for as
    long as the node lives: that a stranger was there is news after he left, too.
    """
    total = sum(refused.values())
    forged = sum(count for reason, count in refused.items() if reason.endswith(' forged'))
    sums = {'transport': 'sealed' if is_sealed else 'plain', 'refused': total, 'forged': forged}
    return status(
        node,
        'refused',
        f'{total} messages refused' if total else 'nothing refused',
        {**sums, **refused},
        WARN if any(_is_strange(reason) for reason in refused) else OK,
    )


def _is_strange(reason: str) -> bool:
    """Return whether a person should look; a message's kind may stand before the reason."""
    return bool(STRANGE & {reason, reason.partition(' ')[2]}) or reason.startswith(
        'detector failed'
    )
