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

"""A port's rate along a trace: the kernel's token bucket, told the rate anew at each sample."""

from __future__ import annotations

from collections.abc import Callable
import math
import socket
import threading
import time
from types import TracebackType

from dads_ros.emulation import BUFFER_BYTES
from dads_ros.testbed.hosts import FRAME_BYTES
from dads_ros.testbed.hosts import in_namespace
from dads_ros.testbed.hosts import Port
from dads_ros.testbed.system import run
from dads_ros.trace import Trace

# The kernel cannot be told 0. At this rate a full packet takes 12 s: but for two packets at the
# start nothing gets through, and what waits in the buffer still waits when the link is back.
STALLED_BPS = 1000
# Tokens for a packet and this long may gather: the kernel wakes up late on a busy machine. They
# let the first packet after a pause pass at once.
_BURST_S = 0.001
_OPEN_BPS = 100e6
_UNUSED_PROTOCOL = 0x88B5  # reserved for experiments: no host listens


class Shaper:
    """
    Limits the rate at which packets leave through a port; close it when done.

    :param queue_bytes: buffer in front of the limit; what does not fit is lost.
    """

    def __init__(self, port: Port, queue_bytes: int = BUFFER_BYTES) -> None:
        self._port = port
        self._queue_bytes = queue_bytes
        self._socket = in_namespace(
            port.namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        )

    def set_rate(self, rate_bps: float) -> None:
        """Hold the port to a rate from now on, Ethernet headers included; 0 holds everything."""
        rate_bps = max(STALLED_BPS, round(rate_bps))
        burst_bytes = FRAME_BYTES + math.ceil(rate_bps * _BURST_S / 8)
        run(
            'tc', '-n', self._port.namespace, 'qdisc', 'replace', 'dev', self._port.device, 'root',
            'tbf', 'rate', f'{rate_bps}bit', 'burst', f'{burst_bytes}b',
            'limit', f'{self._queue_bytes}b',
        )  # fmt: skip
        # The bucket sleeps as long as the old rate told it to. A packet wakes it.
        self._socket.sendto(b'', (self._port.device, _UNUSED_PROTOCOL))

    def close(self) -> None:
        """Let go of the port; its last rate stays."""
        self._socket.close()


class Follower:
    """
    Sets a rate along a trace, in a thread; a context manager.

    The link is open until ``hold`` sets the trace's first rate; the clock begins with ``start``.
    To find each other, the nodes send more than the slowest links carry in a quarter of a minute,
    which would be charged to whatever is measured.

    :param set_rate: called with bits per second; what it raises is raised again on leaving.
    """

    def __init__(self, trace: Trace, set_rate: Callable[[float], None]) -> None:
        self._trace = trace
        self._set_rate = set_rate
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self.late_s: list[float] = []
        """How long after its time each sample came into force."""

    def hold(self) -> None:
        """Set the trace's first rate."""
        self._set_rate(self._trace.rate_bps(0.0))

    def start(self) -> None:
        """Begin to follow the trace now."""
        self.hold()
        self._thread = threading.Thread(
            target=self._run, args=(time.monotonic(),), name='link follower', daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Follower:
        self._set_rate(_OPEN_BPS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _run(self, origin_s: float) -> None:
        try:
            for time_s, rate_bps in self._trace.samples:
                if time_s <= 0:
                    continue  # set by hold()
                if self._stop.wait(max(0.0, origin_s + time_s - time.monotonic())):
                    return
                self._set_rate(rate_bps)
                self.late_s.append(time.monotonic() - origin_s - time_s)
        except Exception as error:
            self._error = error
