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
Run folders: how a replay is written while it goes on, and how it is read.

A run folder holds ``run.json`` (what was run, where, over which link) and four files of one JSON
object a line: ``frames.jsonl`` (how each camera frame ended), ``detections.jsonl``,
``plans.jsonl`` and ``links.jsonl``; where there is ground truth, ``truth.json`` holds it. Each
line is written at once, so what was recorded before a crash can be read. A session folder holds
one run folder per method under ``runs/``, all of one clip, and the report made of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import IO
from typing import TypeVar

from dads_ros.errors import GraphError
from dads_ros.errors import RecordError
from dads_ros.report.atomic import write_text
from dads_ros.report.fields import from_json
from dads_ros.report.fields import to_json
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import LinkRecord
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunInfo
from dads_ros.report.schema import RunRecord
from dads_ros.report.schema import TruthRecord
from tqdm import tqdm

Line = TypeVar('Line', FrameRecord, DetectionRecord, PlanRecord, LinkRecord)

MAIN_METHOD = 'dads'
_FILES: dict[type, str] = {
    FrameRecord: 'frames.jsonl',
    DetectionRecord: 'detections.jsonl',
    PlanRecord: 'plans.jsonl',
    LinkRecord: 'links.jsonl',
}


class RunWriter:
    """
    Writes a run folder while the run goes on; one writer, any number of readers.

    Used as a context manager. ``run.json`` is there from the start. Raises RecordError when the
    folder already holds a run, so that two runs are never mixed.
    """

    def __init__(self, folder: Path, info: RunInfo) -> None:
        if (folder / 'run.json').exists():
            raise RecordError(f'{str(folder)!r} already holds a run; give a new folder')
        folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[type, IO[str]] = {
            kind: (folder / name).open('w', encoding='utf-8', buffering=1)
            for kind, name in _FILES.items()
        }
        write_info(folder / 'run.json', info)

    def append(self, record: FrameRecord | DetectionRecord | PlanRecord | LinkRecord) -> None:
        """Write one line to the file of its kind."""
        line = json.dumps(to_json(record), allow_nan=False, separators=(',', ':'))
        self._files[type(record)].write(line + '\n')

    def close(self) -> None:
        """Close the files; the writer is done."""
        for file in self._files.values():
            file.close()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def write_info(path: Path, info: RunInfo) -> None:
    """Write what was run, as run.json holds it."""
    write_text(path, json.dumps(_info_to_json(info), indent=1, allow_nan=False))


def write_truth(folder: Path, truth: tuple[TruthRecord, ...]) -> None:
    """Write the ground truth of a run's frames."""
    write_text(folder / 'truth.json', json.dumps(to_json(truth), allow_nan=False))


def load_run(folder: Path) -> RunRecord:
    """
    Return the run in a folder, frames in the camera's order.

    Raises RecordError, naming the file and the line, when one is missing or corrupt. A last line
    without its end was being written when the recorder stopped; it is left out.
    """
    truth = folder / 'truth.json'
    return RunRecord(
        load_info(folder / 'run.json'),
        frames=tuple(sorted(_load_lines(folder, FrameRecord), key=lambda frame: frame.stamp_ns)),
        detections=_load_lines(folder, DetectionRecord),
        plans=_load_lines(folder, PlanRecord),
        links=_load_lines(folder, LinkRecord),
        truth=_load_truth(truth) if truth.exists() else (),
    )


def load_session(folder: Path) -> tuple[RunRecord, ...]:
    """
    Return the runs of a session, the adaptive one first and the baselines by name.

    Raises RecordError when there is none, when a folder's name is not its run's method, or when
    the runs are not of one clip and one detector and so cannot be compared.
    """
    folders = sorted(path.parent for path in folder.glob('runs/*/run.json'))
    if not folders:
        raise RecordError(
            f'{str(folder)!r} holds no runs/METHOD/run.json; give the folder of a replay'
        )
    progress = tqdm(folders, desc='reading', unit='run', delay=1, leave=False, dynamic_ncols=True)
    runs = {path.name: load_run(path) for path in progress}
    first = next(iter(runs.values())).info
    for name, run in runs.items():
        if name != run.info.method:
            raise RecordError(f'run folder {name!r} holds a run of {run.info.method!r}; rename it')
        if (run.info.clip, run.info.model_hash) != (first.clip, first.model_hash):
            raise RecordError(
                f'runs {first.method!r} and {name!r} differ in clip or model; '
                'compare runs of one clip and one detector'
            )
    return tuple(sorted(runs.values(), key=lambda run: run.info.method != MAIN_METHOD))


def _info_to_json(info: RunInfo) -> dict[str, Any]:
    """Return what run.json holds; each layer with its bytes, so that readers need no table."""
    document = to_json(info)
    layers = zip(info.graph.layers, document['graph']['layers'], strict=True)
    document['graph'] = {
        'layers': [item | {'output_bytes': layer.output_bytes} for layer, item in layers],
        'outputs': list(info.graph.outputs),
    }
    return document


def load_info(path: Path) -> RunInfo:
    """
    Return what a run.json says.

    Raises RecordError when it is missing or malformed.
    """
    document = _parse(_read(path), str(path))
    try:
        if isinstance(document, dict) and isinstance(document.get('graph'), dict):
            document['graph']['model_hash'] = document.get('model_hash')
        return from_json(RunInfo, document)
    except (ValueError, GraphError) as error:
        raise RecordError(f'{str(path)!r}: {error}; record the run again') from error


def _load_lines(folder: Path, kind: type[Line]) -> tuple[Line, ...]:
    path = folder / _FILES[kind]
    whole_lines = _read(path).split('\n')[:-1]
    records = []
    for number, line in enumerate(whole_lines, start=1):
        where = f'{path}:{number}'
        try:
            records.append(from_json(kind, _parse(line, where)))
        except ValueError as error:
            raise RecordError(f'{where!r}: {error}; record the run again') from error
    return tuple(records)


def _load_truth(path: Path) -> tuple[TruthRecord, ...]:
    document = _parse(_read(path), str(path))
    if not isinstance(document, list):
        raise RecordError(f'{str(path)!r} does not hold a list of frames; record the run again')
    try:
        return tuple(from_json(TruthRecord, item) for item in document)
    except ValueError as error:
        raise RecordError(f'{str(path)!r}: {error}; record the run again') from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding='utf-8')
    except FileNotFoundError:
        raise RecordError(
            f'{str(path)!r} does not exist; give the folder of a recorded run'
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f'{str(path)!r} cannot be read: {error}') from error


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RecordError(f'{where!r} is not JSON: {error}; record the run again') from error
