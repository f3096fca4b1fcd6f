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

"""The runtime benchmark as text, as Markdown, and as a plot of bytes against accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import os
from pathlib import Path
from typing import Any

from dads_ros.report.atomic import write_text


def as_text(result: Mapping[str, Any]) -> str:
    """Return the figures for a terminal."""
    lines = [
        _about(result),
        '',
        *(f'{name:28} {value}' for name, value in _headlines(result)),
    ]
    if 'gpu' in result:
        return '\n'.join(lines)
    return '\n'.join(
        [
            *lines,
            '',
            *_table(*_speed_rows(result)),
            '',
            *_table(*_rate_rows(result)),
            '',
            *_table(*_latency_rows(result)),
            '',
            *_table(*_temporal_rows(result)),
        ]
    )


def write(result: Mapping[str, Any], folder: Path) -> None:
    """Write ``runtime-figures.md`` and ``runtime-rates.png``; of a GPU, a page named after it."""
    folder.mkdir(parents=True, exist_ok=True)
    by = f'--device {result["device"]} ' if 'gpu' in result else ''
    text = [
        f'# Runtime: measured figures{" on a GPU" if by else ""}',
        '',
        f'Written by `dads bench runtime {by}--docs DIR`; do not edit.',
        '',
        _about(result),
        '',
        *_table(('figure', 'value'), _headlines(result)),
        '',
    ]
    if 'gpu' in result:
        write_text(folder / f'runtime-{result["device"]}-figures.md', '\n'.join(text))
        return
    text += [
        '## Codecs',
        '',
        *_table(*_speed_rows(result)),
        '',
        '## Cuts and codecs',
        '',
        '![Bytes per frame against change of AP50](runtime-rates.png)',
        '',
        *_table(*_rate_rows(result)),
        '',
        '## Latency',
        '',
        f'Measured stages, the edge {result["edge_slowdown"]:g} times slower than this machine; '
        'the link is bytes over the uplink, without round trip.',
        '',
        *_table(*_latency_rows(result)),
        '',
        '## Against an earlier frame',
        '',
        'Consecutive frames of one camera. `packed+ref` is against the waist `lag` frames before, '
        'the newest that the cloud has acknowledged; "alone" is a frame without a reference: the '
        'first, and the next after a loss.',
        '',
        *_table(*_temporal_rows(result)),
        '',
    ]
    write_text(folder / 'runtime-figures.md', '\n'.join(text))
    _plot(result, folder / 'runtime-rates.png')


def _about(result: Mapping[str, Any]) -> str:
    """Return what the figures are of; of a file, its name and folder, wherever they lie here."""

    def short(name: str) -> str:
        return '/'.join(Path(name).parts[-2:])

    where = result['machine']
    if 'gpu' in result:
        where += f', {result["gpu"]} ({result["device"]})'
    truth = f'the labels of {short(result["labels"])}' if result['labels'] else result['ap50_of']
    return (
        f'{result["detector"]} on {where}, one thread; bytes and times on '
        f'{result["frames"]} frames of {short(result["source"])}. Change of AP50, classes weighed '
        f'by their boxes, against {truth}, on {result["judged_frames"]} frames.'
    )


def _headlines(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = [
        (
            'halves / whole',
            f'{result["halves_over_whole"]:.3f} (p90 {result["halves_over_whole_p90"]:.3f} '
            f'of {result["split_cuts"]} cuts)',
        ),
        (
            'edge only / plain torch',
            f'{result["edge_only_over_plain_torch"]:.3f} (over {result["fastest_plain_torch"]})',
        ),
        (
            'profile error, relative p90',
            f'{result["profile_error_p90"]:.3f} (worst {result["profile_error_max"]:.3f} '
            f'of {result["plans_measured"]} plans)',
        ),
        (
            'profile error, absolute p90',
            f'{result["profile_error_absolute_p90"]:.3f} '
            f'(worst {result["profile_error_absolute_max"]:.3f})',
        ),
        ('split mismatches', f'{result["split_mismatches"]} of {result["split_cuts"]} cuts'),
    ]
    if 'gpu' in result:
        lines += [
            ('whole frame', f'{result["whole_ms"]:.2f} ms'),
            ('outputs off the CPU by', f'{result["output_difference"]:.1e} of the largest'),
            ('change of AP50', f'{100 * result["ap50_change"]:+.2f} points'),
        ]
    return lines


def _speed_rows(result: Mapping[str, Any]) -> tuple[Sequence[str], list[Sequence[str]]]:
    rows = [
        (
            name,
            f'{encode:.0f}',
            f'{result["codec_decode_mb_s"][name]:.0f}',
            '' if (library := result['library_mb_s'][name]) is None else f'{library:.0f}',
        )
        for name, encode in result['codec_mb_s'].items()
    ]
    return ('codec', 'encode MB/s', 'decode MB/s', 'library alone MB/s'), list(rows)


def _rate_rows(result: Mapping[str, Any]) -> tuple[Sequence[str], list[Sequence[str]]]:
    rows = [
        (
            ', '.join(row['boundary']),
            row['codec'],
            f'{row["bytes_mean"] / 1e3:.2f}',
            f'{row["bytes_p95"] / 1e3:.2f}',
            f'{row["encode_ms"]:.2f}',
            f'{row["decode_ms"]:.2f}',
            f'{100 * row["ap50_change"]:+.1f}',
        )
        for row in result['rates']
    ]
    return ('cut', 'codec', 'kB', 'p95 kB', 'encode ms', 'decode ms', 'AP50 points'), list(rows)


def _latency_rows(result: Mapping[str, Any]) -> tuple[Sequence[str], list[Sequence[str]]]:
    rows = [
        (f'{r["uplink_mbps"]:g}', r['method'], f'{r["p50_ms"]:.1f}', f'{r["p95_ms"]:.1f}')
        for r in result['latencies']
    ]
    return ('Mbit/s', 'method', 'p50 ms', 'p95 ms'), list(rows)


def _temporal_rows(result: Mapping[str, Any]) -> tuple[Sequence[str], list[Sequence[str]]]:
    rows = [
        (
            row['what'],
            '' if row['lag'] is None else str(row['lag']),
            f'{row["bytes_mean"] / 1e3:.2f}',
            f'{row["bytes_p95"] / 1e3:.2f}',
            f'{row["bytes_alone"] / 1e3:.2f}',
            f'{row["encode_ms"]:.2f}',
        )
        for row in result['temporal']
    ]
    return ('coded', 'lag', 'kB', 'p95 kB', 'alone kB', 'encode ms'), list(rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table, padded so that it reads well as it is."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return '| ' + ' | '.join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + ' |'

    return [line(head), line(['-' * w for w in widths]), *map(line, rows)]


def _plot(result: Mapping[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout='constrained')
    axes = figure.subplots()
    by_cut: dict[str, list[Mapping[str, Any]]] = {}
    for row in result['rates']:
        by_cut.setdefault(', '.join(row['boundary']), []).append(row)
    for cut, rows in by_cut.items():
        rows = sorted(rows, key=lambda row: row['bytes_mean'])
        kilobytes = [row['bytes_mean'] / 1e3 for row in rows]
        points = [100 * row['ap50_change'] for row in rows]
        axes.plot(kilobytes, points, 'o', label=f'at {cut[:40]}')
        for row, x, y in zip(rows, kilobytes, points, strict=True):
            axes.annotate(row['codec'], (x, y), fontsize=6, rotation=30)
    axes.set(xscale='log', xlabel='kB per frame', ylabel='change of AP50, points')
    axes.grid(alpha=0.3)
    axes.legend(title='cut', fontsize=7)
    part = path.with_name(f'.{path.stem}.{os.getpid()}.png')
    figure.savefig(part, dpi=150)
    part.replace(path)
