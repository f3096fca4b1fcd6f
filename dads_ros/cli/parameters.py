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

"""``dads parameters``: the nodes' parameters as YAML, JSON schema or a page."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dads_ros import reference
from dads_ros import topics
from dads_ros.report.atomic import write_text

EXAMPLES = """\
  dads parameters                  the reference, as Markdown
  dads parameters --write config   the parameter files and their schemas
  dads parameters --write-docs docs   docs/parameters.md and docs/topics.md of a checkout
  dads parameters --json           the schemas
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        '--write', type=Path, metavar='DIR', help='write the parameter files and their schemas'
    )
    form.add_argument(
        '--write-docs', type=Path, metavar='DOCS', help="write a checkout's pages from its code"
    )
    form.add_argument('--json', action='store_true', help='print the schemas')
    form.add_argument('--markdown', action='store_true', help='print the reference (default)')


def run(args: argparse.Namespace) -> int:
    """Print or write."""
    if args.write:
        for name, nodes in reference.PARAMETER_FILES.items():
            write_text(args.write / name, reference.yaml_text(nodes))
            schema = json.dumps(reference.schema(nodes), indent=2) + '\n'
            write_text(args.write / name.replace('.param.yaml', '.schema.json'), schema)
    elif args.write_docs:
        write_text(args.write_docs / 'parameters.md', reference.markdown())
        write_text(args.write_docs / 'topics.md', topics.markdown(args.write_docs.parent / 'msg'))
    elif args.json:
        schemas = {n: reference.schema(nodes) for n, nodes in reference.PARAMETER_FILES.items()}
        print(json.dumps(schemas, indent=2))
    else:
        print(reference.markdown(), end='')
    return 0
