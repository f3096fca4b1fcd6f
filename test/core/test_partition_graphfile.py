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

"""Graph files and ``dads plan``: exact numbers in, one clear line for whatever is wrong."""

from __future__ import annotations

from fractions import Fraction
import json
from pathlib import Path
from typing import Any

from dads_ros.cli.main import main
from dads_ros.errors import GraphError
from dads_ros.partition.graphfile import parse_graph
from dads_ros.partition.graphfile import read_graph
import pytest


def chain() -> dict[str, Any]:
    return {
        'nodes': [
            {'id': 'in', 'edge_s': 0, 'cloud_s': 0, 'output_bytes': 1000000},
            {'id': 'a', 'edge_s': 0.1, 'cloud_s': 0.01, 'output_bytes': 1000},
            {'id': 'b', 'edge_s': 0.9, 'cloud_s': 0.09, 'output_bytes': 10},
        ],
        'edges': [['in', 'a'], ['a', 'b']],
        'input': 'in',
        'outputs': ['b'],
    }


def saved(tmp_path: Path, data: Any) -> str:
    path = tmp_path / 'graph.json'
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding='utf-8')
    return str(path)


def test_numbers_are_exact_decimals() -> None:
    text = json.dumps(chain()).replace('0.09', '0.0900000000000000000001')
    costs = parse_graph(text).costs
    assert costs.cloud_ns[2] == Fraction('0.0900000000000000000001') * 10**9


def test_order_of_nodes_is_free_and_ids_may_be_integers() -> None:
    data = chain()
    data['nodes'].reverse()
    text = json.dumps(data).replace('"in"', '0').replace('"a"', '1').replace('"b"', '2')
    graph = parse_graph(text)
    assert graph.ids == (0, 1, 2)
    assert graph.costs.pinned == (0,)


def test_repeated_edge_is_one_edge() -> None:
    data = chain()
    data['edges'].append(['in', 'a'])
    assert parse_graph(json.dumps(data)).costs.edges == ((0, 1), (1, 2))


def change(**changes: Any) -> str:
    return json.dumps(chain() | changes)


def change_node(**changes: Any) -> str:
    data = chain()
    data['nodes'][1].update(changes)
    return json.dumps(data)


def without(key: str) -> str:
    data = chain()
    del data['nodes'][1][key]
    return json.dumps(data)


BAD = {
    'cycle': (change(edges=[['in', 'a'], ['a', 'b'], ['b', 'a']]), "cycle that node 'a'"),
    'self loop': (change(edges=[['in', 'a'], ['a', 'a']]), 'cycle'),
    'unknown in edge': (change(edges=[['in', 'x']]), "edge 0 names 'x'"),
    'unknown input': (change(input='x'), "'input' names 'x'"),
    'no input': (json.dumps({k: v for k, v in chain().items() if k != 'input'}), 'names nothing'),
    'unknown output': (change(outputs=['x']), "'outputs' names 'x'"),
    'list as input': (change(input=['in']), "'input' names"),
    'negative': (change_node(edge_s=-0.1), "'edge_s' is negative"),
    'missing number': (without('cloud_s'), "'cloud_s' is missing"),
    'text as number': (change_node(output_bytes='9'), "'output_bytes' is missing or not a number"),
    'true as number': (change_node(output_bytes=True), 'not a number'),
    'null': (change_node(edge_s=None), "'edge_s' is missing"),
    'NaN': (change_node(edge_s=float('nan')), 'NaN is not a number'),
    'infinity': (change_node(edge_s=float('inf')), 'Infinity is not a number'),
    'huge': (change_node(edge_s='HUGE').replace('"HUGE"', '1e999999'), 'above 1e100'),
    'exponent': (change_node(edge_s='E').replace('"E"', '1e99999999999999999999'), 'out of range'),
    'long integer': (change_node(edge_s='L').replace('"L"', '1' * 5000), 'not valid JSON'),
    'decimal as id': (change(edges=[[1.5, 'a']]), 'edge 0 names 1.5,'),
    'no id': (without('id'), "'id' is missing"),
    'same id': (change_node(id='b'), "'b' appears twice"),
    'edge of three': (change(edges=[['in', 'a', 'b']]), 'edge 0 is not a pair'),
    'nodes no list': (change(nodes={}), "'nodes' is missing or not a list"),
    'no nodes': (change(nodes=[], edges=[]), "'nodes' is empty"),
    'node no object': (change(nodes=[1]), 'node 0 is not an object'),
    'array': ('[]', 'expected a JSON object'),
    'no JSON': ('{', 'not valid JSON'),
    'empty': ('', 'not valid JSON'),
    'deep': ('[' * 100000, 'nested too deeply'),
}  # fmt: skip


@pytest.mark.parametrize('case', BAD)
def test_bad_file_is_refused_in_one_line(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, expected = BAD[case]
    assert main(['plan', saved(tmp_path, text), '--uplink-mbps', '1']) == 1
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.startswith('error: graph file ')
    assert expected in captured.err
    assert captured.err.count('\n') == 1


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'latin').write_bytes(b'\xff\xfe\xff')
    for name in ('missing.json', '.', 'latin'):
        with pytest.raises(GraphError, match='graph file'):
            read_graph(tmp_path / name)


def plans(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict]:
    assert main(['plan', saved(tmp_path, chain()), *options, '--json']) == 0
    return json.loads(capsys.readouterr().out)


def test_plan_prints_one_object_per_uplink(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    none, slow, fast = plans(
        tmp_path, capsys,
        '--uplink-mbps', '0', '--uplink-mbps', '0.08', '--uplink-mbps', '800', '--mode', 'light',
    )  # fmt: skip
    assert none['edge'] == ['in', 'a', 'b']
    assert slow == {
        'uplink_mbps': 0.08, 'mode': 'light', 'boundary': ['a'], 'edge': ['in', 'a'],
        'edge_s': 0.1, 'transfer_s': 0.1, 'cloud_s': 0.09,
        'delay_s': 0.29, 'max_stage_s': 0.1, 'lower_bound_s': 0.29, 'max_rate_hz': 10.0,
    }  # fmt: skip
    assert fast['edge'] == ['in']
    assert fast['delay_s'] == pytest.approx(0.11)


def test_plan_counts_the_round_trip_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plan,) = plans(tmp_path, capsys, '--uplink-mbps', '0.08', '--rtt-ms', '50', '--mode', 'light')
    assert plan['delay_s'] == pytest.approx(0.34)
    assert plan['max_stage_s'] == 0.1
    (plan,) = plans(tmp_path, capsys, '--uplink-mbps', '0.08', '--rtt-ms', '800', '--rate', '0.5')
    assert plan['edge'] == ['in', 'a', 'b']
    assert plan['delay_s'] == 1.0


def test_plan_is_heavy_when_the_light_plan_cannot_keep_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plan,) = plans(tmp_path, capsys, '--uplink-mbps', '800', '--rate', '5')
    assert plan['mode'] == 'light'
    (plan,) = plans(tmp_path, capsys, '--uplink-mbps', '800', '--rate', '10')
    assert plan['mode'] == 'heavy'
    assert plan['lower_bound_s'] == plan['max_stage_s']


def test_plan_of_nothing_has_no_highest_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = {'id': 'in', 'edge_s': 0, 'cloud_s': 0, 'output_bytes': 0}
    path = saved(tmp_path, {'nodes': [node], 'edges': [], 'input': 'in', 'outputs': ['in']})
    assert main(['plan', path, '--uplink-mbps', '1', '--json']) == 0
    assert json.loads(capsys.readouterr().out)[0]['max_rate_hz'] is None
    assert main(['plan', path, '--uplink-mbps', '1']) == 0
    assert 'everything on the edge' in capsys.readouterr().out


@pytest.mark.parametrize('value', ['nan', '-1', 'fast', '1e-300', '1e300', 'inf', ''])
def test_wrong_uplink_is_wrong_usage(value: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(['plan', saved(tmp_path, chain()), f'--uplink-mbps={value}'])
    assert stopped.value.code == 2
