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


"""Traces: exact integration against a plain sum, and files refused by line."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

from dads_ros.errors import TraceError
from dads_ros.trace import load_trace
from dads_ros.trace import Trace
from hypothesis import given
from hypothesis import strategies as st
import pytest

rates = st.one_of(st.just(0.0), st.floats(1e3, 1e8))
steps = st.floats(1e-3, 20)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    gaps = draw(st.lists(st.tuples(steps, rates), min_size=1, max_size=12))
    times_s, now_s = [], draw(st.floats(0, 5))
    for gap_s, _ in gaps:
        times_s.append(now_s)
        now_s += gap_s
    return Trace(tuple(times_s), tuple(rate for _, rate in gaps))


def crossed_bits(trace: Trace, start_s: float, end_s: float) -> float:
    """Integrate the definition: split at every sample, rate times length of each part."""
    knots = sorted({start_s, end_s, *(t for t in trace.times_s if start_s < t < end_s)})
    return math.fsum(rate_at(trace, (a + b) / 2) * (b - a) for a, b in itertools.pairwise(knots))


def rate_at(trace: Trace, time_s: float) -> float:
    earlier = [rate for t, rate in trace.samples if t <= time_s]
    return earlier[-1] if earlier else trace.rates_bps[0]


@given(trace=traces(), time_s=st.floats(-5, 300))
def test_rate_holds_until_the_next_sample(trace: Trace, time_s: float) -> None:
    assert trace.rate_bps(time_s) == rate_at(trace, time_s)


@given(trace=traces(), start_s=st.floats(-5, 100), bits=st.floats(1, 1e9))
def test_finish_is_when_exactly_the_bits_have_crossed(
    trace: Trace, start_s: float, bits: float
) -> None:
    end_s = trace.finish_s(start_s, bits)
    if math.isinf(end_s):
        assert trace.rates_bps[-1] == 0
        assert crossed_bits(trace, start_s, max(start_s, trace.duration_s) + 1) < bits * (1 + 1e-9)
        return
    # A time of about 1e6 s is known to about 1e-10 s, in which some bits cross.
    slack = 1e-9 * bits + 2 * math.ulp(abs(end_s) + 300) * max(trace.rates_bps)
    assert crossed_bits(trace, start_s, end_s) == pytest.approx(bits, abs=slack)


@given(trace=traces(), start_s=st.floats(0, 50), bits=st.floats(1, 1e8), more=st.floats(0, 1e8))
def test_more_bits_or_a_later_start_never_finish_earlier(
    trace: Trace, start_s: float, bits: float, more: float
) -> None:
    end_s = trace.finish_s(start_s, bits)
    assert end_s > start_s
    assert trace.finish_s(start_s, bits + more) >= end_s
    assert trace.finish_s(start_s + more / 1e7, bits) >= end_s - 1e-6


def test_a_pause_only_delays() -> None:
    trace = Trace((0.0, 1.0, 5.0), (1000.0, 0.0, 2000.0))
    assert trace.finish_s(0.0, 1000.0) == 1.0
    assert trace.finish_s(0.5, 1500.0) == pytest.approx(5.5)
    assert Trace((0.0, 1.0), (1000.0, 0.0)).finish_s(0.5, 501.0) == math.inf


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('', 'must begin with'),
        ('0,1\n1,2\n', 'must begin with'),
        ('time,rate\n0,1\n', 'must begin with'),
        ('time_s,uplink_mbps\n', 'no sample'),
        ('time_s,uplink_mbps\n0,1\n1,two\n', 'line 3'),
        ('time_s,uplink_mbps\n0,1\n\n1\n', 'line 4'),
        ('time_s,uplink_mbps\n0,1,2\n', 'line 2'),
        ('time_s,uplink_mbps\n0,1\n1,-2\n', 'line 3.*negative'),
        ('time_s,uplink_mbps\n0,nan\n', 'line 2.*not finite'),
        ('time_s,uplink_mbps\n0,1\ninf,2\n', 'line 3.*not finite'),
        ('time_s,uplink_mbps\n0,1\n2,2\n1,3\n', 'line 4.*sort'),
        ('time_s,uplink_mbps\n0,1\n0,2\n', 'line 3.*sort'),
    ],
)
def test_malformed_files_are_refused_by_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / 'link.csv'
    path.write_text(text)
    with pytest.raises(TraceError, match=told) as error:
        load_trace(path)
    assert 'link.csv' in str(error.value) and '\n' not in str(error.value)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'link.csv').write_bytes(b'\xff\xfe\x00')
    for name in ('link.csv', 'missing.csv'):
        with pytest.raises(TraceError, match=name):
            load_trace(tmp_path / name)


@pytest.mark.parametrize(
    ('times_s', 'rates_bps'),
    [((), ()), ((0.0,), ()), ((0.0, 0.0), (1.0, 1.0)), ((0.0,), (-1.0,)), ((math.nan,), (1.0,))],
)
def test_a_trace_checks_its_samples(
    times_s: tuple[float, ...], rates_bps: tuple[float, ...]
) -> None:
    with pytest.raises(TraceError):
        Trace(times_s, rates_bps)


def test_a_file_made_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / 'link.csv'
    path.write_bytes('\ufefftime_s,uplink_mbps\r\n0,1.5\r\n2,0\r\n'.encode())
    assert load_trace(path) == Trace((0.0, 2.0), (1.5e6, 0.0))
    path.write_text('time_s,uplink_mbps\n1700000000,1.5\n1700000002,0\n')
    assert load_trace(path) == Trace((0.0, 2.0), (1.5e6, 0.0))


def test_a_trace_lasts_as_long_as_its_last_sample_holds() -> None:
    assert Trace((0.0, 1.0, 2.0, 7.0), (1e6,) * 4).length_s == 8.0
    assert Trace((0.0,), (1e6,)).length_s is None


def test_shipped_and_real_traces_load(root: Path, shared: Path) -> None:
    paths = [*(root / 'config/traces').glob('*.csv'), *(shared / 'traces').glob('*.csv')]
    assert len(paths) >= 6
    for path in paths:
        assert load_trace(path).duration_s > 10
