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

"""Run folders: what is written is what is read, and what is corrupt is said in one line."""

from __future__ import annotations

from dataclasses import replace
import json
import math
from pathlib import Path
import shutil

from dads_ros.errors import RecordError
from dads_ros.pipeline.frame import Outcome
from dads_ros.replay.stamps import restore_stamps
from dads_ros.report.fields import from_json
from dads_ros.report.fields import to_json
from dads_ros.report.record import load_run
from dads_ros.report.record import load_session
from dads_ros.report.record import RunWriter
from dads_ros.report.schema import FrameRecord
from hypothesis import given
from hypothesis import strategies as st
import pytest
from synthetic_runs import make_graph
from synthetic_runs import write_run
from synthetic_runs import write_session

numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**63)
frame_records = st.builds(
    FrameRecord,
    stamp_ns=counts, t_s=numbers, sequence=counts, outcome=st.sampled_from(Outcome),
    plan_id=counts, size_bytes=counts, wait_s=numbers, preprocess_s=numbers, edge_s=numbers,
    encode_s=numbers, network_s=numbers, cloud_queue_s=numbers, decode_s=numbers,
    cloud_s=numbers, held_s=numbers, total_s=numbers, received_ns=counts,
)  # fmt: skip


@pytest.fixture
def run_folder(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session / 'runs/dads', tmp_path / 'dads'))


@given(frame_records)
def test_a_record_survives_json(record: FrameRecord) -> None:
    text = json.dumps(to_json(record), allow_nan=False)
    assert from_json(FrameRecord, json.loads(text)) == record


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_reads_as_not_a_number(session: Path, value: float) -> None:
    record = replace(load_run(session / 'runs/dads').frames[0], network_s=value)
    document = to_json(record)
    json.dumps(document, allow_nan=False)
    assert math.isnan(from_json(FrameRecord, document).network_s)


def test_a_run_is_read_as_it_was_written(session: Path, tmp_path: Path) -> None:
    run = load_run(session / 'runs/dads')
    with RunWriter(tmp_path / 'again', run.info) as writer:
        for record in (*run.frames, *run.detections, *run.plans, *run.links):
            writer.append(record)
    assert load_run(tmp_path / 'again') == replace(run, truth=())


def test_lines_are_on_disk_before_the_writer_is_closed(session: Path, tmp_path: Path) -> None:
    run = load_run(session / 'runs/dads')
    writer = RunWriter(tmp_path, run.info)
    writer.append(run.frames[0])
    assert load_run(tmp_path).frames == run.frames[:1]
    writer.close()


def test_a_line_cut_off_by_a_crash_is_left_out(run_folder: Path) -> None:
    whole = load_run(run_folder)
    path = run_folder / 'frames.jsonl'
    path.write_text(path.read_text()[:-20])
    assert load_run(run_folder).frames == whole.frames[:-1]


def test_a_second_run_does_not_go_into_the_folder_of_the_first(run_folder: Path) -> None:
    info = load_run(run_folder).info
    with pytest.raises(RecordError, match=r'already holds a run; give a new folder'):
        RunWriter(run_folder, info)


@pytest.mark.parametrize('name', ['run.json', 'frames.jsonl', 'plans.jsonl'])
def test_a_missing_file_is_named(run_folder: Path, name: str) -> None:
    (run_folder / name).unlink()
    with pytest.raises(RecordError, match=rf'{name}. does not exist; give the folder'):
        load_run(run_folder)


@pytest.mark.parametrize(
    ('line', 'complaint'),
    [
        ('{"stamp_ns": 1', 'is not JSON'),
        ('[1, 2]', 'expected an object with the fields of FrameRecord'),
        ('{"stamp_ns": 1}', "field 't_s' is missing"),
        ('{"stamp_ns": "x"}', "field 'stamp_ns' holds 'x', which is not int"),
        ('{"stamp_ns": 1, "t_s": true}', "field 't_s' holds True, which is not a number"),
        (
            '{"stamp_ns": 1, "t_s": 0, "sequence": 1, "outcome": "lost"}',
            "field 'outcome' holds 'lost', which is not one of via_cloud, local,",
        ),
    ],
)
def test_a_corrupt_line_is_named_by_file_and_number(
    run_folder: Path, line: str, complaint: str
) -> None:
    path = run_folder / 'frames.jsonl'
    lines = path.read_text().splitlines()
    lines[6] = line
    path.write_text('\n'.join(lines) + '\n')
    with pytest.raises(RecordError) as error:
        load_run(run_folder)
    assert 'frames.jsonl:7' in str(error.value) and complaint in str(error.value)
    assert '\n' not in str(error.value)


def test_a_graph_that_is_none_is_refused(run_folder: Path) -> None:
    path = run_folder / 'run.json'
    document = json.loads(path.read_text())
    document['graph']['layers'].reverse()
    path.write_text(json.dumps(document))
    with pytest.raises(RecordError, match='which no earlier layer produces'):
        load_run(run_folder)


def test_the_adaptive_run_comes_first(session: Path) -> None:
    methods = [run.info.method for run in load_session(session)]
    assert methods == ['dads', 'cloud-only-jpeg', 'cloud-only-raw', 'edge-only']


def test_runs_of_different_models_are_not_compared(session: Path, tmp_path: Path) -> None:
    shutil.copytree(session / 'runs/dads', tmp_path / 'runs/dads')
    other = replace(make_graph(), model_hash='another')
    write_run(tmp_path / 'runs/edge-only', 'edge-only', 4.0, other)
    with pytest.raises(RecordError, match='differ in clip or model'):
        load_session(tmp_path)


def test_an_empty_folder_is_no_session(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r'holds no runs/METHOD/run\.json'):
        load_session(tmp_path)


def test_the_cameras_stamps_come_back_after_a_replay_at_another_rate(tmp_path: Path) -> None:
    run = write_session(tmp_path, methods=('dads',), seconds=4.0) / 'runs' / 'dads'
    before = load_run(run)
    own = {frame.stamp_ns + 2: 7_000 + 33 * i for i, frame in enumerate(before.frames)}
    restore_stamps(run, own)
    after = load_run(run)
    assert [frame.stamp_ns for frame in after.frames] == list(own.values())
    shown = [frame.stamp_ns for frame in after.frames if frame.outcome.is_published]
    assert [found.stamp_ns for found in after.detections] == shown
    assert [f.total_s for f in after.frames] == [f.total_s for f in before.frames]
