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

"""What the report says in words: whether it was worth it, on made-up ages and accuracies."""

from __future__ import annotations

from dataclasses import replace

from dads_ros.report.accuracy import accuracy_gain
from dads_ros.report.schema import RunRecord
from dads_ros.report.summary import Summary
from dads_ros.report.verdict import compare
from dads_ros.report.verdict import judge
from dads_ros.report.verdict import Standing
import numpy as np
import pytest


def constant_age(summary: Summary, method: str, age_s: float, **changes: object) -> Summary:
    """Return a summary of a method that was never quicker or slower than this."""
    age = np.full(4000, age_s)
    return replace(summary, method=method, age_s=age, mean_age_s=age_s, p95_age_s=age_s, **changes)


def words(main: Summary, *others: Summary, run: RunRecord) -> str:
    verdict = judge(run.info, (main, *others))
    return ' '.join((verdict.worth, verdict.headline, *verdict.reservations))


@pytest.mark.parametrize(
    ('age_s', 'standing', 'said'),
    [
        (0.30, Standing.BETTER, 'Surgery was worth it here.'),
        (0.102, Standing.SAME, 'not worth it here: uploading each frame as a JPEG was as good'),
        (0.05, Standing.WORSE, 'not worth it here: uploading each frame as a JPEG was better'),
    ],
)
def test_verdict(
    runs: dict[str, RunRecord],
    summaries: dict[str, Summary],
    age_s: float,
    standing: Standing,
    said: str,
) -> None:
    untold = replace(runs['dads'], truth=())
    main = constant_age(summaries['dads'], 'dads', 0.1, run=untold)
    jpeg = constant_age(summaries['cloud-only-jpeg'], 'cloud-only-jpeg', age_s, run=untold)
    assert compare(main, jpeg).standing is standing
    assert said in words(main, jpeg, run=runs['dads'])


def half_blind(run: RunRecord) -> RunRecord:
    """Return a run that finds nothing in every other frame, all of which it answers."""
    found = tuple(
        replace(d, boxes=(), scores=(), labels=()) if index % 2 else d
        for index, d in enumerate(run.detections)
    )
    return replace(run, detections=found)


@pytest.mark.parametrize(('age_s', 'fresh'), [(0.1, 'as fresh'), (0.05, 'fresher')])
def test_verdict_grants_a_rival_that_is_fresh_but_blind_nothing(
    runs: dict[str, RunRecord], summaries: dict[str, Summary], age_s: float, fresh: str
) -> None:
    main = constant_age(summaries['dads'], 'dads', 0.1)
    blind = half_blind(runs['dads'])
    rival = constant_age(summaries['dads'], 'cloud-only-jpeg', age_s, run=blind)
    said = words(main, rival, run=runs['dads'])
    assert 'Surgery was worth it here. Uploading' in said
    assert f'Uploading each frame as a JPEG was {fresh} but less accurate, by 0.' in said


def test_verdict_says_when_a_rival_was_older_but_found_more(
    runs: dict[str, RunRecord], summaries: dict[str, Summary]
) -> None:
    main = constant_age(summaries['dads'], 'dads', 0.1, run=half_blind(runs['dads']))
    rival = constant_age(summaries['edge-only'], 'edge-only', 0.3, run=runs['dads'])
    said = words(main, rival, run=runs['dads'])
    assert 'Everything on the car was not as fresh but more accurate, by 0.' in said


def test_accuracy_is_compared_on_the_frames_that_both_answered(
    runs: dict[str, RunRecord],
) -> None:
    run = runs['dads']
    fewer = replace(run, detections=run.detections[: len(run.detections) // 2])
    assert accuracy_gain(fewer, run) == 0
    assert accuracy_gain(half_blind(run), run) > 0.05
    assert accuracy_gain(replace(run, truth=()), run) == 0


def test_a_drive_that_was_never_cut_is_no_praise_of_cutting(
    runs: dict[str, RunRecord], summaries: dict[str, Summary]
) -> None:
    whole = tuple(replace(use, partial=False) for use in summaries['dads'].plans)
    main = constant_age(summaries['dads'], 'dads', 0.1, plans=whole)
    rival = constant_age(summaries['edge-only'], 'edge-only', 0.3, run=runs['dads'])
    said = words(main, rival, run=runs['dads'])
    assert said.startswith('Moving between the car and the cloud was worth it here; cutting')
    assert 'Surgery was worth it' not in said


def test_a_baseline_that_answers_nothing_is_beaten_and_hides_no_other(
    runs: dict[str, RunRecord], summaries: dict[str, Summary]
) -> None:
    main = constant_age(summaries['dads'], 'dads', 0.1, accuracy=None)
    older = constant_age(summaries['edge-only'], 'edge-only', 0.3, accuracy=None)
    mute = constant_age(summaries['edge-only'], 'cloud-only-raw', float('nan'), accuracy=None)
    none = dict.fromkeys(mute.outcomes, 0)
    mute = replace(mute, latency=None, outcomes=none, mean_age_s=None, p95_age_s=None)
    assert compare(main, mute).standing is Standing.BETTER
    said = words(main, older, mute, run=runs['dads'])
    assert 'Surgery was worth it here.' in said
    assert 'uploading each frame raw published no detections' in said
    beaten = compare(replace(mute, method='dads'), replace(older, method='edge-only'))
    assert beaten.standing is Standing.WORSE


def test_verdict_says_when_nothing_was_cut(
    runs: dict[str, RunRecord], summaries: dict[str, Summary]
) -> None:
    whole = tuple(use for use in summaries['dads'].plans if not use.partial)
    main = constant_age(summaries['dads'], 'dads', 0.1, plans=whole)
    rival = constant_age(summaries['edge-only'], 'edge-only', 0.3)
    assert 'The network was never cut' in words(main, rival, run=runs['dads'])
    seldom = tuple(replace(use, frames=40) for use in summaries['dads'].plans if use.partial)
    main = constant_age(summaries['dads'], 'dads', 0.1, plans=seldom)
    assert f'cut for 40 of the {main.answered} answered' in words(main, rival, run=runs['dads'])


def test_verdict_says_when_a_rival_has_the_better_median(
    runs: dict[str, RunRecord], summaries: dict[str, Summary]
) -> None:
    said = words(summaries['dads'], summaries['cloud-only-jpeg'], run=runs['dads'])
    assert 'By median latency alone, uploading each frame as a JPEG was quicker' in said


def test_verdict_does_not_judge_without_evidence(
    runs: dict[str, RunRecord], summaries: dict[str, Summary]
) -> None:
    assert 'nothing can be said' in words(summaries['dads'], run=runs['dads'])
    short = replace(summaries['dads'], age_s=np.ones(100))
    rival = replace(summaries['edge-only'], age_s=np.ones(100))
    assert 'too short to say' in words(short, rival, run=runs['dads'])


def test_headline_names_the_kind_of_link(
    runs: dict[str, RunRecord], summaries: dict[str, Summary]
) -> None:
    said = words(*summaries.values(), run=runs['dads'])
    assert said.count('an emulated link (synthetic trace') == 1
