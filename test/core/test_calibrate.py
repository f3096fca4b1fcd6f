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

"""Calibration judges a codec by what is still found; commands refuse what cannot be right."""

from dataclasses import replace
import math

from dads_ros import calibrate
from dads_ros.bench.runtime import halves
from dads_ros.bench.runtime import rates
from dads_ros.bench.runtime import temporal
from dads_ros.cli import main as cli
from dads_ros.detector.api import Detector
from dads_ros.detector.data import Boxes
from dads_ros.errors import ConfigError
from dads_ros.model import capture
from dads_ros.model import surgery
from dads_ros.profiles import planning
from dads_ros.profiles import profiling
import numpy as np
import pytest
from squares import cells_above
import torch
from torch import nn

SIDE = 32


class Brightest(nn.Module):
    """Finds bright squares: the mean of each 8 x 8 cell, through a tensor that can be cut."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Conv2d(3, 1, 4, stride=4, bias=False)
        nn.init.constant_(self.mean.weight, 1 / 48 / 255)
        self.pool = nn.AvgPool2d(2)

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        return self.pool(self.mean(frame.permute(0, 3, 1, 2).float()))


DETECTOR = Detector('brightest', Brightest().eval(), SIDE, SIDE, ('square',), cells_above(0.43))


@pytest.fixture(scope='module')
def frames() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = []
    for _ in range(6):
        frame = rng.integers(0, 60, (1, SIDE, SIDE, 3), np.uint8)
        for row, column in rng.integers(0, 4, (3, 2)):
            light = rng.integers(100, 125)
            frame[:, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = light
        made.append(frame)
    return made


@pytest.fixture(scope='module')
def model() -> capture.Model:
    return capture.capture_detector(DETECTOR)


def test_own_output_is_the_reference_and_lossless_codecs_keep_it(model, frames):
    judge = calibrate.Judge(DETECTOR, model, frames, None)
    assert judge.ap50 == pytest.approx(1.0)
    boundary = model.graph.layers[-1].inputs
    assert judge.accuracy(boundary, 'raw+zstd') == judge.ap50
    assert judge.accuracy(model.graph.inputs, 'raw') == judge.ap50


def test_a_class_of_one_box_weighs_no_more_than_its_box(model, frames):
    both = replace(DETECTOR, labels=('square', 'lamp'))
    whole = surgery.tail(model, model.graph.inputs)
    found = [DETECTOR.decode(whole(frame)) for frame in frames]
    truth = [Boxes(f.boxes, f.class_ids, np.zeros(len(f.boxes), bool)) for f in found]
    squares = sum(map(len, truth))
    # A lamp that is never found: a class by itself.
    first, one = truth[0], np.array([[0, 24, 8, 32]], np.float32)
    truth[0] = Boxes(
        np.concatenate((first.boxes, one)),
        np.append(first.class_ids, 1),
        np.append(first.ignore, False),
    )
    judge = calibrate.Judge(both, model, frames, truth)
    assert judge.ap50 == pytest.approx(squares / (squares + 1))
    lost = judge.ap50 - judge.accuracy(model.graph.inputs, 'jpeg1')
    alone = calibrate.Judge(DETECTOR, model, frames, None)
    assert lost > 0.9 * (alone.ap50 - alone.accuracy(model.graph.inputs, 'jpeg1')) > 0


def test_a_ruinous_codec_costs_accuracy(model, frames):
    judge = calibrate.Judge(DETECTOR, model, frames, None)
    assert judge.accuracy(model.graph.inputs, 'jpeg1') < judge.ap50


def test_calibration_covers_every_lossy_row_within_the_budget(model, frames):
    profile = profiling.measure(DETECTOR, model, frames, repeats=3)
    graphs = planning.cost_graphs(model.graph, profile, profile)
    found = calibrate.measure(DETECTOR, model, frames, graphs, budget=0.05)
    assert (found.model_hash, found.frames, found.reference) == (model.hash, 6, 'detector')
    table = planning.build_table(
        model.graph, profile, profile, accuracy_budget=0.05, calibration=found
    )
    for row in table.rows:
        if not planning.keeps_every_bit(model.graph, row.boundary, row.codec):
            assert found.drop(row.boundary, row.codec) <= 0.05
    # Finenesses that are in no table of this budget may be in one of a smaller.
    for name in ('jpeg30', 'jpeg90', 'webp30', 'webp75'):
        assert found.drop(model.graph.inputs, name) is not None


def test_frames_without_anything_to_find_are_refused(model):
    dark = [np.zeros((1, SIDE, SIDE, 3), np.uint8)]
    with pytest.raises(ConfigError, match='nothing to be found'):
        calibrate.Judge(DETECTOR, model, dark, None)


def test_benchmark_finds_no_mismatch_and_covers_every_codec_it_names(model, frames):
    boundaries = halves.random_boundaries(model.graph, 20, seed=1)
    assert len(set(boundaries)) == len(boundaries) > 3
    assert halves.split_mismatches(model, boundaries, frames[0], 'cpu') == []
    assert {'jpeg50', 'webp50'} <= set(rates.speeds(model, frames[0]))


def test_benchmark_holds_plans_against_measured_times(model, frames):
    profile = profiling.measure(DETECTOR, model, frames, repeats=3)
    table = planning.build_table(model.graph, profile, profile)
    found = halves.predictions(DETECTOR, model, table, frames, 4, 'cpu')
    assert 1 <= len(found) <= 4
    assert all(0 <= one.share < math.inf and 0 <= one.absolute < math.inf for one in found)


class Waist(nn.Module):
    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        return (frame[:, ::2, ::2] // 16).permute(0, 3, 1, 2).float() * 2


def test_benchmark_codes_a_still_picture_against_itself_for_next_to_nothing(frames):
    model = capture.capture(Waist(), torch.from_numpy(frames[0]))
    rows = {(row.what, row.lag): row for row in temporal.measure(model, [frames[0]] * 6)}
    alone = rows['waist, packed', None]
    for lag in temporal.LAGS:
        row = rows['waist, packed+ref', lag]
        assert row.bytes_mean < alone.bytes_mean == row.bytes_alone


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            ['calibrate', '--edge', 'no.json', '--frames', 'scene', '-o', 'x'],
            "'no.json' cannot be",
        ),
        (['profile', '--detector', 'nothing', '-o', 'x'], "detector 'nothing' is not of the form"),
        (
            ['profile', '--detector', 'no.such:thing', '-o', 'x'],
            "no module named 'no'; install it or correct the name",
        ),
        (
            ['profile', '--device', 'cuda', '--compile', '-o', 'x'],
            'compiled for cpu only, not cuda; leave compiling out or use cpu',
        ),
    ],
)
def test_commands_refuse_in_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def test_a_budget_is_a_share(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(['calibrate', '--edge', 'x', '--frames', 'scene', '-o', 'y', '--budget', '2'])
    assert stopped.value.code == 2
    assert "argument --budget: '2' is not from 0 to 1" in capsys.readouterr().err


@pytest.mark.parametrize('verb', ['profile', 'calibrate'])
def test_commands_refuse_an_output_that_cannot_be_written_before_any_work(verb, capsys):
    with pytest.raises(SystemExit, match='2'):
        cli.main([verb, '--edge', 'e', '--frames', 'scene', '-o', '/no/such/folder/x.json'])
    assert "folder '/no/such/folder' does not exist" in capsys.readouterr().err
