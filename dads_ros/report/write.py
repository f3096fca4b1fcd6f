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

"""A session's report: the page, the figures and the detections, written beside its runs."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields
from pathlib import Path
import textwrap
from typing import Any

from dads_ros.report.atomic import write_text
from dads_ros.report.fields import to_json
from dads_ros.report.html import render
from dads_ros.report.record import load_session
from dads_ros.report.summary import summarise
from dads_ros.report.summary import Summary
from dads_ros.report.table import ms_text
from dads_ros.report.table import table_text
from dads_ros.report.verdict import judge
from dads_ros.report.verdict import Verdict
from tqdm import tqdm

PAGE = 'report.html'
DETECTIONS = 'detections.jsonl'
VIDEO = 'annotated.webm'
STILLS = 'montage.jpg'


@dataclass(frozen=True)
class Report:
    """What a session came to, and where its page is."""

    page: Path
    summaries: tuple[Summary, ...]
    verdict: Verdict


def write_report(session: Path) -> Report:
    """
    Write ``report.html`` and ``detections.jsonl`` into a session's folder; return what they say.

    The page shows ``annotated.webm`` when it lies there. Raises RecordError when the session
    cannot be read; nothing is written then.
    """
    runs = load_session(session)
    summaries = tuple(
        summarise(run)
        for run in tqdm(runs, desc='report', unit='run', delay=1, leave=False, dynamic_ncols=True)
    )
    verdict = judge(runs[0].info, summaries)
    video = VIDEO if (session / VIDEO).is_file() else None
    page = session / PAGE
    write_text(page, render(runs, summaries, verdict, video))
    detections = session / 'runs' / runs[0].info.method / DETECTIONS
    write_text(session / DETECTIONS, detections.read_text(encoding='utf-8'))
    return Report(page, summaries, verdict)


def report_text(report: Report) -> str:
    """Return the verdict and the table for a terminal."""
    verdict = report.verdict
    words = ' '.join((verdict.worth, verdict.headline, *verdict.reservations))
    plans = '\n'.join(_plans_text(s) for s in report.summaries if len(s.plans) > 1)
    parts = (textwrap.fill(words, 96), table_text(report.summaries), plans)
    return '\n\n'.join(part for part in parts if part)


def report_document(report: Report) -> dict[str, Any]:
    """Return verdict and figures as JSON takes them; units are in the names."""
    return {
        'page': str(report.page),
        'verdict': to_json(report.verdict),
        'methods': [_figures(summary) for summary in report.summaries],
    }


def _plans_text(summary: Summary) -> str:
    lines = [f'plans of {summary.method}:']
    for use in summary.plans:
        lines.append(f'  {use.name}: {use.frames} frames, median {ms_text(use.latency_s)}')
    return '\n'.join(lines)


def _figures(summary: Summary) -> dict[str, Any]:
    hidden = ('age_s', 'run')
    shown = {f.name: getattr(summary, f.name) for f in fields(summary) if f.name not in hidden}
    return to_json(shown) | {'answered': summary.answered}
