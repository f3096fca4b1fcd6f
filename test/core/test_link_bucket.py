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

"""The uplink's estimate on a token bucket, which passes the first packet after a pause at once."""

import csv
from pathlib import Path
import random

from dads_ros.monitor.headstart import HeadStart
from dads_ros.monitor.link import LinkEstimator
from dads_ros.monitor.link import MessageKey
from dads_ros.monitor.pace import Sample
from dads_ros.simulation.world import Chance
from dads_ros.simulation.world import Link
from dads_ros.simulation.world import World
from dads_ros.trace import Trace
import pytest

PROBE_BYTES = 96
RECORDED = Path(__file__).with_name('recorded')


@pytest.mark.parametrize('mbps', [1.1, 5.85])
def test_what_was_recorded_on_a_token_bucket_shows_its_rate(mbps):
    """Real nodes on the testbed: bundles of 0.7 and 7 kB, probes, other work on the machine."""
    estimator, rates = LinkEstimator(), []
    with (RECORDED / f'link_{mbps}_mbps.csv').open(encoding='utf-8') as file:
        for row in csv.DictReader(file):
            key, now_s = (
                MessageKey(row['probe'] == '1', int(row['sequence'])),
                float(row['time_s']),
            )
            if row['event'] == 'sent':
                estimator.sent(key, int(row['value']), now_s)
            else:
                estimator.answered(key, float(row['value']), now_s)
            rates.append((now_s, estimator.estimate(now_s).uplink_bps / 1e6))
    settled = [rate for now_s, rate in rates if now_s > 4.5]
    assert len(settled) > 100
    assert mbps / 1.3 < min(settled) <= max(settled) < mbps * 1.3


@pytest.mark.parametrize('seed', range(3))
def test_single_packets_that_pass_a_token_bucket_at_once_do_not_raise_the_rate(seed):
    """Bundles of one packet come at once whatever the rate; only larger probes tell it."""
    estimator, chance, now_s = LinkEstimator(), random.Random(seed), 0.0
    rates = []
    for number in range(300):
        now_s += 0.1
        is_probe = number % 5 == 0
        size_bytes = (PROBE_BYTES if number % 10 else 4000) if is_probe else 700
        key = MessageKey(is_probe, number)
        air_s = max(0, size_bytes - 1500) * 8 / 1e6
        estimator.sent(key, size_bytes, now_s)
        estimator.answered(key, 0.0, now_s + air_s + 0.002 + chance.uniform(0, 0.002))
        if now_s > 5:
            rates.append(estimator.estimate(now_s + 0.05).uplink_bps)
    assert 0.7e6 < min(rates) <= max(rates) < 1.6e6


def test_a_probe_behind_a_known_bucket_tells_the_rate_of_all_but_a_packet():
    """A small message passes at once there: its bits were not on the air with the round trip's."""
    estimator, now_s = LinkEstimator(), 0.0
    for number in range(60):
        now_s += 0.25
        size_bytes = (PROBE_BYTES, 700, 2496, 700)[number % 4]
        air_s = max(0, size_bytes - 1500) * 8 / 1e6
        key = MessageKey(size_bytes != 700, number)
        estimator.sent(key, size_bytes, now_s)
        estimator.answered(key, 0.0, now_s + air_s + 0.002)
    assert estimator.head_start.is_certain
    assert estimator.estimate(now_s + 0.05).uplink_bps == pytest.approx(1e6, rel=0.01)


def test_simulated_bucket_carries_the_first_packet_only():
    world = World(Trace((0.0,), (1e6,)), 10.0, 10.0, rtt_s=0.0, burst_bytes=1500)
    link = Link(world, Chance(world))
    assert link.send(1.0, 1000) == 1.0  # after a pause
    assert link.send(1.0, 1500) == pytest.approx(1.008)  # 500 bytes were left
    assert link.send(1.008, 1000) == pytest.approx(1.016)  # behind the one before it
    assert link.send(2.0, 2500) == pytest.approx(2.008)


def test_a_link_that_became_faster_is_no_bucket():
    head_start = HeadStart()
    head_start.told_by(Sample(24_000.0, 0.2, False, 0.0), 0.0005)
    # From 0.12 to 4 Mbit/s: a single packet that comes early, and one of two packets as early.
    head_start.told_by(Sample(8_000.0, 0.002, False, 1.0), 0.0005)
    head_start.told_by(Sample(18_900.0, 0.0047, False, 1.1), 0.0005)
    assert not head_start.is_certain


@pytest.mark.parametrize(('pause_s', 'is_bucket_excluded'), [(0.05, False), (0.5, True)])
def test_only_a_packet_after_a_pause_shows_that_there_is_no_bucket(pause_s, is_bucket_excluded):
    # 0.13 Mbit/s: a bucket of one packet takes 0.09 s to fill.
    head_start = HeadStart()
    for at_s in range(4):
        head_start.told_by(Sample(24_000.0, 24_000 / 0.13e6, False, at_s, pause_s), 0.0005)
        head_start.told_by(Sample(24_000.0, 24_000 / 0.13e6, True, at_s + 0.2, 0.0), 0.0005)
    assert (head_start.bits == 0.0) == is_bucket_excluded


@pytest.mark.parametrize('free_bits', [0.0, 12_000.0])
def test_messages_of_two_sizes_show_whether_there_is_a_bucket(free_bits):
    # 4 Mbit/s: a waist of 2 kB, and now and then a probe of 6 kB.
    head_start = HeadStart()
    for at_s in range(4):
        for bits, later_s in ((16_000.0, 0.0), (48_000.0, 0.5)):
            air_s = (bits - free_bits) / 4e6
            head_start.told_by(Sample(bits, air_s, False, at_s + later_s, 0.1), 0.0005)
    assert (head_start.bits == 0.0) == (free_bits == 0.0)
