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
The tables of docs/reliability.md, between marks that a run of the bench rewrites.

The soak stands between marks of its own: an hour by hand is not replaced by a run of minutes.
"""

from __future__ import annotations

from pathlib import Path
import re
from typing import Any

from dads_ros.report.atomic import write_between

BEGIN = '<!-- written by dads bench faults --write -->'
END = '<!-- end -->'
SOAK_BEGIN = '<!-- the longest soak, by dads bench faults --write -->'
SOAK_END = '<!-- end of the soak -->'


def tables(result: dict[str, Any]) -> str:
    """Return the result of ``dads bench faults`` as Markdown."""
    lines = [
        '| test | count | camera frames | lost | longest gap | of the camera | deadline '
        '| recovered in |',
        '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ]
    for fault in result['faults']:
        back_s = fault['recovered_s']
        back = 'not seen' if back_s is None else f'{back_s:.2f} s'
        lines.append(
            f'| {fault["test"]} | {fault["count"]} | {fault["frames"]} | {fault["lost"]} '
            f'| {fault["gap_s"]:.2f} s | {fault["camera_gap_s"]:.2f} s '
            f'| {fault["deadline_s"]:.2f} s | {back} |'
        )
    machine = result['machine']
    flood, over = result['flood'], result['overload']
    sealed = ', '.join(
        f'{us:.0f} µs for {int(size) // 1000} kB' for size, us in result['seal_us'].items()
    )
    lines += [
        '',
        '| what | figure |',
        '| --- | --- |',
        f'| camera frames in all | {result["frames"]} |',
        f'| of them, frames that ended never or twice | {result["frames_unaccounted"]} |',
        f'| detections published after newer ones | {result["stale_published"]} |',
        f'| mutated bundles tried | {result["fuzz_tried"]} |',
        f'| crashes, hangs | {result["fuzz_crashes"]}, {result["fuzz_hangs"]} |',
        f'| answered though not valid | {result["fuzz_accepted"]} |',
        f"| an intruder's messages | {result['forged_sent']} |",
        f'| accepted | {result["forged_accepted"]} |',
        f'| sealing and opening together | {sealed} |',
        f'| flood: bundles a second by one vehicle | {flood["sent_hz"]:.0f} |',
        f'| of them answered, a second | {flood["answered_hz"]:.0f} |',
        f"| the other vehicle's frames, sent, through the cloud | {flood['frames']}, "
        f'{flood["sent"]}, {flood["via_cloud"]} |',
        f'| their 95% latency, before and meanwhile | {flood["before_s"] * 1e3:.0f} ms, '
        f'{flood["during_s"] * 1e3:.0f} ms |',
        f"| growth of the cloud's memory meanwhile | {flood['memory_growth']:.2%} |",
        f'| overload: camera, and frames published | {over["camera_hz"]:.1f} Hz, '
        f'{over["published_hz"]:.1f} Hz |',
        f'| time a frame takes on the car | {over["frame_s"] * 1e3:.0f} ms |',
        f'| age of detections, 95% and most | {over["age_p95_s"] * 1e3:.0f} ms, '
        f'{over["age_most_s"] * 1e3:.0f} ms |',
        f'| computing spent on frames without detections | {over["wasted"]:.1%} |',
        '',
        f'Measured on {machine["cores"]} shared cores ({machine["processor"]}) with a load of '
        f'{machine["load_1min"]:.1f}{", --quick" if result["quick"] else ""}.',
    ]
    return '\n'.join(lines)


def soak_table(result: dict[str, Any]) -> str:
    """Return the soak in the result of ``dads bench faults`` as Markdown."""
    soak = result['soak']
    return '\n'.join((
        '| soak | figure |',
        '| --- | --- |',
        f'| duration | {soak["duration_s"]:.0f} s |',
        f'| ended on | {result["date"]} |',
        f'| memory growth, the node that grew most | {soak["memory_growth"]:.2%} |',
        f'| more open files | {soak["file_growth"]} |',
        f'| 95% latency, end over begin | {soak["p95_drift"]:.2f} |',
    ))  # fmt: skip


def write(path: Path, result: dict[str, Any]) -> None:
    """
    Put the tables between the marks of a page, and the soak if the page has no longer one.

    Raises ConfigError when the page lacks a mark.
    """
    write_between(path, BEGIN, tables(result), END)
    page = path.read_text(encoding='utf-8')
    told = re.search(r'^\| duration \| (\d+) s \|$', page, re.MULTILINE)
    if told is None or result['soak']['duration_s'] >= int(told[1]):
        write_between(path, SOAK_BEGIN, soak_table(result), SOAK_END)
