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

"""Ask the cloud node for an answer, as a probe does; exit 0 with its round trip, 1 without."""

from __future__ import annotations

import random
import sys
import time

import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import qos
from dads_ros.nodes.wire import keyring_of_car
from dads_ros.nodes.wire import Wire
from dads_ros.settings import PingSettings

PERIOD_S = 0.5
PATIENCE_S = 6.0
# The first answer's round trip holds discovery; the second one is the link's.
WANTED = 2


class PingNode(base.DadsNode[PingSettings]):
    """Sends probes until two are answered; they are told from the edge's by their numbers."""

    def __init__(self) -> None:
        super().__init__('ping_cloud', PingSettings)
        self._sent_ns: dict[int, int] = {}
        self._answers_s: list[float] = []

    def configure(self) -> None:
        """Announce the probes, sealed if there is a key."""
        wire = Wire(self, keyring_of_car(self, self.settings.key_file), limit_bytes=0)
        # What to offer and to ask for so that a cloud of either reliability is heard.
        self._probes = wire.outlet('probe', qos.probes())
        wire.listen('probe_reply', self._on_reply, qos.probes())

    def activate(self) -> None:
        """Begin to ask."""
        self.create_timer(PERIOD_S, self._ask)
        self.create_timer(PATIENCE_S, self._end)

    def _ask(self) -> None:
        # The edge's own probes count from 1: no reply is taken for one of them.
        number = random.getrandbits(63) | 1 << 63
        self._sent_ns[number] = time.monotonic_ns()
        probe = msg.Probe(
            vehicle=self.settings.vehicle, sequence=number, sent_ns=self._sent_ns[number]
        )
        self._probes.publish(self._probes.pack(probe))

    def _on_reply(self, reply: msg.Probe) -> None:
        sent_ns = self._sent_ns.pop(reply.sequence, None)
        if sent_ns is not None:
            self._answers_s.append((time.monotonic_ns() - sent_ns) / 1e9)
            if len(self._answers_s) >= WANTED:
                self._end()

    def _end(self) -> None:
        if not self.finished.is_set():
            if self._answers_s:
                print(f'answers in {self._answers_s[-1] * 1e3:.1f} ms', flush=True)
            else:
                self.exit_status = 1
            self.finish()


def main() -> int:
    """Ask, and tell how long the answer took."""
    return base.run(PingNode)


if __name__ == '__main__':
    sys.exit(main())
