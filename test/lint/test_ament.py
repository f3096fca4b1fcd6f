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

"""The linters that ROS packages are checked with, where they are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
import re
import shutil
import subprocess
import sys

import pytest

PYTHON = ('dads_ros', 'launch', 'test', 'setup.py')
# Of ament_flake8's rules, those that we do not follow, and why (QUALITY_DECLARATION.md).
NOT_FOLLOWED = ('A001', 'A003', 'A005', 'CNL100', 'E203', 'E402', 'E501', 'I100', 'Q003')


def run(module: str, *arguments: str | Path, root: Path) -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f'needs {module}, which comes with ROS 2')
    command = [
        sys.executable,
        '-c',
        f'import sys; from {module}.main import main; sys.exit(main())',
    ]
    return subprocess.run(
        [*command, *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=200
    )


def test_flake8(root: Path) -> None:
    if importlib.util.find_spec('flake8_import_order') is None:
        pytest.skip('needs the plugins of flake8 that ament_flake8 depends on')
    done = run('ament_flake8', *PYTHON, root=root)
    codes = set(re.findall(r'^\d+ +([A-Z]+\d+) ', done.stdout, re.MULTILINE))  # its summary
    assert 'files checked' in done.stdout or done.returncode in (0, 1), done.stderr
    assert codes <= set(NOT_FOLLOWED), done.stdout[-4000:]


def test_pep257(root: Path) -> None:
    done = run('ament_pep257', *PYTHON, root=root)
    assert done.returncode == 0, done.stdout[-4000:]


def test_copyright(root: Path) -> None:
    done = run('ament_copyright', *PYTHON, 'CONTRIBUTING.md', 'LICENSE', root=root)
    assert done.returncode == 0, done.stdout[-4000:]


def test_lint_cmake(root: Path) -> None:
    done = run('ament_lint_cmake', 'CMakeLists.txt', 'interfaces', root=root)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def test_xmllint(root: Path) -> None:
    if shutil.which('xmllint') is None:
        pytest.skip('needs xmllint')
    done = run('ament_xmllint', 'package.xml', root=root)
    assert done.returncode == 0, done.stdout + done.stderr
