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

"""Drives on the testbed within a bounded time, and what was found of them together."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from functools import cache
from pathlib import Path
import re
import sys
import time
from typing import Any

from dads_ros.bench.testbed.accounts import not_received
from dads_ros.bench.testbed.accounts import out_of_order
from dads_ros.bench.testbed.accounts import own_cost
from dads_ros.bench.testbed.accounts import unaccounted
from dads_ros.detector.zoo import ZOO
from dads_ros.errors import DadsError
from dads_ros.monitor.policy import Policy
from dads_ros.monitor.watch import make_policy
from dads_ros.partition.baselines import RAW
from dads_ros.partition.paper import tiny_yolov2_costs
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.calibration import CodecAccuracy
from dads_ros.profiles.profile import Profile
from dads_ros.replay.folder import RUNS
from dads_ros.replay.methods import JPEG_UPLOAD
from dads_ros.replay.methods import Method
from dads_ros.replay.methods import METHODS
from dads_ros.replay.prepare import prepare
from dads_ros.replay.prepare import Prepared
from dads_ros.replay.prepare import slowed_down
from dads_ros.report.record import load_run
from dads_ros.report.schema import RunRecord
from dads_ros.settings import MonitorSettings
from dads_ros.testbed.drive import Drive
from dads_ros.testbed.drive import drive_once
from tqdm import tqdm

CLIP = 'scene'
ZOO_FACTORY = 'dads_ros.detector.zoo_detectors:'
OURS = METHODS['dads']
JPEG = METHODS[JPEG_UPLOAD].codec
# Raspberry Pi 3B to server, over all layers of the paper's own profile.
_PAPER = tiny_yolov2_costs()
EDGE_SLOWDOWN = float(sum(_PAPER.edge_ns) / sum(_PAPER.cloud_ns))
_TELLING_S = 10.0
# Of timing a network of the zoo, some of which take seconds for each.
_ZOO_ROUNDS = 10
# Until the nodes are ready, at least; then as long as it took the last time.
_START_S = 8.0


def on_its_clock(run: RunRecord) -> RunRecord:
    """Return a run with its link's trace on the recorder's clock, as its other records are."""
    first_s = run.frames[0].t_s if run.frames else 0.0
    trace = tuple((first_s + time_s, rate_bps) for time_s, rate_bps in run.info.link.trace or ())
    return replace(run, info=replace(run.info, link=replace(run.info.link, trace=trace)))


@cache
def prepared_for(spec: str, clip: str) -> Prepared:
    """Return this machine's profile of a detector; of the zoo's only what may be sent of them."""
    if spec.startswith(ZOO_FACTORY):
        return prepare(spec, None, clip, (RAW, 'raw+zstd', JPEG), _ZOO_ROUNDS)
    return prepare(spec, None, clip)


def declared_uploads(profile: Profile) -> Calibration:
    """
    Return a calibration that allows the JPEG upload and else only what loses nothing.

    Nothing can be measured of a network with random weights: ours may send what others may.
    """
    row = CodecAccuracy(profile.graph.inputs, JPEG, 1.0)
    return Calibration(profile.model_hash, 'declared', 0, 1.0, (row,))


@dataclass(frozen=True)
class Taken:
    """One drive: what its nodes recorded and what the testbed counted."""

    title: str
    method: Method
    run: RunRecord
    counted: dict[str, Any]


class Rig:
    """
    Drives one after another, until the time is over.

    :param folder: for runs and logs, one folder a drive.
    :param limit_s: a drive that would end later is left out, and named in ``left_out``; one that
        fails is named in ``failed``, with why.
    """

    def __init__(self, folder: Path, limit_s: float) -> None:
        self.folder = folder
        self._limit_s = limit_s
        self._began_s = time.monotonic()
        self._start_s = _START_S
        self.taken: list[Taken] = []
        self.left_out: list[str] = []
        self.failed: list[str] = []

    @property
    def spent_s(self) -> float:
        """Return how long the bench has been running."""
        return time.monotonic() - self._began_s

    def longest_s(self, drives: int) -> float:
        """Return for how long each of so many drives may last, if nothing else is to follow."""
        return (self._limit_s - self.spent_s) / drives - self._start_s

    def drive(self, title: str, drive: Drive, method: Method = OURS) -> Taken | None:
        """Drive once; None when the time left does not allow it, or when it failed."""
        title = f'{title}, {method.name}'
        if self.spent_s + self._start_s + drive.seconds > self._limit_s:
            self.left_out.append(title)
            return None
        tqdm.write(f'{self.spent_s:4.0f} of {self._limit_s:.0f} s: {title}', file=sys.stderr)
        number = len(self.taken) + len(self.failed)
        folder = self.folder / f'{number:03d}-{re.sub("[^a-z0-9]+", "-", title.lower())}'
        try:
            prepared = prepared_for(drive.detector, drive.clip)
            begin_s = time.monotonic()
            counted = drive_once(drive, method, prepared, folder)
            run = on_its_clock(load_run(folder / RUNS / method.name))
        except DadsError as error:
            tqdm.write(f'{title} failed: {error}', file=sys.stderr)
            self.failed.append(f'{title}: {error}')
            return None
        self._start_s = max(_START_S, time.monotonic() - begin_s - drive.seconds)
        taken = Taken(title, method, run, counted)
        self.taken.append(taken)
        return taken

    def policy_of(self, drive: Drive) -> Policy:
        """Return the policy that a drive's monitor decides by."""
        prepared = prepared_for(drive.detector, drive.clip)
        edge, cloud = self.folder / 'edge.json', self.folder / 'cloud.json'
        slowed_down(prepared.profile, drive.edge_slowdown).save(edge)
        prepared.profile.save(cloud)
        settings = MonitorSettings(edge_profile=str(edge), cloud_profile=str(cloud))
        return make_policy(settings, first_plan_id=1)

    def totals(self) -> dict[str, Any]:
        """Return what all drives by our method tell together: frames lost, cost of the monitor."""
        ours = [taken for taken in self.taken if taken.method.name == OURS.name]
        costs = [own_cost(taken.run, taken.counted) for taken in ours]
        # Processor time is counted in hundredths of a second: a short drive tells little of it.
        shares = [
            (cost.monitor_cpu, taken.counted['seconds'])
            for cost, taken in zip(costs, ours, strict=True)
            if cost.monitor_cpu is not None
        ]
        cpu = [share for share, seconds in shares if seconds >= _TELLING_S]
        driven_s = sum(seconds for _, seconds in shares)
        # The table's drives are short: probes under way as the link was narrowed would prevail.
        long = [c for t, c in zip(ours, costs, strict=True) if t.run.info.detector not in ZOO]
        probed = [cost.of_link for cost in long if cost.of_link is not None]
        sent = [cost.of_sent for cost in costs if cost.of_sent is not None]
        return {
            'frames_unaccounted': sum(unaccounted(t.run) for t in self.taken),
            'frames_out_of_order': sum(out_of_order(t.run) for t in self.taken),
            'frames_not_received': sum(not_received(t.run) for t in self.taken),
            'monitor_cpu': sum(share * s for share, s in shares) / driven_s if driven_s else None,
            'monitor_cpu_max': max(cpu, default=None),
            'link_overhead': max(probed, default=None),
            'overhead_of_sent_bytes': max(sent, default=None),
            'left_out': self.left_out,
            'failed': self.failed,
            'seconds': self.spent_s,
        }
