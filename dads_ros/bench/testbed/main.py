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

"""``dads bench testbed``: real nodes on two hosts over a shaped link, all from one command."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import shutil
import sys
import tempfile
import traceback
from typing import Any

from dads_ros.bench.testbed.cells import figures
from dads_ros.bench.testbed.levels import uplinks
from dads_ros.bench.testbed.rig import CLIP
from dads_ros.bench.testbed.rig import EDGE_SLOWDOWN
from dads_ros.bench.testbed.rig import Rig
from dads_ros.bench.testbed.table import Network
from dads_ros.bench.testbed.table import PLAIN
from dads_ros.bench.testbed.table import SOLVED
from dads_ros.bench.testbed.tour import LEAD_S
from dads_ros.bench.testbed.traces import follow_traces
from dads_ros.bench.testbed.traces import jitter
from dads_ros.bench.testbed.traces import mobile
from dads_ros.bench.testbed.traces import react
from dads_ros.detector.zoo import ZOO
from dads_ros.errors import ConfigError
from dads_ros.errors import DadsError
from dads_ros.media.sources import open_source
from dads_ros.processes import interrupted_by_signals
from dads_ros.testbed import hosts
from dads_ros.testbed import quota
from dads_ros.testbed.system import require_rights
from dads_ros.trace import load_trace
from dads_ros.trace import Trace

QUICK_S = 168.0
FULL_S = 2370.0
_QUICK_NETWORK = 'resnet18'
_QUICK_TRACE_S = 8.0
_TRACE_S = 15.0
_DRIVES_OF_A_TRACE = 4  # ours, on the car, the JPEG, a fixed cut
_RTTS_S = (0.02, 0.08)
# Without a folder of traces: minutes of a road with a tunnel, in Mbit/s, one sample each 4 s.
_ROAD_MBPS = (4.0, 2.5, 6.0, 1.2, 0.6, 0.2, 1.5, 5.0, 8.0, 3.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subject's arguments."""
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='one network, light load, two uplinks, one trace: 3 minutes, not 40',
    )
    parser.add_argument('--trace', type=Path, metavar='FILE', help='measure along this trace only')
    parser.add_argument('--clip', metavar='FILE', help=f'with this clip (default: {CLIP})')
    parser.add_argument(
        '--traces',
        type=Path,
        nargs='+',
        default=[],
        metavar='PATH',
        help='traces to follow: files, or folders of them (default: one of our own)',
    )
    parser.add_argument(
        '--keep', type=Path, metavar='DIR', help='keep runs and logs in a new folder'
    )
    parser.add_argument(
        '--write-docs', type=Path, metavar='DOCS', help='write DOCS/testbed-figures.md'
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write the documentation if asked."""
    if args.clip and not args.trace:
        raise ConfigError('--clip needs --trace; give both')
    if args.keep is not None and args.keep.exists():
        raise ConfigError(f'{str(args.keep)!r} exists already; give a new folder')
    if args.write_docs is not None and not args.write_docs.is_dir():
        raise ConfigError(f'{str(args.write_docs)!r} is no folder; give that of the documentation')
    for path in _given(args):
        load_trace(path)  # what the user gave is refused before anything is started
    open_source(args.clip or CLIP)
    require_rights()
    hosts.clean()
    quota.clean()
    folder = args.keep or Path(tempfile.mkdtemp(prefix='dads_ros-bench-'))
    folder.mkdir(parents=True, exist_ok=True)
    rig = Rig(folder, QUICK_S if args.quick else FULL_S)
    status = 0
    try:
        bench = _Bench(args, folder, rig)
        try:
            with interrupted_by_signals():
                bench.measure()
        except KeyboardInterrupt:
            print('stopped; this is what was measured until then', file=sys.stderr)
            status = 130
        except Exception:  # a mistake of ours, too, must not cost half an hour of measurements
            traceback.print_exc()
            status = 1
        result = bench.result()
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    _print(result, as_json=args.json)
    if args.write_docs is not None:
        from dads_ros.bench.testbed.docs import write

        write(args.write_docs, result, rig.taken)
    if rig.failed or not rig.taken:
        print(f'error: {len(rig.failed)} drives failed, see "failed"', file=sys.stderr)
        status = status or 1
    return status


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, indent=2, allow_nan=False), flush=True)
        return
    for key, value in result.items():
        if not isinstance(value, list | dict):
            print(f'{key:34} {value:.4g}' if value is not None else f'{key:34} not measured')


def _given(args: argparse.Namespace) -> list[Path]:
    """Return the files of the traces that the user asked for, no two of one name."""
    if args.trace:
        return [args.trace]
    paths: list[Path] = []
    for given in args.traces:
        found = sorted(given.glob('*.csv')) if given.is_dir() else [given]
        if not found:
            raise ConfigError(
                f'{str(given)!r} holds no .csv file; give a trace or a folder of them'
            )
        paths += found
    by_name: dict[str, Path] = {}
    for path in dict.fromkeys(paths):
        if (other := by_name.setdefault(path.stem, path)) is not path:
            raise ConfigError(
                f'traces {str(other)!r} and {str(path)!r} have one name, by which results are '
                'told apart; rename one, or leave it out'
            )
    return [*by_name.values()]


class _Bench:
    """Everything to measure, in the order of its worth; what is there at any time is a result."""

    def __init__(self, args: argparse.Namespace, folder: Path, rig: Rig) -> None:
        self._args = args
        self._rig = rig
        self._clip = args.clip or CLIP
        self._paths = _given(args) or [_own_trace(folder)]
        if args.quick:
            self._paths = self._paths[:1]
        self._found: dict[str, Any] = {'mobile': {}, 'traces': {}, 'reaction': {}, 'jitter': {}}
        self._table: list[Network] = []

    def measure(self) -> None:
        """Drive until all is measured or the time is over."""
        parts = (self._reaction, self._mobile, self._jitter, self._traces, self._networks)
        for part in parts if self._args.trace is None else (self._traces,):
            try:
                part()
            except DadsError as error:  # a part that cannot be measured must not cost the others
                self._rig.failed.append(str(error))

    def result(self) -> dict[str, Any]:
        """Return what has been found so far."""
        cells = [cell for network in self._table for cell in network.cells]
        traces = self._found['traces']
        return {
            **figures(cells),
            'mean_latency_over_oracle': {
                name: found['over_oracle'] if found else None for name, found in traces.items()
            },
            'reaction_drop_ms': self._found['reaction'].get('drop_ms'),
            'reaction_rise_ms': self._found['reaction'].get('rise_ms'),
            'reactions_missed': self._found['reaction'].get('missed'),
            'switches_a_second_with_jitter': self._found['jitter'].get('switches_a_second'),
            **self._rig.totals(),
            'edge_slowdown': EDGE_SLOWDOWN,
            **self._found,
        }

    def _reaction(self) -> None:
        self._found['reaction'] = react(self._rig, 1 if self._args.quick else 3)

    def _mobile(self) -> None:
        quick = self._args.quick
        for rtt_s in _RTTS_S[: 1 if quick else 2]:
            found = mobile(self._rig, rtt_s, 4.0 if quick else 30.0)
            self._found['mobile'][f'{rtt_s * 1e3:g} ms'] = found

    def _jitter(self) -> None:
        if not self._args.quick:
            self._found['jitter'] = jitter(self._rig, 30.0)

    def _traces(self) -> None:
        rig, quick = self._rig, self._args.quick
        seconds = _QUICK_TRACE_S if quick else _TRACE_S
        if self._args.trace is not None:
            length_s = load_trace(self._args.trace).length_s or seconds
            longest_s = rig.longest_s(1 if quick else _DRIVES_OF_A_TRACE) - LEAD_S
            seconds = min(length_s, longest_s)
            if seconds < length_s:
                told = f'of {length_s:.0f} s of the trace the first {seconds:.0f} s are driven'
                print(told, file=sys.stderr)
        found = self._found['traces']
        follow_traces(rig, self._paths, self._clip, seconds, found, static=not quick)

    def _networks(self) -> None:
        if self._args.quick:
            self._one_network()
            return
        for name in ZOO:
            self._table.append(network := Network(self._rig, name, uplinks(quick=False)))
            network.drive_ours('light')
            network.drive_static(PLAIN, ('light',))
            network.drive_ours('heavy')
            network.drive_static(PLAIN)
        for network in self._table:
            network.drive_static(SOLVED)
            network.drive_rivals()
        # The worst first: there may not be time for all.
        worse = [(found, network) for network in self._table for found in network.worse()]
        for (_, load, uplink_mbps), network in sorted(worse, key=lambda w: w[0][0], reverse=True):
            network.drive_again(load, uplink_mbps)

    def _one_network(self) -> None:
        self._table.append(network := Network(self._rig, _QUICK_NETWORK, uplinks(quick=True)))
        network.drive_ours('light')
        network.drive_ours('heavy', uplinks(quick=True)[-1:])
        network.drive_static(PLAIN)


def _own_trace(folder: Path) -> Path:
    trace = Trace(tuple(4.0 * i for i in range(len(_ROAD_MBPS))), tuple(_ROAD_MBPS))
    path = folder / 'road.csv'
    lines = [f'{time_s:g},{mbps:g}' for time_s, mbps in trace.samples]
    path.write_text('time_s,uplink_mbps\n' + '\n'.join(lines) + '\n', encoding='utf-8')
    return path
