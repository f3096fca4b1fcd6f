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

"""``dads report``: what the recorded runs of a session say, as a page and a table."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys

from dads_ros.report.write import report_document
from dads_ros.report.write import report_text
from dads_ros.report.write import write_report

EXAMPLES = """\
  dads report report/
  dads report report/ --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        'session', type=Path, metavar='SESSION_DIR', help='folder with runs/METHOD/ of a replay'
    )
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')


def run(args: argparse.Namespace) -> int:
    """Write report.html into the session's folder and print its table."""
    report = write_report(args.session)
    if args.json:
        print(json.dumps(report_document(report), indent=1, allow_nan=False))
    else:
        print(report_text(report))
    print(f'wrote {report.page}', file=sys.stderr)
    return 0
