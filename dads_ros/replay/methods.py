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

"""The ways of detecting that a replay compares: this package's and those it has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace

from dads_ros.errors import ConfigError
from dads_ros.profiles.calibration import Calibration
from dads_ros.settings import MonitorSettings


@dataclass(frozen=True, slots=True)
class Method:
    """
    One way of detecting, as parameters of the same nodes.

    :param mode: the monitor's mode.
    :param codec: of what is sent in mode 'fixed'.
    :param finish_locally: whether the car finishes late frames; plain offloading does not.
    :param boundary: the tensors sent in mode 'fixed'; empty for the frame.
    :param patience_s: a frame's deadline is no later than this.
    :param gain: share of the delay that a change of plan must save.
    """

    name: str
    meaning: str
    mode: str
    codec: str = ''
    finish_locally: bool = True
    boundary: tuple[str, ...] = ()
    patience_s: float = MonitorSettings.deadline_ceiling_s
    gain: float = MonitorSettings.gain

    @property
    def sends_frame(self) -> bool:
        """Return whether it sends the frame and nothing else."""
        return bool(self.codec) and not self.boundary

    @property
    def deadline_floor_s(self) -> float:
        """
        Return the least deadline of a frame.

        Where nobody finishes a late frame, an answer that is late is better than none. Given up
        soon, frames would besides be followed by others into a link that is full of them.
        """
        return MonitorSettings.deadline_floor_s if self.finish_locally else self.patience_s


JPEG_UPLOAD = 'cloud-only-jpeg'
# So long plain uploading waits for an answer; to wait for longer gains it next to nothing.
UPLOAD_S = 2.0
METHODS = {
    method.name: method
    for method in (
        Method('dads', 'the cut moves with link and load', 'auto'),
        Method('edge-only', 'every layer on the car', 'local'),
        Method(JPEG_UPLOAD, 'upload a JPEG of the frame', 'fixed', 'jpeg75', False, (), UPLOAD_S),
        Method('cloud-only-raw', 'upload the frame as it is', 'fixed', 'raw', False, (), UPLOAD_S),
    )
}
# Recorded, but counted nowhere.
WARMUP_FRAMES = 10

DEFAULT_METHODS = ('dads', 'edge-only', JPEG_UPLOAD)


def choose(names: str, *, privacy: bool = False) -> tuple[Method, ...]:
    """
    Return the methods of a comma-separated list; 'all' and 'none' mean of the baselines.

    The package's own comes first in any case.

    :param privacy: the frame must not be sent: the list that stands when none is given, and 'all',
        are without the methods that do.
    Raises ConfigError when one is unknown, or named although it sends the frame.
    """
    wanted = {'all': ','.join(METHODS), 'none': ''}.get(names, names)
    if privacy and names in ('all', ','.join(DEFAULT_METHODS)):
        wanted = ','.join(n for n in wanted.split(',') if not METHODS[n].sends_frame)
    chosen = ['dads', *(name.strip() for name in wanted.split(',') if name.strip())]
    for name in chosen:
        if name not in METHODS:
            raise ConfigError(f'method {name!r} is unknown; use some of {", ".join(METHODS)}')
        if privacy and METHODS[name].sends_frame:
            raise ConfigError(
                f'method {name!r} sends the frame, which privacy forbids; leave it out'
            )
    return tuple(METHODS[name] for name in dict.fromkeys(chosen))


def at_budget(
    method: Method, calibration: Calibration | None, inputs: tuple[str, ...], budget: float
) -> Method:
    """
    Return the method with the coarsest JPEG that keeps within the accuracy budget.

    A coarser one would be sooner there and find less: ways are compared at what ours is held to.
    Without a calibration, or a JPEG that is good enough, the method stays as it is.

    :param inputs: the network's input layers.
    :param budget: AP at IoU 0.5 that a codec may cost.
    """
    if method.name != JPEG_UPLOAD or calibration is None:
        return method
    qualities = [
        int(row.codec.removeprefix('jpeg'))
        for row in calibration.rows
        if row.boundary == inputs
        and row.codec.startswith('jpeg')
        and calibration.ap50 - row.ap50 <= budget
    ]
    return replace(method, codec=f'jpeg{min(qualities)}') if qualities else method
