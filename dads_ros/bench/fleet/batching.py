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

"""What it gains to finish several bundles of one cut together."""

from __future__ import annotations

from dataclasses import dataclass
import time

from dads_ros.model.capture import Model
from dads_ros.model.surgery import tail
from dads_ros.pipeline.batch import takes_batches
import numpy as np
import torch

SIZES = (1, 2, 4, 8)
ROUNDS = 30


@dataclass(frozen=True)
class Batch:
    """
    A tail run on several bundles at once.

    :param bundle_ms: of this thread's own CPU time, for each bundle; the median of all rounds.
    :param low_ms: and its quartiles.
    :param wait_ms: what the first bundle of a batch waits for its answer.
    """

    size: int
    bundle_ms: float
    low_ms: float
    high_ms: float
    wait_ms: float


def measure(model: Model, boundary: tuple[str, ...]) -> list[Batch]:
    """
    Return the cost of a bundle at each batch size, on one thread, in turns.

    Empty when the tail takes one bundle only, as one with fixed shapes inside does.
    """
    half = tail(model, boundary)
    if not takes_batches(half):
        return []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            inputs = {n: [torch.cat([zero] * n) for zero in half.zeros()] for n in SIZES}
            for tensors in inputs.values():
                half.run(tensors)  # warms up
            times_s: dict[int, list[float]] = {n: [] for n in SIZES}
            for _ in range(ROUNDS):
                for size, tensors in inputs.items():
                    started_s = time.thread_time()
                    half.run(tensors)
                    times_s[size].append(time.thread_time() - started_s)
    finally:
        torch.set_num_threads(threads)
    return [_batch(size, np.array(one)) for size, one in times_s.items()]


def _batch(size: int, times_s: np.ndarray) -> Batch:
    low_s, high_s = np.quantile(times_s, (0.25, 0.75))
    return Batch(
        size=size,
        bundle_ms=float(np.median(times_s)) / size * 1e3,
        low_ms=float(low_s) / size * 1e3,
        high_ms=float(high_s) / size * 1e3,
        wait_ms=float(np.median(times_s)) * 1e3,
    )
