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

"""The fenced blocks of the documentation, and the commands in those that a shell takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
import re
import shlex

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md')))
FENCE = re.compile(r'^```(\S*)[^\n]*\n(.*?)^```$', re.MULTILINE | re.DOTALL)

# Blocks that show what a command prints, counted in their page.
SHOWN_BY = {
    ('docs/model_card.md', 0): 'dads bench detector --data ../shared/driving',
    ('docs/model_card.md', 1): 'dads bench detector --data ../shared/driving',
}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, which is named from the root."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f'{self.page}:{self.line}'


@dataclass(frozen=True)
class Command:
    """
    A command of a block, less what only says where it runs.

    ``scripts/run``, ``ros2 run dads_ros`` before ``dads``, and variables before a program are left
    out: tests have the environment already.
    """

    block: Block
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f'{self.block} {self.text}'

    @property
    def text(self) -> str:
        return ' '.join(self.words)


def blocks_of(page: Path) -> Iterator[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding='utf-8')
    for match in FENCE.finditer(text):
        line = text.count('\n', 0, match.start()) + 1
        yield Block(str(page.relative_to(ROOT)), line, match[1], match[2])


def commands_of(block: Block) -> Iterator[Command]:
    """Return the commands of a block; a line in parentheses is one, for bash."""
    for line in block.text.replace('\\\n', ' ').splitlines():
        if line.startswith('('):
            yield Command(block, ('bash', '-c', line))
            continue
        for joins, words in groupby(shlex.split(line, comments=True), lambda word: word == '&&'):
            if not joins:
                yield Command(block, _bare(tuple(words)))


def _bare(words: tuple[str, ...]) -> tuple[str, ...]:
    while words[0] == 'scripts/run' or re.fullmatch(r'\w+=.*', words[0]):
        words = words[1:]
    return words[3:] if words[:4] == ('ros2', 'run', 'dads_ros', 'dads') else words


BLOCKS = tuple(block for page in PAGES for block in blocks_of(page))
COMMANDS = tuple(
    command for block in BLOCKS if block.language == 'sh' for command in commands_of(block)
)
