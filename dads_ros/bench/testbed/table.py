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
The paper's table live: five networks, four uplinks, light and heavy load, six ways of cutting.

A way that never changes its cut is driven once along a staircase of the uplinks; ways that cut the
same in a cell share its drive. Staying on the car does not depend on the uplink and is driven
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import replace

from dads_ros.bench.testbed.rig import OURS
from dads_ros.bench.testbed.rig import prepared_for
from dads_ros.bench.testbed.rig import Rig
from dads_ros.bench.testbed.rig import WAITING_S
from dads_ros.bench.testbed.runs import steady
from dads_ros.bench.testbed.runs import Window
from dads_ros.bench.testbed.traces import CLIP
from dads_ros.partition.baselines import METHODS as SOLVERS
from dads_ros.partition.baselines import RAW
from dads_ros.partition.paper import tiny_yolov2_costs
from dads_ros.partition.paper import UPLINK_MBPS
from dads_ros.partition.plan import Load
from dads_ros.partition.situation import Situation
from dads_ros.profiles.planning import cost_graphs
from dads_ros.replay.methods import Method
from dads_ros.replay.methods import METHODS
from dads_ros.replay.prepare import slowed_down
from dads_ros.testbed.bed import Setup
from dads_ros.testbed.drive import Drive
from dads_ros.trace import Trace

_LOADS: tuple[Load, Load] = ('light', 'heavy')
HEAVY_HZ = 20.0
# A tenth of what the car alone sustains would leave hardly a frame to measure: not rarer than
# this, unless it would be more than half of what the car sustains.
_LIGHT_PERIOD_S = 2.0
_LEVEL_S = 6.0
_FIRST_LEVEL_S = 20.0  # the lowest uplink takes 10 s for one raw frame
_CLIP_HZ = 10.0
_RTT_S = 0.002
EDGE_ONLY, CLOUD_RAW, CLOUD_JPEG = 'edge-only', 'cloud-only-raw', 'cloud-only-jpeg'
_SOLVED = {'neurosurgeon': 'Neurosurgeon', 'dads-printed': 'DADS as printed'}


@dataclass(frozen=True)
class Cell:
    """
    What one way gave of one network at one uplink and load; None where no frame was answered.

    :param throughput_hz: of light load and of staying on the car, what the longest stage allows;
        else the detections that were published.
    """

    network: str
    uplink_mbps: float
    load: Load
    method: str
    latency_s: float | None
    throughput_hz: float | None


def paper_ratio() -> float:
    """Return how many times slower than its server the paper's Raspberry Pi 3B is."""
    costs = tiny_yolov2_costs()
    return float(sum(costs.edge_ns)) / float(sum(costs.cloud_ns))


def light_hz(whole_s: float) -> float:
    """Return the rate of light load, a whole frame taking so long on the car."""
    return 1.0 / min(10 * whole_s, max(_LIGHT_PERIOD_S, 2 * whole_s))


class Staircase:
    """One network's drives on rising uplinks."""

    def __init__(self, rig: Rig, network: str, uplinks_mbps: Sequence[float], *, quick: bool):
        self._rig = rig
        self._network = network
        self._uplinks_mbps = tuple(uplinks_mbps)
        self._quick = quick
        self._spec = f'dads_ros.detector.zoo_detectors:{network}'
        self._profile = prepared_for(self._spec, CLIP).profile
        self.whole_s = sum(self._profile.layer_s.values()) * paper_ratio()
        self.cells: list[Cell] = []

    def climb(self) -> None:
        """Drive our way and those that never change, as far as the time allows."""
        self._stay_on_car()
        for load in _LOADS[:1] if self._quick else _LOADS:
            self._climb(load, OURS)
            self._climb(load, _waiting(METHODS[CLOUD_RAW]))
            if not self._quick:
                self._climb(load, _waiting(METHODS[CLOUD_JPEG]))

    def solve(self) -> None:
        """Drive with the cuts of the other solvers, as far as the time allows."""
        for load in _LOADS:
            for uplink_mbps in self._uplinks_mbps:
                self._solve(load, uplink_mbps)

    def _stay_on_car(self) -> None:
        method = METHODS[EDGE_ONLY]
        window = self._drive('light', method, self._uplinks_mbps[-1:])
        for load in _LOADS if window else ():
            for uplink_mbps in self._uplinks_mbps:
                self._note(uplink_mbps, load, method.name, window[0], capacity=True)

    def _climb(self, load: Load, method: Method) -> None:
        windows = self._drive(load, method, self._uplinks_mbps)
        for uplink_mbps, window in zip(self._uplinks_mbps, windows, strict=False):
            self._note(uplink_mbps, load, method.name, window, capacity=load == 'light')

    def _solve(self, load: Load, uplink_mbps: float) -> None:
        """Drive with the cuts of the other solvers, where nobody has cut like that."""
        rate_hz = self._rate_hz(load)
        situation = Situation(uplink_mbps * 1e6, _RTT_S, rate_hz=rate_hz)
        edge = slowed_down(self._profile, paper_ratio())
        graphs = cost_graphs(self._profile.graph, edge, self._profile)
        known: dict[tuple[str, ...], str] = {(): EDGE_ONLY, self._profile.graph.inputs: CLOUD_RAW}
        for name, solver in _SOLVED.items():
            boundary = SOLVERS[solver](graphs, situation, load).boundary
            same = self._find(uplink_mbps, load, known.get(boundary, ''))
            if same is not None:
                self.cells.append(replace(same, method=name))
                continue
            method = Method(name, f'the cut of {solver}', 'fixed', RAW, False, boundary, WAITING_S)
            for window in self._drive(load, method, (uplink_mbps,)):
                self._note(uplink_mbps, load, name, window, capacity=load == 'light')
                known[boundary] = name

    def _find(self, uplink_mbps: float, load: Load, method: str) -> Cell | None:
        key = (uplink_mbps, load, method)
        return next((c for c in self.cells if (c.uplink_mbps, c.load, c.method) == key), None)

    def _rate_hz(self, load: Load) -> float:
        return HEAVY_HZ if load == 'heavy' else light_hz(self.whole_s)

    def _drive(self, load: Load, method: Method, uplinks_mbps: Sequence[float]) -> list[Window]:
        """Return the figures at each uplink; none when the drive did not fit in."""
        rate_hz = self._rate_hz(load)
        waits = method.name == CLOUD_RAW and not self._quick
        begins_s, end_s = _levels(len(uplinks_mbps), rate_hz, quick=self._quick, waits=waits)
        drive = Drive(
            CLIP,
            end_s,
            Setup(Trace(begins_s, tuple(mbps * 1e6 for mbps in uplinks_mbps))),
            self.whole_s,
            rate_hz / _CLIP_HZ,
            loop=True,
            detector=self._spec,
        )
        taken = self._rig.drive(f'{self._network} {load}', drive, method)
        if taken is None:
            return []
        return [steady(taken.run, i, end_s) for i in range(len(uplinks_mbps))]

    def _note(
        self, uplink_mbps: float, load: Load, method: str, window: Window, *, capacity: bool
    ) -> None:
        throughput_hz = window.capacity_hz if capacity else window.answered_hz
        cell = Cell(self._network, uplink_mbps, load, method, window.latency_s, throughput_hz)
        self.cells.append(cell)


def uplinks(*, quick: bool) -> tuple[float, ...]:
    """Return the paper's uplinks in Mbit/s, rising; two of them when there is little time."""
    every = sorted(UPLINK_MBPS.values())
    return (every[1], every[-1]) if quick else tuple(every)


def figures(cells: Sequence[Cell]) -> dict[str, object]:
    """Return the gains over staying and over sending all, and the worst cell against others."""
    by_place: dict[tuple[str, float, Load], dict[str, Cell]] = {}
    for cell in cells:
        by_place.setdefault((cell.network, cell.uplink_mbps, cell.load), {})[cell.method] = cell
    gains: dict[str, float | None] = {}
    for name, other in (('edge_only', EDGE_ONLY), ('cloud_raw', CLOUD_RAW)):
        pairs = [
            (c[OURS.name], c[other]) for c in by_place.values() if OURS.name in c and other in c
        ]
        gains[f'latency_gain_over_{name}'] = _largest(
            [b.latency_s / a.latency_s for a, b in pairs if a.latency_s and b.latency_s]
        )
        gains[f'throughput_gain_over_{name}'] = _largest(
            [a.throughput_hz / b.throughput_hz for a, b in pairs
             if a.throughput_hz and b.throughput_hz]
        )  # fmt: skip
    worst = [ratio for c in by_place.values() if (ratio := _over_best(c)) is not None]
    return {
        **gains,
        'worst_over_best_static': _largest(worst),
        'cells': [asdict(c) for c in cells],
    }


def _over_best(cells: dict[str, Cell]) -> float | None:
    """Return how much worse ours is than the best other in a cell: 1.03 is 3 % worse."""
    ours = cells.get(OURS.name)
    others = [cell for name, cell in cells.items() if name != OURS.name]
    if ours is None or not others:
        return None
    if ours.load == 'light':
        known = [c.latency_s for c in others if c.latency_s]
        return ours.latency_s / min(known) if known and ours.latency_s else None
    rates = [c.throughput_hz for c in others if c.throughput_hz]
    # What the camera does not deliver cannot be detected.
    best_hz = min(max(rates), HEAVY_HZ) if rates else None
    return best_hz / ours.throughput_hz if best_hz and ours.throughput_hz else None


def _largest(values: Sequence[float]) -> float | None:
    return max(values, default=None)


def _levels(
    count: int, rate_hz: float, *, quick: bool, waits: bool
) -> tuple[tuple[float, ...], float]:
    """
    Return when each level of the staircase begins, and when the last one ends.

    :param waits: whether frames take so long that the first level has to.
    """
    level_s = max(4.0 if quick else _LEVEL_S, 3 / rate_hz)
    first_s = max(_FIRST_LEVEL_S, level_s) if waits and count > 1 else level_s
    begins_s = (0.0, *(first_s + i * level_s for i in range(count - 1)))
    return begins_s, first_s + (count - 1) * level_s


def _waiting(method: Method) -> Method:
    return replace(method, patience_s=WAITING_S)
