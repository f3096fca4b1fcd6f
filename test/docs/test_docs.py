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
The documentation: it builds without a warning, and every block in it is of a kind that is checked.

- ``sh``: commands. ``test_commands`` runs those that can be, ``test_lines_not_run`` checks what
  the others name.
- ``python``: run. A block that only defines a launch description ends at that; its arguments are
  checked with those of ``ros2 launch``.
- ``json``: parsed; a line of ``frames.jsonl`` has the fields of one.
- ``yaml``: parsed only. They are files for Nav2, an aggregator and Kubernetes, which are not here;
  what they start of this package is checked.
- ``text``: a message, the same as in ``msg/``; what a command prints, whose form is held to what
  it prints now (``test_commands``); or a diagram, which nobody checks.
- ``mermaid`` and ``{toctree}``: drawn or built with the page.
"""

from __future__ import annotations

from dataclasses import fields
from itertools import groupby
import json
import os
from pathlib import Path
import re
import subprocess
import sys

from dads_ros.report.schema import FrameRecord
from page_blocks import Block
from page_blocks import BLOCKS
from page_blocks import FENCE
from page_blocks import PAGES
from page_blocks import ROOT
from page_blocks import SHOWN_BY
import pytest
from synthetic_runs import write_session
import yaml

LANGUAGES = {'sh', 'python', 'json', 'yaml', 'text', 'mermaid', '{toctree}'}
# Blocks of text that are diagrams, counted in their page.
DIAGRAMS = {('docs/concepts.md', 0), ('docs/testbed.md', 0)}
# Its only indented block is the list of rooms, which test/lint holds to the sources.
INDENTED = {'docs/architecture.md'}


def of(*languages: str) -> pytest.MarkDecorator:
    found = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize('block', found, ids=str)


def test_every_block_is_of_a_language_that_is_tested() -> None:
    unknown = [f'{b}: {b.language!r}' for b in BLOCKS if b.language not in LANGUAGES]
    assert BLOCKS and not unknown, '\n'.join(unknown)


def test_every_block_of_text_is_of_a_kind_that_is_tested() -> None:
    texts = [b for b in BLOCKS if b.language == 'text' and b.page != 'docs/topics.md']
    found = {
        (page, number)
        for page, blocks in groupby(texts, lambda block: block.page)
        for number, _ in enumerate(blocks)
    }
    assert found == DIAGRAMS | set(SHOWN_BY), 'a command is sh; a diagram or an output is listed'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_no_block_is_written_in_another_way(page: Path) -> None:
    text = page.read_text(encoding='utf-8')
    rest = FENCE.sub('', text)
    assert not re.search(r'^ *(```|~~~)', rest, re.MULTILINE), 'a fence that is not read'
    is_indented = re.search(r'\n\n {4}(?! *([-*]|\d+\.) )', rest) is not None
    assert is_indented == (str(page.relative_to(ROOT)) in INDENTED)


@pytest.mark.parametrize('block', [b for b in BLOCKS if b.page == 'docs/topics.md'], ids=str)
def test_a_message_is_shown_as_it_is(block: Block) -> None:
    above = (ROOT / block.page).read_text().splitlines()[: block.line - 1]
    name = next(line.removeprefix('### ') for line in reversed(above) if line)
    assert block.text == (ROOT / 'msg' / f'{name}.msg').read_text()


@of('json')
def test_json_parses(block: Block) -> None:
    for line in block.text.splitlines():
        assert set(json.loads(line)) <= {field.name for field in fields(FrameRecord)}


@of('yaml')
def test_yaml_parses(block: Block) -> None:
    assert yaml.safe_load(block.text) is not None


@of('python')
def test_python_runs(block: Block, tmp_path: Path) -> None:
    write_session(tmp_path / 'SESSION_DIR', methods=('dads',), seconds=4.0)
    subprocess.run(
        [sys.executable, '-c', block.text],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': f'{ROOT}:{os.environ.get("PYTHONPATH", "")}'},
        check=True,
        timeout=120,
    )


def test_site_builds_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    pytest.importorskip('sphinx', reason='needs sphinx (requirements/dev.txt)')
    command = [sys.executable, '-m', 'sphinx', '--quiet', '--fail-on-warning', '--keep-going']
    done = subprocess.run(
        [*command, ROOT / 'docs', tmp_path], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    for page in tmp_path.glob('*.html'):
        fetched = re.findall(
            r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)', page.read_text()
        )
        assert not fetched, f'{page.name} fetches {fetched}'
