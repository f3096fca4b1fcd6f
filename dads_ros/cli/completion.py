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

"""``dads completion``: a shell's completion script, made from the command's own parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import shtab

# What a metavar says of an argument.
FILES = {'FILE', 'FILE.mcap', 'CSV', 'PROFILE', 'COCO', 'GRAPH.json', 'SOURCE', 'WEIGHTS'}
FOLDERS = {'DIR', 'SESSION_DIR'}

EXAMPLES = """\
  dads completion bash > ~/.local/share/bash-completion/completions/dads
  dads completion zsh > ~/.zfunc/_dads
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the shell."""
    parser.add_argument('shell', choices=('bash', 'zsh', 'tcsh'))


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from dads_ros.cli.main import make_parser
    from dads_ros.cli.main import VERBS

    parser = make_parser(VERBS)
    for action in _actions(parser):
        if action.metavar in FILES or action.dest == 'drive':
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    print(shtab.complete(parser, shell=args.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield a parser's arguments and those of its verbs."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb_parser in action.choices.values():
                yield from _actions(verb_parser)
