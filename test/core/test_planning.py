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

"""The plan table holds what codecs, privacy and the accuracy budget allow, and nothing else."""

from dataclasses import replace

from dads_ros.errors import PlanError
from dads_ros.errors import ProfileError
from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.partition.situation import Situation
from dads_ros.profiles import planning
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.calibration import CodecAccuracy
from dads_ros.profiles.calibration import SHIPPED
from dads_ros.profiles.profile import CodecCost
from dads_ros.profiles.profile import CompiledCut
from dads_ros.profiles.profile import Profile
import pytest

# frame 48 kB -> pixels (full size, float) -> conv (half size) -> waist (uint8, tiny) -> detections
GRAPH = LayerGraph(
    (
        Layer('frame', 'input', (), (1, 64, 64, 3), 'uint8'),
        Layer('pixels', 'permute', ('frame',), (1, 3, 64, 64), 'float32'),
        Layer('wide', 'conv2d', ('pixels',), (1, 8, 64, 64), 'float32'),
        Layer('small', 'max_pool2d', ('wide',), (1, 8, 32, 32), 'float32'),
        Layer('conv', 'conv2d', ('small',), (1, 8, 16, 16), 'float32'),
        Layer('waist', '_to_copy', ('conv',), (1, 2, 16, 16), 'uint8'),
        Layer('out', 'conv2d', ('waist',), (1, 6, 16, 16), 'float32'),
        Layer('detections', 'detections', ('out',), (), 'float32'),
    ),
    ('detections',),
    'a' * 32,
)
LOSSY = 'int8+zstd'


def profile(side: str = 'both', slowdown: float = 1.0) -> Profile:
    """Return a made-up profile: lossless at full size, int8 at a quarter, JPEG tiny."""
    codecs = {}
    for layer in GRAPH.layers[:-1]:
        size = float(layer.output_bytes)
        costs = {'raw': CodecCost(size, size, 1e-5, 1e-5)}
        costs[LOSSY] = CodecCost(size / 4, size / 3, 2e-5, 2e-5)
        if layer.op == 'input':
            costs['jpeg50'] = CodecCost(700.0, 900.0, 3e-5, 3e-5)
        codecs[layer.id] = costs
    seconds = dict(zip(GRAPH.index, (1e-5, 1e-4, 1e-3, 1e-4, 2e-3, 1e-4, 8e-3, 1e-3), strict=True))
    return Profile(
        graph=GRAPH, detector='net', side=side, machine='made up', device='cpu', threads=1,
        created='', versions={}, frames=1, fit_error=0.0, call_s=0.0,
        layer_s={name: s * slowdown for name, s in seconds.items()}, codecs=codecs,
    )  # fmt: skip


EDGE, CLOUD = profile('edge', 6.0), profile('cloud')


def pairs(table) -> set[tuple[tuple[str, ...], str]]:
    return {(row.boundary, row.codec) for row in table.rows}


def calibration(**drops: float) -> Calibration:
    """Return what was measured: AP lost at a single-tensor cut with the lossy codec."""
    rows = tuple(CodecAccuracy((name,), LOSSY, 0.9 - drop) for name, drop in drops.items())
    return Calibration(GRAPH.model_hash, 'labels', 10, 0.9, rows)


def test_table_chooses_cut_and_codec_together():
    table = planning.build_table(GRAPH, EDGE, CLOUD)
    slow, fast = (table.plan(Situation(bps, 0.01)) for bps in (1e4, 1e9))
    assert slow.boundary in ((), ('waist',))
    assert fast.boundary == ('frame',)
    middle = table.plan(Situation(4e5, 0.0))
    assert (middle.boundary, middle.codec) == (('frame',), 'jpeg50')


def test_a_half_is_called_once_on_each_machine_that_computes():
    edge, cloud = replace(EDGE, call_s=3e-4), replace(CLOUD, call_s=1e-4)
    table = planning.build_table(GRAPH, edge, cloud, codecs=('raw', LOSSY))
    situation = Situation(1e9, 0.0)

    def stages(boundary: tuple[str, ...], codec: str) -> tuple[float, float]:
        (row,) = (
            n for n, r in enumerate(table.rows) if (r.boundary, r.codec) == (boundary, codec)
        )
        plan = table.evaluate(row, situation, 'light')
        return plan.edge_s, plan.cloud_s

    (local,) = (row.codec for row in table.rows if not row.boundary)
    assert stages((), local) == pytest.approx((edge.whole_s, 0.0), abs=1e-8)
    # An upload neither loads the frame nor calls a half on the car.
    computed_s = sum(cloud.layer_s.values()) - cloud.layer_s['frame']
    assert stages(('frame',), 'raw') == pytest.approx((1e-5, 1e-5 + computed_s + 1e-4), abs=1e-8)
    head_s = sum(list(edge.layer_s.values())[:6]) + 3e-4
    tail_s = sum(list(cloud.layer_s.values())[6:]) + 1e-4
    assert stages(('waist',), 'raw') == pytest.approx((head_s + 1e-5, 1e-5 + tail_s), abs=1e-8)


def test_what_refers_is_chosen_when_allowed_and_costs_the_accuracy_of_its_codec():
    alone, referring = CodecCost(300.0, 300.0, 1e-3, 1e-3), CodecCost(200.0, 200.0, 2e-3, 2e-3)
    waist = {'packed2': alone, 'packed2+ref': referring}
    edge, cloud = (replace(p, codecs={**p.codecs, 'waist': waist}) for p in (EDGE, CLOUD))
    accuracy = CodecAccuracy(('waist',), 'packed2', 0.895)
    measured = Calibration(GRAPH.model_hash, 'labels', 10, 0.9, (accuracy,))

    def codecs(*, temporal: bool, budget: float | None = 0.01) -> set[str]:
        table = planning.build_table(
            GRAPH, edge, cloud, temporal=temporal, accuracy_budget=budget, calibration=measured
        )
        return {row.codec for row in table.rows}

    # Fewer bytes where the link is slow, less work where it is not.
    assert {'packed2', 'packed2+ref'} <= codecs(temporal=True)
    assert 'packed2+ref' not in codecs(temporal=False)
    assert not {'packed2', 'packed2+ref'} & codecs(temporal=True, budget=0.001)


def test_stage_times_are_the_profile_s_sums():
    table = planning.build_table(GRAPH, EDGE, CLOUD, codecs=['raw'])
    row = table.row_of(('waist',), 'raw')
    plan = table.evaluate(row, Situation(8e6, 0.02), 'light')
    head = ('frame', 'pixels', 'wide', 'small', 'conv', 'waist')
    assert plan.edge_s == pytest.approx(sum(EDGE.layer_s[i] for i in head) + 1e-5, abs=1e-8)
    assert plan.cloud_s == pytest.approx(
        CLOUD.layer_s['out'] + CLOUD.layer_s['detections'] + 1e-5, abs=1e-8
    )
    assert plan.transfer_s == pytest.approx(512 * 8 / 8e6)


def test_mean_sizes_serve_light_load_and_high_quantiles_heavy():
    table = planning.build_table(GRAPH, EDGE, CLOUD, codecs=['jpeg50'])
    row = table.row_of(('frame',), 'jpeg50')
    situation = Situation(8e6)
    assert table.evaluate(row, situation, 'light').transfer_s == pytest.approx(700e-6)
    assert table.evaluate(row, situation, 'heavy').transfer_s == pytest.approx(900e-6)


def test_codec_is_forbidden_where_it_was_not_measured():
    table = planning.build_table(GRAPH, EDGE, CLOUD, codecs=['jpeg50'])
    assert pairs(table) == {((), ''), (('frame',), 'jpeg50')}


def test_budget_of_nothing_leaves_only_what_keeps_every_bit():
    table = planning.build_table(GRAPH, EDGE, CLOUD, accuracy_budget=0.0)
    for boundary, codec in pairs(table):
        assert codec in ('', 'raw') or all(GRAPH[i].dtype == 'uint8' for i in boundary)
        assert codec != 'jpeg50'
    assert table.plan(Situation(1e9)).boundary  # a lossless cut is left


def test_budget_allows_what_was_measured_within_it():
    measured = calibration(conv=0.004, small=0.03, wide=0.0)
    table = planning.build_table(GRAPH, EDGE, CLOUD, accuracy_budget=0.01, calibration=measured)
    lossy = {
        boundary
        for boundary, codec in pairs(table)
        if codec == LOSSY and any(GRAPH[i].dtype == 'float32' for i in boundary)
    }
    assert lossy <= {('conv',), ('wide',)}
    assert ('conv',) in lossy
    assert (('frame',), 'jpeg50') not in pairs(table)  # was not measured


def test_what_goes_over_budget_makes_room_for_others():
    def measure(row):
        asked.append((row.boundary, row.codec))
        return 1.0 if row.codec == 'jpeg50' else 0.0

    asked: list = []
    graphs = planning.cost_graphs(GRAPH, EDGE, CLOUD)
    table = planning.within_budget(graphs, 0.5, measure)
    assert (('frame',), 'jpeg50') in asked and (('frame',), 'jpeg50') not in pairs(table)
    assert (('frame',), LOSSY) in pairs(table)


def test_exposed_layers_end_where_learned_weights_shrink_the_picture():
    assert planning.exposed_layers(GRAPH) == {'frame', 'pixels', 'wide', 'small'}


def test_compiled_profile_offers_its_own_cut_the_frame_and_nothing_else():
    compiled = replace(EDGE, compiled=CompiledCut(('waist',), 0.0, 0.0, 0, {'whole': 0.7}))
    table = planning.build_table(GRAPH, compiled, CLOUD)
    assert {row.boundary for row in table.rows} == {(), ('frame',), ('waist',)}
    alone = replace(EDGE, compiled=CompiledCut((), 0.0, 0.0, 0, {'whole': 0.7}))
    table = planning.build_table(GRAPH, alone, CLOUD)
    assert {row.boundary for row in table.rows} == {(), ('frame',)}


def test_privacy_sends_no_exposed_tensor():
    table = planning.build_table(GRAPH, EDGE, CLOUD, privacy=True)
    sent = {name for boundary, _ in pairs(table) for name in boundary}
    assert sent and sent <= {'conv', 'waist', 'out'}


def test_profiles_of_another_model_are_refused():
    other = replace(GRAPH, model_hash='b' * 32)
    with pytest.raises(ProfileError, match='is of another model'):
        planning.build_table(other, EDGE, CLOUD)


def test_calibration_of_another_model_is_refused():
    measured = replace(calibration(), model_hash='b' * 32)
    with pytest.raises(ProfileError, match='calibration is of another model'):
        planning.build_table(GRAPH, EDGE, CLOUD, accuracy_budget=0.1, calibration=measured)


def test_swapped_profiles_are_refused():
    with pytest.raises(PlanError, match='was measured for the cloud'):
        planning.build_table(GRAPH, CLOUD, EDGE)


def test_no_codec_is_refused():
    with pytest.raises(PlanError, match='no codec'):
        planning.build_table(GRAPH, EDGE, CLOUD, codecs=[])


def test_calibration_survives_its_file(tmp_path):
    measured = calibration(conv=0.5)
    measured.save(tmp_path / 'c.json')
    assert Calibration.load(tmp_path / 'c.json') == measured
    assert measured.drop(('conv',), LOSSY) == pytest.approx(0.5)
    assert measured.drop(('conv',), 'raw') is None


@pytest.mark.parametrize('text', ['', '[]', '{"format": 1}', '{"format": 1, "rows": [{}]}'])
def test_other_files_are_no_calibration(tmp_path, text):
    (tmp_path / 'c.json').write_text(text)
    with pytest.raises(ProfileError, match='calibration'):
        Calibration.load(tmp_path / 'c.json')


def test_the_shipped_calibration_is_found() -> None:
    (path,) = SHIPPED.glob('*.calibration.json')
    shipped = Calibration.load(path)
    assert Calibration.find(None, shipped.model_hash) == shipped
