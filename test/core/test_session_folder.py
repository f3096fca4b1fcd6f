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


@pytest.mark.parametrize(
    'theirs', ['runs/detect/train/best.pt', 'logs/app.log', 'notes.txt', 'unfinished/novel.txt']
)
def test_a_folder_of_others_is_refused(tmp_path: Path, theirs: str) -> None:
    kept = write(tmp_path / theirs)
    for ours in (False, True):  # even when a session was once put beside it
        if ours:
            write(tmp_path / 'runs/dads/run.json')
        if ours and theirs == 'notes.txt':
            continue  # a note beside a session is no harm: nothing of it is removed
        with pytest.raises(RecordError, match='holds other files; give an empty or a new folder'):
            check_is_session(tmp_path)
    assert kept.is_file()


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
    assert (finish_run(tmp_path, 'dads') / 'run.json').is_file()
    assert [path.name for path in tmp_path.iterdir()] == ['runs']
