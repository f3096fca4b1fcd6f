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

"""Compiled halves: made once, taken when they are there, never believed when others made them."""

from __future__ import annotations

from dataclasses import replace
import logging
import shutil
import time

from dads_ros.errors import ConfigError
from dads_ros.model import compiled
from dads_ros.model import surgery
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.model import load_model
from dads_ros.plan import Plan
from dads_ros.profiles import compiling
from dads_ros.profiles.profile import Profile
from dads_ros.profiles.profile import SIDES
from dads_ros.settings import DetectorSettings
import numpy as np
import pytest
import torch

CUT = ('avg_pool2d',)
LOG = logging.getLogger(__name__)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    folder = tmp_path / 'dads_ros' / 'compiled'
    folder.mkdir(mode=0o700, parents=True)
    return folder


def plan_at(model) -> Plan:
    return replace(Plan.local(model.hash), plan_id=1, boundary=CUT, codec='raw')


def profile_of(model, side: str) -> Profile:
    """Return a made-up profile in which every layer takes 2 s."""
    return Profile(
        graph=model.graph, detector='tiny', side=side, machine='made up', device='cpu', threads=1,
        created='', versions={}, frames=1, fit_error=0.0, call_s=0.0,
        layer_s={layer.id: 2.0 for layer in model.graph.layers}, codecs={},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(shutil.which('g++') is None, reason='compiling needs g++')
def test_compiled_half_takes_the_place_of_the_plain_one(
    tiny, cache, caplog, tmp_path, monkeypatch
):
    caplog.set_level('INFO')
    headers = tmp_path / 'headers'
    monkeypatch.setattr('torch._inductor.codecache._HEADER_DIR', str(headers))
    frame = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    half = surgery.head(tiny.model, CUT)
    (plain,) = half(frame)
    path = compiled.compile_half(tiny.model, half)
    assert path == compiled.package_path(tiny.model, half)
    assert [file.name for file in cache.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o077 == 0
    # What is compiled has nothing in it from a folder that others could have made.
    assert not headers.exists()
    assert compiled.upgrade(tiny.model, half)
    (fast,) = half(frame)
    np.testing.assert_allclose(fast, plain, atol=1e-6)
    head = HalfCache(tiny.model, compiled_log=LOG).prepare(plan_at(tiny.model)).head
    assert head is not None
    until = time.monotonic() + 30
    while 'the half from frame to avg_pool2d is compiled from now on' not in caplog.messages:
        assert time.monotonic() < until, caplog.text
        time.sleep(0.01)
    np.testing.assert_array_equal(head(frame)[0], fast)


@pytest.mark.usefixtures('cache')
def test_half_without_a_package_runs_plain_and_says_so_once(tiny, caplog):
    assert not compiled.upgrade(tiny.model, surgery.head(tiny.model, CUT))
    halves = HalfCache(tiny.model, compiled_log=LOG)
    for _ in range(2):
        halves.prepare(plan_at(tiny.model))
    until = time.monotonic() + 10
    while not caplog.messages and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    # Only the head: the car runs the tail after a miss alone.
    assert caplog.messages == [
        'no compiled half from frame to avg_pool2d for 1 thread(s) of this machine, so it runs '
        'plain; dads profile --compile makes those of one cut'
    ]


@pytest.mark.parametrize(('folder_mode', 'file_mode'), [(0o770, 0o600), (0o700, 0o602)])
def test_code_that_others_could_have_written_is_not_loaded(tiny, cache, folder_mode, file_mode):
    half = surgery.head(tiny.model, CUT)
    path = compiled.package_path(tiny.model, half)
    path.write_bytes(b'')
    path.chmod(file_mode)
    cache.chmod(folder_mode)
    with pytest.raises(ConfigError, match='could have been written by another user'):
        compiled.upgrade(tiny.model, half)


@pytest.mark.usefixtures('cache')
def test_link_in_the_place_of_a_package_is_not_followed(tiny, tmp_path):
    half = surgery.head(tiny.model, CUT)
    other = tmp_path / 'other.pt2'
    other.write_bytes(b'')
    compiled.package_path(tiny.model, half).symlink_to(other)
    with pytest.raises(ConfigError, match='could have been written by another user'):
        compiled.upgrade(tiny.model, half)


@pytest.mark.usefixtures('cache')
def test_cache_that_cannot_be_looked_at_is_told_and_the_half_stays_plain(
    tiny, caplog, monkeypatch
):
    def refuse(path):
        raise PermissionError(13, 'Permission denied', str(path))

    monkeypatch.setattr('dads_ros.model.compiled.Path.exists', refuse)
    half = surgery.head(tiny.model, CUT)
    with pytest.raises(ConfigError, match=r'Permission denied\); set XDG_CACHE_HOME'):
        compiled.upgrade(tiny.model, half)
    HalfCache(tiny.model, compiled_log=LOG).prepare(plan_at(tiny.model))
    until = time.monotonic() + 10
    while not any('set XDG_CACHE_HOME' in message for message in caplog.messages):
        assert time.monotonic() < until, caplog.text
        time.sleep(0.01)


@pytest.mark.usefixtures('cache')
def test_damaged_package_is_refused_and_the_half_stays_plain(tiny):
    half = surgery.head(tiny.model, CUT)
    path = compiled.package_path(tiny.model, half)
    path.write_bytes(b'PK no archive')
    path.chmod(0o600)
    with pytest.raises(ConfigError, match='cannot be loaded'):
        compiled.upgrade(tiny.model, half)
    head = HalfCache(tiny.model, compiled_log=LOG).prepare(plan_at(tiny.model)).head
    assert head is not None
    assert head(np.zeros((1, 16, 16, 3), np.uint8))[0].shape == (1, 1, 4, 4)


def test_package_is_of_one_cut_and_number_of_threads(tiny, cache):
    paths = {
        compiled.package_path(tiny.model, surgery.head(tiny.model, CUT)),
        compiled.package_path(tiny.model, surgery.tail(tiny.model, CUT)),
    }
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        paths.add(compiled.package_path(tiny.model, surgery.head(tiny.model, CUT)))
    finally:
        torch.set_num_threads(threads)
    assert len(paths) == 3
    assert {path.parent for path in paths} == {cache}


@pytest.mark.parametrize('side', SIDES)
def test_layers_are_scaled_by_the_share_of_their_half(tiny, side):
    plain = profile_of(tiny.model, side)
    # The head computes 5 of 6 layers; its own share and the tail's add up to the whole's.
    shares = {'whole': (5 * 0.5 + 0.8) / 6, 'head': 0.5, 'tail': 0.8}
    other = {'edge': 'tail', 'cloud': 'head'}.get(side)
    shares.pop(other, None)
    layer_s, error = compiling._scaled(plain, CUT, shares)
    assert error == pytest.approx(0, abs=1e-12)
    assert layer_s['frame'] == layer_s['detections'] == 2.0
    assert layer_s['conv2d'] == pytest.approx(1.0)
    assert layer_s['sigmoid'] == pytest.approx(1.6)


def test_share_that_does_not_add_up_is_told(tiny):
    plain = profile_of(tiny.model, 'both')
    _, error = compiling._scaled(plain, CUT, {'whole': 0.5, 'head': 0.6, 'tail': 0.6})
    assert error == pytest.approx(0.2)


@pytest.mark.parametrize('device', ['cuda', 'cuda-half'])
def test_compiling_for_a_gpu_is_refused_before_any_work(tiny, device):
    plain = replace(profile_of(tiny.model, 'both'), device=device)
    with pytest.raises(ConfigError, match=f'compiled for cpu only, not {device}'):
        compiling.compile_cut(tiny.detector, tiny.model, [], plain, CUT)
    with pytest.raises(ConfigError, match=f'compiled for cpu only, not {device}'):
        load_model(DetectorSettings(device=device, compiled=True), LOG)
