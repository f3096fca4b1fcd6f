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

"""Totals of many cuts at once, in floats: what searching and tabulating cuts is made of."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from dads_ros.partition.costs import CostGraph


class CutBatch:
    """
    Evaluates cuts given as rows of a boolean matrix [cuts, layers], True on the edge.

    Floats serve to rank cuts; whoever picks one evaluates it exactly afterwards.
    """

    def __init__(self, graph: CostGraph) -> None:
        size = len(graph)
        producers = np.array([edge[0] for edge in graph.edges], dtype=np.intp)
        consumers = np.array([edge[1] for edge in graph.edges], dtype=np.intp)
        ones = np.ones(len(graph.edges), dtype=np.float32)
        # Rows are consumers: cuts @ reads counts each tensor's consumers on the edge.
        self._reads = sparse.csr_array((ones, (consumers, producers)), shape=(size, size))
        self._readers = np.array([len(row) for row in graph.consumers], dtype=np.float32)
        self._edge = np.array([float(x) for x in graph.edge_ns])
        self._encode = np.array([float(x) for x in graph.encode_ns])
        self._cloud = np.array([float(x) for x in graph.cloud_ns])
        self._decode = np.array([float(x) for x in graph.decode_ns])
        self._mean = np.array([float(x) for x in graph.output_bytes])
        self._peak = np.array([float(x) for x in graph.peak_bytes])
        self._forbidden = np.zeros(size, dtype=bool)
        self._forbidden[list(graph.forbidden)] = True

    def totals(self, cuts: np.ndarray) -> np.ndarray:
        """
        Return [cuts, 4]: edge nanoseconds, mean bytes, peak bytes, cloud nanoseconds.

        A cut that sends a forbidden tensor has infinite bytes.
        """
        crossing = cuts & (cuts.astype(np.float32) @ self._reads < self._readers)
        out = np.empty((len(cuts), 4))
        out[:, 0] = cuts @ self._edge + crossing @ self._encode
        out[:, 1] = crossing @ self._mean
        out[:, 2] = crossing @ self._peak
        out[:, 3] = ~cuts @ self._cloud + crossing @ self._decode
        out[crossing[:, self._forbidden].any(axis=1), 1:3] = np.inf
        return out
