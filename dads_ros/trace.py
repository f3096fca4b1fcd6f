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

"""A link's rate over time, from a CSV ``time_s,uplink_mbps``; a row holds until the next."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
import csv
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
import math
from pathlib import Path
from statistics import median

from dads_ros.errors import TraceError

HEADER = ['time_s', 'uplink_mbps']


@dataclass(frozen=True)
class Trace:
    """
    Rates by time; before the first sample its rate holds, after the last one the last.

    :param times_s: strictly increasing.
    :param rates_bps: bits per second from that time on; 0 means that nothing gets through.
    """

    times_s: tuple[float, ...]
    rates_bps: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise TraceError when a number is negative or not finite, or times do not increase."""
        if not self.times_s or len(self.times_s) != len(self.rates_bps):
            raise TraceError('a trace needs one rate for each of at least one time')
        for number in range(len(self.times_s)):
            if problem := _problem(self.times_s, self.rates_bps, number):
                raise TraceError(f'sample {number + 1} of the trace {problem}')

    @property
    def duration_s(self) -> float:
        """Return the time of the last sample."""
        return self.times_s[-1]

    @property
    def length_s(self) -> float | None:
        """Return when a last sample as long as the others ends; None for one, which has no end."""
        if len(self.times_s) == 1:
            return None
        return self.times_s[-1] + median(b - a for a, b in pairwise(self.times_s))

    def after(self, lead_s: float) -> Trace:
        """Return the trace so much later, with its first rate from 0 on."""
        return Trace(
            (0.0, *(time_s + lead_s for time_s in self.times_s)),
            (self.rates_bps[0], *self.rates_bps),
        )

    def rate_bps(self, time_s: float) -> float:
        """Return the rate at a time."""
        return self.rates_bps[max(0, bisect.bisect_right(self.times_s, time_s) - 1)]

    def finish_s(self, start_s: float, bits: float) -> float:
        """
        Return when so many bits have crossed, the link being free from ``start_s`` on.

        :return: infinity when the rate stays 0 before they have.
        """
        row = max(0, bisect.bisect_right(self.times_s, start_s) - 1)
        now_s, left = start_s, bits
        while True:
            rate_bps = self.rates_bps[row]
            end_s = self.times_s[row + 1] if row + 1 < len(self.times_s) else math.inf
            done_s = now_s + left / rate_bps if rate_bps > 0 else math.inf
            if done_s <= end_s or end_s == math.inf:
                return done_s
            left -= rate_bps * (end_s - now_s)
            now_s, row = end_s, row + 1

    @cached_property
    def samples(self) -> tuple[tuple[float, float], ...]:
        """Return (seconds, bits per second) pairs."""
        return tuple(zip(self.times_s, self.rates_bps, strict=True))


def load_trace(path: Path) -> Trace:
    """
    Return the trace in a CSV file, its times counted from the first sample.

    Raises TraceError naming the file and the line when it cannot be read or is malformed.
    """
    try:
        with path.open(newline='', encoding='utf-8-sig') as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TraceError(f'trace {str(path)!r} cannot be read: {error}') from error
    if not rows or [cell.strip() for cell in rows[0]] != HEADER:
        raise TraceError(f'trace {str(path)!r} must begin with the line {",".join(HEADER)}')
    times_s: list[float] = []
    rates_bps: list[float] = []
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        try:
            time_s, rate_mbps = (float(cell) for cell in row)
        except ValueError:
            problem = 'is not two numbers'
        else:
            times_s.append(time_s)
            rates_bps.append(rate_mbps * 1e6)
            problem = _problem(times_s, rates_bps, len(times_s) - 1)
        if problem:
            text = ','.join(row)
            raise TraceError(f'trace {str(path)!r}, line {line}: {text!r} {problem}')
    if not times_s:
        raise TraceError(f'trace {str(path)!r} holds no sample; add a line such as 0,2.5')
    return Trace(tuple(time_s - times_s[0] for time_s in times_s), tuple(rates_bps))


def _problem(times_s: Sequence[float], rates_bps: Sequence[float], number: int) -> str:
    """Return what is wrong with a sample, empty when nothing is."""
    if not (math.isfinite(times_s[number]) and math.isfinite(rates_bps[number])):
        return 'is not finite'
    if rates_bps[number] < 0:
        return 'has a negative rate; 0 is the least'
    if number and times_s[number] <= times_s[number - 1]:
        return 'does not come after the sample before it; sort the samples by time'
    return ''
