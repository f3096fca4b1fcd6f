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

"""A drive on the testbed: the real nodes on two hosts, by each method in turn, and one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
import json
from pathlib import Path
import re
import tempfile
import time
from typing import Any

from dads_ros.media.sources import open_source
from dads_ros.model.threads import use_threads
from dads_ros.processes import placed
from dads_ros.profiles.calibration import Calibration
from dads_ros.replay.folder import check_is_session
from dads_ros.replay.folder import clear_session
from dads_ros.replay.folder import finish_run
from dads_ros.replay.folder import unfinished_run
from dads_ros.replay.methods import at_budget
from dads_ros.replay.methods import Method
from dads_ros.replay.prepare import prepare
from dads_ros.replay.prepare import Prepared
from dads_ros.replay.prepare import slowed_down
from dads_ros.replay.run import replay
from dads_ros.replay.run import RunSetup
from dads_ros.replay.session import run_info
from dads_ros.report.atomic import write_text
from dads_ros.report.record import load_run
from dads_ros.report.record import write_info
from dads_ros.report.schema import LinkKind
from dads_ros.report.schema import LinkSetup
from dads_ros.report.schema import RunInfo
from dads_ros.report.schema import SlowdownKind
from dads_ros.report.write import report_document
from dads_ros.report.write import write_report
from dads_ros.settings import DEFAULT_DETECTOR
from dads_ros.testbed.bed import Bed
from dads_ros.testbed.bed import make_bed
from dads_ros.testbed.bed import Setup
from dads_ros.testbed.quota import LEAST_CORES
from dads_ros.testbed.usage import cpu_s
from tqdm import tqdm

RESULTS = 'testbed.json'
# Of a Raspberry Pi, say. One is the detector's, the others are there for DDS, Python and ROS.
CAR_CORES = 4
# What the player says as it sends the first frame.
_PLAYING = re.compile(r'\]: playing, stamp (\d+) at (\d+) ns')
_BAR = '{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s'


@dataclass(frozen=True)
class Drive:
    """
    What is driven on which testbed.

    :param clip: scene[:seed], a video, a bag or a folder of images.
    :param seconds: end the clip after this long.
    :param rate: speed of the replay; 2 is twice as fast.
    :param loop: whether the clip starts again at its end.
    :param accuracy_budget: AP at IoU 0.5 that a codec may cost.
    :param edge_slowdown: how many times slower than this machine the car is, at least 1.
    """

    clip: str
    seconds: float
    setup: Setup
    edge_slowdown: float = 1.0
    rate: float = 1.0
    loop: bool = False
    calibration: Path | None = None
    accuracy_budget: float = 0.01
    detector: str = DEFAULT_DETECTOR
    weights: Path | None = None


def most_slowdown() -> float:
    """Return how many times slower than this machine a quota can make the car."""
    return CAR_CORES * use_threads() / LEAST_CORES


class _EnoughError(Exception):
    """The clip has been played for as long as was asked."""


def drive_methods(drive: Drive, methods: Sequence[Method], folder: Path) -> dict[str, Any]:
    """
    Drive by each method, leave a session with its report in a folder, and return the results.

    They are written to testbed.json too. Raises a DadsError when something given is not usable,
    the testbed cannot be set up, or a node fails; the hosts are removed in any case.
    """
    check_is_session(folder)
    prepared = prepare(drive.detector, drive.weights, drive.clip)
    clear_session(folder)
    measured = {method.name: drive_once(drive, method, prepared, folder) for method in methods}
    report = report_document(write_report(folder))
    results = {
        'testbed': measured, 'edge_slowdown': drive.edge_slowdown, 'report': report,
    }  # fmt: skip
    write_text(folder / RESULTS, json.dumps(results, indent=1, allow_nan=False))
    return results


def drive_once(drive: Drive, method: Method, prepared: Prepared, folder: Path) -> dict[str, Any]:
    """
    Drive by one method, leave its run and logs in a folder, and return what the testbed counted.

    Raises a DadsError as drive_methods does.
    """
    slowdown = drive.edge_slowdown
    setup = drive.setup
    if slowdown > 1:
        setup = replace(setup, edge_cores=CAR_CORES * prepared.profile.threads / slowdown)
    calibration = Calibration.find(drive.calibration, prepared.profile.model_hash)
    inputs = prepared.profile.graph.inputs
    method = at_budget(method, calibration, inputs, drive.accuracy_budget)
    source = open_source(drive.clip)
    kind = SlowdownKind.EMULATED if slowdown > 1 else SlowdownKind.NONE
    info = run_info(method, source, drive.rate, prepared, _link(setup), slowdown, kind)
    with tempfile.TemporaryDirectory(prefix='dads_ros-') as scratch:
        run_setup = _run_setup(drive, prepared, Path(scratch))
        with make_bed(setup, folder / 'logs' / method.name) as bed:
            run = unfinished_run(folder, method.name)
            usage = _drive(drive, run_setup, method, info, bed, run)
            seen = bed.measured()
        finish_run(folder, method.name)
        told = _told(folder / 'logs' / method.name)
    return seen | usage | told | {'relay': bed.relayed()}


def _told(logs: Path) -> dict[str, float]:
    """
    Return what the player's first words tell.

    To be added to a frame's stamp in nanoseconds, it makes it the time on the clock of
    ``received_ns`` at which the frame was due.
    """
    told: dict[str, float] = {}
    if found := _PLAYING.findall((logs / 'player.log').read_text(encoding='utf-8')):
        stamp_ns, now_ns = (int(number) for number in found[0])
        told['camera_zero_ns'] = now_ns - stamp_ns
    return told


def _drive(
    drive: Drive, run_setup: RunSetup, method: Method, info: RunInfo, bed: Bed, run: Path
) -> dict[str, float]:
    """
    Run one method; the link's clock starts with the first frame that has ended.

    :return: for how long it then ran, and what the monitor took of a processor meanwhile.
    """
    is_held = False
    started_s: float | None = None
    player_log = run.parent.parent / 'logs' / method.name / 'player.log'
    cpu_begin_s = cpu_end_s = spent_s = 0.0
    head = run_setup.edge_profile.with_name('info.json')
    write_info(head, info)
    with tqdm(
        total=drive.seconds, unit='s', desc=method.name, bar_format=_BAR, mininterval=1
    ) as bar:

        def frames_done(count: int) -> None:
            nonlocal is_held, started_s, cpu_begin_s, cpu_end_s, spent_s
            if not is_held and _PLAYING.search(player_log.read_text(encoding='utf-8')):
                is_held = True
                bed.hold()
            if not count:
                return
            if started_s is None:
                started_s = time.monotonic()
                bed.begin()
                cpu_begin_s = cpu_s('monitor')
            spent_s = time.monotonic() - started_s
            bar.update(min(spent_s, drive.seconds) - bar.n)
            if spent_s >= drive.seconds:
                cpu_end_s = cpu_s('monitor')
                bed.end()
                raise _EnoughError

        try:
            with placed(bed.place_of):
                replay(run_setup, method, run, head, frames_done)
        except _EnoughError:
            bar.update(drive.seconds - bar.n)
    _complete_info(run)
    # A clip that ended by itself took the monitor with it: what that one used is not known.
    used = {'monitor_cpu_s': cpu_end_s - cpu_begin_s} if cpu_end_s else {}
    return {'seconds': spent_s} | used


def _complete_info(run: Path) -> None:
    """
    Say in run.json what only the run could tell.

    That is how many frames the camera sent while it ran, by their stamps, and when after the first
    frame's arrival the trace began: as the first one had ended.
    """
    record = load_run(run)
    info, frames = record.info, record.frames
    if not frames:
        return
    begin_s = min(frame.t_s + frame.total_s for frame in frames) - frames[0].t_s
    trace = tuple((time_s + begin_s, rate_bps) for time_s, rate_bps in info.link.trace or ())
    played_s = (frames[-1].stamp_ns - frames[0].stamp_ns) / 1e9
    info = replace(
        info,
        frame_count=round(played_s * info.clip_rate_hz) + 1,
        link=replace(info.link, trace=trace),
    )
    write_info(run / 'run.json', info)


def _run_setup(drive: Drive, prepared: Prepared, folder: Path) -> RunSetup:
    slowed_down(prepared.profile, drive.edge_slowdown).save(folder / 'edge.json')
    prepared.profile.save(folder / 'cloud.json')
    return RunSetup(
        source=drive.clip,
        rate=drive.rate,
        detector=drive.detector,
        weights=drive.weights,
        edge_profile=folder / 'edge.json',
        cloud_profile=folder / 'cloud.json',
        calibration=drive.calibration,
        trace=None,  # the link is real
        rtt_s=0.0,
        slowdown=drive.edge_slowdown,
        inputs=prepared.profile.graph.inputs,
        stamp_origin_ns=time.time_ns(),
        accuracy_budget=drive.accuracy_budget,
        loop=drive.loop,
    )


def _link(setup: Setup) -> LinkSetup:
    if setup.impairment is None:
        text = 'two network namespaces, token bucket of the kernel in a switch between them'
        return LinkSetup(LinkKind.SHAPED, text, setup.trace.samples, 0.0)
    way = setup.impairment
    text = (
        f'two network namespaces and a relay in user space: each way {way.delay_s * 1e3:g} ms, '
        f'jitter {way.jitter_s * 1e3:g} ms, loss {way.loss:.1%}'
    )
    return LinkSetup(LinkKind.SHAPED, text, setup.trace.samples, 2 * way.delay_s)
