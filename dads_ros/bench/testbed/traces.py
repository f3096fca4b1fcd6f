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

"""Scenarios on the testbed that follow a trace: against an oracle, a step, a mobile network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from dads_ros.bench.testbed.accounts import unaccounted
from dads_ros.bench.testbed.as_driven import as_driven
from dads_ros.bench.testbed.reactions import Reaction
from dads_ros.bench.testbed.reactions import reactions
from dads_ros.bench.testbed.reactions import steady_switches
from dads_ros.bench.testbed.rig import CLIP
from dads_ros.bench.testbed.rig import EDGE_SLOWDOWN
from dads_ros.bench.testbed.rig import Rig
from dads_ros.bench.testbed.rig import Taken
from dads_ros.bench.testbed.runs import began_s
from dads_ros.bench.testbed.runs import latency
from dads_ros.bench.testbed.runs import one_way_s
from dads_ros.bench.testbed.runs import stage_medians_s
from dads_ros.bench.testbed.runs import stage_sum_error
from dads_ros.bench.testbed.tour import LEAD_S
from dads_ros.bench.testbed.tour import Leg
from dads_ros.bench.testbed.tour import Tour
from dads_ros.bench.testbed.tour import tours_of
from dads_ros.errors import ConfigError
from dads_ros.media.sources import open_source
from dads_ros.monitor.monitor import BUNDLE_OVERHEAD_BYTES
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.replay.methods import JPEG_UPLOAD
from dads_ros.replay.methods import Method
from dads_ros.replay.methods import METHODS
from dads_ros.report.schema import RunRecord
from dads_ros.simulation.car import Car
from dads_ros.simulation.oracle import Fixed
from dads_ros.simulation.oracle import Oracle
from dads_ros.simulation.world import World
from dads_ros.testbed.bed import Setup
from dads_ros.testbed.drive import Drive
from dads_ros.testbed.lane import Impairment
from dads_ros.trace import Trace

_STEP_BEGIN_S = 4.0
_STEP_LENGTH_S = 5.0
_MOBILE_BPS = 10e6
# Tried from above: the first where a tenth of the rate asks for another cut,
_STEP_FROM_BPS = (100e6, 50e6, 20e6, 10e6, 5e6, 2e6, 1e6)
# which saves at least this share of the delay. What saves little the monitor need not do.
_STEP_GAIN = 0.25
# Of what varies by 20 %, around the rate where the plan changes, if there is one.
_JITTERING = (1.2, 0.9, 1.05, 0.8, 1.1, 0.95)
_JITTER_S = 0.5
_STEADY_BPS = 10e6


# Of a trace by its name; None where our own drive did not fit in.
Found = dict[str, dict[str, Any] | None]


def follow_traces(
    rig: Rig, paths: Sequence[Path], clip: str, seconds: float, found: Found, *, static: bool
) -> None:
    """
    Drive along traces; find latencies and their ratio to the oracle's mean.

    :param seconds: at most of each; the first of a longer trace.
    :param found: takes what is found, as soon as it is: a drive may be the last.
    :param static: whether to drive plans that never change, too.
    """
    tours = tours_of(paths, seconds)
    on_car = _stay(rig, clip, seconds) if static else {}
    for tour in tours:
        best_cuts = _follow(rig, tour, clip, on_car, found)
        if not static or not best_cuts:
            continue
        _drive_static(rig, tour, clip, METHODS[JPEG_UPLOAD], found)
        for cut in dict.fromkeys(cut for cut in best_cuts if cut):
            same = zip(tour.legs, best_cuts, strict=True)
            legs = tuple(leg for leg, best in same if best == cut)
            _drive_static(rig, Tour(legs), clip, cut, found)


def _follow(
    rig: Rig, tour: Tour, clip: str, on_car: dict[str, Any], found: Found
) -> list[Method | None]:
    """Drive ours; return the best fixed cut of each leg, nothing when there was no time."""
    found |= dict.fromkeys(leg.name for leg in tour.legs)
    taken = rig.drive(tour.title, drive := _drive_along(tour, clip))
    if taken is None:
        return []
    table = rig.policy_of(drive).table
    best_cuts = []
    for leg, run in zip(tour.legs, tour.runs(taken.run, began_s(taken.run)), strict=True):
        world, driven = as_driven(table, leg.trace, run, began_s(run) + LEAD_S, leg.seconds)
        oracle = Car(world, driven, Oracle(world, driven, BUNDLE_OVERHEAD_BYTES)).run()
        found[leg.name] = _figures_of(leg, run, oracle.mean_delay_s) | {'static': {**on_car}}
        best_cuts.append(_best_fixed_cut(driven, world, run))
    return best_cuts


def _drive_static(rig: Rig, tour: Tour, clip: str, method: Method, found: Found) -> None:
    """Drive by a method that never changes its plan, when there is time."""
    taken = rig.drive(tour.title, _drive_along(tour, clip), method)
    runs = tour.runs(taken.run, began_s(taken.run)) if taken else []
    for leg, run in zip(tour.legs, runs, strict=False):
        if of_leg := found[leg.name]:
            of_leg['static'][method.name] = asdict(latency(run, lead_s=LEAD_S))


def _figures_of(leg: Leg, run: RunRecord, oracle_s: float) -> dict[str, Any]:
    ours = latency(run, lead_s=LEAD_S)
    return {
        'seconds': leg.seconds,
        'of_s': leg.trace.length_s,
        'oracle_mean_s': oracle_s,
        'over_oracle': ours.mean_s / oracle_s if ours.mean_s is not None else None,
        'ours': asdict(ours),
        'switches_a_second': steady_switches(run),
    }


def _drive_along(tour: Tour, clip: str) -> Drive:
    return Drive(clip, tour.seconds, Setup(tour.trace), EDGE_SLOWDOWN, loop=True)


def _stay(rig: Rig, clip: str, seconds: float) -> dict[str, Any]:
    """Drive by plans that need no link; return their latencies."""
    drive = Drive(clip, LEAD_S + seconds, _steady(1e6), EDGE_SLOWDOWN, loop=True)
    taken = rig.drive('any trace', drive, METHODS['edge-only'])
    return {'edge-only': asdict(latency(taken.run, lead_s=LEAD_S))} if taken else {}


def _best_fixed_cut(table: PlanTable, world: World, run: RunRecord) -> Method | None:
    """Return the partial cut that is the soonest along a trace if it never changes, simulated."""
    rows = [
        number
        for number, row in enumerate(table.rows)
        if row.boundary and row.boundary != run.info.graph.inputs
    ]
    if not rows:
        return None
    row = table.rows[
        min(rows, key=lambda n: Car(world, table, Fixed(table, n)).run().mean_delay_s)
    ]
    return Method('fixed-cut', '', 'fixed', row.codec, True, row.boundary)


def react(rig: Rig, steps: int) -> dict[str, Any]:
    """
    Let the rate fall to a tenth and rise again; return how long the next plan took each time.

    A plan that did not come before the next step took at least until then, and is ``missed``.

    :param steps: pairs of fall and rise.
    """
    drive = Drive(CLIP, _STEP_BEGIN_S + 2 * steps * _STEP_LENGTH_S, _steady(1e6), EDGE_SLOWDOWN)
    high_bps = step_from_bps(rig.policy_of(drive).table, open_source(CLIP).rate_hz)
    times_s = [0.0] + [_STEP_BEGIN_S + i * _STEP_LENGTH_S for i in range(2 * steps)]
    rates_bps = [high_bps / 10 if i % 2 else high_bps for i in range(len(times_s))]
    setup = Setup(Trace(tuple(times_s), tuple(rates_bps)))
    drive = Drive(CLIP, drive.seconds, setup, EDGE_SLOWDOWN, loop=True)
    taken = rig.drive('step', drive)
    found = reactions(taken.run) if taken else []
    return {
        'from_bps': high_bps,
        'drop_ms': _worst_ms(found[::2]),
        'rise_ms': _worst_ms(found[1::2]),
        'missed': sum(not reaction.seen for reaction in found),
        'all': [asdict(reaction) for reaction in found],
    }


def step_from_bps(table: PlanTable, camera_hz: float) -> float:
    """
    Return a rate such that the best plan at a tenth of it is another one, and much better.

    Raises ConfigError when one plan is the best at any rate, so that there is nothing to see.
    """
    for high_bps in _STEP_FROM_BPS:
        before = Situation(high_bps, rate_hz=camera_hz)
        after = Situation(high_bps / 10, rate_hz=camera_hz)
        present = table.evaluate(table.plan(before).row, after, 'light')
        if table.plan(after).delay_s < present.delay_s * (1 - _STEP_GAIN):
            return high_bps
    raise ConfigError('the detector has one best plan for all rates; give another one to measure')


def _worst_ms(found: Sequence[Reaction]) -> float | None:
    return max(reaction.plan_s for reaction in found) * 1e3 if found else None


def jitter(rig: Rig, seconds: float) -> dict[str, Any]:
    """Return switches a second while the rate varies by 20 % twice a second, where it matters."""
    drive = Drive(CLIP, seconds, _steady(_STEADY_BPS), EDGE_SLOWDOWN, loop=True)
    rate_bps = change_bps(rig.policy_of(drive).table, open_source(CLIP).rate_hz)
    times_s = tuple(_JITTER_S * i for i in range(int(seconds / _JITTER_S)))
    rates_bps = tuple(rate_bps * _JITTERING[i % len(_JITTERING)] for i in range(len(times_s)))
    drive = replace(drive, setup=Setup(Trace(times_s, rates_bps)))
    taken = rig.drive(f'20 % jitter around {rate_bps / 1e6:.2f} Mbit/s', drive)
    return {
        'around_bps': rate_bps,
        'switches_a_second': steady_switches(taken.run) if taken else None,
    }


def change_bps(table: PlanTable, camera_hz: float) -> float:
    """Return the highest rate at which the best plan becomes another one; 10 Mbit/s if none."""
    rates_bps = [100e6 / 1.05**i for i in range(140)]
    rows = [table.plan(Situation(rate, rate_hz=camera_hz)).row for rate in rates_bps]
    changes = (rate for rate, (a, b) in zip(rates_bps, pairwise(rows), strict=False) if a != b)
    return next(changes, _STEADY_BPS)


def mobile(rig: Rig, rtt_s: float, seconds: float) -> dict[str, Any] | None:
    """Drive over a mobile network; return where the time of its frames goes."""
    way = Impairment(rtt_s / 2, 0.005, 0.01)
    setup = Setup(Trace((0.0,), (_MOBILE_BPS,)), way)
    drive = Drive(CLIP, seconds, setup, EDGE_SLOWDOWN, loop=True)
    taken = rig.drive(f'mobile {rtt_s * 1e3:g} ms', drive)
    return _mobile_figures(taken) if taken else None


def _mobile_figures(taken: Taken) -> dict[str, Any]:
    run = taken.run
    way = one_way_s(run)
    return {
        'latency': asdict(latency(run, taken.counted['camera_zero_ns'])),
        'frames_unaccounted': unaccounted(run),
        'switches_a_second': steady_switches(run),
        'stage_sum_error_max': stage_sum_error(run),
        'one_way_s': way and way[0],
        'one_way_bound_s': way and way[1],
        'stage_medians_s': stage_medians_s(run),
        'relay': taken.counted['relay'],
    }


def _steady(rate_bps: float) -> Setup:
    return Setup(Trace((0.0,), (rate_bps,)))
