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

"""A user's mistake gives one clear line and a failing status, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import subprocess

from dads_ros.graph import LayerGraph
from dads_ros.model.capture import capture
from dads_ros.profiles.profile import Profile
import pytest

pytestmark = pytest.mark.ros


def fail(*command: object, cwd: Path) -> str:
    """Return the last words of a command that has to fail without a traceback."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    words = done.stderr + done.stdout
    assert done.returncode in (1, 2), words
    assert 'Traceback' not in words
    return words.strip().splitlines()[-1]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / 'bad.csv'
    path.write_text('time_s,uplink_mbps\n0,1\n0,2\n', encoding='utf-8')
    return path


def test_missing_video(tmp_path: Path) -> None:
    line = fail('dads', 'replay', 'drive.mp4', '-o', 'out', cwd=tmp_path)
    assert "'drive.mp4' does not exist" in line
    assert not (tmp_path / 'out').exists()


def test_unreadable_video(tmp_path: Path) -> None:
    (tmp_path / 'drive.mp4').write_bytes(b'this is no video')
    line = fail('dads', 'replay', 'drive.mp4', '-o', 'out', cwd=tmp_path)
    assert "'drive.mp4'" in line
    assert not (tmp_path / 'out').exists()


def test_malformed_trace(tmp_path: Path, trace: Path) -> None:
    line = fail('dads', 'replay', '--trace', trace, '-o', 'out', cwd=tmp_path)
    assert 'bad.csv' in line
    assert 'line 3' in line
    assert not (tmp_path / 'out').exists()


def test_unknown_detector(tmp_path: Path) -> None:
    line = fail('dads', 'replay', '--detector', 'no.such:thing', '-o', 'out', cwd=tmp_path)
    assert "'no.such:thing'" in line
    assert not (tmp_path / 'out').exists()


def test_unknown_method(tmp_path: Path) -> None:
    line = fail('dads', 'replay', '--against', 'magic', '-o', 'out', cwd=tmp_path)
    assert "'magic'" in line
    assert 'edge-only' in line


def test_output_folder_with_other_files_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'thesis.tex').write_text('years of work', encoding='utf-8')
    line = fail('dads', 'replay', '-o', 'out', cwd=tmp_path)
    assert "'out'" in line
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['thesis.tex']


def test_monitor_without_profiles(tmp_path: Path) -> None:
    assert 'dads profile' in fail('monitor', cwd=tmp_path)


def test_monitor_with_profiles_of_different_models(tmp_path: Path) -> None:
    for name, model_hash in (('edge', 'a' * 64), ('cloud', 'b' * 64)):
        profile(model_hash).save(tmp_path / f'{name}.json')
    line = fail(
        'monitor', '--ros-args',
        '-p', 'edge_profile:=edge.json', '-p', 'cloud_profile:=cloud.json',
        cwd=tmp_path,
    )  # fmt: skip
    assert 'another model' in line


def test_parameter_out_of_range(tmp_path: Path) -> None:
    line = fail('edge', '--ros-args', '-p', 'miss_limit:=0', cwd=tmp_path)
    assert 'miss_limit' in line


def test_parameter_of_another_type(tmp_path: Path) -> None:
    line = fail('edge', '--ros-args', '-p', 'watchdog_s:=3', cwd=tmp_path)
    assert 'watchdog_s' in line


def test_unknown_verb_is_wrong_usage(tmp_path: Path) -> None:
    assert 'nonsense' in fail('dads', 'nonsense', cwd=tmp_path)


def profile(model_hash: str) -> Profile:
    """Return a profile of a tiny network that calls itself by this hash."""
    import torch

    class Tiny(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x.float())

    graph: LayerGraph = replace(
        capture(Tiny(), torch.zeros(1, 4, 4, 3, dtype=torch.uint8)).graph, model_hash=model_hash
    )
    return Profile(
        graph=graph,
        detector='tiny',
        side='both',
        machine='test',
        device='cpu',
        threads=1,
        created='2026-01-01T00:00:00+00:00',
        versions={},
        frames=1,
        fit_error=0.0,
        call_s=0.0,
        layer_s={layer.id: 0.001 for layer in graph.layers},
        codecs={layer.id: {} for layer in graph.layers},
    )
