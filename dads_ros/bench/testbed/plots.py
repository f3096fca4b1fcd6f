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

"""The plots of docs/testbed-figures.md: one drive along time, and latency against bandwidth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dads_ros.bench.testbed.cells import Cell
from dads_ros.bench.testbed.cells import OURS
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import RunRecord
from dads_ros.report.summary import plan_name

_MARKERS = 'os^vD*'
_OUTCOMES = {
    Outcome.VIA_CLOUD: 'via the cloud',
    Outcome.LOCAL: 'on the car',
    Outcome.LOCAL_AFTER_MISS: 'on the car after a miss',
}


def plot_drive(path: Path, run: RunRecord) -> None:
    """Plot the trace, the estimate, the plan in force and the latency on one time axis."""
    from matplotlib.figure import Figure

    trace = run.info.link.trace or ()
    begin_s = trace[0][0] if trace else 0.0
    end_s = max((f.t_s + f.total_s for f in run.frames), default=begin_s + 1.0) - begin_s
    figure = Figure(figsize=(9, 6.5), layout='constrained')
    rate, plan, late = figure.subplots(3, 1, sharex=True, height_ratios=(2, 1.4, 2))
    rate.step(
        [t - begin_s for t, _ in trace] + [end_s],
        [bps / 1e6 for _, bps in trace] + [trace[-1][1] / 1e6 if trace else 0.0],
        where='post', color='black', label='trace',
    )  # fmt: skip
    links = [link for link in run.links if link.cloud_alive]
    times_s = [link.t_s - begin_s for link in links]
    rate.plot(times_s, [link.uplink_bps / 1e6 for link in links], label='estimate')
    rate.fill_between(
        times_s,
        [link.uplink_low_bps / 1e6 for link in links],
        [link.uplink_high_bps / 1e6 for link in links],
        alpha=0.3, label='its spread',
    )  # fmt: skip
    rate.set(ylabel='uplink, Mbit/s', yscale='symlog', title=f'{run.info.detector}, one drive')
    rate.legend(fontsize='small')
    names = [plan_name(run.info.graph, p.boundary, p.codec) for p in run.plans]
    since_s = [p.t_s - begin_s for p in run.plans]
    plan.step([*since_s, end_s], [*names, *names[-1:]], where='post')
    plan.set(ylabel='plan in force')
    published = [frame for frame in run.frames if frame.outcome.is_published]
    for outcome, label in _OUTCOMES.items():
        members = [frame for frame in published if frame.outcome is outcome]
        late.plot(
            [f.t_s - begin_s for f in members],
            [f.total_s * 1e3 for f in members],
            '.', markersize=4, label=f'{label}: {len(members)}',
        )  # fmt: skip
    late.set(
        xlabel='time since the trace began, s', ylabel='latency, ms',
        xlim=(0, end_s), ylim=(0, None),
    )  # fmt: skip
    late.legend(fontsize='small')
    for axis in (rate, plan, late):
        axis.grid(alpha=0.3)
    figure.savefig(path)


def plot_methods(path: Path, cells: Sequence[Cell]) -> None:
    """Plot latency under light load and throughput under heavy load against the uplink."""
    from matplotlib.figure import Figure

    networks = list(dict.fromkeys(cell.network for cell in cells))
    methods = list(dict.fromkeys(cell.method for cell in cells))
    figure = Figure(figsize=(3 * len(networks) + 0.6, 6.6), layout='constrained')
    rows = figure.subplots(2, len(networks), squeeze=False, sharex=True, sharey='row')
    for row, load, unit in ((0, 'light', 'latency, s'), (1, 'heavy', 'throughput, frames/s')):
        for axis, network in zip(rows[row], networks, strict=True):
            members = [c for c in cells if c.network == network and c.load == load]
            for number, method in enumerate(methods):
                values = [
                    (c.uplink_mbps, c.latency_s if row == 0 else c.throughput_hz)
                    for c in members
                    if c.method == method
                ]
                points = sorted((mbps, value) for mbps, value in values if value)
                axis.plot(
                    [mbps for mbps, _ in points], [value for _, value in points],
                    marker=_MARKERS[number % len(_MARKERS)], color=f'C{number}', label=method,
                    markerfacecolor='none', linewidth=2.5 if method == OURS else 1.0,
                )  # fmt: skip
            axis.set(title=f'{network}, {load}', xscale='log', yscale='log')
            axis.grid(alpha=0.3)
        rows[row][0].set(ylabel=unit)
    for axis in rows[1]:
        axis.set(xlabel='uplink, Mbit/s')
    handles, labels = rows[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=len(methods))
    figure.savefig(path)
