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
Broken and hostile bundles, many of them, against all that stands before the detector.

The way is the cloud's own: bytes as DDS hands them over, deserialised, checked, queued, decoded,
computed and answered. What is answered is held against the definition of a valid bundle, written
here a second time without the code under test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from itertools import combinations
import os
import random
import time

import numpy as np
import torch
from tqdm import tqdm

from dads_ros import codec
from dads_ros.bundle import Bundle
from dads_ros.bundle import EncodedTensor
from dads_ros.bundle import Result
from dads_ros.capture import capture_detector
from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.errors import BundleError
from dads_ros.graph import LayerGraph
from dads_ros.nodes import messages
from dads_ros.nodes import wire
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.halves import HalfCache
from dads_ros.surgery import head

SIDE = 16
MAX_BYTES = 16_384
# One input may take no longer, on a busy machine too.
HANG_S = 5.0
CODECS = (
    'raw', 'raw+zstd', 'float16+zstd', 'int8+zstd', 'int4+zstd', 'packed', 'packed4', 'jpeg75',
    'webp50',
)  # fmt: skip
_WORDS = (0, 1, 2, 3, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@dataclass(frozen=True)
class Tally:
    """
    What became of many inputs.

    :param accepted_invalid: answered although no valid bundle.
    :param answered: valid after all: a changed stamp, say, makes another valid bundle.
    """

    tried: int
    crashes: int
    hangs: int
    accepted_invalid: int
    answered: int
    rejected: dict[str, int]


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
        pipeline = CloudPipeline(self._detector, self._model, self._halves, results.append, limits)
        try:
            message = wire.deserialize(data, wire.KINDS['bundle'])
        except BundleError as error:
            self.rejected[str(error)] += 1
            return False
        bundle = messages.bundle_from_msg(message)
        pipeline.receive(bundle)
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


class Mutator:
    """Makes broken messages of whole ones: in their bytes, or in one of their fields."""

    def __init__(self, target: Target, seed: int) -> None:
        self._random = random.Random(seed)
        self._valid = target.valid
        self._seeds = target.seeds()

    def next(self) -> bytes:
        """Return another message."""
        if self._random.random() < 0.5:
            return self._with_field(self._random.choice(self._valid))
        data = bytearray(self._random.choice(self._seeds))
        for _ in range(self._random.choice((1, 1, 2, 4))):
            self._change(data)
        return bytes(data)

    def _change(self, data: bytearray) -> None:
        """Change bytes in place, after the four of CDR's header mostly."""
        r = self._random
        at = r.randrange(len(data)) if data else 0
        until = min(len(data), at + r.choice((1, 2, 4, 16, 64)))
        match r.randrange(7):
            case 0 if data:
                data[at] ^= 1 << r.randrange(8)
            case 1 if data:
                data[at] = r.randrange(256)
            case 2:
                at = at // 4 * 4
                data[at : at + 4] = r.choice(_WORDS).to_bytes(4, 'little')
            case 3:
                del data[at:until]
            case 4:
                data[at:at] = r.randbytes(until - at)
            case 5:
                data[at:at] = data[at:until]
            case _:
                other = r.choice(self._seeds)
                data[at:] = other[min(at, len(other)) :]

    def _with_field(self, bundle: Bundle) -> bytes:
        r = self._random
        if r.random() < 0.3:
            change = r.choice(
                (
                    {'model_hash': r.choice(('', '0' * 64, bundle.model_hash[:-1]))},
                    {'vehicle': r.choice(('', 'x' * 300, '../../etc/passwd', '\x00', 'é' * 90))},
                    {'image_width': r.choice((0, 16385, 2**32 - 1))},
                    {'stamp_ns': r.choice((-(2**31) * 10**9, (2**31 - 1) * 10**9, 0))},
                    {'sequence': r.choice((0, 2**64 - 1))},
                )
            )
            return self._packed(replace(bundle, **change))
        tensors = list(bundle.tensors)
        i = r.randrange(len(tensors))
        match r.randrange(4):
            case 0:
                tensors[i] = self._with_tensor_field(tensors[i])
            case 1:
                tensors.insert(i, r.choice(r.choice(self._valid).tensors))
            case 2:
                del tensors[i]
            case _:
                data = bytearray(tensors[i].data)
                self._change(data)
                tensors[i] = replace(tensors[i], data=bytes(data))
        return self._packed(replace(bundle, tensors=tuple(tensors)))

    def _with_tensor_field(self, tensor: EncodedTensor) -> EncodedTensor:
        r = self._random
        shape = tensor.shape
        change = r.choice(
            (
                {'name': r.choice(('', 'nothing', '__class__', tensor.name + ' '))},
                {'dtype': r.choice(('float64', 'object', 'V8', 'O', '', 'uint8', 'float16'))},
                {'codec': r.choice((*CODECS, '', 'pickle', 'jpeg0', 'jpeg101', 'webp100', 'zip'))},
                {'shape': r.choice((shape[::-1], shape[1:], (*shape, 1), (), (2**31, 2**31)))},
            )
        )
        return replace(tensor, **change)

    @staticmethod
    def _packed(bundle: Bundle) -> bytes:
        return wire.serialize_message(messages.bundle_to_msg(bundle))


def run(count: int, seed: int = 7) -> Tally:
    """Feed so many mutated messages, with progress, and return what became of them."""
    target = Target()
    mutator = Mutator(target, seed)
    assert all(target.feed(data) for data in target.seeds())
    target.rejected.clear()
    crashes = hangs = invalid = answered = 0
    with _quiet_stderr() as stderr:
        for _ in tqdm(range(count), unit='bundle', desc='fuzz', file=stderr):
            data = mutator.next()
            started_s = time.monotonic()
            try:
                answered += target.feed(data)
            except AssertionError:
                invalid += 1
            except Exception:
                crashes += 1
            hangs += time.monotonic() - started_s > HANG_S
    return Tally(count, crashes, hangs, invalid, answered, dict(target.rejected))


@contextmanager
def _quiet_stderr() -> Iterator[object]:
    """Keep from the terminal what the deserialiser in C++ says of each broken message."""
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        with os.fdopen(os.dup(kept), 'w') as stderr:
            yield stderr
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
