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

"""A profile covers every layer and tensor, survives its file, and refuses what is not one."""

from dataclasses import replace
import json

from dads_ros import codec
from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.errors import ProfileError
from dads_ros.model import capture
from dads_ros.model import surgery
from dads_ros.model import timing
from dads_ros.profiles import profiling
from dads_ros.profiles.profile import CompiledCut
from dads_ros.profiles.profile import Profile
import numpy as np
import pytest
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(2, 4, 3, padding=1)

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        a, b = self.first(frame.permute(0, 3, 1, 2).float()).relu().chunk(2, dim=1)
        codes = torch.clamp(torch.round(a), 0, 15).to(torch.uint8)
        return self.second(codes.float() - b)


def no_boxes(_outputs: tuple[np.ndarray, ...]) -> Detections:
    return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


@pytest.fixture(scope='module')
def measured() -> Profile:
    detector = Detector('net', Net().eval(), 16, 16, ('thing',), no_boxes)
    model = capture.capture_detector(detector)
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (1, 16, 16, 3), np.uint8) for _ in range(3)]
    return profiling.measure(detector, model, frames, repeats=4, side='edge')


def test_every_layer_has_a_time_and_every_tensor_a_size(measured):
    ids = [layer.id for layer in measured.graph.layers]
    assert list(measured.layer_s) == ids
    assert all(seconds >= 0 for seconds in measured.layer_s.values())
    assert measured.layer_s['detections'] > 0 and measured.layer_s['frame'] > 0
    for layer in measured.graph.layers[:-1]:
        cost = measured.codecs[layer.id]['raw']
        assert cost.bytes_mean == cost.bytes_p95 == layer.output_bytes
    assert 'detections' not in measured.codecs
    assert measured.whole_s == measured.call_s + sum(measured.layer_s.values())
    assert measured.frames == 3 and measured.side == 'edge'


def test_a_codec_is_listed_only_where_it_takes_the_tensor(measured):
    codecs = {layer.id: set(measured.codecs[layer.id]) for layer in measured.graph.layers[:-1]}
    (code,) = (x.id for x in measured.graph.layers if x.dtype == 'uint8' and x.shape[1] == 2)
    assert 'jpeg75' in codecs['frame'] and 'packed' not in codecs['frame']
    assert {'packed', 'packed2'} < codecs[code] and 'jpeg75' not in codecs[code]
    costs = measured.codecs[code]
    assert costs['int8+zstd'] == costs['raw+zstd']  # the same bytes, the same cost


def test_what_refers_is_measured_against_the_frames_before_and_only_there(measured):
    (code,) = (x.id for x in measured.graph.layers if x.dtype == 'uint8' and x.shape[1] == 2)
    assert not any(codec.REF_SUFFIX in name for name in measured.codecs[code])
    detector = Detector('net', Net().eval(), 16, 16, ('thing',), no_boxes)
    model = capture.capture_detector(detector)
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (1, 16, 16, 3), np.uint8) for _ in range(3)]

    def against(before: list[np.ndarray | None]) -> Profile:
        return profiling.measure(
            detector, model, frames, before=before, repeats=1,
            codecs=('raw', 'packed', 'packed4', 'packed+ref', 'packed4+ref'),
        )  # fmt: skip

    still = against([None, *frames[1:]]).codecs
    assert still[code]['packed+ref'].bytes_mean < still[code]['packed'].bytes_mean
    assert still[code]['packed4+ref'].bytes_mean < still[code]['packed4'].bytes_mean
    assert not any(codec.REF_SUFFIX in name for name in still['frame'])
    assert 'packed+ref' not in against([None, None, None]).codecs[code]


def test_file_gives_back_the_profile(measured, tmp_path):
    path = tmp_path / 'edge.json'
    measured.save(path)
    assert Profile.load(path) == measured
    assert [p.name for p in tmp_path.iterdir()] == ['edge.json']
    shares = {'whole': 0.7, 'head': 0.66}
    compiled = replace(measured, compiled=CompiledCut(('frame',), 1e-6, 1e-5, 0, shares))
    compiled.save(path)
    assert Profile.load(path) == compiled


def test_another_model_is_refused(measured):
    measured.require(measured.model_hash)
    with pytest.raises(ProfileError, match=r"detector 'net' .* is of another model"):
        measured.require('0' * 32)


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda d: d.update(format=0), 'is not a profile of this version'),
        (lambda d: d.pop('layer_s'), 'is malformed'),
        (lambda d: d['layer_s'].update(frame=-1), 'is malformed'),
        (lambda d: d['layer_s'].update(frame='fast'), 'is malformed'),
        (lambda d: d['layer_s'].pop('frame'), 'is malformed'),
        (lambda d: d['codecs']['frame']['raw'].pop('encode_s'), 'is malformed'),
        (lambda d: d['graph']['layers'].reverse(), 'is malformed'),
        (lambda d: d.update(more=1), 'is malformed'),
        (lambda d: d.update(compiled={'boundary': ['frame']}), 'is malformed'),
    ],
)
def test_malformed_files_are_refused(measured, tmp_path, spoil, message):
    path = tmp_path / 'bad.json'
    measured.save(path)
    data = json.loads(path.read_text())
    spoil(data)
    path.write_text(json.dumps(data))
    with pytest.raises(ProfileError, match=message):
        Profile.load(path)


@pytest.mark.parametrize(('text', 'message'), [('[]', 'not a profile'), ('{', 'is not JSON')])
def test_other_files_are_refused(tmp_path, text, message):
    path = tmp_path / 'other.json'
    path.write_text(text)
    with pytest.raises(ProfileError, match=message):
        Profile.load(path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(ProfileError, match='cannot be read: No such file'):
        Profile.load(tmp_path / 'none.json')


def test_no_frames_are_refused():
    detector = Detector('net', Net().eval(), 16, 16, ('thing',), no_boxes)
    with pytest.raises(ProfileError, match='no frames to measure with'):
        profiling.measure(detector, None, [])


def test_fit_finds_the_line_through_exact_halves():
    layer_s = {f'l{i}': (i + 1) * 1e-3 for i in range(10)}
    ids = list(layer_s)
    groups = [frozenset(ids), *(frozenset(ids[:n]) for n in (2, 5, 8)), frozenset(ids[5:])]
    halves = [
        timing.HalfTime(group, (), 1.2 * sum(layer_s[i] for i in group) + 3e-4) for group in groups
    ]
    found = timing.fit(layer_s, halves)
    assert found.scale == pytest.approx(1.2) and found.call_s == pytest.approx(3e-4)
    assert found.error == pytest.approx(0, abs=1e-9)


def test_medians_are_taken_at_the_usual_pace():
    pace = np.array([1.0, 1.0, 3.0, 1.0, 2.0])
    assert timing.median([2.0, 2.0, 6.0, 2.0, 4.0], pace) == pytest.approx(2.0)


def test_fit_never_gives_a_call_a_negative_time():
    layer_s = {'a': 1e-3, 'b': 2e-3}
    halves = [
        timing.HalfTime(frozenset('a'), (), 0.8e-3),
        timing.HalfTime(frozenset('ab'), (), 3.2e-3),
    ]
    found = timing.fit(layer_s, halves)
    assert found.call_s == 0 and found.scale > 0 and found.error > 0


def test_halves_are_timed_without_their_loading(monkeypatch):
    monkeypatch.setattr(timing, 'clock', lambda _: lambda: elapsed[0])
    monkeypatch.setattr(timing, 'IDLE_S', 0.0)
    elapsed, load, run = [0.0], surgery.Half.load, surgery.Half.run

    def slow_load(half, *arrays):
        elapsed[0] += 0.5
        return load(half, *arrays)

    def slow_run(half, tensors):
        elapsed[0] += 1.0
        return run(half, tensors)

    monkeypatch.setattr(surgery.Half, 'load', slow_load)
    monkeypatch.setattr(surgery.Half, 'run', slow_run)
    model = capture.capture_detector(Detector('net', Net().eval(), 16, 16, ('thing',), no_boxes))
    timer = timing.HalfTimer(model, 'cpu', 2)
    timer.round(np.zeros((1, 16, 16, 3), np.uint8))
    assert {half.seconds for half in timer.results()} == {1.0}
    whole, *halves = timer.results()
    assert whole.outputs == model.outputs
    assert {half.outputs for half in halves[1::2]} == {model.outputs}
    assert all(half.outputs == model.graph.boundary(half.layers) for half in halves[::2])


def test_profiles_of_one_model_compare_by_value(measured):
    assert measured == replace(measured)
    assert measured != replace(measured, threads=measured.threads + 1)
