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

"""The documentation: it builds without a warning, and every code block in it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import importlib
import json
import os
from pathlib import Path
import re
import shlex
import subprocess
import sys

from dads_ros.cli.main import main
from dads_ros.cli.main import VERBS
import pytest
from synthetic_runs import write_session
import yaml

ROOT = Path(__file__).parents[2]
# Programs that a block may call and that no test here can: they change the machine or need ROS.
OUTSIDE = {'sudo', 'pip', 'git', 'cd', 'source', 'colcon', 'ros2'}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f'{self.page.relative_to(ROOT)}:{self.line}'


def blocks() -> Iterator[Block]:
    """Return every fenced block of the documentation and the README."""
    pages = sorted((ROOT / 'docs').rglob('*.md'))
    pages += [page for page in (ROOT / 'README.md',) if page.exists()]
    for page in pages:
        text = page.read_text(encoding='utf-8')
        for match in re.finditer(r'^```(\S*)[^\n]*\n(.*?)^```$', text, re.MULTILINE | re.DOTALL):
            line = text.count('\n', 0, match.start()) + 1
            yield Block(page, line, match[1], match[2])


BLOCKS = list(blocks())


def of(*languages: str) -> pytest.MarkDecorator:
    found = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize('block', found, ids=str)


def test_every_block_is_of_a_language_that_is_tested() -> None:
    # A mermaid block is a picture, drawn by who shows the page.
    known = {'sh', 'python', 'json', 'yaml', 'text', 'mermaid', '{toctree}'}
    unknown = [f'{b}: {b.language!r}' for b in BLOCKS if b.language not in known]
    assert BLOCKS and not unknown, '\n'.join(unknown)


@of('json')
def test_json_parses(block: Block) -> None:
    for value in block.text.strip().split('\n\n'):
        json.loads(value)


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


@of('sh')
def test_shell_commands_exist(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in block.text.replace('\\\n', ' ').splitlines():
        words = shlex.split(line, comments=True)
        while words and (words[0] == 'scripts/run' or re.fullmatch(r'\w+=.*', words[0])):
            words = words[1:]
        if words[:4] == ['ros2', 'run', 'dads_ros', 'dads']:
            words = words[3:]
        if not words or words[0] in OUTSIDE:
            continue
        if words[0] == 'dads':
            accepts(words[1:], monkeypatch)
        else:
            assert os.access(ROOT / words[0], os.X_OK), f'{block}: no program {words[0]!r}'


def accepts(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the real parser read a command, without running it."""
    if set(arguments) & {'-h', '--help'}:
        return
    verb = next(a for a in arguments if not a.startswith('-'))
    assert verb in VERBS, f'dads has no verb {verb!r}'
    if verb == 'bench':
        importlib.import_module(f'dads_ros.bench.{arguments[arguments.index(verb) + 1]}.main')
    monkeypatch.setattr(importlib.import_module(f'dads_ros.cli.{verb}'), 'run', lambda _: 0)
    try:
        assert main(arguments) == 0
    except SystemExit as stop:
        pytest.fail(f'dads {" ".join(arguments)}: the parser exits {stop.code}')


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
