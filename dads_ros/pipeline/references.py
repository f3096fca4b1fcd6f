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
Tensors that both sides remember, so that later ones can be coded against them.

The car refers only to a bundle that the cloud has answered, so the cloud has decoded it and has
its tensors: nothing drifts, and what is lost costs no more than its own frame. The cloud remembers
at least twice as many bundles as the car refers back to. A cloud that was started again, or gave a
vehicle's memory to another, refuses what refers to it; the car, whose deadline passes without an
answer, sends the next bundles whole.
"""

from __future__ import annotations

from collections import OrderedDict
import threading

from dads_ros.codec import checksum
from dads_ros.pipeline.turns import MAX_VEHICLES
import numpy as np

# By the car, of what it sent; the cloud remembers twice that of what it decoded.
CAR_BUNDLES = 16
CAR_BYTES = 256 * 1024

Arrays = tuple[np.ndarray, ...]


class Memory:
    """
    The newest bundles' tensors, by number; the oldest go first.

    :param bundles: how many to keep at most,
    :param size_bytes: and how many bytes of tensors together; a larger bundle is not kept.
    """

    def __init__(self, bundles: int, size_bytes: int) -> None:
        self._bundles = bundles
        self._size_bytes = size_bytes
        self._kept: OrderedDict[int, tuple[tuple[str, ...], Arrays]] = OrderedDict()

    def keep(self, number: int, boundary: tuple[str, ...], arrays: Arrays) -> None:
        """Remember the tensors of a cut's bundle; they must not change any more."""
        self._kept.pop(number, None)
        self._kept[number] = (boundary, arrays)
        while len(self._kept) > self._bundles or self._bytes() > self._size_bytes:
            self._kept.popitem(last=False)

    def recall(self, number: int, boundary: tuple[str, ...]) -> Arrays:
        """Return a bundle's tensors; nothing when they are not there or of another cut."""
        known, arrays = self._kept.get(number, ((), ()))
        return arrays if known == boundary else ()

    def find(self, boundary: tuple[str, ...], place: int, wanted: int) -> np.ndarray | None:
        """Return the newest tensor of a checksum at a place of a cut's bundles."""
        for known, arrays in reversed(self._kept.values()):
            if known == boundary and checksum(arrays[place]) == wanted:
                return arrays[place]
        return None

    def _bytes(self) -> int:
        return sum(array.nbytes for _, arrays in self._kept.values() for array in arrays)


class SentTensors:
    """
    What the car has sent, and the newest of it that the cloud is known to have.

    For the thread that sends and the one that hears of answers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._memory = Memory(CAR_BUNDLES, CAR_BYTES)
        self._answered = 0

    def sent(self, number: int, boundary: tuple[str, ...], arrays: Arrays) -> None:
        """Note a bundle's tensors as the cloud decodes them."""
        with self._lock:
            self._memory.keep(number, boundary, arrays)

    def answered(self, number: int) -> None:
        """Note that the cloud has decoded a bundle, in time or not."""
        with self._lock:
            self._answered = max(self._answered, number)

    def forget(self) -> None:
        """Refer to nothing that was answered before: the cloud may have lost it."""
        with self._lock:
            self._answered = 0

    def references(self, boundary: tuple[str, ...]) -> Arrays:
        """Return what a cut's next bundle may be coded against; nothing if there is no such."""
        with self._lock:
            return self._memory.recall(self._answered, boundary)


class DecodedTensors:
    """What the cloud has decoded, vehicle by vehicle. For the one thread that computes."""

    def __init__(self) -> None:
        self._vehicles: OrderedDict[str, Memory] = OrderedDict()

    def of(self, vehicle: str) -> Memory:
        """Return the memory of a vehicle, made in the place of the longest unused if need be."""
        found = self._vehicles.pop(vehicle, None) or Memory(2 * CAR_BUNDLES, 2 * CAR_BYTES)
        self._vehicles[vehicle] = found
        if len(self._vehicles) > MAX_VEHICLES:
            self._vehicles.popitem(last=False)
        return found
