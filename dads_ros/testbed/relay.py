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
A relay that joins two hosts as a mobile network would: it needs no more of the kernel than TAPs.

It runs as a process of its own, ``python -m dads_ros.testbed.relay``, since it must be on time.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import asdict
import fcntl
from functools import partial
import json
import math
import os
from pathlib import Path
import random
import select
import socket
import struct
import sys
import time

from dads_ros.emulation import BUFFER_BYTES
from dads_ros.processes import interrupted_by_signals
from dads_ros.testbed.hosts import FRAME_BYTES
from dads_ros.testbed.hosts import in_namespace
from dads_ros.testbed.hosts import Link
from dads_ros.testbed.hosts import Port
from dads_ros.testbed.lane import Impairment
from dads_ros.testbed.lane import Lane

READY = 'relaying'
_TUNSETIFF = 0x400454CA
_IFF_TAP_NO_PI = 0x1002
_READS_AT_ONCE = 64


def relay_command(
    link: Link,
    control: Path,
    impairment: Impairment,
    queue_bytes: int = BUFFER_BYTES,
    seed: int = 0,
) -> list[str]:
    """
    Return the command line of a relay between two hosts; it logs READY once it forwards.

    :param control: path of the socket where RelayControl reaches it; it must not exist.
    :param impairment: what happens to packets, each way.
    :param queue_bytes: buffer in front of the uplink's rate.
    :param seed: of jitter and loss.
    """
    values: dict[str, object] = {
        'car': link.uplink.namespace, 'cloud': link.downlink.namespace,
        'device': link.uplink.device, 'control': control, 'delay-s': impairment.delay_s,
        'jitter-s': impairment.jitter_s, 'loss': impairment.loss, 'queue-bytes': queue_bytes,
        'seed': seed,
    }  # fmt: skip
    options = [f'--{name}={value}' for name, value in values.items()]
    return [sys.executable, '-m', 'dads_ros.testbed.relay', *options]


class RelayControl:
    """Tells a running relay its uplink's rate; close it when done."""

    def __init__(self, control: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.connect(str(control))

    def set_rate(self, rate_bps: float) -> None:
        """Hold the uplink to a rate from now on, Ethernet headers included; 0 holds everything."""
        self._socket.send(struct.pack('d', rate_bps))

    def close(self) -> None:
        """Let go of the relay; its last rate stays."""
        self._socket.close()


class Relay:
    """
    Forwards packets between two TAPs until interrupted.

    :param ports: the car's and the cloud's.
    :param lanes: from the car to the cloud, and back.
    """

    def __init__(
        self, ports: tuple[Port, Port], lanes: tuple[Lane, Lane], control: socket.socket
    ) -> None:
        self._taps = [in_namespace(p.namespace, partial(_open_tap, p.device)) for p in ports]
        self._lanes = lanes
        self._control = control

    def run(self) -> None:
        """Forward packets; returns only by an exception."""
        taps, lanes = self._taps, self._lanes
        ways = ((taps[0], lanes[0], taps[1]), (taps[1], lanes[1], taps[0]))
        sources = [*taps, self._control.fileno()]
        while True:
            next_s = min(lane.next_s() for lane in lanes)
            wait_s = None if math.isinf(next_s) else max(0.0, next_s - time.monotonic())
            ready = select.select(sources, (), (), wait_s)[0]
            if self._control.fileno() in ready:
                (rate_bps,) = struct.unpack('d', self._control.recv(8))
                lanes[0].set_rate(rate_bps, time.monotonic())
            for source, lane, target in ways:
                if source in ready:
                    _read(source, lane)
                for packet in lane.take(time.monotonic()):
                    _write(target, packet)


def _open_tap(device: str) -> int:
    tap = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack('16sH22x', device.encode(), _IFF_TAP_NO_PI))
    return tap


def _read(tap: int, lane: Lane) -> None:
    """Take in what waits, but not so much that the other way starves."""
    for _ in range(_READS_AT_ONCE):
        try:
            packet = os.read(tap, FRAME_BYTES)
        except BlockingIOError:
            return
        lane.offer(packet, time.monotonic())


def _write(tap: int, packet: bytes) -> None:
    try:
        os.write(tap, packet)
    except BlockingIOError:
        return  # the host's own receive queue is full: lost, as on a real host


def main() -> int:
    """Run a relay; prints what it did, as JSON, in the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ('--car', '--cloud', '--device', '--control'):
        parser.add_argument(name, required=True)
    for name in ('--delay-s', '--jitter-s', '--loss'):
        parser.add_argument(name, type=float, required=True)
    for name in ('--queue-bytes', '--seed'):
        parser.add_argument(name, type=int, required=True)
    args = parser.parse_args()
    impairment = Impairment(args.delay_s, args.jitter_s, args.loss)
    chance = random.Random(args.seed)
    up, down = (Lane(impairment, args.queue_bytes, chance) for _ in range(2))
    control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    control.bind(args.control)
    ports = (Port(args.car, args.device), Port(args.cloud, args.device))
    relay = Relay(ports, (up, down), control)
    with suppress(PermissionError):  # then packets may be late, and latest_s tells
        # A network does not wait for a busy processor.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    print(READY, flush=True)
    try:
        with interrupted_by_signals():
            relay.run()
    except KeyboardInterrupt:
        print(json.dumps({'uplink': asdict(up.counts), 'downlink': asdict(down.counts)}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
