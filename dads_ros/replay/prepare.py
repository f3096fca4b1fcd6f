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

"""What a replay needs before its nodes start: the model's profiles, measured once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
import hashlib
import itertools
from pathlib import Path
import statistics
import time

from dads_ros.cache import cache_folder
from dads_ros.detector.api import load_detector
from dads_ros.image import letterbox
from dads_ros.media.sources import open_source
from dads_ros.media.sources import path_and_topic
from dads_ros.model.capture import capture_detector
from dads_ros.model.threads import use_threads
from dads_ros.profiles import profiling
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.profile import FORMAT
from dads_ros.profiles.profile import Profile
from dads_ros.report.schema import CurvePoint
from dads_ros.report.schema import RateCurve
from dads_ros.sampling import with_earlier
import numpy as np

PROFILE_FRAMES = 12
PAUSE_S = 0.02


@dataclass(frozen=True)
class Prepared:
    """A detector's labels and this machine's profile of it."""

    labels: tuple[str, ...]
    profile: Profile


def prepare(
    spec: str,
    weights: Path | None,
    source: str,
    codecs: tuple[str, ...] = (*profiling.CODECS, *profiling.REFERRING),
    rounds: int = 20,
) -> Prepared:
    """
    Return this machine's profile of a detector; measures it, with progress, where there is none.

    :param source: whose frames are used; sizes of encoded tensors depend on them.
    :param codecs: what is measured of them; a plan can use no other.
    :param rounds: of timing; medians count.
    Raises ConfigError, CaptureError or MediaError when detector or source cannot be used.
    """
    threads = use_threads()
    detector = load_detector(spec, weights)
    model = capture_detector(detector)
    machine = profiling.machine_name()
    key = f'{FORMAT}|{model.hash}|{machine}|{threads}|{codecs}|{rounds}|{identity(source)}'
    path = cache_folder() / f'profile-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json'
    if path.is_file():
        return Prepared(detector.labels, Profile.load(path))
    frames, before = _input_frames(source, detector.input_height, detector.input_width)
    profile = profiling.measure(
        detector, model, frames, before=before, codecs=codecs, repeats=rounds, progress=True
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    profile.save(path)
    return Prepared(detector.labels, profile)


def identity(source: str) -> str:
    """Return what tells a source's frames from another's: for a file, which one and how old."""
    path, topic = path_and_topic(source)
    if not path.exists():
        return source
    newest_ns = max(file.stat().st_mtime_ns for file in (path, *path.glob('*')))
    return f'{path.resolve()}|{newest_ns}|{topic}'


def rate_curve(profile: Profile, calibration: Calibration, budget: float) -> RateCurve:
    """Return the calibrated cuts and codecs with their profiled sizes, the smallest first."""
    points = []
    for row in calibration.rows:
        costs = [profile.codecs.get(tensor, {}).get(row.codec) for tensor in row.boundary]
        sizes = [cost.bytes_mean for cost in costs if cost is not None]
        if len(sizes) == len(row.boundary):
            points.append(CurvePoint(row.boundary, row.codec, sum(sizes), row.ap50))
    points.sort(key=lambda point: point.bytes_mean)
    return RateCurve(
        calibration.reference, calibration.frames, calibration.ap50, budget, tuple(points)
    )


def preprocess_s(spec: str, weights: Path | None, source: str) -> float:
    """
    Return what making the network's input of one of the source's frames takes here, median.

    Frames come with pauses, as from a camera: without, what the last one left in the caches makes
    the next twice as fast.
    """
    detector = load_detector(spec, weights)
    taken_s = []
    for frame in itertools.islice(open_source(source), PROFILE_FRAMES):
        time.sleep(PAUSE_S)
        started_s = time.thread_time()
        letterbox(frame.image_rgb, detector.input_height, detector.input_width)
        taken_s.append(time.thread_time() - started_s)
    return statistics.median(taken_s) if taken_s else 0.0


def slowed_down(profile: Profile, factor: float) -> Profile:
    """Return the profile of a machine so many times slower."""
    return replace(
        profile,
        machine=f'{profile.machine}, slowed down {factor:.1f} times',
        layer_s={name: seconds * factor for name, seconds in profile.layer_s.items()},
        call_s=profile.call_s * factor,
        codecs={
            tensor: {
                name: replace(cost, encode_s=cost.encode_s * factor)
                for name, cost in costs.items()
            }
            for tensor, costs in profile.codecs.items()
        },
    )


def _input_frames(
    source: str, height: int, width: int
) -> tuple[list[np.ndarray], list[np.ndarray | None]]:
    """Return network inputs spread over the source's first half minute, and those before them."""
    frames = open_source(source)
    step = max(1, (frames.frame_count or 10 * PROFILE_FRAMES) // PROFILE_FRAMES)
    chosen: list[np.ndarray] = []
    before: list[np.ndarray | None] = []
    for number, (image, earlier) in enumerate(with_earlier(frames)):
        if number % step == 0:
            chosen.append(letterbox(image, height, width))
            before.append(None if earlier is None else letterbox(earlier, height, width))
        if len(chosen) == PROFILE_FRAMES:
            break
    return chosen, before
