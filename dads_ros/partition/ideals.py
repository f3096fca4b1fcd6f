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

"""All cuts of a graph that has few: chains, and networks with few branches."""

from __future__ import annotations

from dads_ros.partition.costs import CostGraph
import numpy as np

_MAX_CELLS = 2_000_000


def closed_sets(graph: CostGraph) -> np.ndarray | None:
    """
    Return every closed edge set that holds the inputs as rows of a boolean matrix [cuts, layers].

    :return: None when the matrix would have over two million cells.
    """
    limit = max(2, _MAX_CELLS // max(1, len(graph)))
    needed = [0] * len(graph)
    for producer, consumer in graph.edges:
        needed[consumer] |= 1 << producer
    pinned = set(graph.pinned)
    masks = [0]
    for layer, reads in enumerate(needed):
        bit = 1 << layer
        grown = [mask | bit for mask in masks if mask & reads == reads]
        masks = grown if layer in pinned else masks + grown
        if len(masks) > limit:
            return None
    width = (len(graph) + 7) // 8
    packed = np.frombuffer(b''.join(mask.to_bytes(width, 'little') for mask in masks), np.uint8)
    bits = np.unpackbits(packed.reshape(len(masks), width), axis=1, bitorder='little')
    return bits[:, : len(graph)].astype(bool)
