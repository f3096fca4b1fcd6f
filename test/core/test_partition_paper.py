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

"""The paper's networks and ``dads paper``."""

from __future__ import annotations

import json
import math

from dads_ros.cli.main import main
from dads_ros.detector.zoo import ZOO
from dads_ros.detector.zoo_costs import zoo_costs
from dads_ros.partition.baselines import cloud_only_raw
from dads_ros.partition.baselines import edge_only
from dads_ros.partition.paper import published_speedups
from dads_ros.partition.situation import Situation
import pytest
import torch

# Parameters as the literature has them; tiny YOLOv2 for 20 classes.
PARAMETERS_M = {
    'nin': 7.6, 'tiny_yolov2': 15.9, 'vgg16': 138.4, 'alexnet': 61.1, 'resnet18': 11.7,
}  # fmt: skip


@pytest.mark.parametrize('name', ZOO)
def test_network_has_its_published_size(name: str) -> None:
    with torch.device('meta'):
        module = ZOO[name].make().eval()
    millions = sum(math.prod(p.shape) for p in module.parameters()) / 1e6
    assert millions == pytest.approx(PARAMETERS_M[name], abs=0.06)
    output = module(ZOO[name].example_input('meta'))
    assert tuple(output.shape) == ((1, 125, 9, 9) if name == 'tiny_yolov2' else (1, 1000))


def test_tiny_yolov2_has_the_papers_tensors() -> None:
    from dads_ros.detector.zoo_costs import _layers

    published = zoo_costs('tiny_yolov2')
    layers = _layers('tiny_yolov2')
    assert [layer.name for layer in layers] == list(published.ids)
    for layer, size in zip(layers, published.output_bytes, strict=True):
        assert layer.output_bytes == pytest.approx(size, abs=0.0006 * 2**20)


@pytest.mark.parametrize('name', [name for name in ZOO if name != 'tiny_yolov2'])
def test_scaled_profile_meets_the_published_cloud_only_gain(name: str) -> None:
    graphs = {'raw': zoo_costs(name)}
    situation = Situation(1.1e6)
    gain = (
        edge_only(graphs, situation, 'light').delay_s
        / cloud_only_raw(graphs, situation, 'light').delay_s
    )
    published = published_speedups()['light', 'latency_speedup', 'cloud_only'][name]
    assert gain == pytest.approx(published, rel=1e-6)


def test_resnet18_keeps_its_shortcuts() -> None:
    costs = zoo_costs('resnet18')
    adds = [i for i, name in enumerate(costs.ids) if name.startswith('add')]
    assert len(adds) == 8
    assert all(len(costs.producers[i]) == 2 for i in adds)


def test_paper_prints_every_cell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['paper', '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    rows = report['rows']
    assert len(rows) == 5 * 4 * 2
    assert set(report['differences']) == set(ZOO)
    for row in rows:
        ours, printed = row['ours'], row['printed']
        best = 'latency_speedup' if row['load'] == 'light' else 'throughput_gain'
        assert ours[best] >= max(1.0, printed[best]) * (1 - 1e-9)
    cell = next(
        r for r in rows
        if (r['network'], r['uplink'], r['load']) == ('tiny_yolov2', '3G', 'light')
    )  # fmt: skip
    assert cell['paper'] == {'latency_speedup': 1.94, 'throughput_gain': 3.45}
    assert cell['cut'] == ['max5']


def test_paper_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['paper']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith('| ') for line in lines) == 41
