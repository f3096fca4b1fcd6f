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

"""The page as a file: self-contained, safe against what names hold, written whole or not."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
import json
from pathlib import Path
import re
import shutil

from dads_ros.cli.main import main
from dads_ros.report.html import render
from dads_ros.report.page import decisions
from dads_ros.report.page import page_data
from dads_ros.report.page import stage_means
from dads_ros.report.page import STAGES
from dads_ros.report.record import load_run
from dads_ros.report.record import load_session
from dads_ros.report.schema import RunInfo
from dads_ros.report.summary import summarise
from dads_ros.report.verdict import judge
from dads_ros.report.write import write_report
import pytest

VOID = {'meta', 'link', 'br', 'img', 'input', 'hr'}


class Outline(HTMLParser):
    """Collects addresses, texts and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text = ''
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or '' for name, value in attrs if name in ('src', 'href')]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        if self.open and self.open[-1] not in ('script', 'style'):
            self.text += ' '.join(text.split()) + ' '


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert not parser.open
    return parser


def page_with(session: Path, **info: object) -> str:
    runs = tuple(replace(run, info=replace(run.info, **info)) for run in load_session(session))
    summaries = [summarise(run) for run in runs]
    return render(runs, summaries, judge(runs[0].info, summaries))


@pytest.fixture
def copy(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session / 'runs', tmp_path / 'session/runs')).parent


def test_page_fetches_nothing(session: Path) -> None:
    page = page_with(session)
    assert outline(page).addresses == ['data:,']
    assert not re.search(r'@import|url\(|sourceMappingURL|fetch\(|XMLHttpRequest', page)


def test_page_names_link_warm_up_counts_and_versions(session: Path) -> None:
    info: RunInfo = load_run(session / 'runs/dads').info
    text = outline(page_with(session)).text
    assert 'an emulated link (synthetic trace, 0 to 12 Mbit/s)' in text
    assert 'The first 20 camera frames of each run are warm-up and count nowhere.' in text
    assert '261 frames' in text and '380' in text
    for key, value in {**info.versions, **info.machine}.items():
        assert f'{key} {value}' in text


def test_names_cannot_break_out_of_the_page(session: Path) -> None:
    nasty = '</script><script>alert(1)</script>"\'&'
    page = page_with(session, detector=nasty, clip=nasty)
    assert nasty not in page
    assert nasty in outline(page).text
    runs = load_session(session)
    plans = tuple(replace(plan, reason=nasty, codec=nasty) for plan in runs[0].plans)
    runs = (replace(runs[0], plans=plans),)
    summaries = [summarise(run) for run in runs]
    assert nasty not in render(runs, summaries, judge(runs[0].info, summaries))


def test_data_of_the_plots_are_the_runs(session: Path) -> None:
    runs = load_session(session)
    data = page_data(runs, [summarise(run) for run in runs])
    json.dumps(data, allow_nan=False)
    first = data['runs'][0]
    assert len(first['t_s']) == len(runs[0].frames)
    answered = [frame.outcome.is_published for frame in runs[0].frames]
    assert [value is not None for value in first['total_s']] == answered
    graph = runs[0].info.graph
    cut = data['cuts'][0]
    assert cut['boundary'] == [graph.index['waist']]
    assert set(cut['cloud']) == {graph.index[name] for name in graph.cloud_layers(['waist'])}
    assert cut['raw_bytes'] == graph['waist'].output_bytes


def test_page_counts_from_the_first_frame(session: Path) -> None:
    run = load_run(session / 'runs/dads')
    late = replace(
        run,
        frames=tuple(replace(frame, t_s=frame.t_s + 70.0) for frame in run.frames),
        plans=tuple(replace(plan, t_s=plan.t_s + 69.0) for plan in run.plans),
    )
    data = page_data([late], [summarise(late)])['runs'][0]
    assert data['t_s'] == page_data([run], [summarise(run)])['runs'][0]['t_s']
    assert data['plans'][0]['t_s'] == pytest.approx(-1.0)
    assert decisions(late)[0]['t_s'] == pytest.approx(-1.0)


def test_stages_add_up_to_the_mean_latency(session: Path) -> None:
    run = load_run(session / 'runs/dads')
    bars = stage_means(run)
    assert sum(bar['frames'] for bar in bars) == summarise(run).answered
    for bar in bars:
        assert sum(bar['stages_s']) == pytest.approx(bar['total_s'], rel=1e-6)
        assert len(bar['stages_s']) == len(STAGES) + 1


def test_report_writes_page_figures_and_detections(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['report', str(copy)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith('Surgery was') and 'via cloud' in printed.out
    assert printed.err.endswith(f'wrote {copy / "report.html"}\n')  # after progress, if slow
    assert (copy / 'detections.jsonl').read_text() == (
        copy / 'runs/dads/detections.jsonl'
    ).read_text()
    assert {path.name for path in copy.iterdir()} == {'runs', 'report.html', 'detections.jsonl'}


def test_report_prints_json(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['report', str(copy), '--json']) == 0
    document = json.loads(capsys.readouterr().out)
    assert document['methods'][0]['method'] == 'dads'
    summary = summarise(load_run(copy / 'runs/dads'))
    assert document['methods'][0]['mean_age_s'] == pytest.approx(summary.mean_age_s)
    assert document['methods'][0]['outcomes'] == summary.outcomes


def test_report_of_a_corrupt_run_writes_nothing(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / 'runs/edge-only/frames.jsonl').write_text('{}\n')
    assert main(['report', str(copy)]) == 1
    assert capsys.readouterr().err.startswith('error: ')
    assert {path.name for path in copy.iterdir()} == {'runs'}


def test_page_shows_the_video_only_where_there_is_one(copy: Path) -> None:
    assert '<video' not in write_report(copy).page.read_text()
    (copy / 'annotated.webm').write_bytes(b'')
    assert 'annotated.webm' in outline(write_report(copy).page.read_text()).addresses


def test_page_of_a_run_without_frames_is_whole(copy: Path) -> None:
    for run in (copy / 'runs').iterdir():
        (run / 'frames.jsonl').write_text('')
    text = outline(write_report(copy).page.read_text()).text
    assert 'published no detections in 0 frames' in text
