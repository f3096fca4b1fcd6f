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
nothing; it is made at once when the link collapses, when the plan in force would miss its
deadlines or does, and when nothing gets through. A plan that stays the best is published again
when its predictions have moved: deadlines and the number of frames under way follow from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import math

from dads_ros.errors import ConfigError
from dads_ros.monitor import reasons
from dads_ros.monitor.gain import best_plan
from dads_ros.monitor.gain import gain_of
from dads_ros.monitor.gain import keeps_up
from dads_ros.monitor.limits import PolicyLimits
from dads_ros.monitor.patience import Patience
from dads_ros.monitor.recovery import Recovery
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Load
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.plan import Mode
from dads_ros.plan import Plan
from dads_ros.plan import WISHES

# A link that fell below this share of the rate the plan was made for has collapsed.
COLLAPSE = 0.4
# Predictions that moved by this factor are published.
DRIFT = 1.25
FOREVER_S = 60.0  # stands in a message for a transfer that will not end


class Policy:
    """
    Holds the plan in force and decides on the next.

    :param table: every plan there is.
    :param inputs: the network's input layers, which the wish 'cloud' sends.
    :param first_plan_id: plans are numbered from here.
    :param row_of: finds the row of a cut that is asked for, and may add it to the table.
    """

    def __init__(
        self,
        table: PlanTable,
        model_hash: str,
        inputs: tuple[str, ...],
        limits: PolicyLimits,
        first_plan_id: int = 1,
        row_of: Callable[[PlanTable, tuple[str, ...], str], int] = PlanTable.row_of,
    ) -> None:
        self.table = table
        self._model_hash = model_hash
        self._uploads = [i for i, row in enumerate(table.rows) if row.boundary == inputs]
        self._limits = limits
        self._row_of = row_of
        self._next_plan_id = first_plan_id
        self._wish = 'auto'
        self._asked = ''
        self._fixed_row = table.local_row
        self._row = table.local_row
        self._patience = Patience(limits.patience_frames, limits.settle_s)
        self._recovery = Recovery(limits.stay_local_s)
        self._has_contact = False
        self._taken_s = -math.inf
        self._made_for_bps = 0.0
        self._retry = False
        self.plan: Plan | None = None

    @property
    def row(self) -> int:
        """Return the table's row that is in force."""
        return self._row

    def ask(self, wish: str, boundary: tuple[str, ...] = (), codec: str = '') -> None:
        """
        Change what the user wants; the next update decides by it. All is as before on an error.

        Raises ConfigError when the wish is unknown or cannot be met, CutError or PlanError when
        there is no such row.
        """
        if wish not in WISHES:
            raise ConfigError(f'mode {wish!r} is unknown; use one of {", ".join(WISHES)}')
        if wish == 'cloud' and not self._uploads:
            raise ConfigError("mode 'cloud' needs the frame to be sent, which privacy forbids")
        fixed_row = self._fixed_row
        if wish == 'fixed':
            fixed_row = self._row_of(self.table, boundary, codec)
        if (wish, fixed_row) == (self._wish, self._fixed_row):
            return
        self._wish, self._fixed_row = wish, fixed_row
        self._asked = f'mode {wish!r} asked for'

    def update(
        self,
        situation: Situation,
        alive: bool,
        now_s: float,
        *,
        frames: int,
        sure_bps: float = math.inf,
        missed: int = 0,
        missed_share: float = 0.0,
    ) -> Plan | None:
        """
        Return a new plan, or None to stay with the one in force.

        :param alive: whether the cloud answered recently.
        :param frames: how many have ended since the last update; patience counts them.
        :param sure_bps: what the link carries at least, as far as small messages tell: a plan that
            sends more than the one in force must be the best at this rate, too, if by less.
        :param missed: deadlines missed in a row, when these are too many; else 0.
        :param missed_share: of what was sent lately, which share got no answer in time.
        """
        failure = self._failure(situation, alive, missed)
        if is_costly := not failure and self._costs_more(situation, missed_share):
            failure = f'{missed_share:.0%} of the answers came too late'
        if failure and self._has_contact:
            was_in_use = self.plan is not None and not self.plan.is_local
            # An edge that gave up computes by itself until the next trial: no further failure.
            has_given_up = self._retry and missed > 0 and alive and situation.has_link
            # Some answers did come: held back for longer each time, the car would lose sight of a
            # link that only its own frames tell of, and find back late.
            if not has_given_up:
                self._recovery.failed(now_s, was_in_use=was_in_use and not is_costly)
            self._retry |= was_in_use and missed > 0
        best = self._wanted(situation, now_s)
        if self._sends_more(best):
            sure = replace(situation, uplink_bps=min(situation.uplink_bps, sure_bps))
            surely_best = self._wanted(sure, now_s)
            if self._sends_more(surely_best):
                best = self.table.evaluate(surely_best.row, situation, surely_best.mode)
            else:
                best = self.table.evaluate(self._row, situation, self._load_in_force())
        why = self._asked or self._first(failure)
        self._asked = ''
        if why:
            return self._take(best, situation, why, now_s)
        present = self.table.evaluate(self._row, situation, self._load_in_force())
        if best.row == self._row:
            self._patience.restart()
            return self._renew(best, situation, now_s)
        like = self.table.evaluate(self._row, situation, best.mode)
        gain = gain_of(like, best, situation, self._limits.gain)
        urgent = self._urgent(present, situation, failure)
        if urgent and (failure or gain >= self._limits.gain):
            return self._take(best, situation, urgent, now_s)
        if gain < self._limits.gain:
            self._patience.restart()
            return self._renew(like, situation, now_s)
        lasting = self._patience.is_over(now_s, frames)
        if not lasting or now_s - self._taken_s < self._limits.settle_s:
            return None
        return self._take(best, situation, reasons.saving(present, best, gain), now_s)

    def _sends_more(self, plan: CutPlan) -> bool:
        """Return whether a plan sends more than the one in force."""
        rows = self.table.rows
        return rows[plan.row].totals.mean_bytes > rows[self._row].totals.mean_bytes

    def _failure(self, situation: Situation, alive: bool, missed: int) -> str:
        """Return why nothing should be sent now, or nothing."""
        if missed:
            return f'{missed} deadlines missed in a row'
        if not alive:
            return 'no answer from the cloud'
        return '' if situation.has_link else 'no link'

    def _costs_more(self, situation: Situation, missed_share: float) -> bool:
        """Return whether the answers missed cost more than the others save over the car alone."""
        is_asked_for = self._wish in ('cloud', 'fixed')
        if not missed_share or self.plan is None or self.plan.is_local or is_asked_for:
            return False
        present = self.table.evaluate(self._row, situation, self._load_in_force())
        local = self.table.evaluate(self.table.local_row, situation, 'light')
        missed_s = self.plan.deadline_s + local.delay_s
        mean_s = present.delay_s + missed_share * (missed_s - present.delay_s)
        return keeps_up(local, situation) and mean_s > local.delay_s

    def _first(self, failure: str) -> str:
        """Return why a plan is due whatever it gains, or nothing: there was none, or no cloud."""
        if self.plan is None:
            return 'first plan'
        if failure or self._has_contact:
            return ''
        self._has_contact = True
        return 'the cloud answers'

    def _wanted(self, situation: Situation, now_s: float) -> CutPlan:
        """Return the best plan that the wish and the link allow."""
        if self._wish == 'fixed':
            return self.table.evaluate(self._fixed_row, situation, 'light')
        if self._wish == 'cloud':
            plans = [self.table.evaluate(i, situation, 'light') for i in self._uploads]
            return min(plans, key=lambda plan: plan.delay_s)
        if self._wish == 'local' or not self._recovery.is_over(now_s) or not situation.has_link:
            return self.table.evaluate(self.table.local_row, situation, 'light')
        if self._wish == 'heavy':
            return self.table.plan(situation, 'heavy')
        if self._wish == 'light':
            return self.table.plan(situation, 'light')
        spare = self._limits.gain
        return best_plan(self.table, situation, spare, is_heavy=self._load_in_force() == 'heavy')

    def _urgent(self, present: CutPlan, situation: Situation, failure: str) -> str:
        """Return why a change cannot wait, or nothing."""
        assert self.plan is not None
        if self.plan.is_local or self._wish in ('cloud', 'fixed'):
            return ''
        if failure:
            return failure
        if situation.uplink_bps < self._made_for_bps * COLLAPSE:
            return f'the uplink fell from {self._made_for_bps / 1e6:.2f} Mbit/s'
        if present.delay_s > self.plan.deadline_s:
            return (
                f'the plan in force would take {reasons.milliseconds(present.delay_s)}, '
                f'over its deadline of {reasons.milliseconds(self.plan.deadline_s)}'
            )
        return ''

    def _renew(self, present: CutPlan, situation: Situation, now_s: float) -> Plan | None:
        """Return the plan in force with new predictions, if they have moved enough to matter."""
        assert self.plan is not None
        if now_s - self._taken_s < self._limits.settle_s or not self._recovery.is_over(now_s):
            return None
        if self._retry:
            return self._take(present, situation, 'tried again', now_s)
        now, then = _told_delay_s(present), self.plan.delay_s
        moved = now > then * DRIFT or now * DRIFT < then
        if present.boundary and (moved or self._mode_of(present) != self.plan.mode):
            return self._take(
                present, situation, f'now {reasons.milliseconds(present.delay_s)}', now_s
            )
        return None

    def _take(self, best: CutPlan, situation: Situation, why: str, now_s: float) -> Plan:
        if self.plan is not None and self.plan.is_local and best.boundary:
            self._recovery.returned(now_s)
        self._made_for_bps = situation.uplink_bps
        self._row = best.row
        self._patience.restart()
        self._retry = False
        self._taken_s = now_s
        plan_id = self._next_plan_id
        self._next_plan_id += 1
        local = self.table.evaluate(self.table.local_row, situation, 'light')
        text = f'{why}; {reasons.situation(situation)}'
        if best.max_stage_s * situation.rate_hz > 1.0:
            text += f'; nothing keeps up, send at most {best.max_rate_hz:.1f} frames/s'
        self.plan = Plan(
            plan_id=plan_id,
            model_hash=self._model_hash,
            mode=self._mode_of(best),
            boundary=best.boundary,
            codec=best.codec,
            edge_s=best.edge_s,
            transfer_s=min(best.transfer_s, FOREVER_S),
            cloud_s=best.cloud_s,
            delay_s=_told_delay_s(best),
            max_rate_hz=best.max_rate_hz,
            deadline_s=self._limits.deadline_s(best, local.edge_s, situation.rate_hz),
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
        return 'heavy' if self.plan and self.plan.mode is Mode.HEAVY else 'light'


def _told_delay_s(plan: CutPlan) -> float:
    """Return the delay as a message tells it: finite, with or without a link."""
    return min(plan.delay_s, plan.edge_s + FOREVER_S + plan.cloud_s)
