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

# subject -> what it measures. dads_ros.bench.SUBJECT has the same two functions as a verb.
SUBJECTS = {
    'partition': 'the partitioner: look-up time, exactness, table building',
    'runtime': 'halves against the whole, codecs, profile error',
    'detector': "the shipped detector's accuracy, speed and rate-accuracy curve",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per subject."""
    subjects = parser.add_subparsers(dest='subject', metavar='SUBJECT', required=True)
    for subject, help_text in SUBJECTS.items():
        subject_parser = subjects.add_parser(subject, help=help_text, description=help_text)
        module = importlib.import_module(f'dads_ros.bench.{subject}')
        module.add_arguments(subject_parser)
        subject_parser.set_defaults(run_subject=module.run)


def run(args: argparse.Namespace) -> int:
    """Run the chosen subject."""
    return args.run_subject(args)
