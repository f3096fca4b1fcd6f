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

from dads_ros.bench.testbed.table import Cell
from dads_ros.report.schema import RunRecord
from dads_ros.report.summary import plan_name


def plot_drive(path: Path, run: RunRecord) -> None:
    """Plot the trace, the estimate, the plan in force and the latency on one time axis."""
    from matplotlib.figure import Figure

    trace = run.info.link.trace or ()
    begin_s = trace[0][0] if trace else 0.0
    end_s = max(frame.t_s + frame.total_s for frame in run.frames) - begin_s
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
    rate.set(ylabel='Mbit/s', yscale='symlog')
    rate.legend()
    names = [plan_name(run.info.graph, p.boundary, p.codec) for p in run.plans]
    since_s = [p.t_s - begin_s for p in run.plans]
    plan.step([*since_s, end_s], [*names, *names[-1:]], where='post')
    published = [frame for frame in run.frames if frame.outcome.is_published]
    late.plot(
        [f.t_s - begin_s for f in published],
        [f.total_s * 1e3 for f in published],
        '.',
        markersize=4,
    )
    late.set(xlabel='s', ylabel='latency, ms', xlim=(0, end_s), ylim=(0, None))
    figure.savefig(path)


def plot_methods(path: Path, cells: Sequence[Cell]) -> None:
    """Plot the latency under light load against the uplink, one panel a network."""
    from matplotlib.figure import Figure

    networks = list(dict.fromkeys(cell.network for cell in cells))
    figure = Figure(figsize=(3.2 * len(networks), 3.2), layout='constrained')
    for axis, network in zip(
        figure.subplots(1, len(networks), squeeze=False)[0], networks, strict=True
    ):
        light = [c for c in cells if c.network == network and c.load == 'light' and c.latency_s]
        for method in dict.fromkeys(cell.method for cell in light):
            points = sorted((c.uplink_mbps, c.latency_s) for c in light if c.method == method)
            axis.loglog(*zip(*points, strict=True), marker='o', label=method)
        axis.set(title=network, xlabel='uplink, Mbit/s', ylabel='latency, s')
        axis.legend(fontsize='x-small')
    figure.savefig(path)
