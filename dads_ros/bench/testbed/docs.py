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

"""The generated page docs/testbed-figures.md, from one result of ``dads bench testbed``."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from dads_ros.bench.testbed.cells import Cell
from dads_ros.bench.testbed.plots import plot_drive
from dads_ros.bench.testbed.plots import plot_methods
from dads_ros.bench.testbed.rig import Taken
from dads_ros.profiles.profiling import machine_name
from dads_ros.report.atomic import write_text

PAGE = 'testbed-figures.md'
_KEYS = {
    'latency_gain_over_edge_only': ('largest gain in latency over the car alone', 'above 6.45'),
    'latency_gain_over_cloud_raw': ('largest gain in latency over sending raw', 'above 8.08'),
    'throughput_gain_over_edge_only': ('largest gain in throughput over the car', 'above 8.31'),
    'throughput_gain_over_cloud_raw': ('largest gain in throughput over raw', 'above 14.01'),
    'worst_over_best_static': ('worst cell against the best of the others', 'at most 1.03'),
    'throughput_over_max_stage': ('ours over 1/(longest stage), worst heavy cell', 'over 0.95'),
    'throughput_over_bundles_alone': ('the same, of the link the bundles alone', ''),
    'frames_unaccounted': ('frames that ended not at all, or twice', '0'),
    'frames_out_of_order': ('detections published behind those of a later frame', '0'),
    'frames_not_received': ("camera's frames that did not reach the car's node", ''),
    'reaction_drop_ms': ('new plan in force after a drop to a tenth, ms', 'at most 500'),
    'reaction_rise_ms': ('new plan in force after the rise, ms', 'at most 3000'),
    'reactions_missed': ('steps that no new plan followed', '0'),
    'monitor_cpu': ("monitor's share of a core", 'under 0.01'),
    'monitor_cpu_max': ("monitor's share of a core, the drive where it took the most", ''),
    'link_overhead': ("monitor's probes, share of the link", 'under 0.02'),
    'overhead_of_sent_bytes': (
        'probes, headers, repeats: share of what was sent, in the drive that sent least else',
        '',
    ),
    'switches_a_second_with_jitter': ('switches a second with 20 % jitter', 'at most 1'),
}
_NOTES = """\
Written by `dads bench testbed --write-docs docs`; do not edit. Each figure comes from the real
nodes on two network namespaces (testbed.md). Not measured means that the time was up, that
nothing was answered, or that no plan followed.

- The five networks have random weights and find nothing: they stand for time and sizes only. No
  codec can be calibrated on them: ours and cloud-only JPEG are allowed the same JPEG of the
  frame, and ours beside it only what loses nothing.
- The car is slower than this machine by the ratio of Raspberry Pi 3B to server in the paper's
  own profile, summed over its layers.
- Light load is a tenth of what the car alone sustains, but a frame a second, or half of what it
  sustains, where that would be rarer; heavy load is 20 frames a second.
- Gains in latency are those under light load, in throughput those under heavy load. Over who
  never answered there is no gain in throughput, and in latency what it was waited for.
- Throughput of a plan that never changes is what its longest stage allows, as in the paper: 1 /
  (the longest of the means of car, link and cloud), the link's being the bundle's bytes with
  headers over its rate. That is a bound. Ours under heavy load is what was published, and where
  another's bound is above it, that plan is driven under heavy load, too, and counts with what it
  published. How near ours comes to what its own longest stage and the camera allow is a figure of
  its own, with the link's stage as measured: from when a bundle was handed over, or the one before
  it had come, until it came, less the round trip. What DDS says beside the bundles is in it, a
  fifth of the link at 0.13 Mbit/s; the figure without it stands below. The longest stage is that
  of ten frames in a row: a cloud that needs 40 ms a frame for some seconds and 60 for others keeps
  up with the camera's 50 ms in the mean, but not in the latter.
- Where another plan gave more than 3 % more than ours under heavy load, both are driven again, one
  after the other, and those figures count: the first drives are minutes apart, on a machine that
  is not always equally fast. For the same reason ours is driven again where it gave more than 3 %
  less than its own longest stage allows. The worst come first, as far as the time goes.
- But for that a plan is driven once under a load: where ours had the very plan of another method
  for four frames of five, that has ours' figures. A plan that never changes is driven with a
  camera so slow that no frame waits for another, which is the best that it could do; with that
  latency and longest stage it stands under heavy load, too, unless it was driven there.
- In the table of the networks deadlines are up to 60 s and the buffer is 1 MB, so that raw
  frames come through, and ours changes its plan for a gain of 3 %, not 10 %.
- The first seconds of each stretch of a steady rate do not count. Traces are driven on end, by the
  same nodes; before each its first rate holds for 3 s, which do not count either.
- The link is open until all nodes have met. The probes' share counts, with their headers, those
  from 3 s after the trace's beginning on: as it begins some are under way that were sized for the
  open link. The table's short drives are left out of it.
- Of the car's nodes only the edge talks to the cloud; the others are known on the car alone.
- Latencies are from the image's arrival at the car's node, on the mobile network from the
  camera's stamp. Those along traces are of the frames that were answered; beside them stands
  their share.
- A plan is in force when the car has it. The frame that begins next may be some time off, where
  the car is at work: reactions are told in frames, too.
- The oracle knows the trace. It takes each frame by itself, and is simulated on the monitor's
  own table with the stage times that the run's frames took, in the mean; rows that the run did not
  take are as much slower than the table as those that it took. A message's way beside the time on
  the wire is the mean of those that found no other of ours under way; headers count.
- The monitor's share is of a core of this machine, with all that it starts, over all drives by our
  method; the most is of those of 10 s and longer: processor time is counted in hundredths of a
  second.
- Of two repeats the worse counts: the longest reaction, the highest cost."""


def write(docs: Path, result: dict[str, Any], taken: Sequence[Taken]) -> None:
    """
    Write the page and its plots.

    :param docs: a folder.
    """
    images = docs / 'img'
    images.mkdir(exist_ok=True)
    text = page(result)
    drives = [t.run for t in taken if t.title.startswith('trace') and t.method.name == 'dads']
    if drives:
        plot_drive(images / 'testbed_trace.svg', drives[0])
        text += '\n![A drive along a trace](img/testbed_trace.svg)\n'
    if result['cells']:
        plot_methods(images / 'testbed_methods.svg', _cells(result['cells']))
        text += '\n![Latency against bandwidth](img/testbed_methods.svg)\n'
    write_text(docs / PAGE, text)


def _cells(rows: Iterable[dict[str, Any]]) -> list[Cell]:
    names = [field.name for field in fields(Cell)]
    return [Cell(**{name: row[name] for name in names}) for row in rows]


def page(result: dict[str, Any]) -> str:
    """Return the page as text."""
    head = (
        f'On {machine_name()}, in {result["seconds"]:.0f} s. '
        f'The car is {result["edge_slowdown"]:.2f} times slower than the machine, for the shipped '
        'detector and for the networks alike.'
    )
    rows = ((text, _number(result.get(key)), goal) for key, (text, goal) in _KEYS.items())
    parts = [
        '# Figures of the testbed',
        _NOTES,
        head,
        '## Results',
        _table(('', 'measured', 'wanted'), rows),
        '## Traces',
        _table(
            (
                'trace',
                's',
                'method',
                'mean s',
                'p95 s',
                'answered',
                'a second',
                'over oracle',
                'switches/s',
            ),
            (row for name, f in result['traces'].items() if f for row in _trace_rows(name, f)),
        ),
        '## Mobile network, 10 Mbit/s, 5 ms jitter, 1 % loss',
        _table(
            (
                'round trip',
                'P50 s',
                'P99 s',
                'unaccounted',
                'switches/s',
                'stages off by, max',
                'one way s',
                '± s',
            ),
            (_mobile_row(name, f) for name, f in result.get('mobile', {}).items() if f),
        ),
        '## Networks',
        _table(
            ('network', 'load', 'Mbit/s', 'method', 'plan', 'frames', 'latency s', 'frames/s'),
            (_cell_row(cell) for cell in result['cells']),
        ),
    ]
    if result['left_out']:
        parts.append('Not driven, for lack of time: ' + '; '.join(result['left_out']) + '.')
    if result.get('failed'):
        parts.append('Failed: ' + '; '.join(result['failed']))
    return '\n\n'.join(parts) + '\n'


def _trace_rows(name: str, found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    more = (found['over_oracle'], found['switches_a_second'])
    for method, of in (('ours', found['ours']), *found['static'].items()):
        figures = (of['mean_s'], of['p95_s'], of['share'], of['answered_hz'])
        told = map(_number, more) if method == 'ours' else ('', '')
        yield (name, f'{found["seconds"]:.0f}', method, *map(_number, figures), *told)


def _mobile_row(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    late = found['latency']
    figures = (
        late['p50_s'], late['p99_s'], found['frames_unaccounted'], found['switches_a_second'],
        found['stage_sum_error_max'], found['one_way_s'], found['one_way_bound_s'],
    )  # fmt: skip
    return (name, *map(_number, figures))


def _cell_row(cell: dict[str, Any]) -> tuple[str, ...]:
    late = _number(cell['latency_s'])
    if cell['longer_than_s'] is not None:
        late = f'not within {cell["longer_than_s"]:.3g}'
    return (
        cell['network'], cell['load'], f'{cell["uplink_mbps"]:g}', cell['method'], cell['way'],
        f'{cell["frames"]}', late, _number(cell['throughput_hz']),
    )  # fmt: skip


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ('---',) * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in lines)


def _number(value: float | None) -> str:
    return 'not measured' if value is None else f'{value:.3g}'
