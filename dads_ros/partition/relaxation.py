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

"""The heavy problem as a mixed-integer program for HiGHS: the prover for what CP-SAT leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import ctypes
from fractions import Fraction
import os
import sys

from dads_ros.partition.costs import CostGraph
from dads_ros.partition.costs import Exact
from dads_ros.partition.proof import Proof
from dads_ros.partition.situation import Situation
import numpy as np
from scipy import optimize
from scipy import sparse

_RELATIVE_GAP = 1e-9
# HiGHS proves in floats, with tolerances of 1e-7; its bound is taken lower by as much.
_MARGIN = 1e-7
_INFEASIBLE = 2  # SciPy's status


def prove(
    graph: CostGraph,
    situation: Situation,
    start: frozenset[int],
    longest: Fraction,
    time_limit_s: float,
) -> Proof:
    """
    Return the cut with the shortest longest stage, with peak bytes, and the bound that proves it.

    Layers are whole (on the edge or not), tensors' flags follow from them.

    :param start: a good cut; better ones only are looked for.
    :param longest: its longest stage in ns, which all costs are divided by; must be positive.
    :param time_limit_s: when it strikes, the best cut found and the bound reached are returned.
    """
    size = len(graph)
    sent = [tensor for tensor, row in enumerate(graph.consumers) if row]
    value = size + len(sent)  # the last column, after layers and tensors
    least, most = np.zeros(value + 1), np.ones(value + 1)
    least[list(graph.pinned)] = 1.0
    most[[size + i for i, tensor in enumerate(sent) if tensor in graph.forbidden]] = 0.0
    most[value] = 1.0 + _RELATIVE_GAP
    unit = np.zeros(value + 1)
    unit[value] = 1.0
    with _quiet():
        solved = optimize.milp(
            unit,
            integrality=np.arange(value + 1) < size,
            bounds=optimize.Bounds(least, most),
            constraints=[_closed(graph, sent), _stages(graph, situation, sent, longest)],
            options={'time_limit': time_limit_s, 'mip_rel_gap': _RELATIVE_GAP},
        )
    if solved.status == _INFEASIBLE:
        return Proof(start, longest * Fraction(1 - _MARGIN))
    share = max(0.0, min(1.0, solved.mip_dual_bound or 0.0)) * (1 - _MARGIN)
    edge = start
    if solved.x is not None:
        found = frozenset(np.flatnonzero(solved.x[:size] > 0.5).tolist())
        if graph.is_closed(found):
            edge = found
    return Proof(edge, longest * Fraction(share))


def _closed(graph: CostGraph, sent: list[int]) -> optimize.LinearConstraint:
    """Return the rows by which the edge's set is closed and a tensor read across is sent."""
    edges = np.array(graph.edges, dtype=np.intp).reshape(-1, 2)
    producers, consumers = edges[:, 0], edges[:, 1]
    flags = np.full(len(graph), -1, dtype=np.intp)
    flags[sent] = len(graph) + np.arange(len(sent))
    rows, ones = np.arange(len(edges)), np.ones(len(edges))
    shape = (len(edges), len(graph) + len(sent) + 1)
    order = sparse.csr_array((ones, (rows, producers)), shape) - sparse.csr_array(
        (ones, (rows, consumers)), shape
    )
    crossing = sparse.csr_array((ones, (rows, flags[producers])), shape) - order
    return optimize.LinearConstraint(sparse.vstack([order, crossing]), lb=0)


def _stages(
    graph: CostGraph, situation: Situation, sent: list[int], longest: Fraction
) -> optimize.LinearConstraint:
    """Return the rows by which the value is at least each stage, in units of ``longest``."""
    edge_factor, cloud_factor = Fraction(situation.edge_factor), Fraction(situation.cloud_factor)

    def column(costs: tuple[Exact, ...], factor: Fraction) -> np.ndarray:
        # A cost above 2 bars its layer or tensor as any larger one would, and keeps rows tame.
        return np.array([float(min(cost * factor / longest, Fraction(2))) for cost in costs])

    edge = column(graph.edge_ns, edge_factor)
    cloud = column(graph.cloud_ns, cloud_factor)
    encode = column(graph.encode_ns, edge_factor)[sent]
    decode = column(graph.decode_ns, cloud_factor)[sent]
    send = column(graph.peak_bytes, situation.ns_per_byte)[sent]
    rows = np.array(
        [
            [*-edge, *-encode, 1.0],
            [*np.zeros(len(edge)), *-send, 1.0],
            [*cloud, *-decode, 1.0],
        ]
    )
    return optimize.LinearConstraint(rows, lb=[0.0, 0.0, float(cloud.sum())])


@contextmanager
def _quiet() -> Iterator[None]:
    """Send to stderr what HiGHS prints to stdout now and then, past Python and its own options."""
    flush = ctypes.CDLL(None).fflush
    sys.stdout.flush()
    flush(None)
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        flush(None)
        os.dup2(kept, 1)
        os.close(kept)
