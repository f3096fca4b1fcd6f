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
import math

import numpy as np

from dads_ros.detections import Detections
from dads_ros.errors import BundleError
from dads_ros.errors import CutError
from dads_ros.graph import LayerGraph

MAX_IMAGE_SIDE = 16384
MAX_BOXES = 1000


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

    :param accepts: whether a codec of this name can carry a tensor of this shape and type.
    :param max_bytes: limit of the encoded tensors together.
    :return: the layers the cloud has to run.
    Raises BundleError naming the first violation.
    """
    if bundle.model_hash != graph.model_hash:
        raise BundleError('another model')
    if not 0 < bundle.image_width <= MAX_IMAGE_SIDE or not (
        0 < bundle.image_height <= MAX_IMAGE_SIDE
    ):
        raise BundleError('image size out of range')
    if bundle.data_bytes > max_bytes:
        raise BundleError(f'over {max_bytes} bytes')
    if len(bundle.tensors) > len(graph):
        raise BundleError('more tensors than layers')
    for tensor in bundle.tensors:
        if tensor.name not in graph.index:
            raise BundleError('unknown tensor')
        layer = graph[tensor.name]
        if tensor.shape != layer.shape or tensor.dtype != layer.dtype:
            raise BundleError('wrong shape or type')
        if not accepts(tensor.codec, tensor.shape, tensor.dtype):
            raise BundleError('codec not accepted')
    try:
        return graph.cloud_layers(bundle.boundary)
    except CutError as error:
        raise BundleError('not a legal cut') from error


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
    if len(found) > MAX_BOXES or found.boxes.shape != (len(found), 4):
        raise BundleError('malformed boxes')
    if len(found.class_ids) != len(found):
        raise BundleError('malformed boxes')
    if not (np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()):
        raise BundleError('boxes not finite')
    if len(found) and int(found.class_ids.max()) >= label_count:
        raise BundleError('unknown class')
    times_s = (result.queue_s, result.decode_s, result.compute_s)
    if not all(math.isfinite(t) and 0 <= t < 3600 for t in times_s):
        raise BundleError('times out of range')
