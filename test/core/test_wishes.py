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

"""What is asked of the monitor at run time: any legal cut, in any order of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

from dads_ros.errors import DadsError
from dads_ros.monitor import watch
from dads_ros.monitor.policy import Policy
from dads_ros.partition.situation import Situation
from dads_ros.plan import Mode
from dads_ros.plan import Plan
from dads_ros.settings import MonitorSettings
import pytest
from small_profile import make_wasteful_profile

GOOD = Situation(5e6, 0.02, rate_hz=5.0)
# The best in no situation, so no row of the table that is built.
POOR = {'mode': 'fixed', 'fixed_boundary': ['conv'], 'fixed_codec': 'raw+zstd'}


class Asked:
    """A monitor's policy that is asked for one thing after another."""

    def __init__(self, folder: Path, **settings: object) -> None:
        profile = folder / 'profile.json'
        make_wasteful_profile().save(profile)
        paths = {'edge_profile': str(profile), 'cloud_profile': str(profile)}
        self.settings = MonitorSettings(**paths, **settings)  # type: ignore[arg-type]
        self.policy: Policy = watch.make_policy(self.settings, first_plan_id=1)
        self.now_s = 0.0
        self.see()  # the first plan
        self.see()  # the cloud answers

    def ask(self, **changes: object) -> None:
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        watch.ask(self.policy, settings)
        self.settings = settings

    def see(self) -> Plan | None:
        self.now_s += 0.1
        return self.policy.update(GOOD, True, self.now_s, frames=1)

    @property
    def sent(self) -> tuple[Sequence[str], str]:
        plan = self.policy.plan
        assert plan is not None
        return plan.boundary, plan.codec


@pytest.mark.parametrize('order', [*permutations(POOR)])
def test_a_cut_that_is_never_the_best_can_be_asked_for_in_any_order(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    asked = Asked(tmp_path)
    rows = asked.policy.table.rows
    assert 'raw+zstd' not in {row.codec for row in rows}
    for name in order:
        asked.ask(**{name: POOR[name]})
        asked.see()
    assert asked.sent == (('conv',), 'raw+zstd')
    assert asked.policy.plan is not None and asked.policy.plan.mode is Mode.FIXED
    assert asked.policy.table.rows[: len(rows)] == rows


def test_a_cut_given_at_the_start_is_the_same(tmp_path: Path) -> None:
    asked = Asked(tmp_path, **POOR)
    assert asked.sent == (('conv',), 'raw+zstd')


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'fixed_boundary': ['nothing']}, 'nothing are not distinct layers of this model'),
        ({'fixed_boundary': ['waist', 'conv']}, 'conv is not needed'),
        (
            {'fixed_boundary': ['conv'], 'fixed_codec': 'jpeg75'},
            "'conv' cannot be sent as 'jpeg75'",
        ),
        ({'fixed_boundary': ['conv'], 'fixed_codec': 'int3'}, "codec 'int3' was not profiled"),
        ({'mode': 'fast'}, "mode 'fast' is unknown"),
    ],
)
@pytest.mark.parametrize('mode', ['fixed', 'light'])
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    tmp_path: Path, mode: str, changes: dict[str, object], reason: str
) -> None:
    asked = Asked(tmp_path, mode=mode, fixed_boundary=['waist'])
    before, rows = asked.policy.plan, asked.policy.table.rows
    with pytest.raises(DadsError, match=reason):
        asked.ask(**{'mode': 'fixed', **changes})
    assert asked.see() is None
    assert asked.policy.plan == before
    assert asked.policy.table.rows == rows
    asked.ask(**POOR)
    asked.see()
    assert asked.sent == (('conv',), 'raw+zstd')


def test_the_cut_of_mode_fixed_says_nothing_in_another_mode(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    for boundary, codec in ((['conv'], ''), (['nothing'], 'int3'), (['conv'], 'raw+zstd')):
        asked.ask(fixed_boundary=boundary, fixed_codec=codec)
        assert asked.see() is None
    asked.ask(mode='fixed')
    plan = asked.see()
    assert plan is not None and plan.boundary == ('conv',)
    assert plan.reason.startswith("mode 'fixed' asked for")


def test_without_a_codec_the_one_that_sends_least_at_the_accuracy_asked_for_is_taken(
    tmp_path: Path,
) -> None:
    asked = Asked(tmp_path, mode='fixed')
    assert asked.sent == ((), '')
    # Nothing is calibrated, so what is smaller but loses a bit may cost anything.
    for boundary, codec in (('waist', 'raw'), ('frame', 'raw'), ('conv', 'raw')):
        asked.ask(fixed_boundary=[boundary])
        asked.see()
        assert asked.sent == ((boundary,), codec)


def test_a_cut_over_the_accuracy_budget_is_for_mode_fixed_alone(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    table = asked.policy.table
    situations = [replace(GOOD, uplink_bps=1e5 * 2**i) for i in range(12)]
    before = [table.plan(s) for s in situations]
    asked.ask(mode='fixed', fixed_boundary=['frame'], fixed_codec='jpeg75')
    asked.see()
    assert asked.sent == (('frame',), 'jpeg75')
    assert [table.plan(s) for s in situations] == before
    asked.ask(mode='auto')
    asked.see()
    assert asked.sent[1] != 'jpeg75'
