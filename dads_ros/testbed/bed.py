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

"""A testbed: two hosts, a link that follows a trace, and a slower processor for the car."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from contextlib import ExitStack
from dataclasses import dataclass
import json
from pathlib import Path
import tempfile
from typing import Any

from dads_ros.emulation import BUFFER_BYTES
from dads_ros.processes import Place
from dads_ros.processes import ProcessGroup
from dads_ros.testbed.hosts import Link
from dads_ros.testbed.hosts import two_hosts
from dads_ros.testbed.hosts import Wiring
from dads_ros.testbed.lane import Impairment
from dads_ros.testbed.quota import cpu_quota
from dads_ros.testbed.quota import Quota
from dads_ros.testbed.relay import READY
from dads_ros.testbed.relay import relay_command
from dads_ros.testbed.relay import RelayControl
from dads_ros.testbed.shaper import Follower
from dads_ros.testbed.shaper import Shaper
from dads_ros.trace import Trace

_READY_S = 10.0


@dataclass(frozen=True)
class Setup:
    """
    What the two hosts are to be like.

    :param trace: the uplink's rate; the downlink has none.
    :param impairment: each way; None leaves delay and loss to the kernel's own link, 0.
    :param edge_cores: how many cores of this machine the edge node gets; None for all.
    :param queue_bytes: buffer in front of the uplink.
    """

    trace: Trace
    impairment: Impairment | None = None
    edge_cores: float | None = None
    queue_bytes: int = BUFFER_BYTES


class Bed:
    """Two hosts that are up, joined by a link."""

    def __init__(
        self,
        link: Link,
        clock: Follower,
        quota: Quota | None,
        edge_cores: float | None,
        relay_log: Path,
    ) -> None:
        self.link = link
        self._clock = clock
        self._quota = quota
        self._edge_cores = edge_cores
        self._relay_log = relay_log
        self._at_begin = self._counts()
        self._at_end: dict[str, float] | None = None

    def place_of(self, name: str) -> Place:
        """
        Return where a node runs: the detector's far half in the cloud, all others on the car.

        Of those only the edge talks to the cloud. The others keep to the car: what each announces
        of itself would take a tenth of an uplink of 0.13 Mbit/s.

        The player starts once the others are ready, and with it the edge's quota: to load the
        detector under it would take a minute that nobody measures.
        """
        if name == 'cloud':
            return self.link.cloud.place
        if name == 'player' and self._quota is not None:
            self._quota.restrict(self._edge_cores)
        if name == 'edge':
            car = self.link.car.place
            return self._quota.place(car) if self._quota is not None else car
        return self.link.car.indoors

    def hold(self) -> None:
        """Give the link the trace's first rate: all nodes, the player too, have met."""
        self._clock.hold()

    def begin(self) -> None:
        """Begin to follow the trace and to measure, now."""
        self._clock.start()
        self._at_begin = self._counts()

    def end(self) -> None:
        """Measure no more, and let the edge end at full speed: under its quota it takes long."""
        self._at_end = self._counts()
        if self._quota is not None:
            self._quota.restrict(None)

    def measured(self) -> dict[str, float]:
        """Return what went through link and quota from the beginning to the end, or until now."""
        then, now = self._at_begin, self._at_end or self._counts()
        late_s = max(self._clock.late_s, default=0.0)
        return {name: now[name] - then[name] for name in now} | {'trace_late_s': late_s}

    def _counts(self) -> dict[str, float]:
        up, down = self.link.uplink.counters(), self.link.downlink.counters()
        return {
            'uplink_bytes': up.sent_bytes,
            'uplink_packets': up.sent_packets,
            'uplink_dropped_packets': up.dropped_packets,
            'downlink_bytes': down.sent_bytes,
            'edge_throttled_s': self._quota.throttled_s() if self._quota else 0.0,
        }

    def relayed(self) -> dict[str, Any]:
        """Return what the relay did, once the testbed is down; empty without one."""
        return told_by_relay(self._relay_log)


def told_by_relay(log: Path) -> dict[str, Any]:
    """Return what a relay said last; empty if there was none, or it was killed before it could."""
    try:
        return json.loads(log.read_text(encoding='utf-8').splitlines()[-1])
    except (FileNotFoundError, IndexError, ValueError):
        return {}


@contextmanager
def make_bed(setup: Setup, logs: Path) -> Iterator[Bed]:
    """
    Set up a testbed for as long as the context lasts.

    Raises HostError when this machine does not let us, and ProcessError when the relay fails.
    """
    relay_log = logs / 'relay.log'
    wiring = Wiring.BRIDGE if setup.impairment is None else Wiring.TAPS
    with ExitStack() as stack:
        link = stack.enter_context(two_hosts(wiring))
        cores = setup.edge_cores
        quota = stack.enter_context(cpu_quota(cores)) if cores is not None else None
        if setup.impairment is None:
            shaper: Shaper | RelayControl = Shaper(link.uplink, setup.queue_bytes)
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='dads_ros-')))
            control = folder / 'relay'
            group = stack.enter_context(ProcessGroup())
            command = relay_command(link, control, setup.impairment, setup.queue_bytes)
            relay = group.start('relay', command, relay_log)
            group.wait_until('the relay', lambda: relay.has_logged(READY), _READY_S)
            shaper = RelayControl(control)
        stack.enter_context(closing(shaper))
        if quota is not None:
            quota.restrict(None)
        clock = stack.enter_context(Follower(setup.trace, shaper.set_rate))
        yield Bed(link, clock, quota, cores, relay_log)
