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

"""A thread that works until it is stopped."""

from __future__ import annotations

from collections.abc import Callable
import threading
import traceback


class Worker:
    """
    A thread that calls ``step(timeout_s)`` until stopped.

    :param failed: called with the traceback when a step raises; the thread ends then.
    """

    def __init__(
        self, name: str, step: Callable[[float], object], failed: Callable[[str], None]
    ) -> None:
        self._step = step
        self._failed = failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._step(0.2)
        except Exception:
            self._failed(traceback.format_exc())
