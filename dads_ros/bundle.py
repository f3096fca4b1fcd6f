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
Bundles and results as they cross the network, and every check on what arrives.

Nothing in a bundle is trusted: the checks come before any work, cost microseconds, and raise
BundleError with a reason that the receiver counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
import math

from dads_ros.detections import Detections
from dads_ros.errors import BundleError
from dads_ros.errors import CodecError
from dads_ros.errors import CutError
from dads_ros.graph import LayerGraph
from dads_ros.plan import Plan
import numpy as np

MAX_IMAGE_SIDE = 16384
MAX_BOXES = 1000
MAX_NAME = 256
MAX_TIME_S = 3600.0
MAX_WINDOW = 1000


@dataclass(frozen=True, slots=True)
class EncodedTensor:
    """One boundary tensor as bytes; see msg/Tensor.msg."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    codec: str
    data: memoryview | bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that the cloud needs to finish one frame; see msg/Bundle.msg."""

    vehicle: str
    model_hash: str
    sequence: int
    plan_id: int
    stamp_ns: int
    frame_id: str
    image_width: int
    image_height: int
    sent_ns: int
    tensors: tuple[EncodedTensor, ...]

    @property
    def boundary(self) -> tuple[str, ...]:
        """Return the names of the tensors, which are the cut."""
        return tuple(tensor.name for tensor in self.tensors)

    @property
    def data_bytes(self) -> int:
        """Return the size of the encoded tensors, without names and headers."""
        return sum(len(tensor.data) for tensor in self.tensors)


@dataclass(frozen=True, slots=True)
class Result:
    """The detections of one bundle, in camera pixels; see msg/Result.msg."""

    vehicle: str
    model_hash: str
    sequence: int
    plan_id: int
    stamp_ns: int
    frame_id: str
    sent_ns: int
    detections: Detections
    queue_s: float
    decode_s: float
    compute_s: float

    @property
    def cloud_s(self) -> float:
        """Return the whole time the bundle spent at the cloud."""
        return self.queue_s + self.decode_s + self.compute_s


def check_bundle(
    bundle: Bundle,
    graph: LayerGraph,
    accepts: Callable[[str, tuple[int, ...], str], bool],
    max_bytes: int,
) -> tuple[str, ...]:
    """
    Check a bundle against the model before any work is done on it.

    :param accepts: whether a codec of this name can carry a tensor of this shape and type; may
        raise CodecError when there is no such codec.
    :param max_bytes: limit of the encoded tensors together.
    :return: the layers the cloud has to run.
    Raises BundleError naming the first violation.
    """
    if bundle.model_hash != graph.model_hash:
        raise BundleError('another model')
    if not 0 < len(bundle.vehicle) <= MAX_NAME or len(bundle.frame_id) > MAX_NAME:
        raise BundleError('name missing or too long')
    if not -(2**31) <= bundle.stamp_ns // 10**9 < 2**31:
        raise BundleError('stamp out of range')
    sides = (bundle.image_width, bundle.image_height)
    if not all(0 < side <= MAX_IMAGE_SIDE for side in sides):
        raise BundleError('image size out of range')
    if bundle.data_bytes > max_bytes:
        raise BundleError(f'over {max_bytes} bytes')
    if len(bundle.tensors) > len(graph):
        raise BundleError('more tensors than layers')
    for tensor in bundle.tensors:
        _check_tensor(tensor, graph, accepts)
    # One order only: a cut spelled in many ways would have its half built as many times.
    positions = [graph.index[name] for name in bundle.boundary]
    if any(later <= earlier for earlier, later in pairwise(positions)):
        raise BundleError('tensors repeated or out of order')
    try:
        left = graph.cloud_layers(bundle.boundary)
    except CutError as error:
        raise BundleError('not a legal cut') from error
    if not left:
        raise BundleError('nothing left to compute')
    return left


def _check_tensor(
    tensor: EncodedTensor, graph: LayerGraph, accepts: Callable[[str, tuple[int, ...], str], bool]
) -> None:
    if tensor.name not in graph.index:
        raise BundleError('unknown tensor')
    layer = graph[tensor.name]
    if tensor.shape != layer.shape or tensor.dtype != layer.dtype:
        raise BundleError('wrong shape or type')
    try:
        accepted = accepts(tensor.codec, tensor.shape, tensor.dtype)
    except CodecError as error:
        raise BundleError('unknown codec') from error
    if not accepted:
        raise BundleError('codec not accepted')


def check_plan(plan: Plan) -> None:
    """
    Check what a plan says of times before anyone waits by them; its cut is checked when built.

    Raises BundleError naming the first violation.
    """
    times_s = (plan.edge_s, plan.transfer_s, plan.cloud_s, plan.delay_s, plan.deadline_s)
    if not all(math.isfinite(t) and 0 <= t < MAX_TIME_S for t in times_s):
        raise BundleError('times out of range')
    if not plan.max_rate_hz >= 0:  # written so that NaN fails
        raise BundleError('rate out of range')
    if plan.is_local:
        return
    if not (plan.max_stage_s > 0 and plan.window(read_s=0.0) <= MAX_WINDOW):
        raise BundleError('too many frames under way')


def check_result(result: Result, model_hash: str, vehicle: str, label_count: int) -> None:
    """
    Check a result before its boxes reach anyone.

    Raises BundleError naming the first violation.
    """
    found = result.detections
    if result.vehicle != vehicle:
        raise BundleError('another vehicle')
    if result.model_hash != model_hash:
        raise BundleError('another model')
    count = len(found)
    if count > MAX_BOXES or found.boxes.shape != (count, 4):
        raise BundleError('malformed boxes')
    if found.scores.shape != (count,) or found.class_ids.shape != (count,):
        raise BundleError('malformed boxes')
    if not np.isfinite(found.boxes).all():
        raise BundleError('boxes not finite')
    # Written so that NaN fails.
    if not ((found.scores >= 0) & (found.scores <= 1)).all():
        raise BundleError('scores out of range')
    if not ((found.class_ids >= 0) & (found.class_ids < label_count)).all():
        raise BundleError('unknown class')
    times_s = (result.queue_s, result.decode_s, result.compute_s)
    if not all(math.isfinite(t) and 0 <= t < MAX_TIME_S for t in times_s):
        raise BundleError('times out of range')
