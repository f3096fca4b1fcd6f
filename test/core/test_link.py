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

"""The uplink's estimate against a simulated link whose rate and round trip are known."""

from statistics import median

from dads_ros.monitor.estimate import LinkEstimate
from dads_ros.monitor.link import LinkEstimator
from dads_ros.monitor.link import MessageKey
from dads_ros.simulation.world import World
from dads_ros.trace import Trace
from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from link_driver import Driver
from link_driver import PROBE_BYTES
import pytest


def steady(mbps: float) -> Trace:
    return Trace((0.0,), (mbps * 1e6,))


def step(before_mbps: float, after_mbps: float, at_s: float = 8.0) -> Trace:
    return Trace((0.0, at_s), (before_mbps * 1e6, after_mbps * 1e6))


@settings(max_examples=40)
@given(
    mbps=st.floats(-1.3, 1.7).map(lambda x: 10**x),
    size_bytes=st.integers(1000, 40_000),
    rtt_s=st.floats(0.0, 0.15),
    jitter=st.sampled_from((0.0, 0.2)),
    utilisation=st.sampled_from((0.3, 2.0)),
    seed=st.integers(0, 99),
)
def test_transfer_times_are_predicted(mbps, size_bytes, rtt_s, jitter, utilisation, seed):
    """
    Predicted air time is within 2% and 2 ms, or a packet, in the median of the last second.

    Jitter of 20% adds at most itself.

    Only where four messages cross while a silent link still counts as alive.
    """
    air_s = size_bytes * 8 / (mbps * 1e6)
    assume(air_s * 4 + rtt_s < 0.8)
    period_s = max(air_s / utilisation, 0.02)
    world = World(
        steady(mbps), max(8.0, 25 * period_s), 1.0, rtt_s=rtt_s, jitter=jitter, seed=seed
    )
    driver = Driver(world, size_bytes, period_s)
    found = driver.run()
    # While everything queues, jitter may hide for a moment what waited and what travelled.
    late = [e for t, e in driver.estimates if t > world.duration_s - 1 and e.uplink_bps]
    # Without a single probe before that waited for nothing nobody can tell.
    assume(found.rtt_s and all(e.rtt_s for e in late))
    assert found.alive and found.uplink_bps > 0
    # None of these messages tells whether a packet passes at once, as some links let it.
    error_s = median(
        abs(e.air_s(size_bytes) - air_s) - min(e.head_start_bits / (mbps * 1e6), air_s)
        for e in late
    )
    assert error_s <= 0.02 * air_s + 0.002 + jitter * 2 * (air_s + rtt_s)
    assert found.low_bps <= found.uplink_bps <= found.high_bps


@settings(max_examples=25)
@given(rtt_s=st.floats(0.0, 0.15), mbps=st.floats(0.3, 50), jitter=st.sampled_from((0.0, 0.2)))
def test_round_trip_is_that_of_a_small_message(rtt_s, mbps, jitter):
    world = World(steady(mbps), 6.0, 1.0, rtt_s=rtt_s, jitter=jitter)
    found = Driver(world, int(mbps * 1e6 / 8 * 0.03), 0.1).run()
    expected_s = rtt_s + PROBE_BYTES * 8 / (mbps * 1e6)
    assert found.rtt_s == pytest.approx(expected_s, rel=jitter + 1e-6, abs=1e-6)


def test_probes_that_overtake_bundles_in_the_cloud_do_not_mislead():
    world = World(steady(2), 10.0, 1.0, rtt_s=0.04)
    driver = Driver(world, 20_000, 0.09)  # 80 ms of air each, almost always busy
    found = driver.run()
    assert found.air_s(20_000) == pytest.approx(0.08, rel=0.02)
    late = [e for t, e in driver.estimates if t > 2]
    assert all(1.8e6 < e.uplink_bps < 2.2e6 for e in late)
    assert all(e.rtt_s < 0.06 for e in late)


@pytest.mark.parametrize('along_bytes', [0, 150, 400])
def test_probes_behind_bundles_on_a_slow_link_do_not_pass_for_round_trips(along_bytes):
    # What DDS says beside a probe takes longer than the probe itself; each is behind a bundle.
    world = World(step(8, 0.13), 40.0, 1.0, rtt_s=0.004)
    driver = Driver(world, 4_800, 0.05, under_way=2, along_bytes=along_bytes, patience_s=5.0)
    driver.run()
    assert all(e.rtt_s < 0.1 for _, e in driver.estimates)
    assert all(0.1e6 < e.uplink_bps < 0.15e6 for t, e in driver.estimates if t > 11)


@pytest.mark.parametrize('size_bytes', [2_000, 10_000, 25_000])
def test_tenfold_drop_is_seen_within_half_a_second(size_bytes):
    world = World(step(10, 1), 12.0, 1.0)
    driver = Driver(world, size_bytes, 0.1)
    driver.run()
    seen_s = min(t for t, e in driver.estimates if t > 8 and e.uplink_bps < 4e6)
    assert seen_s - 8 <= 0.5


def test_bundle_that_is_stuck_bounds_the_rate_before_it_is_answered():
    driver = Driver(World(step(10, 0.001), 9.5, 1.0), 10_000, 0.1)
    driver.run()
    bounded = [e.uplink_bps for t, e in driver.estimates if 8.6 < t < 8.9]
    assert bounded and all(0 < bps < 1.5e6 for bps in bounded)
    assert bounded == sorted(bounded, reverse=True)


def test_rise_is_seen_at_once_when_bundles_travel():
    driver = Driver(World(step(1, 10), 12.0, 1.0), 10_000, 0.1)
    driver.run()
    assert min(t for t, e in driver.estimates if t > 8 and e.uplink_bps > 5e6) < 9.0


@pytest.mark.parametrize('seed', range(5))
def test_jitter_moves_the_estimate_by_no_more_than_itself(seed):
    world = World(steady(5), 60.0, 1.0, rtt_s=0.03, jitter=0.2, seed=seed)
    driver = Driver(world, 20_000, 0.1)
    driver.run()
    rates = [e.uplink_bps for t, e in driver.estimates if t > 2]
    assert 5e6 / 1.4 < min(rates) <= max(rates) < 5e6 * 1.4


def test_pause_of_the_cloud_is_not_taken_for_a_slow_link():
    pauses = tuple((at, at + 0.2) for at in (3.0, 5.05, 7.13))
    driver = Driver(World(steady(5), 9.0, 1.0, pauses_s=pauses), 12_000, 0.1)
    driver.run()
    rates = [e.uplink_bps for t, e in driver.estimates if t > 2]
    assert 4e6 < min(rates) <= max(rates) < 6e6


def test_single_late_answer_changes_little():
    estimator = LinkEstimator()
    rates = []
    for number in range(40):
        now_s = number * 0.1
        probe, bundle = MessageKey(True, number), MessageKey(False, number)
        estimator.sent(probe, PROBE_BYTES, now_s)
        estimator.answered(probe, 0.0, now_s + 0.02)
        estimator.sent(bundle, 10_000 + PROBE_BYTES, now_s + 0.03)
        late_s = 0.2 if number == 20 else 0.0
        estimator.answered(bundle, 0.01, now_s + 0.03 + 0.016 + 0.02 + 0.01 + late_s)
        found = estimator.estimate(now_s + 0.09)
        rates.append(10_000 * 8 / found.air_s(10_000))
    assert min(rates[2:]) > 4.5e6 and max(rates[2:]) < 5.5e6


@pytest.mark.parametrize('seed', range(3))
def test_lost_messages_neither_bias_nor_bound_the_rate(seed):
    world = World(steady(5), 60.0, 1.0, rtt_s=0.04, loss=0.01, seed=seed)
    driver = Driver(world, 20_000, 0.05)
    driver.run()
    rates = [e.uplink_bps for t, e in driver.estimates if t > 2]
    assert sum(4.5e6 < rate < 5.5e6 for rate in rates) > 0.95 * len(rates)
    assert all(e.alive for t, e in driver.estimates if t > 2)


def test_bundles_the_cloud_never_answers_do_not_bound_the_rate_for_ever():
    estimator = LinkEstimator()
    for number in range(3):  # the cloud restarts while these are under way
        estimator.sent(MessageKey(False, number), 10_000, number * 0.1)
    assert not estimator.estimate(5.0).alive
    for number in range(4):
        key, now_s = MessageKey(True, number), 5.0 + number * 0.5
        size_bytes = PROBE_BYTES if number % 2 == 0 else 5_000
        estimator.sent(key, size_bytes, now_s)
        estimator.answered(key, 0.0, now_s + 0.02 + (size_bytes - PROBE_BYTES) * 8 / 4e6)
    found = estimator.estimate(7.0)
    assert found.alive
    assert found.air_s(5_000) == pytest.approx(5_000 * 8 / 4e6, rel=0.03)


def test_silence_is_noticed_and_the_link_measured_anew_afterwards():
    trace = Trace((0.0, 5.0, 10.0), (5e6, 0.0, 1e6))
    driver = Driver(World(trace, 16.0, 1.0), 10_000, 0.1, under_way=2)
    driver.run()
    assert all(not e.alive and e.uplink_bps == 0 for t, e in driver.estimates if 6.3 < t < 9.9)
    assert driver.estimates[-1][1].air_s(10_000) == pytest.approx(0.08, rel=0.05)
    assert not any(e.uplink_bps > 2e6 for t, e in driver.estimates if t > 10)


def test_unknown_and_repeated_answers_change_nothing():
    estimator = LinkEstimator()
    estimator.answered(MessageKey(False, 1), 0.0, 1.0)
    assert estimator.estimate(1.0) == LinkEstimate(0.0, 0.0, 0.0, 0.0, False)
    estimator.sent(MessageKey(True, 1), PROBE_BYTES, 1.0)
    estimator.answered(MessageKey(True, 1), 0.0, 1.02)
    before = estimator.estimate(1.1)
    estimator.answered(MessageKey(True, 1), 0.0, 1.5)
    assert estimator.estimate(1.1) == before


def test_a_cloud_that_claims_more_time_than_there_was_is_not_believed():
    estimator = LinkEstimator()
    for number in range(20):
        estimator.sent(MessageKey(True, number), PROBE_BYTES, number * 1.0)
        estimator.answered(MessageKey(True, number), 5.0, number * 1.0 + 0.02)
    assert 0 <= estimator.rtt_s <= 0.02


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 0.3), st.integers(0, 40_000)), max_size=200))
def test_memory_is_bounded_and_numbers_are_finite(events):
    estimator = LinkEstimator()
    now_s = 0.0
    for number, (answers, wait_s, size_bytes) in enumerate(events):
        now_s += wait_s
        key = MessageKey(size_bytes % 2 == 0, number)
        estimator.sent(key, size_bytes, now_s)
        if answers:
            estimator.answered(key, wait_s, now_s + wait_s)
        found = estimator.estimate(now_s + wait_s)
        assert 0 <= found.low_bps <= found.uplink_bps <= found.high_bps < float('inf')
    assert len(estimator._messages) <= 64
