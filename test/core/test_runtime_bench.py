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

"""The runtime benchmark: of what its figures are, short clips, and frames without objects."""

import json

from dads_ros.bench.runtime import main as bench
from dads_ros.bench.runtime import rates
from dads_ros.bench.runtime import report
from dads_ros.bench.runtime import temporal
from dads_ros.cli import main as cli
from dads_ros.detector.api import Detector
from dads_ros.errors import ConfigError
from dads_ros.model import capture
from dads_ros.model import timing
from dads_ros.profiles import profiling
import numpy as np
import pytest
from squares import cells_above
import torch
from torch import nn

SIDE = 32


class Smooth(nn.Module):
    """Finds bright cells; has a few levels to send, and no ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Conv2d(3, 1, 4, stride=4, bias=False)
        nn.init.constant_(self.mean.weight, 1 / 48 / 16)

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        light = nn.functional.silu(self.mean(frame.permute(0, 3, 1, 2).float()))
        levels = torch.clamp(torch.round(light), 0, 15).to(torch.uint8)
        return nn.functional.avg_pool2d(levels.float() / 15, 2)


DETECTOR = Detector('smooth', Smooth().eval(), SIDE, SIDE, ('square',), cells_above(0.5))


@pytest.fixture(scope='module')
def frames() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (1, SIDE, SIDE, 3), np.uint8) for _ in range(3)]


@pytest.fixture(scope='module')
def bright(frames) -> list[np.ndarray]:
    made = [frame // 4 for frame in frames]
    for number, frame in enumerate(made):
        frame[:, 8 * number : 8 * number + 8, 8:16] = 250
    return made


def test_figures_say_what_they_are_of_and_are_json_with_a_clip_of_one_frame(bright, monkeypatch):
    monkeypatch.setattr(timing, 'IDLE_S', 0.0)
    monkeypatch.setattr(bench, '_PLANS', 4)
    measured = bench.measure(DETECTOR, bright, (bright, None), bright[:1], 3, 6.0)
    result = {'source': 'scene:1', 'labels': '/far/away/driving/val.json', **measured}
    assert json.loads(json.dumps(result, allow_nan=False)).keys() == result.keys()
    for name in ('profile_error_', 'profile_error_absolute_'):
        assert 0 <= result[f'{name}p90'] <= result[f'{name}max']
    assert {'raw', 'float16+zstd', 'int8+zstd', 'int4+zstd'} <= set(result['codec_mb_s'])
    text = report.as_text(result)
    assert 'on 3 frames of scene:1. Change of AP50' in text
    assert 'against the labels of driving/val.json' in text
    assert 'far/away' not in text
    assert 'profile error, relative p90' in text and 'profile error, absolute p90' in text


def test_figures_of_a_gpu_are_a_page_of_their_own(bright, monkeypatch, tmp_path):
    monkeypatch.setattr(timing, 'IDLE_S', 0.0)
    monkeypatch.setattr(bench, '_PLANS', 4)
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda: 'NVIDIA Emulated')
    measured = bench.measure_on_gpu(DETECTOR, bright, (bright, None), 3, 'cpu')
    assert measured['output_difference'] == measured['ap50_change'] == 0
    result = {'source': 'scene:1', 'labels': None, **measured, 'device': 'cuda-half'}
    assert json.loads(json.dumps(result, allow_nan=False)).keys() == result.keys()
    assert 'NVIDIA Emulated (cuda-half), one thread' in report.as_text(result)
    report.write(result, tmp_path)
    (page,) = tmp_path.iterdir()
    assert page.name == 'runtime-cuda-half-figures.md'
    assert '| outputs off the CPU by ' in page.read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has a CUDA device')
def test_device_that_is_not_there_is_refused(capsys):
    assert cli.main(['bench', 'runtime', '--device', 'cuda']) == 1
    assert "device 'cuda' is not available here" in capsys.readouterr().err


def test_every_codec_for_floats_has_a_speed_in_a_network_without_relu(frames):
    model = capture.capture_detector(DETECTOR)
    assert 'relu' not in {layer.op for layer in model.graph.layers}
    assert set(rates.speeds(model, frames[0])) == set(profiling.CODECS)


@pytest.mark.parametrize('count', [1, 2, 4, 5])
def test_clip_is_coded_at_the_lags_that_it_is_long_enough_for(frames, count):
    model = capture.capture_detector(DETECTOR)
    rows = temporal.measure(model, [frames[0]] * count)
    lags = {row.lag for row in rows if '+ref' in row.what}
    assert lags == {lag for lag in temporal.LAGS if lag < count}
    assert all(np.isfinite([row.bytes_mean, row.bytes_p95, row.encode_ms]).all() for row in rows)
    assert count > 1 or not any('H.264' in row.what for row in rows)


def test_frames_without_objects_are_refused_before_anything_is_measured(monkeypatch):
    def fail(*_, **__):
        raise AssertionError('measured already')

    monkeypatch.setattr(profiling, 'measure', fail)
    monkeypatch.setattr(bench.halves, 'split_mismatches', fail)
    dark = [np.zeros((1, SIDE, SIDE, 3), np.uint8)]
    with pytest.raises(ConfigError, match='nothing to be found'):
        bench.measure(DETECTOR, dark, (dark, None), dark, 3, 6.0)


@pytest.mark.parametrize(('option', 'what'), [('--cuts', 'cuts'), ('--count', 'frames')])
def test_numbers_that_leave_nothing_to_measure_are_refused(option, what, capsys):
    assert cli.main(['bench', 'runtime', option, '0']) == 1
    assert f'the number of {what} must be at least 1, not 0' in capsys.readouterr().err
