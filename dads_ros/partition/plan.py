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

"""A plan: one cut with one codec, and what it costs in the situation it was chosen for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from typing import TypeAlias

Load: TypeAlias = Literal['light', 'heavy']
Mode: TypeAlias = Literal['auto', 'light', 'heavy']

LOCAL_CODEC = ''
"""The codec of the plan that sends nothing."""


@dataclass(frozen=True, slots=True)
class CutPlan:
    """
    A cut and its costs in one situation.

    :param mode: the load it was chosen or evaluated for. Light plans minimise ``delay_s`` and
        count mean tensor sizes; heavy plans minimise ``max_stage_s`` and count peak sizes.
    :param boundary: ids of the tensors that cross, in topological order; empty for all-local.
    :param edge: ids of the layers on the edge, in topological order.
    :param codec: the codec of all tensors that cross; empty for all-local.
    :param edge_s: seconds of the edge stage, encoding included.
    :param transfer_s: seconds that the bytes occupy the uplink.
    :param cloud_s: seconds of the cloud stage, decoding included.
    :param delay_s: seconds from frame to result, round trip included.
    :param lower_bound_s: no cut has less delay (light) or a shorter longest stage (heavy).
    :param row: the plan's row in the table; -1 when it comes from a solver.
    """

    mode: Load
    boundary: tuple[str, ...]
    edge: tuple[str, ...]
    codec: str
    edge_s: float
    transfer_s: float
    cloud_s: float
    delay_s: float
    lower_bound_s: float
    row: int = -1

    @property
    def max_stage_s(self) -> float:
        """Return the longest stage, which bounds the frame rate once frames overlap."""
        return max(self.edge_s, self.transfer_s, self.cloud_s)

    @property
    def max_rate_hz(self) -> float:
        """Return the highest frame rate that the plan can hold."""
        return 1.0 / self.max_stage_s if self.max_stage_s > 0 else float('inf')

    @property
    def value_s(self) -> float:
        """Return what the plan was to minimise: delay (light) or longest stage (heavy)."""
        return self.delay_s if self.mode == 'light' else self.max_stage_s

    @property
    def gap(self) -> float:
        """Return by what share of its value the plan may be worse than the best; 0 is proved."""
        return 1.0 - self.lower_bound_s / self.value_s if self.value_s > 0 else 0.0
