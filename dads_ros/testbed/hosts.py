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
Two hosts on one machine: network namespaces with a link between them.

What the hosts run keeps to itself: traffic stays inside the namespaces, which have no way out.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import ExitStack
from contextlib import suppress
import ctypes
from dataclasses import dataclass
import enum
import json
import os
from pathlib import Path
import signal
from typing import TypeVar

from dads_ros.errors import HostError
from dads_ros.processes import Place
from dads_ros.processes import uninterrupted
from dads_ros.testbed.system import is_leftover
from dads_ros.testbed.system import owned_name
from dads_ros.testbed.system import require_rights
from dads_ros.testbed.system import run

T = TypeVar('T')

MTU_BYTES = 1500
FRAME_BYTES = MTU_BYTES + 14
_NAMESPACES = Path('/run/netns')
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Counters:
    """What left through a port since it was made; bytes with Ethernet headers."""

    sent_bytes: int
    sent_packets: int
    dropped_packets: int
    queued_bytes: int


@dataclass(frozen=True, slots=True)
class Port:
    """A network device in a namespace, as the place where packets leave."""

    namespace: str
    device: str

    def counters(self) -> Counters:
        """Return what has left; drops and queue are those of a shaper on the port."""
        where = ('-n', self.namespace, '-s', '-j')
        sent = json.loads(run('ip', *where, 'link', 'show', 'dev', self.device))[0]['stats64'][
            'tx'
        ]
        queue = json.loads(run('tc', *where, 'qdisc', 'show', 'dev', self.device, 'root'))[0]
        return Counters(sent['bytes'], sent['packets'], queue['drops'], queue['backlog'])


@dataclass(frozen=True, slots=True)
class Host:
    """One of the two hosts."""

    namespace: str
    address: str

    @property
    def place(self) -> Place:
        """Return what makes a process run here, and its ROS nodes find those of the other host."""
        return self._reaching('SUBNET')

    @property
    def indoors(self) -> Place:
        """Return what makes a process run here and its ROS nodes known on this host only."""
        return self._reaching('LOCALHOST')

    def _reaching(self, how_far: str) -> Place:
        enter = ('ip', 'netns', 'exec', self.namespace)
        return Place(enter, {'ROS_AUTOMATIC_DISCOVERY_RANGE': how_far})


@dataclass(frozen=True, slots=True)
class Link:
    """
    Two hosts and the ports through which packets leave for the other one.

    A rate limit on ``uplink`` holds for all that goes from the car to the cloud.
    """

    car: Host
    cloud: Host
    uplink: Port
    downlink: Port


class Wiring(enum.Enum):
    """
    What joins the hosts.

    ``VETH``: a cable. A limit sits in the car itself, so senders wait and nothing is lost.
    ``BRIDGE``: a switch between two cables. A limit sits in the switch, as in a modem or a mast:
    senders do not notice, and what overflows its buffer is lost.
    ``TAPS``: two ends that a relay joins (dads_ros.testbed.relay); without one nothing passes.
    """

    VETH = enum.auto()
    BRIDGE = enum.auto()
    TAPS = enum.auto()


_DEVICE = 'link0'
_MACS = ('02:00:00:00:00:01', '02:00:00:00:00:02')
_ADDRESSES = ('10.99.0.1', '10.99.0.2')


@contextmanager
def two_hosts(wiring: Wiring) -> Iterator[Link]:
    """
    Make the car and the cloud for as long as the context lasts; one pair per process at a time.

    Raises HostError when the rights, a command or a kernel feature lack.
    """
    require_rights()
    with ExitStack() as stack:
        car, cloud = (stack.enter_context(_namespace(role)) for role in ('car', 'cloud'))
        uplink, downlink = Port(car, _DEVICE), Port(cloud, _DEVICE)
        if wiring is Wiring.VETH:
            _cable(uplink, downlink)
        elif wiring is Wiring.BRIDGE:
            bridge = stack.enter_context(_namespace('bridge'))
            uplink, downlink = _switch(bridge, uplink, downlink)
        else:
            for port in (uplink, downlink):
                run('ip', '-n', port.namespace, 'tuntap', 'add', 'dev', port.device, 'mode', 'tap')
        for i, namespace in enumerate((car, cloud)):
            _give_address(namespace, i)
        yield Link(Host(car, _ADDRESSES[0]), Host(cloud, _ADDRESSES[1]), uplink, downlink)


def clean() -> list[str]:
    """Remove the namespaces of testbeds that were killed; return their names."""
    names = sorted(p.name for p in _NAMESPACES.glob('dads-*') if is_leftover(p.name))
    for name in names:
        _remove_namespace(name)
    return names


def in_namespace(namespace: str, make: Callable[[], T]) -> T:
    """
    Return what a function returns that runs inside a network namespace.

    A socket or device opened there stays there; this thread comes back.
    """
    here = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
    there = os.open(_NAMESPACES / namespace, os.O_RDONLY)
    try:
        _enter(there)
        return make()
    finally:
        _enter(here)
        os.close(there)
        os.close(here)


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'cannot enter a network namespace')


@contextmanager
def _namespace(role: str) -> Iterator[str]:
    name = owned_name(role)
    try:
        run('ip', 'netns', 'add', name)
        run('ip', '-n', name, 'link', 'set', 'lo', 'up')
        yield name
    finally:
        with uninterrupted():
            _remove_namespace(name)


def _remove_namespace(name: str) -> None:
    """Remove a namespace and whatever still runs in it, if it is there."""
    if not (_NAMESPACES / name).exists():
        return
    try:
        for pid in run('ip', 'netns', 'pids', name).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        run('ip', 'netns', 'delete', name)
    except HostError:
        if (_NAMESPACES / name).exists():  # else somebody else removed it meanwhile
            raise


def _cable(one: Port, other: Port) -> None:
    """Join two ports that do not exist yet by a veth pair."""
    run(
        'ip', '-n', one.namespace, 'link', 'add', one.device,
        'type', 'veth', 'peer', 'name', other.device, 'netns', other.namespace,
    )  # fmt: skip


def _switch(namespace: str, car: Port, cloud: Port) -> tuple[Port, Port]:
    """Join two ports over a bridge; return the bridge's ports to the cloud and to the car."""
    to_car, to_cloud = Port(namespace, 'to_car'), Port(namespace, 'to_cloud')
    ip = ('ip', '-n', namespace, 'link')
    run(*ip, 'add', 'switch0', 'type', 'bridge', 'mcast_snooping', '0')
    for inside, outside in ((to_car, car), (to_cloud, cloud)):
        _cable(inside, outside)
        run(*ip, 'set', inside.device, 'master', 'switch0')
    for device in ('switch0', to_car.device, to_cloud.device):
        _bring_up(namespace, device)
    return to_cloud, to_car


def _bring_up(namespace: str, device: str) -> None:
    """Bring a device up without IPv6: what crosses the link is what the nodes send."""
    link = ('ip', '-n', namespace, 'link', 'set', 'dev', device)
    run(*link, 'addrgenmode', 'none')
    run(*link, 'up')


def _give_address(namespace: str, index: int) -> None:
    """Bring a host's end of the link up, with its address and the other's."""
    ip = ('ip', '-n', namespace)
    link = ('dev', _DEVICE)
    run(*ip, 'link', 'set', *link, 'address', _MACS[index], 'mtu', str(MTU_BYTES))
    _bring_up(namespace, _DEVICE)
    run(*ip, 'address', 'add', f'{_ADDRESSES[index]}/24', *link)
    # Behind a full buffer, address resolution would time out.
    run(*ip, 'neighbour', 'replace', _ADDRESSES[1 - index], 'lladdr', _MACS[1 - index], *link)
