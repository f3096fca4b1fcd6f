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

"""A synthetic session of four methods, made once; tests that change it make their own."""

from __future__ import annotations

from pathlib import Path

from dads_ros.report.record import load_session
from dads_ros.report.schema import RunRecord
from dads_ros.report.summary import summarise
from dads_ros.report.summary import Summary
import pytest
from synthetic_runs import write_session


@pytest.fixture(scope='session')
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(tmp_path_factory.mktemp('session'))


@pytest.fixture(scope='session')
def runs(session: Path) -> dict[str, RunRecord]:
    return {run.info.method: run for run in load_session(session)}


@pytest.fixture(scope='session')
def summaries(runs: dict[str, RunRecord]) -> dict[str, Summary]:
    return {method: summarise(run) for method, run in runs.items()}
