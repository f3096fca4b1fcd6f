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

"""One replay: real nodes, each a process of its own, over one clip by one method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import time

from dads_ros.processes import node_command
from dads_ros.processes import Process
from dads_ros.processes import ProcessGroup
from dads_ros.replay.methods import Method

NODES = ('recorder', 'cloud', 'edge', 'monitor', 'player')
READY_S = 120.0
QUIET_S = 1.5


@dataclass(frozen=True)
class RunSetup:
    """
    What all methods of a session share.

    :param trace: file of the emulated uplink; None leaves the link as it is.
    :param inputs: the network's input layers, which a plain upload sends.
    :param loop: whether the source starts again at its end, for ever.
    """

    source: str
    rate: float
    detector: str
    weights: Path | None
    edge_profile: Path
    cloud_profile: Path
    calibration: Path | None
    trace: Path | None
    rtt_s: float
    slowdown: float
    inputs: tuple[str, ...]
    stamp_origin_ns: int
    accuracy_budget: float = 0.01
    privacy: bool = False
    loop: bool = False


def replay(
    setup: RunSetup, method: Method, folder: Path, info: Path, frames_done: Callable[[int], object]
) -> None:
    """
    Run one method over the clip and leave a run folder.

    :param info: file with the head of run.json.
    :param frames_done: told, again and again, how many camera frames have ended.
    Raises ProcessError when a node fails, with its last words.
    """
    logs = folder.parent.parent / 'logs' / method.name
    namespace = '/' + method.name.replace('-', '_')

    def start(name: str, parameters: dict[str, object], *, ends: bool = False) -> Process:
        command = node_command(name, parameters, namespace)
        return group.start(name, command, logs / f'{name}.log', ends=ends)

    with ProcessGroup() as group:
        start('recorder', {'folder': str(folder), 'info': str(info)})
        # The cloud keeps a bundle for as long as the car waits for it.
        start('cloud', {**_detector(setup), 'max_age_s': float(method.patience_s)})
        start('edge', _edge(setup, method))
        start('monitor', _monitor(setup, method))
        wants_cloud = method.mode != 'local'
        group.wait_until(
            'the nodes to find each other', lambda: _is_ready(folder, wants_cloud), READY_S
        )
        player = start('player', _player(setup), ends=True)
        _follow(group, player, folder / 'frames.jsonl', frames_done)


def _detector(setup: RunSetup) -> dict[str, object]:
    return {'detector': setup.detector, 'weights': str(setup.weights or '')}


def _edge(setup: RunSetup, method: Method) -> dict[str, object]:
    return {
        **_detector(setup),
        'vehicle': 'car',
        'image_reliability': 'reliable',
        'finish_locally': method.finish_locally,
        'emulated_uplink': str(setup.trace or ''),
        'emulated_rtt_ms': setup.rtt_s * 1e3,
        'emulated_slowdown': float(setup.slowdown),
    }


def _monitor(setup: RunSetup, method: Method) -> dict[str, object]:
    return {
        'edge_profile': str(setup.edge_profile),
        'cloud_profile': str(setup.cloud_profile),
        'calibration': str(setup.calibration or ''),
        'accuracy_budget': setup.accuracy_budget,
        'privacy': setup.privacy,
        'mode': method.mode,
        'fixed_boundary': list(method.boundary or setup.inputs) if method.codec else [''],
        'fixed_codec': method.codec,
        'deadline_floor_s': float(method.deadline_floor_s),
        'deadline_ceiling_s': float(method.patience_s),
        'gain': method.gain,
    }


def _player(setup: RunSetup) -> dict[str, object]:
    return {
        'source': setup.source,
        'rate': float(setup.rate),
        'loop': setup.loop,
        'stamp_origin_ns': setup.stamp_origin_ns,
    }


def _is_ready(folder: Path, wants_cloud: bool) -> bool:
    """Return whether a plan is in force and, where it matters, the cloud has answered."""
    plans, links = folder / 'plans.jsonl', folder / 'links.jsonl'
    if not plans.is_file() or not plans.stat().st_size:
        return False
    lines = links.read_text(encoding='utf-8').splitlines() if links.is_file() else []
    return bool(lines) and (not wants_cloud or '"cloud_alive":true' in lines[-1])


def _follow(
    group: ProcessGroup, player: Process, frames: Path, frames_done: Callable[[int], object]
) -> None:
    """Wait until the player has ended and no frame has ended for a while."""
    count, changed_s = 0, time.monotonic()

    def is_over() -> bool:
        nonlocal count, changed_s
        # Only what is new: a long drive must not slow down what is measured.
        more = file.read().count(b'\n')
        if more or player.status is None:
            count, changed_s = count + more, time.monotonic()
            frames_done(count)
        # A player that failed is left to the group's own check.
        return player.status == 0 and time.monotonic() - changed_s > QUIET_S

    with frames.open('rb') as file:
        group.wait_until('the clip to end', is_over, 24 * 3600)
