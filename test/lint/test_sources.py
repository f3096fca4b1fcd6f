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


"""Every source file: licence header, length, plain __init__, and no trace of one machine."""

from __future__ import annotations

import ast
from pathlib import Path
import subprocess
import sys

import pytest

FOLDERS = ('cmake', 'config', 'dads_ros', 'docs', 'examples', 'interfaces', 'launch', 'msg')
FOLDERS += ('requirements', 'scripts', 'test')
MAX_LINES = 300


def sources(root: Path, suffix: str = '') -> list[Path]:
    """Return the project's own files, the top folder's among them."""
    found = [path for path in root.iterdir() if path.is_file()]
    for folder in FOLDERS:
        found += (path for path in (root / folder).rglob('*') if path.is_file())
    return sorted(p for p in found if p.name.endswith(suffix) and '__pycache__' not in p.parts)


def python_files(root: Path) -> list[Path]:
    return [path for path in sources(root, '.py') if path.name != '__init__.py']


def test_licence_header(root: Path) -> None:
    header = (root / 'dads_ros/graph.py').read_text().split('\n\n', 1)[0] + '\n'
    assert header.startswith('# Copyright') and 'apache.org/licenses/LICENSE-2.0' in header
    wrong = [str(p) for p in python_files(root) if not p.read_text().startswith(header)]
    assert not wrong, 'these do not start with the header of dads_ros/graph.py: ' + ', '.join(
        wrong
    )


def test_no_long_file(root: Path) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in python_files(root)}
    wrong = {str(path): n for path, n in lengths.items() if n > MAX_LINES}
    assert not wrong, f'over {MAX_LINES} lines; one subject per module: {wrong}'


def test_the_top_init_is_empty(root: Path) -> None:
    # The generated message package has this name and its own __init__.py; ours is not installed.
    assert (root / 'dads_ros/__init__.py').read_text() == ''


def test_init_files_only_hand_on_names_of_their_own_package(root: Path) -> None:
    wrong = []
    for path in sorted((root / 'dads_ros').rglob('__init__.py')):
        package = '.'.join(path.relative_to(root).parent.parts)
        for node in ast.parse(path.read_text()).body:
            own = isinstance(node, ast.ImportFrom) and f'{node.module}.'.startswith(f'{package}.')
            if not own and ast.unparse(node).split(' = ')[0] != '__all__' and not docstring(node):
                wrong.append(f'{path.relative_to(root)}:{node.lineno}')
    assert not wrong, f'neither a docstring, nor __all__, nor an import from below: {wrong}'


def docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_no_path_of_this_machine(root: Path) -> None:
    places = {str(root), str(Path.home()), sys.prefix}
    if len(root.parts) > 2:
        places.add(str(root.parent))
    wrong = [
        f'{path}: {place}'
        for path in sources(root)
        for place in sorted(places)
        if f'{place}/'.encode() in path.read_bytes()
    ]
    assert not wrong, '\n'.join(wrong)


def test_nothing_made_is_tracked(root: Path) -> None:
    listing = subprocess.run(
        ['git', '-C', root, 'ls-files', '-ci', '--exclude-standard'],
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip('not a git checkout')
    assert listing.stdout == ''
