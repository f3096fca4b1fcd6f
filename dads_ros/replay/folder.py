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
A session's folder: whose it is, what of an earlier session goes, and where runs grow.

A run is recorded under ``unfinished/`` and moved to ``runs/`` when it has come to its end, so that
no report takes a run that was cut short for a whole one.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
import shutil

from dads_ros.errors import RecordError
from dads_ros.replay.methods import METHODS
from dads_ros.report.write import DETECTIONS
from dads_ros.report.write import PAGE
from dads_ros.report.write import STILLS
from dads_ros.report.write import VIDEO

RUNS = 'runs'
_UNFINISHED = 'unfinished'
_PLACES = (RUNS, _UNFINISHED, 'logs')


def check_is_session(folder: Path) -> None:
    """Raise RecordError when the folder holds something that is no session of ours."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    found = [entry for place in _PLACES for entry in _entries(folder / place)]
    if not found or not all(map(_is_run, found)):
        raise RecordError(f'{str(folder)!r} holds other files; give an empty or a new folder')


def clear_session(folder: Path) -> None:
    """Remove an earlier session's runs, logs, report and video; check first that it is one."""
    for place in _PLACES:
        for entry in _entries(folder / place):
            shutil.rmtree(entry, ignore_errors=True)
    for name in (PAGE, DETECTIONS, VIDEO, STILLS):
        (folder / name).unlink(missing_ok=True)


def unfinished_run(folder: Path, method: str) -> Path:
    """Return where a method's run is recorded; its logs are beside it, in ``logs/``."""
    return folder / _UNFINISHED / method


def finish_run(folder: Path, method: str) -> None:
    """Move a run that came to its end to its place."""
    run = folder / RUNS / method
    run.parent.mkdir(parents=True, exist_ok=True)
    unfinished_run(folder, method).replace(run)
    with suppress(OSError):
        (folder / _UNFINISHED).rmdir()


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _is_run(folder: Path) -> bool:
    return folder.name in METHODS or (folder / 'run.json').is_file()
