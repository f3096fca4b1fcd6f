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


"""Broken and hostile bundles, many of them, against all that stands before the detector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
import os
import random
import time

from dads_ros.bench.faults.fuzz_target import CODECS
from dads_ros.bench.faults.fuzz_target import Target
from dads_ros.bundle import Bundle
from dads_ros.bundle import EncodedTensor
from dads_ros.nodes import messages
from dads_ros.nodes import wire
from tqdm import tqdm

# One input may take no longer, on a busy machine too.
HANG_S = 5.0
# What no bundle may say, and what refers to a bundle that is not there.
_BAD_CODECS = ('', 'pickle', 'jpeg0', 'jpeg101', 'webp100', 'zip', 'packed+ref', 'packed8+ref')
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
                {'codec': r.choice((*CODECS, *_BAD_CODECS))},
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
