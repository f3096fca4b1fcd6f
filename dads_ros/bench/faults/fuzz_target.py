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
The cloud as far as one message is concerned, for a fuzzer to feed.

The way is the cloud's own: bytes as DDS hands them over, deserialised, checked, queued, decoded,
computed and answered. What is answered is held against the definition of a valid bundle, written
here a second time without the code under test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from dads_ros import codec
from dads_ros.bundle import Bundle
from dads_ros.bundle import EncodedTensor
from dads_ros.bundle import Result
from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.errors import BundleError
from dads_ros.graph import LayerGraph
from dads_ros.model.capture import capture_detector
from dads_ros.model.surgery import head
from dads_ros.nodes import messages
from dads_ros.nodes import wire
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.halves import HalfCache
import numpy as np
import torch

SIDE = 16
MAX_BYTES = 16_384
CODECS = (
    'raw', 'raw+zstd', 'float16+zstd', 'int8+zstd', 'int4+zstd', 'packed', 'packed4', 'jpeg75',
    'webp50',
)  # fmt: skip


class _Tiny(torch.nn.Module):
    """Two branches of few cells, so that there are cuts of one and of two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.nn.Conv2d(3, 2, 1, bias=False)
        torch.nn.init.constant_(self.mix.weight, 1 / 3)

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        pixels = frame.permute(0, 3, 1, 2).to(torch.float32) / 255
        mixed = torch.relu(self.mix(pixels))
        coarse = torch.nn.functional.avg_pool2d(mixed, 4)
        strong = torch.nn.functional.max_pool2d(mixed, 4)
        return torch.sigmoid(coarse + strong)


def _decode(outputs: tuple[np.ndarray, ...]) -> Detections:
    cells = outputs[0][0, 0]
    row, column = divmod(int(cells.argmax()), cells.shape[1])
    box = np.array([[column, row, column + 1, row + 1]], np.float32) * 4
    return Detections(box, cells.max(keepdims=True)[0], np.zeros(1, np.int64))


class Target:
    """The cloud, as far as one message is concerned."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._detector = Detector('tiny', _Tiny().eval(), SIDE, SIDE, ('thing',), _decode)
        self._model = capture_detector(self._detector)
        self._halves = HalfCache(self._model)
        self.rejected: Counter[str] = Counter()
        self.valid = tuple(self._valid_bundles())
        self._cuts = {bundle.boundary for bundle in self.valid}

    def seeds(self) -> list[bytes]:
        """Return a valid message for each cut and each codec that takes its tensors."""
        return [wire.serialize_message(messages.bundle_to_msg(bundle)) for bundle in self.valid]

    def feed(self, data: bytes) -> bool:
        """
        Take a message as the cloud does.

        :return: whether it was answered.
        Raises AssertionError when an answer was given to what is no valid bundle; anything else
        that is raised is a crash.
        """
        results: list[Result] = []
        limits = CloudLimits(max_bytes=MAX_BYTES, max_age_s=60)
        pipeline = CloudPipeline(
            self._detector, self._model, self._halves, lambda result, _: results.append(result),
            limits,
        )  # fmt: skip
        try:
            message = wire.deserialize(data, wire.KINDS['bundle'])
        except BundleError as error:
            self.rejected[str(error)] += 1
            return False
        bundle = messages.bundle_from_msg(message)
        pipeline.receive(bundle, 'here')
        while pipeline.step(0):
            pass
        self.rejected.update(pipeline.rejected)
        failed = [reason for reason in pipeline.rejected if reason.startswith('detector failed')]
        if failed:
            raise RuntimeError(failed[0])
        for result in results:
            self._check(bundle)
            wire.serialize_message(messages.result_to_msg(result))
        return bool(results)

    def _check(self, bundle: Bundle) -> None:
        """Raise AssertionError when a bundle is not valid, by the definition alone."""
        assert bundle.model_hash == self._model.hash
        assert bundle.boundary in self._cuts
        assert 0 < len(bundle.vehicle) <= 256
        assert 0 < bundle.image_width <= 16384
        assert 0 < bundle.image_height <= 16384
        assert sum(len(tensor.data) for tensor in bundle.tensors) <= MAX_BYTES
        for tensor in bundle.tensors:
            layer = self._model.graph[tensor.name]
            assert (tensor.shape, tensor.dtype) == (layer.shape, layer.dtype)
            whole = int(np.prod(layer.shape)) * np.dtype(layer.dtype).itemsize
            if tensor.codec == 'raw':
                assert len(tensor.data) == whole
            decoded = codec.decode(tensor.data, tensor.codec, tensor.shape, tensor.dtype)
            assert decoded.nbytes == whole

    def _valid_bundles(self) -> Iterator[Bundle]:
        graph = self._model.graph
        frame = np.random.default_rng(7).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
        for boundary in _cuts(graph):
            arrays = head(self._model, boundary)(frame) if boundary != graph.inputs else (frame,)
            for name in CODECS:
                if not all(codec.supported(name, a.shape, a.dtype.name) for a in arrays):
                    continue
                if name.startswith('packed'):
                    arrays = tuple(a & 15 for a in arrays)  # small whole numbers, as at a waist
                yield Bundle(
                    vehicle='car',
                    model_hash=self._model.hash,
                    sequence=1,
                    plan_id=1,
                    stamp_ns=10**18,
                    frame_id='camera',
                    image_width=640,
                    image_height=360,
                    sent_ns=1,
                    tensors=tuple(
                        EncodedTensor(layer, a.shape, a.dtype.name, name, codec.encode(a, name))
                        for layer, a in zip(boundary, arrays, strict=True)
                    ),
                )


def _cuts(graph: LayerGraph) -> list[tuple[str, ...]]:
    """Return the boundaries of all sets of layers that may run on the car, the output excepted."""
    ids = [layer.id for layer in graph.layers]
    output = ids[-1]
    sets = (
        {*graph.inputs, *chosen}
        for size in range(len(ids))
        for chosen in combinations([i for i in ids if i not in (*graph.inputs, output)], size)
    )
    return sorted({graph.boundary(edge) for edge in sets if graph.is_closed(edge)})
