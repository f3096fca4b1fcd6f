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

from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from dads_ros.bench.testbed.rig import CLIP
from dads_ros.bench.testbed.rig import EDGE_SLOWDOWN
from dads_ros.bench.testbed.rig import Rig
from dads_ros.bench.testbed.rig import Taken
from dads_ros.bench.testbed.runs import latency
from dads_ros.bench.testbed.runs import one_way_bound_s
from dads_ros.bench.testbed.runs import reactions_s
from dads_ros.bench.testbed.runs import stage_medians_s
from dads_ros.bench.testbed.runs import stage_sum_error
from dads_ros.bench.testbed.runs import steady_switches
from dads_ros.bench.testbed.runs import unaccounted
from dads_ros.errors import ConfigError
from dads_ros.media.sources import open_source
from dads_ros.monitor.monitor import BUNDLE_OVERHEAD_BYTES
from dads_ros.partition.situation import Situation
from dads_ros.partition.table import PlanTable
from dads_ros.replay.methods import JPEG_UPLOAD
from dads_ros.replay.methods import METHODS
from dads_ros.report.schema import RunRecord
from dads_ros.simulation.car import Car
from dads_ros.simulation.oracle import Oracle
from dads_ros.simulation.world import World
from dads_ros.testbed.bed import Setup
from dads_ros.testbed.drive import Drive
from dads_ros.testbed.hosts import FRAME_BYTES
from dads_ros.testbed.lane import Impairment
from dads_ros.trace import load_trace
from dads_ros.trace import Trace

_STEP_BEGIN_S = 4.0
_STEP_LENGTH_S = 5.0
_MOBILE_BPS = 10e6
# Tried from above: the first where a tenth of the rate asks for another cut,
_STEP_FROM_BPS = (100e6, 50e6, 20e6, 10e6, 5e6, 2e6, 1e6)
# which saves at least this share of the delay. What saves little the monitor need not do.
_STEP_GAIN = 0.25


def follow_trace(
    rig: Rig, path: Path, clip: str, seconds: float, static: dict[str, Any] | None
) -> dict[str, Any] | None:
    """
    Drive along a trace; return latencies and their ratio to the oracle's mean.

    :param static: what plans that need no link gave; None to drive no static plan.
    :return: None when our own drive did not fit in.
    """
    trace = load_trace(path)
    drive = Drive(clip, min(seconds, trace.duration_s or seconds), Setup(trace), EDGE_SLOWDOWN,
                  loop=True)  # fmt: skip
    taken = rig.drive(f'trace {path.stem}', drive)
    if taken is None:
        return None
    policy = rig.policy_of(drive)
    oracle_s = oracle_mean_s(policy.table, trace, taken.run, drive.seconds)
    ours = latency(taken.run)
    others = dict(static or {})
    if static is not None and (
        other := rig.drive(f'trace {path.stem}', drive, METHODS[JPEG_UPLOAD])
    ):
        others[JPEG_UPLOAD] = asdict(latency(other.run))
    return {
        'seconds': drive.seconds,
        'oracle_mean_s': oracle_s,
        'over_oracle': ours.mean_s / oracle_s if ours.mean_s is not None else None,
        'ours': asdict(ours),
        'switches_a_second': steady_switches(taken.run),
        'static': others,
    }


def stay(rig: Rig, clip: str, seconds: float) -> dict[str, Any]:
    """Drive by plans that need no link; return their latencies."""
    drive = Drive(clip, seconds, _steady(1e6), EDGE_SLOWDOWN, loop=True)
    taken = rig.drive('any trace', drive, METHODS['edge-only'])
    return {'edge-only': asdict(latency(taken.run))} if taken else {}


def oracle_mean_s(table: PlanTable, trace: Trace, run: RunRecord, seconds: float) -> float:
    """
    Return the mean latency of one who knows the trace, simulated on the monitor's own table.

    Round trip, speed of both machines and the reading of images are the run's own, in the median.
    """
    links = [link for link in run.links if link.cloud_alive]
    world = World(
        trace=trace,
        duration_s=seconds,
        camera_hz=run.info.clip_rate_hz,
        rtt_s=median(link.rtt_s for link in links) if links else 0.0,
        burst_bytes=FRAME_BYTES,
        edge_factor=median(link.edge_factor for link in links) if links else 1.0,
        cloud_factor=median(link.cloud_factor for link in links) if links else 1.0,
    )
    # Every way reads the camera's image and scales it; the table knows the network only.
    reading_s = median(frame.preprocess_s for frame in run.frames) if run.frames else 0.0
    oracle = Car(world, table, Oracle(world, table, BUNDLE_OVERHEAD_BYTES))
    return reading_s + oracle.run().mean_delay_s


def react(rig: Rig, steps: int) -> dict[str, Any]:
    """
    Let the rate fall to a tenth and rise again; return how long the next plan took each time.

    :param steps: pairs of fall and rise.
    """
    drive = Drive(CLIP, _STEP_BEGIN_S + 2 * steps * _STEP_LENGTH_S, _steady(1e6), EDGE_SLOWDOWN)
    high_bps = step_from_bps(rig.policy_of(drive).table, open_source(CLIP).rate_hz)
    times_s = [0.0] + [_STEP_BEGIN_S + i * _STEP_LENGTH_S for i in range(2 * steps)]
    rates_bps = [high_bps / 10 if i % 2 else high_bps for i in range(len(times_s))]
    setup = Setup(Trace(tuple(times_s), tuple(rates_bps)))
    drive = Drive(CLIP, drive.seconds, setup, EDGE_SLOWDOWN, loop=True)
    taken = rig.drive('step', drive)
    found = reactions_s(taken.run) if taken else []
    return {
        'from_bps': high_bps,
        'drop_ms': _worst_ms(found[::2]),
        'rise_ms': _worst_ms(found[1::2]),
        'all_s': found,
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


def _worst_ms(found_s: list[float | None]) -> float | None:
    """Return the longest in milliseconds; None without steps, or when one had no effect."""
    known = [value for value in found_s if value is not None]
    return max(known) * 1e3 if known and len(known) == len(found_s) else None


def steady_jitter(rig: Rig, seconds: float) -> float | None:
    """Return switches a second on a link of 10 Mbit/s that varies by 20 % twice a second."""
    times_s = tuple(0.5 * i for i in range(int(2 * seconds)))
    rates_bps = tuple(10e6 * (1.2, 0.9, 1.05, 0.8, 1.1, 0.95)[i % 6] for i in range(len(times_s)))
    setup = Setup(Trace(times_s, rates_bps))
    taken = rig.drive('20 % jitter', Drive(CLIP, seconds, setup, EDGE_SLOWDOWN, loop=True))
    return steady_switches(taken.run) if taken else None


def mobile(rig: Rig, rtt_s: float, seconds: float) -> dict[str, Any] | None:
    """Drive over a mobile network; return where the time of its frames goes."""
    way = Impairment(rtt_s / 2, 0.005, 0.01)
    setup = Setup(Trace((0.0,), (_MOBILE_BPS,)), way)
    drive = Drive(CLIP, seconds, setup, EDGE_SLOWDOWN, loop=True)
    taken = rig.drive(f'mobile {rtt_s * 1e3:g} ms', drive)
    return _mobile_figures(taken) if taken else None


def _mobile_figures(taken: Taken) -> dict[str, Any]:
    return {
        'latency': asdict(latency(taken.run)),
        'frames_unaccounted': unaccounted(taken.run, 4.0),
        'stage_sum_error_max': stage_sum_error(taken.run),
        'one_way_bound_s': one_way_bound_s(taken.run),
        'stage_medians_s': stage_medians_s(taken.run),
        'relay': taken.counted['relay'],
    }


def _steady(rate_bps: float) -> Setup:
    return Setup(Trace((0.0,), (rate_bps,)))
