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

"""One camera frame on its way through the edge, and the report of how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
import enum

from dads_ros.detections import Detections
import numpy as np


class Outcome(enum.IntEnum):
    """How a frame ended: exactly one of these; the values are those of msg/StageTimes.msg."""

    VIA_CLOUD = 0
    LOCAL = 1
    LOCAL_AFTER_MISS = 2
    DROPPED_SUPERSEDED = 3
    DROPPED_STALE = 4
    DROPPED_INVALID = 5

    @property
    def is_published(self) -> bool:
        """Return whether the frame's detections were published."""
        return self <= Outcome.LOCAL_AFTER_MISS


@dataclass(slots=True)
class StageTimes:
    """Where a frame's time went, in seconds; see msg/StageTimes.msg."""

    wait_s: float = 0.0
    preprocess_s: float = 0.0
    edge_s: float = 0.0
    encode_s: float = 0.0
    network_s: float = 0.0
    cloud_queue_s: float = 0.0
    decode_s: float = 0.0
    cloud_s: float = 0.0
    held_s: float = 0.0
    total_s: float = 0.0

    @property
    def answering_s(self) -> float:
        """Return what the cloud spent on the frame, waiting included."""
        return self.cloud_queue_s + self.decode_s + self.cloud_s


def _nothing(*_: np.ndarray) -> tuple[np.ndarray, ...]:
    raise RuntimeError('work on this frame has not begun')


@dataclass(slots=True)
class Frame:
    """
    A camera frame and what became of it so far.

    ``read`` turns the message into uint8 RGB [h, w, 3]; it is called when work begins, so that a
    frame that is superseded costs nothing. ``rest`` finishes the frame on the car from ``kept``.
    Clocks are the edge's monotonic one.
    """

    sequence: int
    stamp_ns: int
    frame_id: str
    received_ns: int
    read: Callable[[], np.ndarray]
    image_width: int = 0
    image_height: int = 0
    plan_id: int = 0
    size_bytes: int = 0
    sent_ns: int = 0
    completed_ns: int = 0
    deadline_ns: int = 0
    kept: tuple[np.ndarray, ...] = ()
    rest: Callable[..., tuple[np.ndarray, ...]] = field(default=_nothing)
    detections: Detections = field(default_factory=Detections.empty)
    times: StageTimes = field(default_factory=StageTimes)
