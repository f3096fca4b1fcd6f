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

"""A session: one clip replayed by several methods over the same link, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime
from datetime import timezone
from functools import partial
import os
from pathlib import Path
import platform
import tempfile
import time
from typing import NoReturn

from dads_ros.media.run_bag import write_run_bag
from dads_ros.media.run_video import as_played
from dads_ros.media.run_video import write_run_video
from dads_ros.media.sources import open_source
from dads_ros.media.sources import Source
from dads_ros.processes import require_programs
from dads_ros.profiles.calibration import Calibration
from dads_ros.replay.folder import check_is_session
from dads_ros.replay.folder import clear_session
from dads_ros.replay.folder import finish_run
from dads_ros.replay.folder import RUNS
from dads_ros.replay.folder import unfinished_run
from dads_ros.replay.methods import at_budget
from dads_ros.replay.methods import Method
from dads_ros.replay.methods import WARMUP_FRAMES
from dads_ros.replay.prepare import prepare
from dads_ros.replay.prepare import Prepared
from dads_ros.replay.prepare import rate_curve
from dads_ros.replay.prepare import slowed_down
from dads_ros.replay.run import NODES
from dads_ros.replay.run import replay
from dads_ros.replay.run import RunSetup
from dads_ros.replay.stamps import cameras_stamps
from dads_ros.replay.stamps import restore_stamps
from dads_ros.report.record import load_run
from dads_ros.report.record import write_info
from dads_ros.report.record import write_truth
from dads_ros.report.schema import LinkKind
from dads_ros.report.schema import LinkSetup
from dads_ros.report.schema import RateCurve
from dads_ros.report.schema import RunInfo
from dads_ros.report.schema import SlowdownKind
from dads_ros.report.schema import TruthRecord
from dads_ros.report.write import STILLS
from dads_ros.report.write import VIDEO
from dads_ros.trace import load_trace
from dads_ros.trace import Trace
from tqdm import tqdm


@dataclass(frozen=True)
class Drive:
    """
    What to replay, and the car and link to emulate.

    :param source: scene[:seed], a video, a bag or a folder of images.
    :param rate_hz: frames a second; None plays as recorded.
    :param trace: the emulated uplink; None sends straight through this machine.
    :param edge_slowdown: how many times slower than this machine the car is, at least 1.
    :param accuracy_budget: AP at IoU 0.5 that a codec may cost.
    :param bag: a .mcap file for the first method's run.
    """

    source: str
    detector: str
    weights: Path | None
    rate_hz: float | None = None
    trace: Path | None = None
    rtt_s: float = 0.0
    edge_slowdown: float = 1.0
    calibration: Path | None = None
    accuracy_budget: float = 0.01
    privacy: bool = False
    bag: Path | None = None


def record_session(drive: Drive, methods: tuple[Method, ...], folder: Path) -> None:
    """
    Replay the drive by each method in turn; leave run folders and a video of the first.

    Nothing is started, nor an old session touched, before what the user gave was found good.
    Raises a DadsError when it was not, or when a node fails.
    """
    source = open_source(drive.source)
    trace = load_trace(drive.trace) if drive.trace else None
    check_is_session(folder)
    require_programs(NODES)
    prepared = prepare(drive.detector, drive.weights, drive.source)
    profile = prepared.profile
    calibration = Calibration.find(drive.calibration, profile.model_hash)
    if calibration is not None:
        calibration.require(profile.model_hash)
    slowdown = drive.edge_slowdown
    rate = drive.rate_hz / source.rate_hz if drive.rate_hz else 1.0
    clear_session(folder)
    with tempfile.TemporaryDirectory(prefix='dads_ros-') as scratch:
        files = Path(scratch)
        slowed_down(profile, slowdown).save(files / 'edge.json')
        profile.save(files / 'cloud.json')
        setup = RunSetup(
            source=drive.source,
            rate=rate,
            detector=drive.detector,
            weights=drive.weights,
            edge_profile=files / 'edge.json',
            cloud_profile=files / 'cloud.json',
            calibration=drive.calibration,
            trace=drive.trace,
            rtt_s=drive.rtt_s,
            slowdown=slowdown,
            inputs=profile.graph.inputs,
            stamp_origin_ns=time.time_ns(),
            accuracy_budget=drive.accuracy_budget,
            privacy=drive.privacy,
        )
        kind = SlowdownKind.EMULATED if slowdown > 1 else SlowdownKind.NONE
        budget = drive.accuracy_budget
        curve = rate_curve(profile, calibration, budget) if calibration else None
        for plain in methods:
            method = at_budget(plain, calibration, setup.inputs, budget)
            info = files / f'{method.name}.json'
            write_info(
                info,
                run_info(
                    method, source, rate, prepared, _link(drive, trace), slowdown, kind, curve
                ),
            )
            run = unfinished_run(folder, method.name)
            with tqdm(total=source.frame_count, unit='frame', desc=method.name) as bar:
                replay(setup, method, run, info, partial(_show, bar))
            write_truth(run, _truth(source, setup.stamp_origin_ns, rate))
            finish_run(folder, method.name)
    _tell(drive, source, setup, methods, folder)


def _tell(
    drive: Drive, source: Source, setup: RunSetup, methods: tuple[Method, ...], folder: Path
) -> None:
    """Leave the first run as video and bag, and the camera's own stamps in all of them."""
    first = load_run(folder / RUNS / methods[0].name)
    # Before what may fail: a report that is made later has them, too.
    if source.has_stamps and setup.rate != 1.0:
        cameras = cameras_stamps(source, setup.stamp_origin_ns, setup.rate)
        for method in methods:
            restore_stamps(folder / RUNS / method.name, cameras)
    played = partial(as_played, source, setup.stamp_origin_ns, setup.rate)
    write_run_video(first, played(), folder / VIDEO, folder / STILLS)
    if drive.bag is not None:
        write_run_bag(first, played(), drive.bag)


def _show(bar: tqdm[NoReturn], count: int) -> None:
    bar.update(count - bar.n)


def run_info(
    method: Method,
    source: Source,
    rate: float,
    prepared: Prepared,
    link: LinkSetup,
    slowdown: float,
    kind: SlowdownKind,
    curve: RateCurve | None = None,
) -> RunInfo:
    """
    Return the head of a run's record.

    :param rate: speed of the replay.
    :param slowdown: how many times slower the car was made, by the means ``kind`` names.
    :param curve: the calibration that plans are chosen by.
    """
    profile = prepared.profile
    return RunInfo(
        method=method.name,
        detector=profile.detector,
        model_hash=profile.model_hash,
        clip=source.name,
        clip_rate_hz=source.rate_hz * rate,
        frame_count=source.frame_count or 0,
        link=link,
        edge_slowdown=slowdown,
        edge_slowdown_kind=kind,
        labels=prepared.labels,
        graph=profile.graph,
        started=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        versions={**profile.versions, 'python': platform.python_version()},
        machine={'name': profile.machine, 'cores': os.cpu_count(), 'threads': profile.threads},
        warmup_frames=WARMUP_FRAMES,
        curve=curve,
    )


def _link(drive: Drive, trace: Trace | None) -> LinkSetup:
    if trace is None or drive.trace is None:
        return LinkSetup(LinkKind.NONE, 'both sides on this machine, no link emulated', None, None)
    return LinkSetup(
        LinkKind.EMULATED,
        f'token bucket before the publisher, {_rate(drive.trace, trace)}, round trip '
        f'{drive.rtt_s * 1e3:.0f} ms',
        trace.samples,
        drive.rtt_s,
    )


def _rate(path: Path, trace: Trace) -> str:
    """Return what the link carries, in words."""
    steady = len(trace.rates_bps) == 1
    return f'a steady {trace.rates_bps[0] / 1e6:g} Mbit/s' if steady else path.name


def _truth(source: Source, origin_ns: int, rate: float) -> tuple[TruthRecord, ...]:
    """Return the source's true boxes under the stamps that the player gives its frames."""
    return tuple(
        replace(record, stamp_ns=origin_ns + round(record.stamp_ns / rate))
        for record in source.truth()
    )
