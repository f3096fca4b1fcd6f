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

"""The generated tables and plots of docs/partition.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import re
from typing import Any
from typing import TYPE_CHECKING

from dads_ros.bench.partition.measure import DagResult
from dads_ros.bench.partition.measure import NetworkResult
from dads_ros.errors import ConfigError
from dads_ros.partition.baselines import Graphs
from dads_ros.partition.baselines import METHODS
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.plan import Load
from dads_ros.partition.situation import Situation
from dads_ros.profiles.profiling import machine_name
import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EDGE_FACTOR = 6.0
_RTT_S = 0.02
_UPLINKS_MBPS = np.geomspace(0.1, 100, 31)

# Curves that coincide show through each other's dashes.
_STYLES: dict[str, dict[str, Any]] = {
    'edge-only': {'linestyle': (0, (6, 2))},
    'cloud-only raw': {'linewidth': 3, 'alpha': 0.5},
    'cloud-only JPEG': {'linewidth': 1.2, 'zorder': 4},
    'Neurosurgeon': {'linestyle': '-.'},
    'DADS as printed': {'linestyle': ':', 'linewidth': 2},
    'ours': {'color': 'black', 'linewidth': 2.5},
}


def write(
    docs: Path,
    networks: Sequence[NetworkResult],
    dags: Sequence[DagResult],
    situations: int,
    shipped: Graphs,
) -> None:
    """
    Write the tables between the markers of partition.md, and the plots.

    Raises ConfigError when the page or a marker in it is missing.
    """
    page = docs / 'partition.md'
    try:
        text = page.read_text(encoding='utf-8')
    except OSError as error:
        raise ConfigError(f'cannot read {str(page)!r}: {error.strerror}') from error
    text = _between(text, 'networks', _network_table(networks, situations))
    text = _between(text, 'dags', _dag_table(dags))
    (docs / 'img').mkdir(exist_ok=True)
    cuts = _plot_methods(docs / 'img' / 'partition_methods.svg', shipped)
    _plot_growth(docs / 'img' / 'partition_growth.svg', dags)
    text = _between(text, 'cuts', cuts)
    temporary = page.with_suffix('.md.tmp')
    temporary.write_text(text, encoding='utf-8')
    temporary.replace(page)


def _between(text: str, name: str, content: str) -> str:
    pattern = re.compile(f'(<!-- bench: {name} -->\n).*?(<!-- /bench -->)', re.DOTALL)
    if not pattern.search(text):
        raise ConfigError(f'partition.md has no marker <!-- bench: {name} -->; restore the page')
    return pattern.sub(lambda found: f'{found[1]}{content}\n{found[2]}', text)


def _network_table(networks: Sequence[NetworkResult], situations: int) -> str:
    lines = [
        f'{situations} random situations a network, on {machine_name()}, medians of times.',
        '',
        '| network | layers | codecs | rows | built s | look-up µs | networkx µs | ratio '
        '| DSL mismatches | DSH gap, max | table / DSH, max | printed / DSH, max |',
        '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ]
    for r in networks:
        printed = f'{r.paper_over_dsh_max:.3f}' if r.codecs == 1 else 'other codecs'
        lines.append(
            f'| {r.network} | {r.layers} | {r.codecs} | {r.rows} | {r.build_s:.3f} '
            f'| {r.lookup_us:.1f} | {r.networkx_us:.0f} | {r.networkx_us / r.lookup_us:.0f} '
            f'| {r.dsl_mismatches} | {r.dsh_gap_max:.1g} | {r.table_over_dsh_max:.6f} '
            f'| {printed} |'
        )
    return '\n'.join(lines)


def _dag_table(dags: Sequence[DagResult]) -> str:
    lines = [
        '| layers | rows | table built s | one exact cut ms | networkx ms | DSH s (longest of 3) '
        '| DSH gap, max |',
        '|---|---|---|---|---|---|---|',
    ]
    lines += [
        f'| {d.layers} | {d.rows} | {d.build_s:.2f} | {d.cut_ms:.2f} | {d.networkx_ms:.0f} '
        f'| {d.dsh_s:.2f} | {d.dsh_gap:.1g} |'
        for d in dags
    ]
    return '\n'.join(lines)


def _plot_methods(path: Path, graphs: Graphs) -> str:
    """Plot delay and longest stage against the uplink; return the table of our cuts."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(12, 5.4), layout='constrained')
    loads: tuple[Load, Load] = ('light', 'heavy')
    ours: list[list[CutPlan]] = []
    for axis, load in zip(axes, loads, strict=True):
        for name, method in tqdm(METHODS.items(), desc=f'plot, {load}', leave=False):
            plans = [
                method(graphs, Situation(mbps * 1e6, _RTT_S, _EDGE_FACTOR), load)
                for mbps in _UPLINKS_MBPS
            ]
            values = [plan.value_s * 1e3 for plan in plans]
            axis.loglog(_UPLINKS_MBPS, values, label=name, **_STYLES[name])
        ours.append(plans)
        _name_cuts(axis, plans)
        axis.set_xlabel('uplink, Mbit/s')
        axis.set_title(f'{load} load')
        axis.grid(True, which='both', alpha=0.2, linewidth=0.5)
        axis.xaxis.set_major_formatter('{x:g}')
        axis.yaxis.set_major_formatter('{x:g}')
    axes[0].set_ylabel('delay, ms')
    axes[1].set_ylabel('longest stage, ms')
    axes[0].legend(fontsize=8)
    figure.savefig(path)
    plt.close(figure)
    return _cut_table(*ours)


def _name_cuts(axis: Axes, plans: Sequence[CutPlan]) -> None:
    """Mark where our cut changes on its curve and name the cut below."""
    lowest = min(plan.value_s for plan in plans) * 1e3
    floor = lowest / 40  # room for names under the curve
    axis.set_ylim(bottom=floor)
    before = ''
    for mbps, plan in zip(_UPLINKS_MBPS, plans, strict=True):
        name = _cut(plan).replace('`', '')
        if name != before:
            axis.plot(mbps, plan.value_s * 1e3, 'o', color='black', markersize=4)
            axis.vlines(mbps, floor, plan.value_s * 1e3, color='black', linewidth=0.5, alpha=0.5)
            axis.annotate(
                name, (mbps, floor), xytext=(1, 4), textcoords='offset points', rotation=90,
                fontsize=7, va='bottom', ha='left',
            )  # fmt: skip
        before = name


def _cut_table(light: Sequence[CutPlan], heavy: Sequence[CutPlan]) -> str:
    lines = ['| uplink Mbit/s | light: cut | delay ms | heavy: cut | longest stage ms |']
    lines.append('|---|---|---|---|---|')
    before = None
    for mbps, one, two in zip(_UPLINKS_MBPS, light, heavy, strict=True):
        cuts = (_cut(one), _cut(two))
        if cuts != before:
            lines.append(
                f'| from {mbps:.2g} | {cuts[0]} | {one.delay_s * 1e3:.1f} '
                f'| {cuts[1]} | {two.max_stage_s * 1e3:.1f} |'
            )
        before = cuts
    return '\n'.join(lines)


def _cut(plan: CutPlan) -> str:
    if not plan.boundary:
        return 'all on the edge'
    return f'{", ".join(f"`{name}`" for name in plan.boundary)} as {plan.codec}'


def _plot_growth(path: Path, dags: Sequence[DagResult]) -> None:
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(5.5, 3.8), layout='constrained')
    layers = [d.layers for d in dags]
    axis.loglog(layers, [d.build_s for d in dags], 'o-', label='plan table')
    axis.loglog(layers, [d.dsh_s for d in dags], 's-', label='exact DSH, one situation')
    axis.loglog(layers, [d.cut_ms / 1e3 for d in dags], '^-', label='exact minimum cut')
    axis.loglog(layers, [d.networkx_ms / 1e3 for d in dags], 'v-', label='networkx minimum cut')
    axis.set_xticks(layers, labels=[str(size) for size in layers])
    axis.minorticks_off()
    axis.set_xlabel('layers of the random DAG')
    axis.set_ylabel('seconds')
    axis.grid(True, which='both', alpha=0.25)
    axis.legend(fontsize=8)
    figure.savefig(path)
    plt.close(figure)
