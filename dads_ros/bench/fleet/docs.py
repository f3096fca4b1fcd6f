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

"""The tables of docs/fleet.md, between two marks that a run of the bench rewrites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dads_ros.report.atomic import write_between

BEGIN = '<!-- written by dads bench fleet --write -->'
END = '<!-- end -->'


def tables(result: dict[str, Any]) -> str:
    """Return the result of ``dads bench fleet`` as Markdown."""
    lines = [
        '| cars | cloud processes | batch | answers/s | median | 95% | least served over most '
        '| lost | CPU per answer | memory |',
        '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ]
    lines += [
        f'| {one["cars"]} | {one["processes"]} | {_batch(one["batch"])} '
        f'| {one["answers_per_s"]:.0f} '
        f'| {one["latency_median_ms"]:.0f} ms | {one["latency_p95_ms"]:.0f} ms '
        f'| {one["fairness"]:.2f} | {one["lost"]} | {one["cpu_ms"]:.1f} ms '
        f'| {one["memory_mb"]:.0f} MB |'
        for one in result['loads']
    ]
    lines += ['', '| bundles together | CPU per bundle | quartiles | wait for the batch |']
    lines += ['| ---: | ---: | ---: | ---: |']
    lines += [
        f'| {one["size"]} | {one["bundle_ms"]:.1f} ms | {one["low_ms"]:.1f} to '
        f'{one["high_ms"]:.1f} ms | {one["wait_ms"]:.1f} ms |'
        for one in result['batches']
    ]
    lines += [
        '',
        f'{result["detector"]}, cut at {", ".join(result["boundary"])} as {result["codec"]}; '
        f'{result["machine"]}, {result["cores"]} shared cores, the cars among them, with a load '
        f'of {result["load_1min"]:.1f}.',
    ]
    return '\n'.join(lines)


def _batch(most: int) -> str:
    return 'off' if most == 1 else f'to {most}'


def write(path: Path, result: dict[str, Any]) -> None:
    """
    Put the tables between the marks of a page.

    Raises ConfigError when the page lacks them.
    """
    write_between(path, BEGIN, tables(result), END)
