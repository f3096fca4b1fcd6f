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

"""Solvers on chosen graphs: what the paper prints, no link, sums that round, too many cuts."""

from __future__ import annotations

from dads_ros.partition import ideals
from dads_ros.partition import network
from dads_ros.partition.build import build_table
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.heavy import dsh
from dads_ros.partition.light import dsl
from dads_ros.partition.paper import dsh_paper
from dads_ros.partition.reference import printed_dsl
from dads_ros.partition.situation import Situation
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest


@settings(max_examples=60)
@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=9))
def test_forbidden_tensor_stays_however_floats_are_rounded(edge_ns: list[int]) -> None:
    """The cloud is free but the input must not be sent: the all-edge cut is the only one."""
    size = len(edge_ns) + 1
    graph = CostGraph(
        ids=tuple(f'n{i}' for i in range(size)), edges=tuple((0, i) for i in range(1, size)),
        pinned=(0,), outputs=(size - 1,), edge_ns=(0, *edge_ns), cloud_ns=(0,) * size,
        output_bytes=(0,) * size, forbidden=frozenset({0}),
    )  # fmt: skip
    inner, outer = np.arange(size) == 0, np.ones(size, dtype=bool)
    edge, nothing = np.array(graph.edge_ns, dtype=float), np.zeros(size)
    for weight in (1.0, 1 / 3, 1e-7):
        cut = network.FlowNetwork(graph).near_least_cut(
            weight * edge, nothing, nothing, inner, outer
        )
        assert cut.all()


def test_printed_algorithm_leaves_the_input() -> None:
    """Without a tie to the edge the printed cut moves the input to the cloud, for nothing."""
    graph = CostGraph(
        ids=('in', 'a'), edges=((0, 1),), pinned=(0,), outputs=(1,),
        edge_ns=(0, 10), cloud_ns=(0, 1), output_bytes=(10**9, 1),
    )  # fmt: skip
    situation = Situation(uplink_bps=1e6)
    assert printed_dsl(graph, situation).edge == ('in',)
    assert dsl({'raw': graph}, situation).edge == ('in', 'a')


def test_paper_grid_misses_an_unsupported_cut() -> None:
    """The middle cut is the best, yet no weighting of the stages makes it so."""
    graph = CostGraph(
        ids=('in', 'a', 'b'), edges=((0, 1), (1, 2)), pinned=(0,), outputs=(2,),
        edge_ns=(0, 6, 4), cloud_ns=(0, 4, 6), output_bytes=(0, 6, 0),
    )  # fmt: skip
    situation = Situation(uplink_bps=8e9)  # a byte takes a nanosecond
    assert dsh({'raw': graph}, situation).max_stage_s == pytest.approx(6e-9)
    assert dsh_paper(graph, situation).max_stage_s == pytest.approx(10e-9)


def test_without_link_everything_is_local() -> None:
    graph = CostGraph(('in', 'a'), ((0, 1),), (0,), (1,), (0, 10), (0, 1), (0, 0))
    for plan in (
        dsl({'raw': graph}, Situation(0)),
        dsh({'raw': graph}, Situation(0)),
        build_table({'raw': graph}).plan(Situation(0)),
    ):
        assert plan.boundary == ()
        assert plan.edge == ('in', 'a')
        assert plan.codec == ''


def test_many_cuts_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ideals, '_MAX_CELLS', 30)
    wide = CostGraph(
        tuple('ABCDEF'),
        tuple((0, i) for i in range(1, 6)),
        (0,),
        (5,),
        (1,) * 6,
        (1,) * 6,
        (1,) * 6,
    )
    assert ideals.closed_sets(wide) is None
