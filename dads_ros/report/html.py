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

"""report.html: one file that holds its data, scripts and styles, and opens offline."""

from __future__ import annotations

from collections.abc import Sequence
import json
from pathlib import Path
from typing import Any

from dads_ros.plan import Mode
from dads_ros.report.page import decisions
from dads_ros.report.page import page_data
from dads_ros.report.page import stage_means
from dads_ros.report.page import STAGES
from dads_ros.report.schema import RunRecord
from dads_ros.report.summary import Summary
from dads_ros.report.table import bytes_text
from dads_ros.report.table import ms_text
from dads_ros.report.table import table_rows
from dads_ros.report.verdict import link_words
from dads_ros.report.verdict import method_words
from dads_ros.report.verdict import Verdict
import jinja2

_ASSETS = Path(__file__).parent / 'assets'
_MODES = {
    Mode.LOCAL: 'on the car',
    Mode.LIGHT: 'least delay (DSL)',
    Mode.HEAVY: 'least maximum stage (DSH)',
    Mode.FIXED: 'fixed',
}


def render(
    runs: Sequence[RunRecord],
    summaries: Sequence[Summary],
    verdict: Verdict,
    video: str | None = None,
) -> str:
    """
    Return the page.

    :param runs: of one session, as load_session gives them.
    :param video: address of the annotated video, relative to the page; None when there is none.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {'bytes': bytes_text, 'ms': ms_text}
    return environment.get_template('report.html').render(
        ages=_ages(summaries),
        ages_end_s=max((s.p95_age_s or 0.0 for s in summaries), default=0.0) * 1.02,
        asset=_asset,
        data=_script_json(page_data(runs, summaries)),
        decisions=decisions(runs[0]),
        info=runs[0].info,
        link=link_words(runs[0].info),
        methods=[(s.method, method_words(s.method)) for s in summaries],
        modes=_MODES,
        rows=table_rows(summaries),
        stage_names=[*(words for _, words in STAGES), 'between stages'],
        stages=[(run.info.method, stage_means(run)) for run in runs],
        summaries=summaries,
        verdict=verdict,
        video=video,
    )


def _ages(summaries: Sequence[Summary]) -> list[dict[str, Any]]:
    return [
        {
            'method': s.method,
            'words': method_words(s.method),
            'mean_s': s.mean_age_s,
            'p95_s': s.p95_age_s,
        }
        for s in summaries
        if s.mean_age_s is not None
    ]


def _asset(name: str) -> str:
    """Return the text of a style or script; the template marks it as safe."""
    return (_ASSETS / name).read_text(encoding='utf-8')


def _script_json(value: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, allow_nan=False, separators=(',', ':'))
    return text.replace('<', '\\u003c')
