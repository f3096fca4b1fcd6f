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

"""A steady link where lost packets are sent again, as reliable DDS does: the plan stays."""

from itertools import groupby
from itertools import pairwise
from statistics import median

from dads_ros.monitor.lateness import DOUBT_S
from dads_ros.monitor.lateness import Lateness
from dads_ros.monitor.lateness import MANY
from dads_ros.monitor.lateness import MEMORY_S
from dads_ros.monitor.link import LinkEstimator
from dads_ros.monitor.link import MessageKey
from dads_ros.monitor.monitor import Monitor
from dads_ros.monitor.policy import Policy
from dads_ros.monitor.policy import PolicyLimits
from dads_ros.partition.build import build_table
from dads_ros.partition.costs import CostGraph
from dads_ros.simulation.car import Car
from dads_ros.simulation.run import Run
from dads_ros.simulation.world import World
from dads_ros.trace import Trace
import pytest

CAMERA_HZ = 10.0
SETTLED_S = 3.0
SEEDS = range(3)
# A JPEG of 8 packets, a waist of 2, and a car that takes 116 ms for all.
TABLE = build_table({
    'raw': CostGraph(
        ids=('frame', 'waist', 'detections'), edges=tuple(pairwise(range(3))),
        pinned=(0,), outputs=(2,),
        edge_ns=(9_000_000, 28_000_000, 79_000_000), cloud_ns=(0, 2_600_000, 7_300_000),
        output_bytes=(11_300, 1_840, 300),
    )
})  # fmt: skip
ROUND_TRIP_S, AIR_S = 0.02, 0.01


def drive(trace: Trace, seconds: float, seed: int, **more) -> Run:
    world = World(
        trace, seconds, CAMERA_HZ, burst_bytes=1500, packet_loss=0.01, lead_s=3.0, seed=seed,
        **more,
    )  # fmt: skip
    return Car(world, TABLE, Monitor(Policy(TABLE, '', ('frame',), PolicyLimits()))).run()


def steady(mbps: float) -> Trace:
    return Trace((0.0,), (mbps * 1e6,))


@pytest.mark.parametrize('resend_s', [0.1, 0.2])
@pytest.mark.parametrize('rtt_s', [0.02, 0.08])
@pytest.mark.parametrize('mbps', [2.0, 5.0, 10.0])
def test_packets_sent_again_move_neither_the_cut_nor_the_estimate(mbps, rtt_s, resend_s):
    seconds = 40.0
    switches, shares, longest_s = 0, [], 0.0
    for seed in SEEDS:
        run = drive(steady(mbps), seconds, seed, rtt_s=rtt_s, resend_s=resend_s, jitter=0.1)
        switches += sum(change.time_s > SETTLED_S for change in run.switches)
        told = [
            (time_s, estimate.uplink_bps / (mbps * 1e6))
            for time_s, estimate in run.estimates
            if SETTLED_S < time_s < seconds
        ]
        shares += [share for _, share in told]
        for is_low, group in groupby(told, lambda one: one[1] < 1 / 3):
            times_s = [time_s for time_s, _ in group]
            if is_low:
                longest_s = max(longest_s, times_s[-1] - times_s[0])
    assert switches <= len(SEEDS) * (seconds - SETTLED_S) / 10
    assert 0.8 < median(shares) < 1.2
    # Only what was lost twice is so late that the estimate falls until it comes.
    assert longest_s <= 1.5 * resend_s


@pytest.mark.parametrize('seed', range(4))
def test_tenfold_drop_is_noticed_in_time_where_packets_are_sent_again(seed):
    at_s = 10.0 + seed * 0.03
    run = drive(Trace((0.0, at_s), (10e6, 1e6)), 14.0, seed, rtt_s=0.02, jitter=0.05)
    ended_s = [f.ended_s for f in run.frames if f.outcome.is_published and f.stamp_s >= at_s]
    moved_s = min(change.time_s for change in run.switches if change.time_s > at_s)
    assert moved_s - at_s <= max(0.5, ended_s[2] - at_s)


class Talk:
    """Bundles every 100 ms to an estimator, each answered when it is told to be."""

    def __init__(self) -> None:
        self.estimator = LinkEstimator()
        self.now_s = 0.0
        self._count = 0

    def send(self, late_s: float = 0.0) -> None:
        """Let a small probe tell the round trip, then a bundle be late by so much."""
        self._count += 1
        self.now_s += 0.1
        probe = MessageKey(True, self._count)
        self.estimator.sent(probe, 96, self.now_s)
        self.estimator.answered(probe, 0.0, self.now_s + ROUND_TRIP_S)
        bundle = MessageKey(False, self._count)
        sent_s = self.now_s + ROUND_TRIP_S
        self.estimator.sent(bundle, 12_596, sent_s)
        self.estimator.answered(bundle, 0.0, sent_s + ROUND_TRIP_S + AIR_S + late_s)

    @property
    def mbps(self) -> float:
        """Return the estimate between two bundles."""
        return self.estimator.estimate(self.now_s + 0.095).uplink_bps / 1e6


def test_two_late_messages_tell_of_a_slower_link_unless_such_were_excused_before():
    talk, link = Talk(), Talk()
    for each in (talk, link):
        for _ in range(10):
            each.send()
    link.send(0.04)
    link.send()
    before = talk.mbps
    assert link.mbps == pytest.approx(before, rel=0.01)
    for each in (talk, link):
        each.send(0.04)
        each.send(0.03)
    assert talk.mbps < before / 2
    assert link.mbps == pytest.approx(before, rel=0.01)
    for _ in range(MANY - 2):
        link.send(0.03)
    assert link.mbps < before / 2


def test_lateness_that_was_excused_is_forgotten_after_a_while():
    lateness: Lateness[int] = Lateness()
    assert lateness.patience_s(0.2, 0.0) == 0.2
    lateness.note(1, 0.15)
    assert lateness.patience_s(0.2, 0.0) == DOUBT_S
    lateness.excuse(0.0)
    assert lateness.patience_s(0.2, 0.0) == pytest.approx(0.3)
    lateness.note(2, 0.1)
    lateness.note(3, 0.07)
    assert not lateness.is_change(1.0)
    assert lateness.patience_s(0.2, 1.0) == pytest.approx(0.13)
    assert lateness.is_change(MEMORY_S + 1.0)


def test_lateness_that_does_not_pass_is_believed_sooner():
    passing: Lateness[int] = Lateness()
    lasting: Lateness[int] = Lateness()
    for lateness, late_s in ((passing, (0.18, 0.08, 0.05)), (lasting, (0.083, 0.097, 0.113))):
        lateness.note(0, 0.19)
        lateness.excuse(0.0)
        for number, each_s in enumerate(late_s, start=1):
            assert not lateness.is_change(1.0)
            lateness.note(number, each_s)
    assert not passing.is_change(1.0)
    assert lasting.is_change(1.0)


def test_probe_that_is_held_back_makes_the_bundles_that_overtake_it_no_faster():
    talk = Talk()
    for _ in range(10):
        talk.send()
    before = talk.mbps
    probe = MessageKey(True, 1000)
    talk.estimator.sent(probe, 96, talk.now_s + 0.099)
    for number in range(2000, 2003):
        key, sent_s = MessageKey(False, number), talk.now_s + 0.1 + (number - 2000) * 0.03
        talk.estimator.sent(key, 12_596, sent_s)
        talk.estimator.answered(key, 0.0, sent_s + ROUND_TRIP_S + AIR_S)
    talk.estimator.answered(probe, 0.0, talk.now_s + 0.26)
    assert talk.estimator.estimate(talk.now_s + 0.27).uplink_bps / 1e6 == pytest.approx(
        before, rel=0.2
    )
