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

"""The cells of the paper's table, and what they tell together: pure functions."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass

from dads_ros.partition.plan import Load

HEAVY_HZ = 20.0
OURS, EDGE_ONLY, CLOUD_RAW = 'ours', 'edge-only', 'cloud-only raw'


@dataclass(frozen=True)
class Cell:
    """
    What one method gave of one network at one uplink and load; None where no frame was answered.

    :param way: the cut and codec, in words.
    :param frames: how many the figures are of.
    :param longer_than_s: where none was answered, for how long it was waited in vain.
    :param throughput_hz: ours under heavy load, the detections published; else what the longest
        stage allows, as in the paper.
    :param max_stage_s: the longest of car, link and cloud, of the link's the bundle alone.
    :param pace_s: the least time from frame to frame that camera and longest stage allow, of the
        link's with all that the transport sends beside the bundle.
    """

    network: str
    uplink_mbps: float
    load: Load
    method: str
    way: str
    frames: int
    latency_s: float | None
    longer_than_s: float | None
    throughput_hz: float | None
    max_stage_s: float | None
    pace_s: float | None


def figures(cells: Sequence[Cell]) -> dict[str, object]:
    """
    Return the gains over staying and over sending all, and the worst cell against others.

    Gains in latency are those under light load, in throughput those under heavy load.
    """
    by_place: dict[tuple[str, float, Load], dict[str, Cell]] = {}
    for cell in cells:
        by_place.setdefault((cell.network, cell.uplink_mbps, cell.load), {})[cell.method] = cell
    places = list(by_place.values())
    light, heavy = (
        [place for key, place in by_place.items() if key[2] == load] for load in ('light', 'heavy')
    )
    return {
        'latency_gain_over_edge_only': _largest(light, EDGE_ONLY, _latency_gain),
        'latency_gain_over_cloud_raw': _largest(light, CLOUD_RAW, _latency_gain),
        'throughput_gain_over_edge_only': _largest(heavy, EDGE_ONLY, _throughput_gain),
        'throughput_gain_over_cloud_raw': _largest(heavy, CLOUD_RAW, _throughput_gain),
        'worst_over_best_static': max(_known(map(_over_best, places)), default=None),
        'throughput_over_max_stage': min(_known(map(_over_pace, cells)), default=None),
        'throughput_over_bundles_alone': min(_known(map(_over_stage, cells)), default=None),
        'cells': [
            asdict(c)
            | {
                'over_best': _over_best(place),
                'over_max_stage': _over_pace(c),
                'over_bundles_alone': _over_stage(c),
            }
            if c.method == OURS
            else asdict(c)
            for place in places
            for c in place.values()
        ],
    }


def _largest(
    places: Iterable[dict[str, Cell]], other: str, gain: Callable[[Cell, Cell], float | None]
) -> float | None:
    pairs = [(place[OURS], place[other]) for place in places if {OURS, other} <= place.keys()]
    return max(_known(gain(ours, theirs) for ours, theirs in pairs), default=None)


def _latency_gain(ours: Cell, other: Cell) -> float | None:
    # Who never answered took at least as long as it was waited for: the gain is at least that.
    theirs_s = other.latency_s or other.longer_than_s
    return theirs_s / ours.latency_s if ours.latency_s and theirs_s else None


def _throughput_gain(ours: Cell, other: Cell) -> float | None:
    """Return the gain; None over who never answered, of whom no rate is known."""
    ours_hz, theirs_hz = ours.throughput_hz, other.throughput_hz
    return ours_hz / theirs_hz if ours_hz and theirs_hz else None


def _over_best(cells: dict[str, Cell]) -> float | None:
    """
    Return how much worse ours is than the best other in a cell: 1.03 is 3 % worse.

    Where ours answered nothing and another did, it is worse by at least what it was waited for.
    """
    ours = cells.get(OURS)
    others = [cell for name, cell in cells.items() if name != OURS]
    if ours is None:
        return None
    if ours.load == 'light':
        known = [c.latency_s for c in others if c.latency_s]
        ours_s = ours.latency_s or ours.longer_than_s
        return ours_s / min(known) if known and ours_s else None
    rates = [c.throughput_hz for c in others if c.throughput_hz]
    if not rates:
        return None
    # What the camera does not deliver cannot be detected.
    best_hz = min(max(rates), HEAVY_HZ)
    if ours.throughput_hz:
        return best_hz / ours.throughput_hz
    return best_hz * ours.longer_than_s if ours.longer_than_s else None


def _over_pace(cell: Cell) -> float | None:
    """Return what ours published under heavy load, over what camera and longest stage allow."""
    return _over(cell, cell.pace_s)


def _over_stage(cell: Cell) -> float | None:
    """Return the same, if the link had carried nothing but the bundles."""
    return _over(cell, max(cell.max_stage_s, 1 / HEAVY_HZ) if cell.max_stage_s else None)


def _over(cell: Cell, pace_s: float | None) -> float | None:
    if cell.method != OURS or cell.load != 'heavy':
        return None
    return (cell.throughput_hz or 0.0) * (pace_s or 0.0)  # 0 when nothing was answered


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
