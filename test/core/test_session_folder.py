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

"""A session's folder: only what a session left is removed, and half a run is no run."""

from pathlib import Path

from dads_ros.errors import RecordError
from dads_ros.replay.folder import check_is_session
from dads_ros.replay.folder import clear_session
from dads_ros.replay.folder import finish_run
from dads_ros.replay.folder import unfinished_run
import pytest


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('x')
    return path


@pytest.mark.parametrize('ours', [(), ('runs/dads/run.json', 'logs/dads/edge.log')])
@pytest.mark.parametrize('theirs', ['runs/detect/train/best.pt', 'logs/app.log'])
def test_runs_and_logs_of_others_are_refused(
    tmp_path: Path, theirs: str, ours: tuple[str, ...]
) -> None:
    for name in (theirs, *ours):
        write(tmp_path / name)
    with pytest.raises(RecordError, match='holds other files; give an empty or a new folder'):
        check_is_session(tmp_path)


def test_a_folder_without_a_session_is_refused(tmp_path: Path) -> None:
    write(tmp_path / 'notes.txt')
    with pytest.raises(RecordError, match='holds other files'):
        check_is_session(tmp_path)


def test_an_earlier_session_goes_with_its_report_and_nothing_else(tmp_path: Path) -> None:
    check_is_session(tmp_path / 'new')
    check_is_session(tmp_path)
    for name in ('runs/dads/run.json', 'logs/dads/edge.log', 'report.html', 'detections.jsonl'):
        write(tmp_path / name)
    write(tmp_path / 'unfinished/edge-only/frames.jsonl')
    kept = write(tmp_path / 'notes.txt')
    check_is_session(tmp_path)
    clear_session(tmp_path)
    left = {path for path in tmp_path.rglob('*') if path.is_file()}
    assert left == {kept}


def test_a_run_is_among_the_runs_when_it_has_ended(tmp_path: Path) -> None:
    write(unfinished_run(tmp_path, 'dads') / 'run.json')
    assert not list(tmp_path.glob('runs/*/run.json'))
    check_is_session(tmp_path)  # stopped here, it may be replayed again
    finish_run(tmp_path, 'dads')
    assert (tmp_path / 'runs/dads/run.json').is_file()
    assert [path.name for path in tmp_path.iterdir()] == ['runs']
