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


"""Messages to people: no two words glued where adjacent string literals meet."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
import re
import tokenize

import pytest

SKIPPED = (tokenize.NL, tokenize.COMMENT)


def literals(text: str) -> Iterator[tuple[int, str] | None]:
    """Return (line, inner source) of each string literal, and None where a row of them ends."""
    lines = text.splitlines(keepends=True)
    f_start: list[tuple[int, int]] = []
    for token in tokenize.generate_tokens(StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == 'FSTRING_START':  # from Python 3.12 on an f-string is several tokens
            f_start.append(token.start)
        elif kind == 'FSTRING_END' and len(f_start) > 1:
            f_start.pop()
        elif kind == 'FSTRING_END':
            begin = f_start.pop()
            yield begin[0], inner(between(lines, begin, token.end))
        elif f_start or token.type in SKIPPED:
            continue
        elif token.type == tokenize.STRING:
            yield token.start[0], inner(token.string)
        else:
            yield None


def between(lines: list[str], begin: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the source from one (line, column) to another."""
    if begin[0] == end[0]:
        return lines[begin[0] - 1][begin[1] : end[1]]
    middle = lines[begin[0] : end[0] - 1]
    return ''.join([lines[begin[0] - 1][begin[1] :], *middle, lines[end[0] - 1][: end[1]]])


def inner(source: str) -> str:
    """Return what stands between the quotes, escapes as written."""
    match = re.fullmatch(r"""[a-zA-Z]*('{3}|"{3}|'|")(.*)\1""", source, re.DOTALL)
    assert match, source
    return match[2]


def glued(text: str) -> list[int]:
    """Return the lines whose string literal runs into the one before it."""
    found = []
    before = None
    for piece in literals(text):
        if before and piece:
            joint = re.search(r'(?<!\\)[\w.,;:)}]$', before[1]) and re.match(r'[\w({]', piece[1])
            if joint and ' ' in before[1] + piece[1]:
                found.append(piece[0])
        before = piece
    return found


def test_no_glued_words(root: Path) -> None:
    wrong = [
        f'{path.relative_to(root)}:{line}'
        for folder in ('dads_ros', 'launch', 'test')
        for path in sorted((root / folder).rglob('*.py'))
        for line in glued(path.read_text(encoding='utf-8'))
    ]
    assert not wrong, 'no space where these literals meet the one before: ' + ', '.join(wrong)


@pytest.mark.parametrize(
    ('source', 'lines'),
    [
        ("x = ('needs to be'\n     'in the list')", [2]),
        ("x = ('a value {y}.'\n     f'{z} is wrong')", [2]),
        ("x = (f'not {y}'\n     f'{z}')", [2]),
        ("x = ('needs to be '\n     'in the list')", []),
        ("x = ('one line\\n'\n     'and another')", []),
        ("x = ['a b', 'c']", []),
        ("x = f'{a}' 'b'", []),
        ("x = 'a b'\n'c'", []),
    ],
)
def test_the_scan_sees_glued_words(source: str, lines: list[int]) -> None:
    ast.parse(source)
    assert glued(source) == lines
