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

"""
What `pip install .` leaves in a virtual environment works outside the sources, without ROS.

The build and the install are pip's own, with neither isolation nor dependencies: torch alone would
be gigabytes from the package index. The requirements come by a .pth file from the environment that
runs this, with rclpy shadowed. So it does not prove that the index has what setup.py names.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
import shutil
from site import getsitepackages
import subprocess
import sys
import venv

import pytest

SOURCES = ('LICENSE', 'MANIFEST.in', 'package.xml', 'pyproject.toml', 'requirements', 'setup.py')
GRAPH = {
    'nodes': [
        {'id': 'image', 'edge_s': 0, 'cloud_s': 0, 'output_bytes': 100_000},
        {'id': 'small', 'edge_s': 0.01, 'cloud_s': 0.001, 'output_bytes': 1000},
        {'id': 'boxes', 'edge_s': 1.0, 'cloud_s': 0.01, 'output_bytes': 100},
    ],
    'edges': [['image', 'small'], ['small', 'boxes']],
    'input': 'image',
    'outputs': ['boxes'],
}
# Runs the shipped detector, finds its calibration and the paper's tables; prints what it found.
USE = """
import json
from pathlib import Path
import sys

import dads_ros
from dads_ros.detector.api import load_detector
from dads_ros.detector.zoo_costs import zoo_costs
from dads_ros.model.capture import capture_detector
from dads_ros.profiles.calibration import Calibration

detector = load_detector('dads_ros.detector.shipped:detector')
model = capture_detector(detector)
calibration = Calibration.find(None, model.hash)
raw = detector.module(detector.example_input())
found = detector.decode(tuple(t.detach().numpy() for t in raw))
print(json.dumps({
    'home': str(Path(dads_ros.__file__).parent),
    'frames': calibration.frames,
    'boxes': list(found.boxes.shape),
    'zoo': [len(zoo_costs(n).ids) for n in ('tiny_yolov2', 'alexnet')],
    'ros': sorted(n for n in sys.modules if n.split('.')[0] == 'rclpy' or 'dads_ros.nodes' in n),
}))
"""


@pytest.fixture(scope='module')
def sources(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what pip builds from: a build in the checkout would leave files there."""
    folder = tmp_path_factory.mktemp('sources')
    for name in SOURCES:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, folder / name)
    shutil.copytree(
        root / 'dads_ros', folder / 'dads_ros', ignore=shutil.ignore_patterns('__pycache__')
    )
    return folder


@pytest.fixture(scope='module')
def environment(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a virtual environment that the package was installed into by pip."""
    if importlib.util.find_spec('pip') is None:
        pytest.skip('needs pip')
    folder = tmp_path_factory.mktemp('environment')
    venv.create(folder / 'venv', symlinks=True)
    site = next((folder / 'venv').glob('lib/python3*/site-packages'))
    (site / 'requirements.pth').write_text('\n'.join(getsitepackages()) + '\n')
    (site / 'rclpy.py').write_text("raise ImportError('no ROS in this environment')\n")
    install = [sys.executable, '-m', 'pip', '--python', folder / 'venv', 'install', '--quiet']
    install += ['--no-deps', '--no-build-isolation', '--no-index', '--no-compile', sources]
    done = subprocess.run(
        install, env=clean(), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return folder / 'venv'


def clean() -> dict[str, str]:
    """Return this process's environment without what leads to ROS or to the sources."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('PYTHON', 'ROS_', 'AMENT_', 'COLCON_', 'LD_LIBRARY'))
    }


def run(environment: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    program, *rest = arguments
    return subprocess.run(
        [environment / 'bin' / program, *rest], cwd=cwd, env=clean() | {'PATH': os.defpath},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_command_plans_a_graph(environment: Path, tmp_path: Path) -> None:
    (tmp_path / 'graph.json').write_text(json.dumps(GRAPH))
    told = run(environment, 'dads', '--help', cwd=tmp_path)
    assert told.returncode == 0 and 'usage: dads' in told.stdout, told.stderr
    planned = run(
        environment, 'dads', 'plan', 'graph.json', '--uplink-mbps', '8', '--json', cwd=tmp_path
    )
    assert planned.returncode == 0, planned.stderr
    (plan,) = json.loads(planned.stdout)
    assert plan['edge'] == ['image', 'small']
    assert plan['delay_s'] == pytest.approx(0.01 + 1000 * 8 / 8e6 + 0.01)


def test_the_command_prints_the_parameters(environment: Path, tmp_path: Path) -> None:
    done = run(environment, 'dads', 'parameters', '--json', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {'edge.param.yaml', 'cloud.param.yaml'}


def test_weights_calibration_and_tables_are_inside(environment: Path, tmp_path: Path) -> None:
    done = run(environment, 'python', '-c', USE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    used = json.loads(done.stdout)
    assert Path(used['home']).is_relative_to(environment)
    assert used['frames'] > 0 and min(used['zoo']) > 5 and used['boxes'][1:] == [4]
    assert used['ros'] == []


def test_what_needs_ros_says_so_in_one_line(environment: Path, tmp_path: Path) -> None:
    done = run(environment, 'dads', 'replay', 'scene', '--uplink-mbps', '1', cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith('error: not on PATH: recorder, cloud, edge, monitor, player;')
    assert done.stderr.count('\n') == 1 and not list(tmp_path.iterdir())


def test_a_source_distribution_can_be_built_from(sources: Path, tmp_path: Path) -> None:
    command = [sys.executable, 'setup.py', '--quiet', 'sdist', '--dist-dir', tmp_path]
    subprocess.run(command, cwd=sources, check=True, capture_output=True, env=clean())
    (archive,) = tmp_path.glob('*.tar.gz')
    shutil.unpack_archive(archive, tmp_path / 'unpacked')
    (top,) = (tmp_path / 'unpacked').iterdir()
    held = {str(path.relative_to(top)) for path in top.rglob('*') if path.is_file()}
    assert {name for name in SOURCES if (sources / name).is_file()} <= held | {'LICENSE'}
    assert 'requirements/core.txt' in held
    wanted = {
        str(path.relative_to(sources))
        for path in (sources / 'dads_ros').rglob('*')
        if path.is_file() and path.relative_to(sources).parts[1] != 'nodes'
    }
    assert wanted <= held
