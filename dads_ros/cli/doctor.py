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

"""``dads doctor``: check the environment and say what to do."""

from __future__ import annotations

import argparse
import json

from dads_ros.doctor import examine
from dads_ros.doctor import Health

EXAMPLES = """\
  dads doctor
  dads doctor --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('--json', action='store_true', help='print the findings as JSON')


def run(args: argparse.Namespace) -> int:
    """Print the findings as they come; fail when one keeps something from working."""
    findings = []
    for finding in examine():
        findings.append(finding)
        if not args.json:
            print(f'{finding.health.value:4}  {finding.subject:15} {finding.found}', flush=True)
            if finding.remedy:
                print(f'{"":22}{finding.remedy}', flush=True)
    if args.json:
        rows = [
            {
                'subject': f.subject,
                'health': f.health.value,
                'found': f.found,
                'remedy': f.remedy,
            }
            for f in findings
        ]
        print(json.dumps(rows, indent=1))
    return int(any(f.health is Health.BAD for f in findings))
