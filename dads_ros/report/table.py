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

"""The table of a session, one column per method: the same rows for the terminal and the page."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
import math

from dads_ros.report.summary import Summary

NOTHING = '–'


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of every method; a ``minor`` row belongs to the one above it."""

    name: str
    meaning: str
    cells: tuple[str, ...]
    minor: bool = False


def table_rows(summaries: Sequence[Summary]) -> tuple[Row, ...]:
    """
    Return the rows; a dash stands where nothing was measured.

    A minor row that is zero or empty for every method is left out.
    """
    rows = (
        Row(name, meaning, tuple(cell(s) for s in summaries), minor)
        for name, meaning, cell, minor in _ROWS
    )
    return tuple(row for row in rows if not row.minor or set(row.cells) - {NOTHING, '0'})


def table_text(summaries: Sequence[Summary]) -> str:
    """Return the table as text of aligned columns."""
    lines = [('', *(s.method for s in summaries))]
    for row in table_rows(summaries):
        lines.append((('  ' if row.minor else '') + row.name, *row.cells))
    return text_columns(lines)


def text_columns(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells as aligned text, the first column to the left."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return '\n'.join(
        '  '.join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def bytes_text(size: float) -> str:
    """Return a size in decimal units, three digits."""
    for unit in ('B', 'kB', 'MB'):
        if size < 1000:
            return f'{size:.3g} {unit}'
        size /= 1000
    return f'{size:.3g} GB'


def rate_text(rate_bps: float) -> str:
    """Return a rate in decimal units, three digits."""
    if rate_bps < 1e6:
        return f'{rate_bps / 1e3:.3g} kbit/s'
    return f'{rate_bps / 1e6:.3g} Mbit/s'


def ms_text(seconds: float | None) -> str:
    """Return a duration in whole milliseconds."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    return f'{seconds * 1e3:.0f} ms'


def _outcome(name: str) -> Callable[[Summary], str]:
    return lambda s: str(s.outcomes[name])


def _middle_half(summary: Summary) -> str:
    if summary.latency is None:
        return NOTHING
    return f'{summary.latency.p25_s * 1e3:.0f} to {summary.latency.p75_s * 1e3:.0f} ms'


_ROWS: tuple[tuple[str, str, Callable[[Summary], str], bool], ...] = (
    ('frames', 'camera frames, warm-up left out', lambda s: str(s.frames), False),
    ('via cloud', 'finished in the cloud in time', _outcome('via_cloud'), True),
    ('local', 'the plan kept them on the car', _outcome('local'), True),
    (
        'local after miss',
        'no answer by the deadline: the car finished them',
        _outcome('local_after_miss'),
        True,
    ),
    (
        'dropped, superseded',
        'a newer frame came before work began',
        _outcome('dropped_superseded'),
        True,
    ),
    (
        'dropped, stale',
        "a newer frame's detections went out first",
        _outcome('dropped_stale'),
        True,
    ),
    ('dropped, invalid', 'the image could not be read', _outcome('dropped_invalid'), True),
    (
        'never arrived',
        "frames of the clip that the car's node never got",
        lambda s: str(s.lost),
        True,
    ),
    (
        'detections',
        'frames answered per second',
        lambda s: f'{s.detections_hz:.1f} Hz',
        False,
    ),
    (
        'age, mean',
        'how old the newest detections are at an average moment; dropped frames count',
        lambda s: ms_text(s.mean_age_s),
        False,
    ),
    ('95 %', 'older than this 5 % of the time', lambda s: ms_text(s.p95_age_s), True),
    (
        'latency, median',
        'arrival at the car to detections published',
        lambda s: ms_text(s.latency.p50_s if s.latency else None),
        False,
    ),
    ('middle half', 'of the answered frames', _middle_half, True),
    (
        '95 %',
        'slower than this in 5 % of them',
        lambda s: ms_text(s.latency.p95_s if s.latency else None),
        True,
    ),
    ('of frames', 'that were answered', lambda s: str(s.answered), True),
    (
        'sent per frame',
        'median of the frames that were sent',
        lambda s: NOTHING if s.sent_bytes is None else bytes_text(s.sent_bytes),
        False,
    ),
    ('of frames', 'that were sent', lambda s: str(s.sent_frames), True),
    ('in all', '', lambda s: bytes_text(s.total_bytes) if s.total_bytes else NOTHING, True),
    (
        'uplink used',
        'mean over the run',
        lambda s: rate_text(s.uplink_bps) if s.uplink_bps else NOTHING,
        True,
    ),
    ('plans used', 'cuts and codecs that served frames', lambda s: str(len(s.plans)), False),
    ('switches', 'changes of cut or codec', lambda s: str(s.switches), True),
    (
        'DSL/DSH',
        'changes between least delay and least maximum stage',
        lambda s: str(s.mode_switches),
        True,
    ),
    (
        'AP50',
        'against ground truth, of the answered frames',
        lambda s: f'{s.accuracy.ap50:.3f}' if s.accuracy else NOTHING,
        False,
    ),
    (
        'of true boxes',
        '',
        lambda s: str(s.accuracy.boxes) if s.accuracy else NOTHING,
        True,
    ),
)
