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

"""Threads: one core is left to DDS, and nodes of one process share the others."""

from __future__ import annotations

import logging

from dads_ros.codec import residuals
from dads_ros.errors import ConfigError
from dads_ros.model import threads
from dads_ros.pipeline import model
from dads_ros.settings import DetectorSettings
import pytest
import torch

LOG = logging.getLogger(__name__)


@pytest.fixture(autouse=True)
def own_threads(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(threads, 'available_cores', lambda: 8)
    yield
    threads.use_threads(before)


@pytest.mark.parametrize(
    ('count', 'sharers', 'each'), [(0, 1, 7), (0, 2, 3), (4, 2, 2), (1, 3, 1), (6, 1, 6)]
)
def test_workers_share_all_cores_but_one_or_what_is_asked_for(count, sharers, each):
    assert threads.use_threads(count, sharers) == each == torch.get_num_threads()


@pytest.mark.parametrize(('count', 'sharers'), [(-1, 1), (1, 0)])
def test_impossible_numbers_are_refused(count, sharers):
    with pytest.raises(ConfigError, match='threads must be 0 or more'):
        threads.use_threads(count, sharers)


def test_no_frame_waits_for_the_tables_of_a_loaded_models_codecs(tiny, monkeypatch):
    monkeypatch.setattr(model, 'load_detector', lambda *_: tiny.detector)
    monkeypatch.setattr(model, 'capture_detector', lambda _: tiny.model)
    # Any of the three may be there from an earlier test, and hide that the first one is not asked.
    for table in (residuals._cumulative, residuals._laws, residuals._bits):
        table.cache_clear()
    model.load_model(DetectorSettings(), LOG)
    assert residuals._cumulative.cache_info().currsize == 1


def test_nodes_of_one_process_share_its_cores_while_they_live(tiny, monkeypatch):
    monkeypatch.setattr(model, 'load_detector', lambda *_: tiny.detector)
    monkeypatch.setattr(model, 'capture_detector', lambda _: tiny.model)
    first = model.load_model(DetectorSettings(), LOG)
    assert torch.get_num_threads() == 7
    second = model.load_model(DetectorSettings(), LOG)
    assert torch.get_num_threads() == 3
    assert first.halves is not second.halves
    del second
    third = model.load_model(DetectorSettings(), LOG)
    assert torch.get_num_threads() == 3
    del first, third
    model.load_model(DetectorSettings(), LOG)
    assert torch.get_num_threads() == 7
