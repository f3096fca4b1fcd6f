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

"""The result of ``dads bench detector`` for people: figures a line each, then tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TABLES = ('largest_bytes_by_condition', 'capped', 'temporal', 'uploads', 'larger_detector', 'is')
BY_HEIGHT = 'by_class_and_height'


def as_text(result: dict[str, Any]) -> str:
    """Return the result as lines and tables."""
    lines = list(_figures(result))
    lines += _by_height(result, '')
    lines += _by_height(result, '_on_drawn_drives')
    for name, sizes in result['largest_bytes_by_condition'].items():
        lines.append(f'largest frame, {name:34} {_short(sizes)}')
    capped = result['capped']
    for name, row in capped['by_condition'].items():
        lines.append(f'under a cap of {capped["cap_bytes"]}, {name:29} {_short(row)}')
    lines += _temporal(result['temporal'])
    lines.append(f'{"network":8} {"upload":12} {"bytes":>8} {"largest":>8} {"ms":>6} {"AP50":>6}')
    for row in result['uploads']:
        lines.append(
            f'{row["network"]:8} {row["upload"]:12} {row["bytes_mean"]:8.0f} {row["bytes_max"]:8} '
            f'{row["encode_ms"]:6.2f} {row["ap50"]:6.3f}'
        )
    if larger := result['larger_detector']:
        lines += [f'larger detector: {larger["is"]}', *_figures(larger), *_by_height(larger, '')]
    return '\n'.join(lines)


def _figures(result: dict[str, Any]) -> Iterator[str]:
    for name, value in result.items():
        if name not in TABLES and BY_HEIGHT not in name:
            yield f'{name:40}  {_short(value)}'


def _by_height(result: dict[str, Any], where: str) -> Iterator[str]:
    found, boxes = (result[f'{what}_{BY_HEIGHT}{where}'] for what in ('ap50', 'boxes'))
    yield f'AP50 (boxes) by height{where.replace("_", " ")}'
    for label, sizes in found.items():
        cells = [f'{size} {_short(ap50)} ({boxes[label][size]})' for size, ap50 in sizes.items()]
        yield f'  {label:12}' + ''.join(f'{cell:24}' for cell in cells).rstrip()


def _temporal(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        title = f'{row["codec"]} against an earlier frame'
        if row['intra'] is None:
            yield f'{title}: no clip is long enough'
            continue
        yield (
            f'{title}: {row["frames"]} frames, {row["encode_ms"]:.2f} ms; '
            f'{row["intra"]:.0f} bytes and {row["encode_intra_ms"]:.2f} ms without'
        )
        for name in ('by_age', 'by_round_trip'):
            figures = ' '.join(f'{key}: {size:.0f}' for key, size in row[name].items())
            yield f'  {name:20} {figures}'
        figures = ' '.join(f'{key}: {ap50:.3f}' for key, ap50 in row['ap50_by_round_trip'].items())
        yield f'  {"ap50_by_round_trip":20} {figures}'


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ' '.join(f'{name} {_short(item)}' for name, item in value.items())
    if isinstance(value, list | tuple):
        return ' to '.join(map(_short, value))
    return f'{value:.4g}' if isinstance(value, float) else str(value)
