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

"""The plan in force: which tensors cross the cut, how they are encoded, and what is predicted."""

from __future__ import annotations

from dataclasses import dataclass
import enum
import math

# Of the longest stage: a delay longer by this share still leaves it busy.
WINDOW_SLACK = 0.1
# What the plan may be asked to be chosen for.
WISHES = ('auto', 'light', 'heavy', 'local', 'cloud', 'fixed')


class Mode(enum.IntEnum):
    """Why the plan was chosen; the values are those of msg/Plan.msg."""

    LOCAL = 0
    LIGHT = 1
    HEAVY = 2
    FIXED = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A cut, a codec, and the stage times predicted for one frame; see msg/Plan.msg.

    ``boundary`` and ``codec`` are empty when the car computes everything. ``edge_s`` includes
    encoding, ``cloud_s`` decoding; ``delay_s`` is from the camera's stamp to the detections.
    """

    plan_id: int
    model_hash: str
    mode: Mode
    boundary: tuple[str, ...]
    codec: str
    edge_s: float
    transfer_s: float
    cloud_s: float
    delay_s: float
    max_rate_hz: float
    deadline_s: float
    reason: str

    @classmethod
    def local(cls, model_hash: str) -> Plan:
        """Return the plan of a car on its own, before anything was measured; its id is 0."""
        return cls(
            plan_id=0,
            model_hash=model_hash,
            mode=Mode.LOCAL,
            boundary=(),
            codec='',
            edge_s=0.0,
            transfer_s=0.0,
            cloud_s=0.0,
            delay_s=0.0,
            max_rate_hz=0.0,
            deadline_s=0.0,
            reason='no plan yet',
        )

    @property
    def is_local(self) -> bool:
        """Return whether nothing is sent."""
        return not self.boundary

    @property
    def max_stage_s(self) -> float:
        """Return the longest of the three stages, which bounds the frame rate."""
        return max(self.edge_s, self.transfer_s, self.cloud_s)

    def window(self, read_s: float) -> int:
        """
        Return how many frames may be under way at once.

        As many as it takes to keep the longest stage busy, with WINDOW_SLACK against jitter. More
        would only queue in the modem, where no newer frame can overtake them: where nothing keeps
        up, each makes every answer older by the longest stage.

        :param read_s: what an image takes to read before anything of the plan begins: a frame
            that is let in has all of that before it, too.
        """
        return 1 if self.is_local else window_of(read_s + self.delay_s, self.max_stage_s)


def window_of(delay_s: float, max_stage_s: float) -> int:
    """Return how many frames of such a delay keep the longest stage busy."""
    if max_stage_s <= 0 or math.isinf(max_stage_s):
        return 1
    return math.ceil(delay_s / max_stage_s + WINDOW_SLACK)
