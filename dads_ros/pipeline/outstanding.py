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
What the link was handed and the monitor was not told of yet.

Most messages are answered soon, and the report of the answer tells all that there is to know. So
the monitor, which pays for every report, is told that a message left only when its answer is slow
to come: its age bounds the link's rate then. It needs to know in which order messages left, since
each waits for the one before it: before it is told of one, it is told of all that left earlier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import threading


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was handed to the link; bundles and probes are numbered apart."""

    is_probe: bool
    sequence: int
    size_bytes: int
    sent_ns: int
    slow_ns: int


class Outstanding:
    """
    Messages neither answered nor told of, oldest first. For several threads.

    :param tell: called once for each message that left and is slow to be answered, in the order
        in which they left and under a lock: it reports and must not call back.
    """

    def __init__(self, tell: Callable[[Sent], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._messages: dict[tuple[bool, int], Sent] = {}

    def sent(self, message: Sent) -> None:
        """Note a message that is about to be handed to the link."""
        with self._lock:
            self._messages[message.is_probe, message.sequence] = message

    def answered(self, is_probe: bool, sequence: int) -> int:
        """
        Note an answer that the caller reports next; tell of what left before its message.

        :return: the message's size in bytes; 0 when it was told of already.
        """
        with self._lock:
            message = self._messages.get((is_probe, sequence))
            if message is None:
                return 0
            self._tell_first(list(self._messages).index((is_probe, sequence)))
            del self._messages[is_probe, sequence]
            return message.size_bytes

    def tell_slow(self, now_ns: int) -> None:
        """Tell of every message whose answer is slow to come."""
        with self._lock:
            slow = [i for i, m in enumerate(self._messages.values()) if m.slow_ns <= now_ns]
            if slow:
                self._tell_first(slow[-1] + 1)

    def wait_s(self, now_ns: int, limit_s: float) -> float:
        """Return how long until there is something to tell, but no more than the limit."""
        with self._lock:
            slow_ns = min((m.slow_ns for m in self._messages.values()), default=None)
        return limit_s if slow_ns is None else min(limit_s, max(0.0, (slow_ns - now_ns) / 1e9))

    def _tell_first(self, count: int) -> None:
        for key in list(self._messages)[:count]:
            self._tell(self._messages.pop(key))
