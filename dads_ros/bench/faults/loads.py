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

"""Too much load on real nodes: a vehicle that floods the cloud, a camera too fast for the car."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
from statistics import median
import subprocess
import time

from dads_ros.bench.faults.cast import NAMESPACE
from dads_ros.bench.faults.cast import SCENE_HZ
from dads_ros.bench.faults.rig import PATIENCE_S
from dads_ros.bench.faults.rig import Rig
from dads_ros.errors import ProcessError
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.schema import FrameRecord
import psutil

# The vehicle that floods: its namespace, and its bundles a second.
FLOODER = '/flooder'
FLOOD_HZ = 1000.0
BEFORE_S = 3.0
SETTLE_S = 1.0
# The camera's rate, as a multiple of what the car can compute by itself.
OVERLOAD = 2.0


@dataclass(frozen=True)
class Flood:
    """
    One vehicle floods the cloud while another drives.

    :param sent_hz: bundles a second that the one sent.
    :param answered_hz: of those, how many were answered.
    :param frames: the other's camera frames meanwhile,
    :param sent: of these, how many were sent,
    :param via_cloud: and how many came back in time.
    :param before_s: their 95% latency before,
    :param during_s: and meanwhile.
    :param memory_growth: of the cloud, from the flood's first second to its end.
    """

    sent_hz: float
    answered_hz: float
    frames: int
    sent: int
    via_cloud: int
    before_s: float
    during_s: float
    memory_growth: float


@dataclass(frozen=True)
class Overload:
    """
    A camera that delivers more than the car can compute, with no cloud to help.

    :param camera_hz: what it delivered.
    :param published_hz: frames with detections.
    :param frame_s: what the car needs for a frame.
    :param age_p95_s: of detections when published, since the frame came in.
    :param age_most_s: of the oldest.
    :param wasted: share of the computing that went into frames without detections.
    """

    camera_hz: float
    published_hz: float
    frame_s: float
    age_p95_s: float
    age_most_s: float
    wasted: float


def flood(rig: Rig, duration_s: float) -> Flood:
    """
    Let a vehicle flood the cloud for some seconds.

    Raises ProcessError when it, or a node, fails.
    """
    rig.set('cloud', vehicles=['.', FLOODER])
    with rig.every_frame_sent():  # where the car might go on alone, nothing would be tried
        found = _flooded(rig, duration_s)
    rig.set('cloud', vehicles=['.'])
    return found


def _flooded(rig: Rig, duration_s: float) -> Flood:
    before_ns = time.monotonic_ns()
    rig.wait(BEFORE_S)
    after_ns = time.monotonic_ns()
    cloud = psutil.Process(rig.pid('cloud'))
    command = ['flooder', str(duration_s), str(FLOOD_HZ), NAMESPACE]
    with subprocess.Popen(
        [*command, '--ros-args', '-r', f'__ns:={FLOODER}'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        sizes = []
        while child.poll() is None:
            rig.wait(0.2)
            sizes.append(cloud.memory_info().rss)
        out, errors = child.communicate()
    if child.returncode:
        raise ProcessError(f"'flooder' ended with status {child.returncode}:\n{errors}")
    end_ns = time.monotonic_ns()
    rig.wait(2 * PATIENCE_S)  # until the last of them have ended
    told = json.loads(out)
    within = _between(rig.frames(), told['began_ns'], end_ns)
    # Sizes came five a second, the last when the flood was over.
    flooded = sizes[-int(duration_s * 5) :]
    return Flood(
        sent_hz=told['sent'] / told['seconds'],
        answered_hz=told['answered'] / told['seconds'],
        frames=len(within),
        sent=sum(f.size_bytes > 0 for f in within),
        via_cloud=sum(f.outcome is Outcome.VIA_CLOUD for f in within),
        before_s=_p95([f.total_s for f in _between(rig.frames(), before_ns, after_ns)]),
        during_s=_p95([f.total_s for f in within]),
        memory_growth=flooded[-1] / max(flooded[:5]) - 1,
    )


def overload(rig: Rig, duration_s: float) -> Overload:
    """
    Have the car compute alone, and its camera deliver twice what it can hold.

    Raises ProcessError when a node fails.
    """
    rig.set('monitor', mode='local')
    since_ns = time.monotonic_ns()
    rig.wait_for_frames('the car to compute alone', lambda f: f.outcome is Outcome.LOCAL)
    rig.wait(SETTLE_S)
    alone = [f for f in _between(rig.frames(), since_ns) if f.outcome is Outcome.LOCAL]
    frame_s = median(_work_s(f) for f in alone)
    with rig.another_camera(rate=OVERLOAD / frame_s / SCENE_HZ):
        rig.wait(SETTLE_S)
        begin_ns = time.monotonic_ns()
        rig.wait(duration_s)
        end_ns = time.monotonic_ns()
        rig.wait(SETTLE_S)
    frames = _between(rig.frames(), begin_ns, end_ns)
    rig.set('monitor', mode='auto')
    shown = [f for f in frames if f.outcome.is_published]
    seconds = (end_ns - begin_ns) / 1e9
    return Overload(
        camera_hz=len(frames) / seconds,
        published_hz=len(shown) / seconds,
        frame_s=median(_work_s(f) for f in shown),
        age_p95_s=_p95([f.total_s for f in shown]),
        age_most_s=max(f.total_s for f in shown),
        wasted=1 - sum(map(_work_s, shown)) / sum(map(_work_s, frames)),
    )


def _between(
    frames: Sequence[FrameRecord], begin_ns: int, end_ns: float = float('inf')
) -> list[FrameRecord]:
    return [f for f in frames if begin_ns <= f.received_ns < end_ns]


def _work_s(frame: FrameRecord) -> float:
    return frame.preprocess_s + frame.edge_s + frame.encode_s


def _p95(values: Sequence[float]) -> float:
    if not values:
        raise ProcessError('no frame ended in the time that was watched')
    return sorted(values)[int(len(values) * 0.95)]
