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

"""``dads bench SUBJECT``: the measurements behind the tables in docs/, one module per subject."""

from __future__ import annotations

import argparse
import importlib

# subject -> what it measures. dads_ros.bench.SUBJECT.main has the same two functions as a verb.
SUBJECTS = {
    'partition': 'the partitioner: look-up time, exactness, table building',
    'runtime': 'halves against the whole, codecs, profile error',
    'detector': "the shipped detector's accuracy, speed and rate-accuracy curve",
    'testbed': "the paper's table, traces, reaction and a mobile network on two hosts",
    'faults': 'real nodes hurt, broken bundles, an intruder, a soak: what survives',
    'fleet': 'one cloud node for many cars, against one each; batches',
    'composition': 'edge and monitor in one process, against one each',
}

EXAMPLES = """\
  dads bench partition
  dads bench SUBJECT --help
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subject; what follows it is the subject's own, which alone is imported."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(map(len, SUBJECTS))
    parser.epilog = '\n'.join(f'  {name:{width}}  {text}' for name, text in SUBJECTS.items())
    parser.add_argument(
        'subject', choices=tuple(SUBJECTS), metavar='SUBJECT', help='one of those below'
    )
    parser.add_argument(
        'arguments', nargs=argparse.REMAINDER, help='see dads bench SUBJECT --help'
    )


def run(args: argparse.Namespace) -> int:
    """Run the chosen subject."""
    module = importlib.import_module(f'dads_ros.bench.{args.subject}.main')
    parser = argparse.ArgumentParser(
        prog=f'dads bench {args.subject}', description=SUBJECTS[args.subject]
    )
    module.add_arguments(parser)
    return module.run(parser.parse_args(args.arguments))
