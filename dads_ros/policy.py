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
When to move the cut: estimates in, a plan with its reason out.

The plan table says what is best now; the policy says whether it is worth changing to. A change
waits until its gain has been there for some frames in a row, so that bursts and jitter change
nothing; it is made at once when the plan in force would miss its deadlines or nothing gets through.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from dads_ros.errors import ConfigError
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Load
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.plan import Mode
from dads_ros.plan import Plan

WISHES = ('auto', 'light', 'heavy', 'local', 'cloud', 'fixed')


@dataclass(frozen=True, slots=True)
class PolicyLimits:
    """
    What the policy weighs.

    :param gain: share of the present delay (or longest stage) that a change must save.
    :param patience_frames: for so many frames in a row.
    :param stay_local_s: after the link was lost, it must be back for this long.
    :param deadline_factor: a frame's deadline as a multiple of its predicted delay,
    :param deadline_floor_s: but no shorter than this,
    :param deadline_ceiling_s: and no longer than this.
    """

    gain: float = 0.1
    patience_frames: int = 3
    stay_local_s: float = 1.0
    deadline_factor: float = 2.0
    deadline_floor_s: float = 0.25
    deadline_ceiling_s: float = 1.0

    def deadline_s(self, delay_s: float) -> float:
        """Return the deadline of a frame, from its arrival, for a predicted delay."""
        wanted_s = delay_s * self.deadline_factor
        return min(max(wanted_s, self.deadline_floor_s), self.deadline_ceiling_s)


class Policy:
    """
    Holds the plan in force and decides on the next.

    :param wish: one of WISHES: what the user asked for.
    :param fixed: boundary and codec, for the wish 'fixed'.
    Raises ConfigError when the wish cannot be met with this table.
    """

    def __init__(
        self,
        table: PlanTable,
        model_hash: str,
        inputs: tuple[str, ...],
        limits: PolicyLimits,
        first_plan_id: int = 1,
    ) -> None:
        self.table = table
        self._model_hash = model_hash
        self._uploads = [i for i, row in enumerate(table.rows) if row.boundary == inputs]
        self._limits = limits
        self._next_plan_id = first_plan_id
        self._wish = 'auto'
        self._fixed_row = table.local_row
        self._row = table.local_row
        self._patience = 0
        self._lost_s = -math.inf
        self.plan: Plan | None = None

    @property
    def row(self) -> int:
        """Return the table's row that is in force."""
        return self._row

    def ask(self, wish: str, boundary: tuple[str, ...] = (), codec: str = '') -> None:
        """
        Change what the user wants; the next update decides by it.

        Raises ConfigError when the wish is unknown or this table cannot meet it.
        """
        if wish not in WISHES:
            raise ConfigError(f'mode {wish!r} is unknown; use one of {", ".join(WISHES)}')
        if wish == 'cloud' and not self._uploads:
            raise ConfigError("mode 'cloud' needs the frame to be sent, which privacy forbids")
        if wish == 'fixed':
            self._fixed_row = self.table.row_of(boundary, codec)
        self._wish = wish
        self._patience = self._limits.patience_frames

    def update(
        self, situation: Situation, alive: bool, now_s: float, *, is_frame: bool
    ) -> Plan | None:
        """
        Return a new plan, or None to stay with the one in force.

        :param alive: whether the cloud answered recently.
        :param is_frame: whether a frame has just ended; only frames count towards patience.
        """
        if not alive or not situation.has_link:
            self._lost_s = now_s
        present = self.table.evaluate(self._row, situation, self._load_in_force())
        best = self._wanted(situation, now_s)
        if self.plan is None:
            return self._take(best, situation, 'first plan')
        same_mode = self.plan.mode == self._mode_of(best)
        if best.row == self._row and same_mode:
            self._patience = 0
            return None
        urgent = self._urgent(present, situation, now_s)
        gain = self._gain(present, best, situation)
        asked_for = self._wish in ('local', 'cloud', 'fixed') or not same_mode
        if urgent:
            return self._take(best, situation, urgent)
        if gain < self._limits.gain and not asked_for:
            self._patience = 0
            return None
        self._patience += is_frame
        if self._patience < self._limits.patience_frames:
            return None
        return self._take(best, situation, self._why(present, best, gain))

    def _wanted(self, situation: Situation, now_s: float) -> CutPlan:
        """Return the best plan that the wish and the link allow."""
        recovering = now_s - self._lost_s < self._limits.stay_local_s
        if self._wish == 'fixed':
            return self.table.evaluate(self._fixed_row, situation, 'light')
        if self._wish == 'cloud':
            plans = [self.table.evaluate(i, situation, 'light') for i in self._uploads]
            return min(plans, key=lambda plan: plan.delay_s)
        if self._wish == 'local' or recovering or not situation.has_link:
            return self.table.evaluate(self.table.local_row, situation, 'light')
        if self._wish == 'light':
            return self.table.plan(situation, 'light')
        if self._wish == 'heavy':
            return self.table.plan(situation, 'heavy')
        return self.table.plan(situation, 'auto')

    def _urgent(self, present: CutPlan, situation: Situation, now_s: float) -> str:
        """Return why a change cannot wait, or nothing."""
        assert self.plan is not None
        if self._row == self.table.local_row or self._wish in ('cloud', 'fixed'):
            return ''
        if now_s == self._lost_s:
            return 'no answer from the cloud' if situation.has_link else 'no link'
        if present.delay_s > self.plan.deadline_s:
            return (
                f'the plan in force would take {_ms(present.delay_s)}, '
                f'over its deadline of {_ms(self.plan.deadline_s)}'
            )
        return ''

    def _gain(self, present: CutPlan, best: CutPlan, situation: Situation) -> float:
        """Return the share saved: of delay when both keep up, else of the longest stage."""
        rate_hz = situation.rate_hz
        if max(present.max_stage_s, best.max_stage_s) * rate_hz < 1.0:
            return _saved(present.delay_s, best.delay_s)
        enough_s = 1.0 / rate_hz if rate_hz > 0 else 0.0
        return _saved(present.max_stage_s, max(best.max_stage_s, enough_s))

    def _why(self, present: CutPlan, best: CutPlan, gain: float) -> str:
        if best.mode == 'heavy':
            return (
                f'longest stage {_ms(best.max_stage_s)} instead of {_ms(present.max_stage_s)}'
                f' ({gain:.0%} less)'
            )
        return f'delay {_ms(best.delay_s)} instead of {_ms(present.delay_s)} ({gain:.0%} less)'

    def _take(self, best: CutPlan, situation: Situation, why: str) -> Plan:
        self._row = best.row
        self._patience = 0
        plan_id = self._next_plan_id
        self._next_plan_id += 1
        text = f'{why}; {_describe(situation)}'
        if best.max_stage_s * situation.rate_hz > 1.0:
            text += f'; nothing keeps up, send at most {best.max_rate_hz:.1f} frames/s'
        self.plan = Plan(
            plan_id=plan_id,
            model_hash=self._model_hash,
            mode=self._mode_of(best),
            boundary=best.boundary,
            codec=best.codec,
            edge_s=best.edge_s,
            transfer_s=best.transfer_s,
            cloud_s=best.cloud_s,
            delay_s=best.delay_s,
            max_rate_hz=best.max_rate_hz,
            deadline_s=self._limits.deadline_s(best.delay_s),
            reason=text,
        )
        return self.plan

    def _mode_of(self, plan: CutPlan) -> Mode:
        if self._wish in ('cloud', 'fixed'):
            return Mode.FIXED
        if not plan.boundary:
            return Mode.LOCAL
        return Mode.HEAVY if plan.mode == 'heavy' else Mode.LIGHT

    def _load_in_force(self) -> Load:
        return 'heavy' if self.plan is not None and self.plan.mode == Mode.HEAVY else 'light'


def _saved(before_s: float, after_s: float) -> float:
    if math.isinf(before_s):
        return 1.0
    return (before_s - after_s) / before_s if before_s > 0 else 0.0


def _ms(time_s: float) -> str:
    return 'forever' if math.isinf(time_s) else f'{time_s * 1e3:.0f} ms'


def _describe(situation: Situation) -> str:
    return (
        f'uplink {situation.uplink_bps / 1e6:.2f} Mbit/s, rtt {_ms(situation.rtt_s)}, '
        f'edge x{situation.edge_factor:.2f}, cloud x{situation.cloud_factor:.2f}, '
        f'camera {situation.rate_hz:.1f} Hz'
    )
