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

"""An undisturbed run: whether memory, open files and latency stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
import time

from dads_ros.bench.faults.rig import Rig
import psutil
from tqdm import tqdm

SOAKED_NODES = ('edge', 'cloud', 'monitor')
# One sample of a node: bytes of memory, open files.
_Sample = tuple[int, int]


@dataclass(frozen=True)
class Soak:
    """
    What an undisturbed run showed, after its first fifth.

    :param memory_growth: of the node that grew most: the last fifth's memory over the second's,
    :param memory_growth_of: and of each node.
    :param file_growth: likewise, in open files.
    :param p95_drift: 95% of frames are faster than this multiple of the second fifth's value.
    :param begin_s: percentiles of the latency in the second fifth,
    :param end_s: and in the last.
    """

    duration_s: float
    memory_growth: float
    memory_growth_of: dict[str, float]
    file_growth: int
    file_growth_of: dict[str, float]
    p95_drift: float
    begin_s: dict[str, float]
    end_s: dict[str, float]


def soak(rig: Rig, duration_s: float) -> Soak:
    """
    Watch the nodes for so long, with progress.

    Raises ProcessError when one ends.
    """
    nodes = [psutil.Process(rig.pid(name)) for name in SOAKED_NODES]
    samples: list[list[_Sample]] = []
    began_ns = time.monotonic_ns()
    for _ in tqdm(range(int(duration_s)), desc='soak', unit='s'):
        rig.wait(1.0)
        samples.append([(node.memory_info().rss, node.num_fds()) for node in nodes])
    end_ns = time.monotonic_ns()
    fifth = max(1, len(samples) // 5)
    early, late = samples[fifth : 2 * fifth], samples[-fifth:]
    span_ns = int(fifth * 1e9)
    memory = _grown(early, late, lambda s: s[0], relative=True)
    files = _grown(early, late, lambda s: s[1], relative=False)
    begin_s = _percentiles_s(rig, began_ns + span_ns, began_ns + 2 * span_ns)
    end_s = _percentiles_s(rig, end_ns - span_ns, end_ns)
    return Soak(
        duration_s=duration_s,
        memory_growth=max(memory.values()),
        memory_growth_of=memory,
        file_growth=int(max(files.values())),
        file_growth_of=files,
        p95_drift=end_s['p95'] / begin_s['p95'],
        begin_s=begin_s,
        end_s=end_s,
    )


def _grown(
    early: list[list[_Sample]],
    late: list[list[_Sample]],
    value: Callable[[_Sample], int],
    *,
    relative: bool,
) -> dict[str, float]:
    """Return by how much a value has grown, by node."""
    grown = {}
    nodes = zip(SOAKED_NODES, zip(*early, strict=True), zip(*late, strict=True), strict=True)
    for name, before, after in nodes:
        first, last = median(map(value, before)), median(map(value, after))
        grown[name] = (last - first) / (first if relative else 1)
    return grown


def _percentiles_s(rig: Rig, begin_ns: int, end_ns: int) -> dict[str, float]:
    times_s = sorted(
        f.total_s
        for f in rig.frames()
        if begin_ns <= f.received_ns < end_ns and f.outcome.is_published
    )
    return {f'p{share}': times_s[len(times_s) * share // 100] for share in (50, 95, 99)}
