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

"""What uploads cost in bytes and in AP50: the waist, and what it replaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import replace

from dads_ros.bench.detector.temporal import measure_temporal
from dads_ros.bench.detector.temporal import ROUND_TRIPS
from dads_ros.bench.detector.temporal import Temporal
from dads_ros.bench.detector.uploads import bytes_at
from dads_ros.bench.detector.uploads import image_rows
from dads_ros.bench.detector.uploads import Row
from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.uploads import video_rows
from dads_ros.bench.detector.uploads import WAIST
from dads_ros.bench.detector.uploads import waist_rows
from dads_ros.detections import Detections
from dads_ros.detector.interval import ap50_gain_interval
from dads_ros.detector.network import LABELS

# Uploads within this much of the uncompressed AP50 count as equally good.
EQUAL_AP50 = 0.01
# Where no image comes that close, what the same comparison says further down.
AP50_LOST = (0.01, 0.02, 0.04, 0.08)
KINDS = (WAIST, 'jpeg', 'webp', 'h264')


def rates(shipped: Trial, twin: Trial, found: Sequence[Detections]) -> dict[str, object]:
    """
    Return what uploads cost in bytes and in AP50, for the waist and for what it replaces.

    :param found: by the shipped network on the frames as they are.
    """
    ap50 = shipped.ap50(found)
    rows = [*waist_rows(shipped)]
    temporal = measure_temporal(shipped)
    for each in (shipped, twin):
        rows += [*image_rows(each), *video_rows(each)]
    by_twin = twin.find(twin.whole, twin.frames, 'frames')
    twin_ap50 = twin.ap50(by_twin)
    return {
        'waist_bytes_mean': rows[0].bytes_mean,
        'waist_bytes_max': rows[0].bytes_max,
        'ap50_without_waist': twin_ap50,
        'ap50_drop_at_waist': twin_ap50 - ap50,
        'ap50_drop_interval': ap50_gain_interval(
            by_twin, found, shipped.truth, shipped.clips, LABELS
        ),
        **{
            f'{kind}_bytes_at_equal_ap50': size
            for kind, size in bytes_within(rows, ap50 - EQUAL_AP50).items()
        },
        'packed_bytes_at_equal_ap50_by_round_trip': {
            trip: bytes_at(against_earlier(rows, temporal, trip), WAIST, ap50 - EQUAL_AP50)
            for trip in ROUND_TRIPS
        },
        'equal_ap50_is': f'no more than {EQUAL_AP50:g} below ap50, by the network that needs '
        'fewer bytes for it: the shipped one, or its twin without a waist',
        'bytes_by_ap50_lost': {f'{lost:g}': bytes_within(rows, ap50 - lost) for lost in AP50_LOST},
        'uploads': [asdict(row) for row in rows],
        'temporal': [asdict(row) for row in temporal],
    }


def bytes_within(rows: Sequence[Row], ap50: float) -> dict[str, float | None]:
    """Return the least bytes of each kind of upload that reaches an AP50, None where none does."""
    return {kind: bytes_at(rows, kind, ap50) for kind in KINDS}


def against_earlier(
    rows: Sequence[Row], temporal: Sequence[Temporal], round_trip: int
) -> list[Row]:
    """
    Return the waist's rows, each coded against an earlier frame.

    :param round_trip: in frame periods; see ``temporal``.
    """
    by_upload = {row.upload: row for row in rows}
    return [
        replace(
            row := by_upload[part.codec],
            bytes_mean=row.bytes_mean * part.by_round_trip[round_trip] / part.intra,
            ap50=part.ap50_by_round_trip[round_trip],
        )
        for part in temporal
        if part.intra is not None
    ]
