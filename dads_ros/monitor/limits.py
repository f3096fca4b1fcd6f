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

"""What the policy weighs: how much a change must save, how soon, and how long answers may take."""

from __future__ import annotations

from dataclasses import dataclass

from dads_ros.monitor.gain import crowded_s
from dads_ros.partition.plan import CutPlan


@dataclass(frozen=True, slots=True)
class PolicyLimits:
    """
    What the policy weighs.

    :param gain: share of the present delay (or longest stage) that a change must save.
    :param patience_frames: for so many frames in a row, or for ``settle_s``, whichever is less.
    :param stay_local_s: after the link was lost, it must be back for this long; longer, if it
        is soon lost again.
    :param deadline_factor: how long the cloud may take to answer, as a multiple of what link and
        cloud are predicted to take, or as long as the car would need for the rest: who waits so
        long is at most twice as late as who had known,
    :param deadline_floor_s: but no less than this,
    :param deadline_ceiling_s: and no more than this.
    :param settle_s: a plan stays for at least so long, unless its change is urgent.
    """

    gain: float = 0.1
    patience_frames: int = 3
    stay_local_s: float = 1.0
    deadline_factor: float = 2.0
    deadline_floor_s: float = 0.25
    deadline_ceiling_s: float = 1.0
    settle_s: float = 1.0

    def deadline_s(self, plan: CutPlan, local_s: float, rate_hz: float) -> float:
        """
        Return a frame's deadline: its time on the car, and how long the answer may take.

        Where nothing keeps up, every frame under way waits for those before it: given up sooner,
        none would ever be answered, and all that was sent would be sent in vain.

        :param local_s: what the car takes for all of it.
        :param rate_hz: of the camera.
        """
        keeps_up = plan.max_stage_s * rate_hz < 1.0
        answer_s = (plan.delay_s if keeps_up else crowded_s(plan)) - plan.edge_s
        wanted_s = answer_s * self.deadline_factor
        wanted_s = max(wanted_s, local_s - plan.edge_s)
        return plan.edge_s + min(max(wanted_s, self.deadline_floor_s), self.deadline_ceiling_s)
