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

"""What the edge tells the monitor of the messages that it hands to the link, and when."""

from __future__ import annotations

from collections import OrderedDict
import time
from typing import Protocol

import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import qos
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.outstanding import Outstanding
from dads_ros.pipeline.outstanding import Sent
from dads_ros.settings import EdgeSettings

# An answer is slow to come when it is so much later than the plan predicts, within limits: sooner
# than that the monitor would draw nothing from it, and it must react within half a second.
SLOW_S = 0.05
SLOW_RANGE_S = (0.08, 0.2)
# Probes whose replies are waited for: more than are under way on any link.
PROBES_KEPT = 64


class Numbered(Protocol):
    """A bundle, its result, or a probe."""

    @property
    def sequence(self) -> int:
        """Return its number among those of its kind."""

    @property
    def sent_ns(self) -> int:
        """Return when it, or what it answers, was handed to the link."""


class LinkReports:
    """
    Publishes as few link events as tell the monitor everything; msg/LinkEvent says which.

    In the ordinary case that is none: a frame's StageTimes tells when its bundle left and was
    answered. Receiving costs the monitor more than deciding does.
    """

    def __init__(self, node: base.DadsNode[EdgeSettings]) -> None:
        self._events = node.create_lifecycle_publisher(msg.LinkEvent, 'link_event', qos.local())
        self._outstanding = Outstanding(self._tell_sent)
        self._ended: set[int] = set()
        self._probes: OrderedDict[int, int] = OrderedDict()

    def sent(
        self,
        message: Numbered,
        size_bytes: int,
        *,
        is_probe: bool = False,
        expected_s: float = 0.0,
    ) -> None:
        """
        Note what is about to be handed to the link.

        :param expected_s: after which its answer is predicted.
        """
        slow_s = min(max(expected_s + SLOW_S, SLOW_RANGE_S[0]), SLOW_RANGE_S[1])
        slow_ns = message.sent_ns + int(slow_s * 1e9)
        if is_probe:
            self._probes[message.sequence] = message.sent_ns
            if len(self._probes) > PROBES_KEPT:
                self._probes.popitem(last=False)
        self._outstanding.sent(
            Sent(is_probe, message.sequence, size_bytes, message.sent_ns, slow_ns)
        )

    def answered(
        self,
        answer: Numbered,
        answered_ns: int,
        *,
        is_probe: bool = False,
        cloud_s: float = 0.0,
    ) -> None:
        """Tell of an answer that no StageTimes tells of now."""
        size_bytes = self._outstanding.answered(is_probe, answer.sequence)
        self._publish(
            msg.LinkEvent.ANSWERED,
            Sent(is_probe, answer.sequence, size_bytes, answer.sent_ns, 0),
            answered_ns,
            cloud_s,
        )

    def awaits(self, reply: Numbered) -> bool:
        """Return whether a reply is of a probe that was sent from here; asked once per reply."""
        if self._probes.get(reply.sequence) != reply.sent_ns:
            return False
        del self._probes[reply.sequence]
        return True

    def ended(self, frame: Frame) -> None:
        """Note that the StageTimes of a frame that the cloud finished goes out next."""
        size_bytes = self._outstanding.answered(False, frame.sequence)
        # The worker that sent it may not have come to noting its size.
        frame.size_bytes = frame.size_bytes or size_bytes
        self._ended.add(frame.sequence)

    def has_ended(self, sequence: int) -> bool:
        """Return whether a frame that was answered just now has ended; asked once per answer."""
        ended = sequence in self._ended
        self._ended.clear()
        return ended

    def tell_slow(self) -> None:
        """Tell of the messages whose answers are slow to come."""
        self._outstanding.tell_slow(time.monotonic_ns())

    def wait_s(self, limit_s: float) -> float:
        """Return how long until there may be something to tell, but no more than the limit."""
        return self._outstanding.wait_s(time.monotonic_ns(), limit_s)

    def _tell_sent(self, sent: Sent) -> None:
        self._publish(msg.LinkEvent.SENT, sent)

    def _publish(self, kind: int, sent: Sent, answered_ns: int = 0, cloud_s: float = 0.0) -> None:
        self._events.publish(
            msg.LinkEvent(
                kind=kind,
                probe=sent.is_probe,
                sequence=int(sent.sequence),
                size_bytes=int(sent.size_bytes),
                sent_ns=int(sent.sent_ns),
                answered_ns=int(answered_ns),
                cloud_s=float(cloud_s),
            )
        )
