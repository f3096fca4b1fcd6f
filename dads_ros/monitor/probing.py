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
When to probe the link, and with how much, within a budget.

Probes cost at most PROBE_SHARE of the last known rate: a budget fills at that pace and a probe
waits until it can pay. Small ones tell the round trip and that the cloud is there; padded ones
tell the rate while the plan in force sends nothing, or too little to tell it.

On a link that has become poor even the least probe that tells the rate takes long to save up. So
some of what a good link paid for is kept in reserve, and a link that was poor for some time is
looked at again after about half as long. That is where nothing is sent, and where bundles are a
packet each that a token bucket passes at once.
"""

from __future__ import annotations

from dads_ros.monitor.headstart import SMALL_BYTES
from dads_ros.monitor.headstart import TELLING_BYTES

PROBE_SHARE = 0.01
PROBE_LIMIT_BYTES = 64_000
# Of an empty probe as a serialised message, names included.
PROBE_OVERHEAD_BYTES = 96
PROBE_PERIOD_S = 0.5
# A probe behind another message waits for up to so long for a gap, each for another share of it,
# lest probes and frames keep step and the probe never finds one.
PUT_OFF_S = 0.25
GOLDEN = 0.618
# What may be saved up: longer makes larger probes, which measure better and delay frames more. But
# for the least probe that tells the rate, however long: without it nobody would ever see that a
# poor link is better again.
SAVED_S = 2.0
UNKNOWN_RATE_BPS = 1e6
# Kept for a poor link, and this share of the budget goes there until it is full.
RESERVE_BYTES = 20_000
RESERVE_SHARE = 0.1
# Between a poor link's probes from the reserve, at first; each time so many times longer.
FIRST_WAIT_S = 1.0
LONGER = 1.4
# A padded probe is worth its cost when it is so many times larger than the bundles.
WORTH = 2.0


class ProbeBudget:
    """
    Bytes probes may spend: saved up for SAVED_S or one probe, and a reserve for a poor link.

    Both together are PROBE_LIMIT_BYTES at most.
    """

    def __init__(self) -> None:
        self._bytes = float(PROBE_OVERHEAD_BYTES)
        self._reserve_bytes = 0.0
        self._wait_s = FIRST_WAIT_S
        self._filled_s: float | None = None
        self._probed_s = float('-inf')
        self._count = 0

    def next_probe(
        self,
        rate_bps: float,
        bundle_bytes: float,
        now_s: float,
        *,
        link_is_idle: bool,
        telling_bytes: int = SMALL_BYTES + 1,
        look_bytes: int = TELLING_BYTES,
        is_in_doubt: bool = False,
    ) -> int | None:
        """
        Return the padding of the probe to send now in bytes, or None.

        :param rate_bps: the last known rate; 0 stands for UNKNOWN_RATE_BPS.
        :param bundle_bytes: size of the bundles of the plan in force, which measure the rate by
            themselves; 0 when it sends none.
        :param link_is_idle: whether the probe would wait for no other message; one that does
            tells nothing of the round trip, so it is put off for a while.
        :param telling_bytes: the least message that tells the rate.
        :param look_bytes: what to look with at a poor link, out of the reserve.
        :param is_in_doubt: whether the link may be faster now, which should not wait.
        """
        self._fill((rate_bps or UNKNOWN_RATE_BPS) * PROBE_SHARE / 8, telling_bytes, now_s)
        put_off_s = 0.0 if link_is_idle else PUT_OFF_S * (self._count * GOLDEN % 1.0)
        due_s = self._probed_s + PROBE_PERIOD_S + put_off_s
        if now_s < due_s or self._bytes < PROBE_OVERHEAD_BYTES:
            return None
        is_silent = bundle_bytes < telling_bytes
        can_look = is_silent and self._reserve_bytes >= look_bytes + PROBE_OVERHEAD_BYTES
        if is_in_doubt and can_look:
            return self._look(look_bytes, now_s)
        affordable = int(self._bytes) - PROBE_OVERHEAD_BYTES
        # Every second probe is small, for the round trip that the others are measured against.
        wanted = self._count % 2 == 1
        padded = wanted and affordable >= max(telling_bytes, bundle_bytes * WORTH)
        if wanted and not padded and is_silent:
            has_waited = now_s >= self._probed_s + self._wait_s
            return self._look(look_bytes, now_s) if can_look and has_waited else None
        self._probed_s = now_s
        self._count += 1
        padding = affordable if padded else 0
        self._bytes -= padding + PROBE_OVERHEAD_BYTES
        return padding

    def _fill(self, pace: float, telling_bytes: int, now_s: float) -> None:
        """Add what has come since the last call, at so many bytes a second."""
        earned = (now_s - self._filled_s) * pace if self._filled_s is not None else 0.0
        self._filled_s = now_s
        least = PROBE_OVERHEAD_BYTES + telling_bytes
        if pace * SAVED_S >= least:
            kept = min(earned * RESERVE_SHARE, RESERVE_BYTES - self._reserve_bytes)
            self._reserve_bytes += kept
            earned -= kept
            self._wait_s = FIRST_WAIT_S
        most = min(max(pace * SAVED_S, least), PROBE_LIMIT_BYTES - RESERVE_BYTES)
        self._bytes = min(self._bytes + earned, most)

    def _look(self, padding: int, now_s: float) -> int:
        """Pay a probe from the reserve and return its padding."""
        self._reserve_bytes -= padding + PROBE_OVERHEAD_BYTES
        self._wait_s *= LONGER
        self._probed_s = now_s
        self._count += 1
        return padding
