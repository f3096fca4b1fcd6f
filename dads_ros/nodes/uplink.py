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

"""What stands between the edge and its publishers: a thread, or an emulated link."""

from __future__ import annotations

from collections import deque
from pathlib import Path
import threading
from typing import Any
from typing import Protocol

from dads_ros.emulation import EmulatedUplink
from dads_ros.errors import ConfigError
from dads_ros.errors import TraceError
from dads_ros.trace import load_trace

QUEUED_MESSAGES = 16


class Uplink(Protocol):
    """Takes serialised messages and publishes them in order, without making the caller wait."""

    def start(self) -> None:
        """Note that the first camera frame came; an emulated link begins its trace."""

    def send(self, publisher: Any, data: bytes) -> int:
        """Hand over a message; return its size in bytes."""

    def close(self) -> None:
        """Stop; what is still queued is lost."""


class DirectUplink:
    """
    Publishes from a thread of its own.

    A publisher blocks while the kernel's queue of a slow interface is full; the worker must not.
    When more waits than is worth sending, the oldest is dropped.
    """

    def __init__(self) -> None:
        self._queue: deque[tuple[Any, bytes]] = deque(maxlen=QUEUED_MESSAGES)
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name='uplink', daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Do nothing: a real link was there before."""

    def send(self, publisher: Any, data: bytes) -> int:
        """Queue a message; return its size in bytes."""
        with self._changed:
            self._queue.append((publisher, data))
            self._changed.notify()
        return len(data)

    def close(self) -> None:
        """Stop; what is still queued is lost."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                publisher, data = self._queue.popleft()
            publisher.publish(data)


class EmulatedPublisher:
    """Publishes when an emulated link would have delivered."""

    def __init__(self, link: EmulatedUplink) -> None:
        self._link = link

    def start(self) -> None:
        """Begin the trace, so that every replay of a clip meets the same link."""
        self._link.start()

    def send(self, publisher: Any, data: bytes) -> int:
        """Queue a message on the emulated link; return its size in bytes."""
        self._link.send((publisher, data), len(data))
        return len(data)

    def close(self) -> None:
        """Stop; what is still on the way is lost."""
        self._link.close()


class SwitchedUplink:
    """
    The direct uplink, or an emulated one while a trace file is named; it may change at any time.

    Raises ConfigError when the trace cannot be read.
    """

    def __init__(self, trace_file: str, rtt_s: float) -> None:
        self._asked = (trace_file, rtt_s)
        self._present = _make(*self._asked)

    def change(self, trace_file: str, rtt_s: float) -> None:
        """
        Go over to another link, unless it is the present one; what is on the way is lost.

        Raises ConfigError, and stays with the present one, when the trace cannot be read.
        """
        if (trace_file, rtt_s) != self._asked:
            fresh = _make(trace_file, rtt_s)
            self._asked = (trace_file, rtt_s)
            before, self._present = self._present, fresh
            before.close()

    def start(self) -> None:
        """Note that a camera frame came; an emulated link begins its trace with the first."""
        self._present.start()

    def send(self, publisher: Any, data: bytes) -> int:
        """Hand over a message; return its size in bytes."""
        return self._present.send(publisher, data)

    def close(self) -> None:
        """Stop; what is still queued is lost."""
        self._present.close()


def _make(trace_file: str, rtt_s: float) -> Uplink:
    if not trace_file:
        return DirectUplink()
    try:
        trace = load_trace(Path(trace_file))
    except TraceError as error:
        raise ConfigError(str(error)) from error
    return EmulatedPublisher(EmulatedUplink(trace, rtt_s, lambda item: item[0].publish(item[1])))
