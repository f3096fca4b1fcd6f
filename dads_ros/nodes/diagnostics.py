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
from typing import Any

from dads_ros.nodes import messages
from dads_ros.nodes import qos
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue
from rclpy.node import Node

PERIOD_S = 1.0
# Reasons for a refusal that no node of ours gives cause for.
STRANGE = frozenset(
    {'forged', 'replayed', 'unknown key', 'malformed', 'too large', 'another vehicle'}
)


class Diagnostics:
    """
    Publishes a node's status while the node is active.

    :param statuses: called each time; makes them with ``status``.
    """

    def __init__(self, node: Any, statuses: Callable[[], list[DiagnosticStatus]]) -> None:
        self._node = node
        self._statuses = statuses
        # The one absolute name: tools read the whole system's diagnostics there.
        self._publisher = node.create_lifecycle_publisher(
            DiagnosticArray, '/diagnostics', qos.local()
        )
        self._timer = node.create_timer(PERIOD_S, self._publish)

    def close(self) -> None:
        """Publish no more."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _publish(self) -> None:
        if self._publisher.is_activated:
            header = messages.to_header(self._node.get_clock().now().nanoseconds, '')
            self._publisher.publish(DiagnosticArray(header=header, status=self._statuses()))


def status(
    node: Node, part: str, message: str, values: Mapping[str, object], *, warn: bool = False
) -> DiagnosticStatus:
    """Return the status of a part of a node; warn says that a person should look."""
    return DiagnosticStatus(
        level=DiagnosticStatus.WARN if warn else DiagnosticStatus.OK,
        name=f'{node.get_fully_qualified_name()}: {part}',
        message=message,
        hardware_id=node.get_namespace(),
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )


def refusals(node: Node, refused: Mapping[str, int], *, is_sealed: bool) -> DiagnosticStatus:
    """Return the status of what a node refused, by reason; it warns of what a stranger sent."""
    total = sum(refused.values())
    forged = sum(count for reason, count in refused.items() if reason.endswith(' forged'))
    sums = {'transport': 'sealed' if is_sealed else 'plain', 'refused': total, 'forged': forged}
    return status(
        node,
        'refused',
        f'{total} messages refused' if total else 'nothing refused',
        {**sums, **refused},
        warn=any(reason.split(' ', 1)[-1] in STRANGE for reason in refused),
    )
