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

"""
From a network and two profiles to the plan table: which (cut, codec) pairs may be chosen at all.

One cost graph per codec goes to the partitioner. A tensor is forbidden in a codec that does not
take it, under ``privacy`` while it still is a picture, and where calibration says that the codec
costs more accuracy than the budget allows.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
import math
import time

from dads_ros import codec
from dads_ros.errors import PlanError
from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.partition import build
from dads_ros.partition.costs import CostGraph
from dads_ros.partition.heavy import dsh
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.partition.table import Row
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.profile import Profile

# What mixes values by weights of the network, as captured graphs name it; anything else
# (upsampling, pooling, views) only moves or averages them. Convolutions mix neighbours: the number
# is that of the last dimensions in which they lie, 0 for all but two.
_CONVOLUTIONS = {'conv1d': 1, 'conv2d': 2, 'conv3d': 3, 'convolution': 0}
# These mix what lies in a row, and no row with another.
_PRODUCTS = frozenset(('linear', 'matmul', 'mm', 'bmm', 'addmm', 'baddbmm'))


def build_table(
    graph: LayerGraph,
    edge: Profile,
    cloud: Profile,
    *,
    accuracy_budget: float | None = None,
    calibration: Calibration | None = None,
    privacy: bool = False,
    temporal: bool = False,
    codecs: Sequence[str] | None = None,
) -> PlanTable:
    """
    Return every plan that can win in some situation, as (cut, codec) rows.

    :param accuracy_budget: AP at IoU 0.5 that a codec may cost, 0 to 1; pairs that calibration did
        not measure are then allowed only if they keep every bit. None allows every pair.
    :param calibration: what was measured; its rows must be of this model.
    :param privacy: never send the frame, nor a tensor that still shows it.
    :param temporal: whether tensors may be coded against earlier ones.
    :param codecs: those to choose from; all that both profiles measured when None.
    Raises ProfileError or PlanError when profiles or calibration are of another model.
    """
    graphs = cost_graphs(graph, edge, cloud, privacy=privacy, temporal=temporal, codecs=codecs)
    return Planner(graph, graphs, accuracy_budget, calibration).build_table()


@dataclass(frozen=True)
class Planner:
    """
    All that plans are made from, for a table or for one situation; it can be pickled.

    :param graphs: one cost graph per codec; what proves to be over budget is forbidden in it.
    :param accuracy_budget: AP at IoU 0.5 that a codec may cost; None allows every pair.
    """

    graph: LayerGraph
    graphs: dict[str, CostGraph]
    accuracy_budget: float | None
    calibration: Calibration | None

    def __post_init__(self) -> None:
        """Raise ProfileError when the calibration is of another model."""
        if self.calibration is not None:
            self.calibration.require(self.graph.model_hash)

    def build_table(self) -> PlanTable:
        """Return every plan that can win in some situation."""
        if self.accuracy_budget is None:
            return build.build_table(self.graphs)
        return within_budget(self.graphs, self.accuracy_budget, self._drop)

    def solve(self, situation: Situation, time_limit_s: float) -> CutPlan:
        """
        Return the heavy plan of one situation, exact but for the gap that it states.

        A pair over budget is forbidden and the rest solved again, in what is left of the time.
        """
        end_s = time.monotonic() + time_limit_s
        while True:
            plan = dsh(self.graphs, situation, end_s - time.monotonic())
            if not plan.boundary:
                return plan
            if self.is_within_budget(Row.of(self.graphs[plan.codec], plan)):
                return plan
            self.graphs[plan.codec] = _forbid(self.graphs[plan.codec], plan.boundary)

    def is_within_budget(self, row: Row) -> bool:
        """Return whether a row costs no more accuracy than the budget allows."""
        return self.accuracy_budget is None or self._drop(row) <= self.accuracy_budget

    def _drop(self, row: Row) -> float:
        return _costs(self.graph, row, self.calibration)


def within_budget(
    graphs: dict[str, CostGraph], budget: float, ap50_drop: Callable[[Row], float]
) -> PlanTable:
    """
    Return the plan table without the rows that cost more accuracy than the budget.

    A pair over budget is forbidden and the table built again, because other pairs take the place
    of those that went. Each turn forbids at least one pair more, so it ends; what is left at the
    end keeps every bit.

    :param graphs: what is over budget is forbidden in them.
    :param ap50_drop: what a row costs.
    """
    while True:
        built = build.build_table(graphs)
        over = [row for row in built.rows if ap50_drop(row) > budget]
        if not over:
            return built
        for row in over:
            graphs[row.codec] = _forbid(graphs[row.codec], row.boundary)


def keeps_every_bit(graph: LayerGraph, boundary: Sequence[str], name: str) -> bool:
    """Return whether a codec loses nothing at a cut."""
    return all(codec.lossless(name, graph[layer].dtype) for layer in boundary)


def cost_graphs(
    graph: LayerGraph,
    edge: Profile,
    cloud: Profile,
    *,
    privacy: bool = False,
    temporal: bool = False,
    codecs: Sequence[str] | None = None,
) -> dict[str, CostGraph]:
    """
    Return the partitioner's input, one graph per codec.

    Raises ProfileError when a profile is of another model, PlanError when no codec is left.
    """
    edge.require(graph.model_hash)
    cloud.require(graph.model_hash)
    for profile, other in ((edge, 'cloud'), (cloud, 'edge')):
        if profile.side == other:
            raise PlanError(
                f'the profile of {profile.machine!r} was measured for the {other}; '
                'give the edge and the cloud profile each in its place'
            )
    kept = exposed_layers(graph) if privacy else frozenset()
    kept |= _plain_cuts(edge) | _plain_cuts(cloud)
    names = codecs if codecs is not None else _measured(edge, cloud, temporal=temporal)
    graphs = {name: _cost_graph(graph, edge, cloud, name, kept) for name in names}
    if not graphs:
        raise PlanError('no codec was measured in both profiles; measure them again')
    return graphs


def exposed_layers(graph: LayerGraph) -> frozenset[str]:
    """
    Return the layers whose tensors show the frame to whoever looks at them.

    They are the input and what is made of it before the first layer that both mixes it by the
    network's weights and makes it smaller: a convolution to at most half the positions, or a
    matrix product of the whole picture as one row. A product of many rows does not count, since a
    row may be one pixel. This keeps plain pictures off the link. It is no proof that a later
    tensor cannot be inverted: with effort, and the weights, much can be.
    """
    exposed: set[str] = set()
    for layer in graph.layers:
        shows = any(name in exposed for name in layer.inputs)
        if layer.op == 'input' or (shows and not _hides(layer, [graph[i] for i in layer.inputs])):
            exposed.add(layer.id)
    return frozenset(exposed)


def _plain_cuts(profile: Profile) -> frozenset[str]:
    """Return the tensors that a compiled profile says nothing about: all but its own cut's."""
    if profile.compiled is None:
        return frozenset()
    told = {*profile.graph.inputs, *profile.compiled.boundary}
    return frozenset(layer.id for layer in profile.graph.layers if layer.id not in told)


def _forbid(graph: CostGraph, boundary: Sequence[str]) -> CostGraph:
    """Return the graph with the boundary's tensors forbidden."""
    positions = frozenset(graph.index[name] for name in boundary)
    return replace(graph, forbidden=graph.forbidden | positions)


def _hides(layer: Layer, sources: Sequence[Layer]) -> bool:
    """Return whether a layer mixes its input by weights into something smaller."""
    if len(sources) != 1:  # what it is mixed with comes from the frame too: no weights
        return False
    before, after = sources[0].shape, layer.shape
    if layer.op in _CONVOLUTIONS:
        last = _CONVOLUTIONS[layer.op] or len(after) - 2
        return 2 * math.prod(after[-last:]) <= math.prod(before[-last:])
    if layer.op in _PRODUCTS:
        rows = math.prod(before[:-1]), math.prod(after[:-1])
        return rows == (1, 1) and math.prod(after) < math.prod(before)
    return False


def _measured(edge: Profile, cloud: Profile, *, temporal: bool) -> tuple[str, ...]:
    def names(profile: Profile) -> dict[str, None]:
        return {name: None for costs in profile.codecs.values() for name in costs}

    there = names(cloud)
    return tuple(
        name
        for name in names(edge)
        if name in there and (temporal or not name.endswith(codec.REF_SUFFIX))
    )


def _cost_graph(
    graph: LayerGraph, edge: Profile, cloud: Profile, name: str, kept: frozenset[str]
) -> CostGraph:
    sent = {
        layer.id: (edge.codecs[layer.id][name], cloud.codecs[layer.id][name])
        for layer in graph.layers
        if name in edge.codecs.get(layer.id, {}) and name in cloud.codecs.get(layer.id, {})
    }
    ids = [layer.id for layer in graph.layers]

    def column(values: Mapping[str, float], scale: float) -> dict[str, int]:
        return {i: math.ceil(values.get(i, 0.0) * scale) for i in ids}

    edge_s, cloud_s = dict(edge.layer_s), dict(cloud.layer_s)
    # Where the car computes at all it loads the frame and calls a half. Where the cloud computes
    # it calls the one that ends in the outputs; without a cut the car's is that one.
    first = _first(graph)
    edge_s[first] += edge.call_s + sum(edge_s.pop(name) for name in graph.inputs if name != first)
    cloud_s[graph.outputs[-1]] += cloud.call_s
    return CostGraph.from_layers(
        graph,
        edge_ns=column(edge_s, 1e9),
        cloud_ns=column(cloud_s, 1e9),
        # Sizes are the edge's: it is the one that encodes. Both profiles may use other frames.
        output_bytes=column({i: costs[0].bytes_mean for i, costs in sent.items()}, 1),
        peak_bytes=column({i: costs[0].bytes_p95 for i, costs in sent.items()}, 1),
        encode_ns=column({i: costs[0].encode_s for i, costs in sent.items()}, 1e9),
        decode_ns=column({i: costs[1].decode_s for i, costs in sent.items()}, 1e9),
        forbidden=(i for i in ids if i not in sent or i in kept),
    )


def _first(graph: LayerGraph) -> str:
    """Return the layer that every other needs; the input where several read it."""
    (frame, *_) = graph.inputs
    readers = [layer.id for layer in graph.layers if frame in layer.inputs]
    return readers[0] if len(readers) == 1 else frame


def _costs(graph: LayerGraph, row: Row, calibration: Calibration | None) -> float:
    """Return the AP a row costs: 0 if every bit is kept, infinite if it was not measured."""
    if keeps_every_bit(graph, row.boundary, row.codec):
        return 0.0
    if calibration is None:
        return math.inf
    # No value is further off with a reference than without, though ties may fall otherwise.
    drop = calibration.drop(row.boundary, row.codec.removesuffix(codec.REF_SUFFIX))
    return math.inf if drop is None else drop
