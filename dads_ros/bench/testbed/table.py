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

Ours is driven along a staircase of the uplinks, once for each load. A plan that never changes is
driven where no other method has the same one: what one plan gives must not be measured twice and
told apart. Its drives are light ones, with a camera so slow that no frame waits for another. Under
heavy load it counts with what its longest stage allows; where that is more than ours gave, it is
driven under heavy load, too: what ours gave was published by nodes on a slow car.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import replace
import math

from dads_ros.bench.testbed import levels
from dads_ros.bench.testbed.cells import Cell
from dads_ros.bench.testbed.cells import CLOUD_RAW
from dads_ros.bench.testbed.cells import EDGE_ONLY
from dads_ros.bench.testbed.cells import HEAVY_HZ
from dads_ros.bench.testbed.cells import OURS
from dads_ros.bench.testbed.rig import CLIP
from dads_ros.bench.testbed.rig import declared_uploads
from dads_ros.bench.testbed.rig import EDGE_SLOWDOWN
from dads_ros.bench.testbed.rig import JPEG
from dads_ros.bench.testbed.rig import prepared_for
from dads_ros.bench.testbed.rig import Rig
from dads_ros.bench.testbed.rig import ZOO_FACTORY
from dads_ros.bench.testbed.runs import CAR_ALONE
from dads_ros.bench.testbed.runs import steady
from dads_ros.bench.testbed.runs import Way
from dads_ros.bench.testbed.runs import Window
from dads_ros.partition.baselines import METHODS as SOLVERS
from dads_ros.partition.baselines import RAW
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Load
from dads_ros.partition.situation import Situation
from dads_ros.profiles.planning import cost_graphs
from dads_ros.replay.methods import Method
from dads_ros.replay.methods import METHODS
from dads_ros.replay.prepare import slowed_down
from dads_ros.report.summary import plan_name
from dads_ros.testbed.bed import Setup
from dads_ros.testbed.drive import Drive

CLOUD_JPEG = 'cloud-only JPEG'
PLAIN = (EDGE_ONLY, CLOUD_RAW, CLOUD_JPEG)
SOLVED = ('Neurosurgeon', 'DADS as printed')
_LOADS: tuple[Load, Load] = ('light', 'heavy')
_CLIP_HZ = 10.0
_RTT_S = 0.002
# Deadlines of a car that moves would end what takes 10 s here; raw frames must find room.
_WAITING_S = 60.0
_QUEUE_BYTES = 1_000_000
# A steady, idle link has no jitter to be patient with.
_GAIN = 0.03
# Ours had one plan at a level when it had it for so many of the frames.
_SAME_SHARE = 0.8


class Network:
    """One network's drives, and its cells as far as they have been driven."""

    def __init__(self, rig: Rig, network: str, uplinks_mbps: Sequence[float]) -> None:
        self._rig = rig
        self._network = network
        self._uplinks_mbps = tuple(uplinks_mbps)
        self._spec = ZOO_FACTORY + network
        profile = prepared_for(self._spec, CLIP).profile
        self._graph = profile.graph
        edge = slowed_down(profile, EDGE_SLOWDOWN)
        self._graphs = cost_graphs(profile.graph, edge, profile, codecs=(RAW, JPEG))
        self._calibration = rig.folder / f'{network}.calibration.json'
        declared_uploads(profile).save(self._calibration)
        self._light_s = 1 / levels.light_hz(edge.whole_s)
        self._ours: dict[tuple[float, Load], Window] = {}
        self._plans: dict[tuple[float, Load], dict[str, CutPlan]] = {}
        self._light: dict[tuple[float, Way], Window] = {}
        self._heavy: dict[tuple[float, Way], Window] = {}

    def drive_ours(self, load: Load, uplinks_mbps: Sequence[float] = ()) -> None:
        """
        Drive our way along uplinks, all of them unless told otherwise, the best one first.

        A fall is seen at once. Of a rise from the least uplink, of which one percent may go to
        probes, nothing could be known within a level.
        """
        uplinks_mbps = sorted(uplinks_mbps or self._uplinks_mbps, reverse=True)
        method = replace(METHODS['dads'], patience_s=_WAITING_S, gain=_GAIN)
        stairs = levels.HEAVY if load == 'heavy' else levels.light_levels(self._light_s)
        for uplink_mbps, window in self._drive(load, method, uplinks_mbps, stairs):
            self._ours[uplink_mbps, load] = window
            if window.way_share < _SAME_SHARE:
                continue
            known = self._light if load == 'light' else self._heavy
            known[uplink_mbps, window.way] = window
            if window.way == CAR_ALONE:  # which uses no link
                known.update({(m, CAR_ALONE): window for m in self._uplinks_mbps})

    def drive_rivals(self) -> None:
        """Drive under heavy load, as ours, the plans that could give more than ours did."""
        for uplink_mbps in self._uplinks_mbps:
            while (way := self._rival(uplink_mbps)) is not None and (
                found := self._drive('heavy', self._static(way), (uplink_mbps,), levels.HEAVY)
            ):
                self._heavy[uplink_mbps, way] = found[0][1]

    def worse(self) -> list[tuple[float, Load, float]]:
        """Return where ours seemed worse: how many times, under which load, at which uplink."""
        places = [(load, mbps) for load in _LOADS for mbps in self._uplinks_mbps]
        worse = ((self._worse(*place), *place) for place in places)
        return [found for found in worse if found[0] > 1 + _GAIN]

    def drive_again(self, load: Load, uplink_mbps: float) -> None:
        """
        Drive ours once more, and the best other way, if that seemed more than a little better.

        The machine's pace changes in minutes.
        """
        if self._worse(load, uplink_mbps) <= 1 + _GAIN:
            return
        found = self._best(load, uplink_mbps)
        known = self._light if load == 'light' else self._heavy
        before = known[uplink_mbps, found[1]] if found else None
        self.drive_ours(load, (uplink_mbps,))
        if not found or known[uplink_mbps, way := found[1]] is not before:
            return  # ours went that way, too, and stands for both
        if load == 'light':
            self._drive_plan(way, {uplink_mbps: before.latency_s or 0.0})
        elif again := self._drive(load, self._static(way), (uplink_mbps,), levels.HEAVY):
            known[uplink_mbps, way] = again[0][1]

    def drive_static(self, names: Iterable[str], loads: Iterable[Load] = _LOADS) -> None:
        """Drive the plans of other methods that nobody has been driven with."""
        wanted: dict[Way, dict[float, float]] = {}
        for load in loads:
            for uplink_mbps in self._uplinks_mbps:
                situation = Situation(uplink_mbps * 1e6, _RTT_S, rate_hz=self._rate_hz(load))
                known = self._plans.setdefault((uplink_mbps, load), {})
                for name in names:
                    plan = known[name] = SOLVERS[name](self._graphs, situation, load)
                    if self._window_of(uplink_mbps, load, plan) is None:
                        wanted.setdefault(_way_of(plan), {})[uplink_mbps] = plan.delay_s
        for way, delays_s in wanted.items():
            self._drive_plan(way, delays_s)

    @property
    def cells(self) -> list[Cell]:
        """Return what has been measured so far."""
        cells = [
            self._cell(*place, OURS, window, published=place[1] == 'heavy')
            for place, window in self._ours.items()
        ]
        for (uplink_mbps, load), plans in self._plans.items():
            for name, plan in plans.items():
                if window := self._window_of(uplink_mbps, load, plan):
                    published = load == 'heavy' and (uplink_mbps, _way_of(plan)) in self._heavy
                    cells.append(self._cell(uplink_mbps, load, name, window, published=published))
        return cells

    def _worse(self, load: Load, uplink_mbps: float) -> float:
        """Return how many times better another plan was, or what ours could have given."""
        ours, best = self._ours.get((uplink_mbps, load)), self._best(load, uplink_mbps)
        over = ours.answered_hz * (ours.pace_s or 0.0) if ours and load == 'heavy' else 1.0
        return max(1 / over if over else math.inf, best[0] if best else 1.0)

    def _best(self, load: Load, uplink_mbps: float) -> tuple[float, Way] | None:
        """Return how many times better the best driven plan was, if more than a little."""
        found = (self._sooner if load == 'light' else self._better)(uplink_mbps)
        return found if found and found[0] > 1 + _GAIN else None

    def _sooner(self, uplink_mbps: float) -> tuple[float, Way] | None:
        """Return how many times sooner the soonest driven plan answered than ours."""
        ours = self._ours.get((uplink_mbps, 'light'))
        here = {way: w for (mbps, way), w in self._light.items() if mbps == uplink_mbps}
        took_s = {way: window.latency_s for way, window in here.items() if window.latency_s}
        if ours is None or not ours.latency_s or not took_s:
            return None
        way = min(took_s, key=took_s.__getitem__)
        return ours.latency_s / took_s[way], way

    def _better(self, uplink_mbps: float) -> tuple[float, Way] | None:
        """Return how many times more the driven plan gave that gave the most."""
        given_hz = {
            way: window.answered_hz
            for way, window in self._windows(uplink_mbps).items()
            if (uplink_mbps, way) in self._heavy
        }
        return self._above_ours(uplink_mbps, given_hz)

    def _rival(self, uplink_mbps: float) -> Way | None:
        """Return the plan not driven that could give the most, if that is more than ours gave."""
        allowed_hz = {
            way: min(1 / window.max_stage_s, HEAVY_HZ)
            for way, window in self._windows(uplink_mbps).items()
            if window.max_stage_s and (uplink_mbps, way) not in self._heavy
        }
        found = self._above_ours(uplink_mbps, allowed_hz)
        return found[1] if found and found[0] > 1 else None

    def _above_ours(self, uplink_mbps: float, hz: dict[Way, float]) -> tuple[float, Way] | None:
        ours = self._ours.get((uplink_mbps, 'heavy'))
        if ours is None or not hz:
            return None
        way = max(hz, key=hz.__getitem__)
        return hz[way] / ours.answered_hz if ours.answered_hz else math.inf, way

    def _windows(self, uplink_mbps: float) -> dict[Way, Window]:
        """Return what is known of the others' plans under heavy load."""
        plans = self._plans.get((uplink_mbps, 'heavy'), {}).values()
        found = ((_way_of(plan), self._window_of(uplink_mbps, 'heavy', plan)) for plan in plans)
        return {way: window for way, window in found if window}

    def _window_of(self, uplink_mbps: float, load: Load, plan: CutPlan) -> Window | None:
        """Return what a plan gave under the load, or without one; None if it was not driven."""
        place = (uplink_mbps, _way_of(plan))
        heavy = self._heavy.get(place) if load == 'heavy' else None
        return heavy or self._light.get(place)

    def _cell(
        self, uplink_mbps: float, load: Load, name: str, window: Window, *, published: bool
    ) -> Cell:
        """
        Return the figures of a method.

        :param published: whether its throughput is what was published, not what could have been.
        """
        allowed_hz = 1 / window.max_stage_s if window.max_stage_s else None
        way = plan_name(self._graph, *window.way) if window.frames else 'nothing answered'
        return Cell(
            self._network, uplink_mbps, load, name, way, window.frames, window.latency_s,
            window.longer_than_s, window.answered_hz if published else allowed_hz,
            window.max_stage_s, window.pace_s,
        )  # fmt: skip

    def _drive_plan(self, way: Way, delays_s: dict[float, float]) -> None:
        """Drive a static plan at the uplinks given; the car alone at one, for it uses none."""
        method = self._static(way)
        if way == CAR_ALONE:
            stairs = levels.apart(self._light_s, max(delays_s.values()), levels.STATIC_FRAMES)
            for _, window in self._drive('light', method, self._uplinks_mbps[-1:], stairs):
                self._light.update({(mbps, way): window for mbps in self._uplinks_mbps})
            return
        slow = [mbps for mbps, delay_s in delays_s.items() if delay_s > levels.SLOW_S]
        rest = tuple(mbps for mbps in delays_s if mbps not in slow)
        for climbed in (*((mbps,) for mbps in slow), *((rest,) if rest else ())):
            delay_s = max(delays_s[mbps] for mbps in climbed)
            stairs = levels.apart(self._light_s, delay_s, levels.STATIC_FRAMES)
            for mbps, window in self._drive('light', method, climbed, stairs):
                self._light[mbps, way] = window

    def _static(self, way: Way) -> Method:
        """Return the method that never changes its plan."""
        if way == CAR_ALONE:
            return replace(METHODS[EDGE_ONLY], patience_s=_WAITING_S)
        return Method('static', '', 'fixed', way[1], False, way[0], _WAITING_S)

    def _rate_hz(self, load: Load) -> float:
        return HEAVY_HZ if load == 'heavy' else 1 / self._light_s

    def _drive(
        self, load: Load, method: Method, uplinks_mbps: Sequence[float], stairs: levels.Levels
    ) -> list[tuple[float, Window]]:
        """Return the figures at each uplink; none when the drive did not fit in."""
        end_s = stairs.end_s(len(uplinks_mbps))
        drive = Drive(
            CLIP, end_s, Setup(stairs.trace(uplinks_mbps), queue_bytes=_QUEUE_BYTES),
            edge_slowdown=EDGE_SLOWDOWN, rate=1 / stairs.period_s / _CLIP_HZ, loop=True,
            calibration=self._calibration, detector=self._spec,
        )  # fmt: skip
        cut = (
            f' {plan_name(self._graph, method.boundary, method.codec)}' if method.boundary else ''
        )
        if (taken := self._rig.drive(f'{self._network} {load}{cut}', drive, method)) is None:
            return []
        return [
            (mbps, steady(taken.run, i, end_s, stairs.settling_s))
            for i, mbps in enumerate(uplinks_mbps, start=int(stairs.lead_s > 0))
        ]


def _way_of(plan: CutPlan) -> Way:
    return (plan.boundary, plan.codec) if plan.boundary else CAR_ALONE
