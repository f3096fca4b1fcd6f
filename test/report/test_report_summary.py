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

"""Figures of a run: against counts by hand, a brute-force age, and known ratios."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dads_ros.pipeline.frame import Outcome
from dads_ros.report.accuracy import measure_accuracy
from dads_ros.report.record import load_run
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import RunRecord
from dads_ros.report.stats import age_series
from dads_ros.report.stats import AGE_STEP_S
from dads_ros.report.stats import quantiles
from dads_ros.report.stats import ratio_of_means
from dads_ros.report.summary import summarise
from dads_ros.report.summary import Summary
from dads_ros.report.table import bytes_text
from dads_ros.report.table import rate_text
from dads_ros.report.table import table_rows
from dads_ros.report.table import table_text
from dads_ros.report.verdict import judge
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

moments = st.floats(0, 5, allow_nan=False)


@given(st.lists(st.tuples(moments, st.floats(0, 2)), min_size=1, max_size=12))
def test_age_is_that_of_the_newest_published_frame(pairs: list[tuple[float, float]]) -> None:
    publications = [(arrived, arrived + took) for arrived, took in pairs]
    series = age_series(publications, 0.0, 6.0)
    for index in range(0, len(series), 37):
        now = index * AGE_STEP_S
        known = [arrived for arrived, published in publications if published <= now]
        if known:
            assert series[index] == pytest.approx(now - max(known), abs=1e-9)
        else:
            assert series[index] == pytest.approx(now, abs=1e-9)  # at least


def test_dropping_half_the_frames_makes_detections_older() -> None:
    all_frames = [(0.1 * i, 0.1 * i + 0.05) for i in range(100)]
    mean = [np.nanmean(age_series(p, 0.5, 9.5)) for p in (all_frames, all_frames[::2])]
    # A frame is known from 0.05 s on, until the next one is: 0.05 to 0.15, or 0.05 to 0.25.
    assert mean == pytest.approx([0.10, 0.15], abs=0.006)


@given(st.floats(0.2, 5), st.integers(0, 100))
def test_a_ratio_lies_in_its_interval(factor: float, seed: int) -> None:
    base = np.random.default_rng(seed).uniform(0.05, 0.2, 1000)
    ratio = ratio_of_means(base * factor, base)
    assert ratio is not None and ratio.seconds == 10
    assert ratio.value == pytest.approx(factor)
    assert ratio.low == pytest.approx(factor) and ratio.high == pytest.approx(factor)


def test_a_ratio_of_too_short_a_run_is_none() -> None:
    assert ratio_of_means(np.ones(150), np.ones(150)) is None
    assert quantiles([]) is None


def test_every_measured_frame_is_counted_once(
    runs: dict[str, RunRecord], summaries: dict[str, Summary]
) -> None:
    for method, run in runs.items():
        summary = summaries[method]
        assert summary.frames == len(run.frames) - run.info.warmup_frames == 380
        assert sum(summary.outcomes.values()) == summary.frames
        assert summary.lost == 1
        measured = run.frames[run.info.warmup_frames :]
        assert summary.total_bytes == sum(frame.size_bytes for frame in measured)


def test_warm_up_frames_count_nowhere(runs: dict[str, RunRecord]) -> None:
    run = runs['dads']
    slow = tuple(replace(f, total_s=9.0, size_bytes=10**9) for f in run.frames[:20])
    changed = summarise(replace(run, frames=slow + run.frames[20:]))
    plain = summarise(run)
    assert (changed.latency, changed.total_bytes) == (plain.latency, plain.total_bytes)


def test_plans_and_switches_are_those_of_the_run(summaries: dict[str, Summary]) -> None:
    plans = summaries['dads'].plans
    assert [use.name for use in plans if use.partial] == ['cut after waist, int4+zstd']
    assert {use.name for use in plans if not use.partial} == {
        'all on the car', 'upload the frame, jpeg75',
    }  # fmt: skip
    assert sum(use.frames for use in plans) == summaries['dads'].answered
    assert summaries['dads'].switches == 3 and summaries['edge-only'].switches == 0


def test_a_run_without_frames_has_no_figures(runs: dict[str, RunRecord]) -> None:
    summary = summarise(replace(runs['dads'], frames=()))
    assert summary.frames == 0 and summary.latency is None and summary.mean_age_s is None
    verdict = judge(runs['dads'].info, (summary,))
    assert 'published no detections in 0 frames' in verdict.headline
    assert 'latency' in table_text([summary])


def test_true_boxes_found_exactly_are_an_ap_of_one(runs: dict[str, RunRecord]) -> None:
    run = runs['edge-only']
    exact = tuple(
        DetectionRecord(t.stamp_ns, 0.0, t.boxes, (0.9,) * len(t.boxes), t.labels)
        for t in run.truth
    )
    accuracy = measure_accuracy(replace(run, detections=exact), run.frames)
    assert accuracy is not None and accuracy.ap50 == pytest.approx(1.0)
    assert accuracy.frames == sum(frame.outcome.is_published for frame in run.frames)
    assert accuracy.boxes == 2 * accuracy.frames
    assert measure_accuracy(replace(run, truth=()), run.frames) is None


def test_an_ignored_region_is_no_mistake(runs: dict[str, RunRecord]) -> None:
    run = runs['edge-only']
    second_ignored = tuple(
        replace(t, boxes=t.boxes[:1], labels=t.labels[:1], ignore=t.boxes[1:]) for t in run.truth
    )
    both_found = tuple(
        DetectionRecord(t.stamp_ns, 0.0, t.boxes, (0.5, 0.9), t.labels) for t in run.truth
    )
    changed = replace(run, truth=second_ignored, detections=both_found)
    accuracy = measure_accuracy(changed, run.frames)
    assert accuracy is not None and accuracy.ap50 == pytest.approx(1.0)


def test_table_has_a_cell_for_every_method(summaries: dict[str, Summary]) -> None:
    rows = table_rows(tuple(summaries.values()))
    assert all(len(row.cells) == len(summaries) for row in rows)
    by_name = {row.name: row.cells for row in rows}
    assert by_name['via cloud'][0] == str(summaries['dads'].outcomes['via_cloud'])
    assert 'dropped, invalid' not in by_name  # zero everywhere
    lines = table_text(tuple(summaries.values())).splitlines()
    assert len(lines) == len(rows) + 1 and max(map(len, lines)) <= 100


def test_sizes_and_rates_are_decimal() -> None:
    assert [bytes_text(n) for n in (0, 999, 2350, 1.5e6)] == ['0 B', '999 B', '2.35 kB', '1.5 MB']
    assert [rate_text(n) for n in (600_000, 2.5e6)] == ['600 kbit/s', '2.5 Mbit/s']


def test_every_outcome_is_in_the_table(session: Path) -> None:
    run = load_run(session / 'runs/dads')
    frames = tuple(
        replace(frame, outcome=list(Outcome)[i % len(Outcome)])
        for i, frame in enumerate(run.frames)
    )
    summary = summarise(replace(run, frames=frames))
    counted = {row.name for row in table_rows([summary]) if row.minor}
    assert {'via cloud', 'local', 'local after miss'} <= counted
    assert {'dropped, superseded', 'dropped, stale', 'dropped, invalid'} <= counted
