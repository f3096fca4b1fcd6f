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


"""The figures of `dads bench faults` notice what they are there to notice."""

from __future__ import annotations

from pathlib import Path

from dads_ros.bench.faults import docs
from dads_ros.bench.faults.docs import BEGIN
from dads_ros.bench.faults.docs import END
from dads_ros.bench.faults.figures import account
from dads_ros.bench.faults.figures import Lives
from dads_ros.bench.faults.figures import longest_gap_s
from dads_ros.bench.faults.figures import row
from dads_ros.bench.faults.scenarios import Phase
from dads_ros.errors import ConfigError
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.atomic import write_between
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import FrameRecord
import pytest

PERIOD_NS = 100_000_000
START_NS = 5 * 10**9
LIFE = Lives([START_NS])


def frame(
    number: int, sequence: int | None = None, outcome: Outcome = Outcome.VIA_CLOUD
) -> FrameRecord:
    """Return the report of a camera frame; its number says when it came."""
    times = dict.fromkeys(
        ('wait_s', 'preprocess_s', 'edge_s', 'encode_s', 'network_s', 'cloud_queue_s', 'decode_s',
         'cloud_s', 'held_s'), 0.0,
    )  # fmt: skip
    return FrameRecord(
        stamp_ns=number * PERIOD_NS,
        t_s=number * PERIOD_NS / 1e9,
        sequence=number if sequence is None else sequence,
        outcome=outcome,
        plan_id=1,
        size_bytes=0,
        received_ns=START_NS + number * PERIOD_NS,
        total_s=0.05,
        **times,
    )


def detections(*numbers: int) -> list[DetectionRecord]:
    return [DetectionRecord(n * PERIOD_NS, n * 0.1 + 0.05, (), (), ()) for n in numbers]


def test_account_of_a_faultless_drive() -> None:
    frames = [frame(n) for n in range(1, 10)]
    found = account(frames, detections(*range(1, 10)), LIFE)
    assert (found.frames, found.unaccounted, found.stale) == (9, 0, 0)
    assert found.ended == {'via_cloud': 9}


def test_account_notices_a_frame_that_never_ended_and_one_that_ended_twice() -> None:
    frames = [frame(n) for n in (1, 2, 4, 5, 5)]
    assert account(frames, detections(1, 2, 4, 5), LIFE).unaccounted == 2


def test_account_notices_detections_out_of_order_and_of_no_frame() -> None:
    frames = [frame(n) for n in (1, 3, 2)]
    assert account(frames, detections(1, 3, 2), LIFE).stale == 1
    assert account([frame(1)], detections(1, 7), LIFE).stale == 1
    dropped = frame(1, outcome=Outcome.DROPPED_STALE)
    assert account([dropped], detections(1), LIFE).stale == 1


def test_account_begins_anew_with_an_edge_and_forgives_a_killed_one_its_last_frames() -> None:
    first = [frame(n) for n in (1, 2, 3, 5)]
    second = [frame(n, sequence=n - 10) for n in (11, 12)]
    starts_ns = [START_NS, START_NS + 10 * PERIOD_NS]
    kill_ns = START_NS + 6 * PERIOD_NS
    shown = detections(1, 2, 3, 5, 11, 12)
    assert account([*first, *second], shown, Lives(starts_ns, [kill_ns])).unaccounted == 0
    assert account([*first, *second], shown, Lives(starts_ns)).unaccounted == 1


def test_row_tells_gap_loss_and_recovery() -> None:
    frames = [frame(n) for n in (1, 2)]
    frames += [frame(3, outcome=Outcome.DROPPED_STALE), frame(4, outcome=Outcome.LOCAL), frame(7)]
    phase = Phase('fault', 1, *(START_NS + n * PERIOD_NS for n in (3, 5, 8)))
    found = row(phase, frames, detections(1, 2, 4, 7), [], LIFE)
    assert (found.frames, found.lost) == (3, 1)
    assert found.gap_s == pytest.approx(0.3)
    assert found.recovered_s == pytest.approx(0.25)
    assert found.unaccounted == 2  # 5 and 6 never ended


def test_row_accounts_for_its_own_frames_only() -> None:
    frames = [frame(n) for n in (1, 3, 4, 5, 7)]
    phase = Phase('fault', 1, *(START_NS + n * PERIOD_NS for n in (3, 4, 6)))
    assert row(phase, frames, detections(1, 3, 4, 5, 7), [], LIFE).unaccounted == 0


def test_frames_through_the_cloud_long_after_are_no_recovery() -> None:
    frames = [frame(1), frame(2, outcome=Outcome.LOCAL), frame(9)]
    phase = Phase('fault', 1, *(START_NS + n * PERIOD_NS for n in (1, 2, 5)))
    assert row(phase, frames, detections(1, 2, 9), [], LIFE).recovered_s is None


def test_row_of_a_fault_that_was_not_recovered_from() -> None:
    phase = Phase('fault', 1, START_NS, START_NS, START_NS + PERIOD_NS)
    assert row(phase, [frame(1, outcome=Outcome.LOCAL)], [], [], LIFE).recovered_s is None


def test_gap_counts_up_to_the_end_when_nothing_comes_any_more() -> None:
    assert longest_gap_s([1.0, 2.0], 1.5, 9.0) == 7.0


def test_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / 'page.md'
    page.write_text(f'{END} {BEGIN}', encoding='utf-8')
    with pytest.raises(ConfigError, match='to write between'):
        write_between(page, BEGIN, 'tables', END)
    assert page.read_text(encoding='utf-8') == f'{END} {BEGIN}'


def test_soak_on_the_page_is_replaced_by_one_at_least_as_long_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs, 'tables', lambda result: f'tables of {result["date"]}')
    page = tmp_path / 'page.md'
    page.write_text('\n'.join((BEGIN, END, docs.SOAK_BEGIN, docs.SOAK_END)))

    def write(duration_s: float, date: str) -> str:
        figures = {'memory_growth': 0.001, 'file_growth': 0, 'p95_drift': 1.01}
        docs.write(page, {'date': date, 'soak': {'duration_s': duration_s, **figures}})
        return page.read_text()

    assert '| duration | 3600 s |\n| ended on | monday |' in write(3600.0, 'monday')
    shorter = write(120.0, 'tuesday')
    assert 'tables of tuesday' in shorter and '| ended on | monday |' in shorter
    assert '| ended on | wednesday |' in write(3600.0, 'wednesday')


def test_page_of_reliability_has_all_marks() -> None:
    page = (Path(__file__).parents[2] / 'docs' / 'reliability.md').read_text(encoding='utf-8')
    assert all(page.count(m) == 1 for m in (BEGIN, END, docs.SOAK_BEGIN, docs.SOAK_END))
