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

"""
The parameters of every node: one table with defaults, meanings and limits.

The nodes declare from it, config/*.param.yaml and the JSON schema are checked against it, and the
parameter reference is generated from it. ROS-free, so that the command line shares the checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
import math
from typing import Any
from typing import get_type_hints
from typing import TypeVar

from dads_ros.errors import ConfigError
from dads_ros.plan import WISHES

T = TypeVar('T')
QOS_CHOICES = ('reliable', 'best_effort')
_KEY_FILE = (
    "File with this car's key, which only its owner may read: what may leave the host is sealed. "
    'Empty: plain topics.'
)
DEFAULT_DETECTOR = 'dads_ros.detector.shipped:detector'


@dataclass(frozen=True, slots=True)
class Limits:
    """What a parameter means and which values it takes; ``live`` ones may change while running."""

    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False


def _parameter(
    default: T,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
) -> T:
    return field(default=default, metadata={'limits': Limits(meaning, low, high, choices, live)})


@dataclass(frozen=True)
class DetectorSettings:
    """Which network, the same on the car and in the cloud, and how to run it."""

    detector: str = _parameter(
        DEFAULT_DETECTOR,
        'Factory of the detector, package.module:factory; the same on both sides.',
    )
    weights: str = _parameter('', "File of the detector's weights; empty takes the factory's own.")
    threads: int = _parameter(
        0, 'Threads that compute; 0 takes all cores but one, which DDS needs.', low=0, high=256
    )
    device: str = _parameter(
        'cpu',
        'Where the layers run; cuda-half computes in half precision.',
        choices=('cpu', 'cuda', 'cuda-half'),
    )
    compiled: bool = _parameter(
        False,
        'Run the halves that dads profile --compile made on this machine; others run plain.',
    )
    reliability: str = _parameter(
        'reliable',
        'QoS of bundles and results. reliable repeats lost parts; best_effort does not.',
        choices=QOS_CHOICES,
    )


@dataclass(frozen=True)
class EdgeSettings(DetectorSettings):
    """The node on the car that reads the camera."""

    compressed: bool = _parameter(
        False, 'Read image/compressed (sensor_msgs/CompressedImage) instead of image.'
    )
    image_reliability: str = _parameter(
        'best_effort', 'QoS of the camera topic.', choices=QOS_CHOICES
    )
    image_deadline_s: float = _parameter(
        0.0,
        'Warn when no image came for this long. Of a driver that offers no DDS deadline, or a '
        'longer one, no image is received then; 0 asks for none.',
        low=0,
        high=3600,
    )
    min_score: float = _parameter(
        0.0, 'Boxes less sure than this are not published.', low=0, high=1, live=True
    )
    vehicle: str = _parameter(
        '', 'Name of this car in its bundles; empty takes the namespace, or the host.'
    )
    key_file: str = _parameter('', _KEY_FILE)
    miss_limit: int = _parameter(
        3, 'Deadlines missed in a row before the car computes by itself.', low=1, high=100
    )
    # No less: the monitor tells the link's state once a second, at a look of two a second.
    watchdog_s: float = _parameter(
        3.0, 'Without a word from the monitor for this long, compute on the car.', low=2, high=60
    )
    bundle_cap_bytes: int = _parameter(
        1_000_000, 'Largest bundle; past it tensors are coded more coarsely.', low=200, high=2**24
    )
    finish_locally: bool = _parameter(
        True,
        'Finish a frame on the car when its deadline passes. False only to measure what plain '
        'offloading would give: such frames are dropped.',
    )
    emulated_uplink: str = _parameter(
        '', 'CSV time_s,uplink_mbps: emulate this uplink, for demos.', live=True
    )
    emulated_rtt_ms: float = _parameter(
        0.0, 'Emulated round trip, with emulated_uplink.', low=0, high=5000, live=True
    )
    emulated_slowdown: float = _parameter(
        1.0, 'Pad every computing stage to this multiple of its time, for demos.', low=1, high=1000
    )


@dataclass(frozen=True)
class CloudSettings(DetectorSettings):
    """The off-board node."""

    vehicles: list[str] = field(
        default_factory=lambda: ['.'],
        metadata={
            'limits': Limits(
                "Namespaces whose bundles to finish; '.' is the node's own, '/car1' another.",
                live=True,
            )
        },
    )
    key_folder: str = _parameter(
        '',
        'Folder with a key file VEHICLE.key for each vehicle: all is sealed. Empty: plain topics.',
    )
    queue_depth: int = _parameter(4, 'Bundles kept per vehicle.', low=1, high=64)
    max_age_s: float = _parameter(
        1.0, 'A bundle that waited longer for its turn is dropped.', low=0.05, high=60
    )
    max_bytes: int = _parameter(
        4_000_000, 'Largest bundle that is accepted.', low=1000, high=2**28
    )
    batch: int = _parameter(
        4,
        'Bundles of different vehicles and one cut finished together at most, where that was '
        'measured to be faster. 1 finishes each alone.',
        low=1,
        high=16,
    )


@dataclass(frozen=True)
class MonitorSettings:
    """The node on the car that moves the cut."""

    edge_profile: str = _parameter('', "The car's profile (dads profile --side edge).")
    cloud_profile: str = _parameter('', "The cloud's profile (dads profile --side cloud).")
    calibration: str = _parameter(
        '',
        'Accuracy of codecs (dads calibrate); empty: the shipped one, else lossless only.',
    )
    key_file: str = _parameter('', _KEY_FILE)
    accuracy_budget: float = _parameter(
        0.01, 'AP at IoU 0.5 that a codec may cost against the float32 detector.', low=0, high=1
    )
    privacy: bool = _parameter(
        False, 'Never send the frame, nor a tensor from before the first layer that hides it.'
    )
    temporal: bool = _parameter(
        False, 'Also plan to code packed tensors against the newest bundle that was answered.'
    )
    mode: str = _parameter('auto', 'What plans are for: see concepts.', choices=WISHES, live=True)
    fixed_boundary: list[str] = field(
        default_factory=lambda: [''],
        metadata={'limits': Limits("Tensors to send in mode 'fixed'.", live=True)},
    )
    fixed_codec: str = _parameter(
        '', "Codec in mode 'fixed'; empty: what sends least within accuracy_budget.", live=True
    )
    gain: float = _parameter(
        0.1, 'Share of the delay that a change of plan must save.', low=0, high=1
    )
    patience_frames: int = _parameter(3, 'Frames in a row for which it must.', low=1, high=100)
    stay_local_s: float = _parameter(
        1.0, 'After the link was lost, how long it must be back.', low=0, high=60
    )
    deadline_factor: float = _parameter(
        2.0, 'How long a bundle may be under way, as a multiple of the prediction,', low=1, high=20
    )
    deadline_floor_s: float = _parameter(0.25, 'but no shorter than this,', low=0.01, high=60)
    deadline_ceiling_s: float = _parameter(1.0, 'and no longer than this.', low=0.01, high=60)


@dataclass(frozen=True)
class PlayerSettings:
    """Replays a video, a bag or the drawn scene as a camera."""

    source: str = _parameter(
        'scene', 'scene[:seed], a video, a folder of images, or BAG[#/TOPIC].'
    )
    rate: float = _parameter(1.0, 'Speed of the replay; 2 is twice as fast.', low=0.001, high=100)
    loop: bool = _parameter(False, 'Start again at the end, for ever.')
    frame_id: str = _parameter('camera', 'frame_id of the images.')
    stamp_origin_ns: int = _parameter(
        0, "Stamp of the source's time 0; 0 takes the present. A bag keeps its own stamps.", low=0
    )
    encoding: str = _parameter(
        'rgb8', 'Encoding of the images.', choices=('rgb8', 'bgr8', 'mono8')
    )
    reliability: str = _parameter('reliable', 'QoS of the images.', choices=QOS_CHOICES)


@dataclass(frozen=True)
class RecorderSettings:
    """Writes a run folder."""

    folder: str = _parameter('', 'Folder of the run; must not hold one yet.')
    info: str = _parameter('', 'JSON file with what was run: the head of run.json.')
    key_file: str = _parameter('', _KEY_FILE)


@dataclass(frozen=True)
class PingSettings:
    """Asks the cloud for an answer."""

    vehicle: str = _parameter('ping_cloud', 'Who asks; with a key, whose key it is.')
    key_file: str = _parameter('', _KEY_FILE)


ALL_SETTINGS: dict[str, type] = {
    'edge': EdgeSettings,
    'cloud': CloudSettings,
    'monitor': MonitorSettings,
    'player': PlayerSettings,
    'recorder': RecorderSettings,
}


def limits_of(settings: type) -> dict[str, Limits]:
    """Return each parameter's meaning and limits, by name."""
    return {f.name: f.metadata['limits'] for f in fields(settings)}


def defaults_of(settings: type) -> dict[str, Any]:
    """Return each parameter's default, by name."""
    made = settings()
    return {f.name: getattr(made, f.name) for f in fields(settings)}


def check(settings: type, name: str, value: Any) -> None:
    """
    Check one value against the table.

    Raises ConfigError saying what is allowed.
    """
    limits = limits_of(settings).get(name)
    if limits is None:
        raise ConfigError(f'parameter {name!r} is unknown; see the parameter reference')
    wanted = get_type_hints(settings)[name]
    plain = getattr(wanted, '__origin__', wanted)
    if not isinstance(value, (int, float) if plain is float else plain) or (
        isinstance(value, bool) and plain is not bool
    ):
        raise ConfigError(f'parameter {name!r} must be a {plain.__name__}, not {value!r}')
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f'parameter {name!r} must be a number, not {value!r}')
    if limits.choices and value not in limits.choices:
        raise ConfigError(
            f'parameter {name!r} is {value!r}; use one of {", ".join(limits.choices)}'
        )
    if limits.low is not None and value < limits.low:
        raise ConfigError(f'parameter {name!r} is {value}; it must be at least {limits.low:g}')
    if limits.high is not None and value > limits.high:
        raise ConfigError(f'parameter {name!r} is {value}; it must be at most {limits.high:g}')
