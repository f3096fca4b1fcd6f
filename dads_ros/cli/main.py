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

"""The ``dads`` command: one verb per module of this package, errors funnelled to one line."""

from __future__ import annotations

import argparse
from collections.abc import Container
from collections.abc import Sequence
import importlib
import os
import sys

from dads_ros.errors import DadsError

# verb -> what it does. The module dads_ros.cli.VERB has add_arguments(parser) and run(args) ->
# int. Modules are imported only when their verb is used, so that `dads --help` needs no torch.
VERBS = {
    'profile': 'measure seconds per layer and bytes per tensor on this machine',
    'calibrate': 'measure what each codec costs in accuracy, on a video or bag',
    'plan': 'print the best cut for given uplinks',
    'paper': "the DADS paper's table beside this package's",
    'train': 'train the shipped detector on annotated video, from scratch',
    'report': 'write report.html for the recorded runs of a session, and print the table',
    'replay': 'run the real nodes over a drive and compare',
    'simulate': 'forecast a replay from the profiles alone, in seconds',
    'parameters': "the nodes' parameters as YAML, JSON schema or a page",
    'doctor': 'check this machine and say what to do',
    'bench': 'regenerate a benchmark of the documentation',
    'completion': 'print what lets a shell complete this command',
}
EPILOG = """\
examples:
  dads doctor                                    is this machine ready?
  dads simulate drive.mp4 --uplink-mbps 0.5,2,8  what would it give me?
  dads replay drive.mp4 --uplink-mbps 1.5        try it: real nodes, a report, a video
  dads VERB --help                               what a verb takes, with examples

exit status: 0 done, 1 failed with one line that says why, 2 wrong usage
completion:  dads completion bash > ~/.local/share/bash-completion/completions/dads
"""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line and return its exit status: 0 done, 1 failed, 2 wrong usage.

    :param argv: the arguments after the program's name; the process's own when None.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((a for a in arguments if not a.startswith('-')), None)
    parser = make_parser((chosen,))
    args = parser.parse_args(arguments)
    try:
        return args.run(args)
    except DadsError as error:
        if args.debug:
            raise
        print(f'error: {error}', file=sys.stderr)
        return 1
    except BrokenPipeError:  # `dads ... | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a folder that is read only, a disk that is full
        if args.debug:
            raise
        where = f'{str(error.filename)!r}: ' if error.filename is not None else ''
        print(f'error: {where}{error.strerror or error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('stopped', file=sys.stderr)
        return 130


def make_parser(chosen: Container[str | None]) -> argparse.ArgumentParser:
    """
    Return the command's parser.

    :param chosen: the verbs whose arguments it knows; the others have only their names.
    """
    parser = argparse.ArgumentParser(
        prog='dads',
        description='Split a detector between a car and the cloud.',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--debug', action='store_true', help='show tracebacks')
    verbs = parser.add_subparsers(dest='verb', metavar='VERB', required=True)
    for verb, help_text in VERBS.items():
        verb_parser = verbs.add_parser(
            verb,
            help=help_text,
            description=f'{help_text[0].upper()}{help_text[1:]}.',
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if verb in chosen:
            module = importlib.import_module(f'dads_ros.cli.{verb}')
            module.add_arguments(verb_parser)
            told = f'{verb_parser.epilog}\n' if verb_parser.epilog else ''
            verb_parser.epilog = f'{told}examples:\n{module.EXAMPLES}'
            verb_parser.set_defaults(run=module.run)
    return parser


if __name__ == '__main__':
    sys.exit(main())
