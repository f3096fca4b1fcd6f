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

"""The nodes of the rig: where they live, and what each is told as it starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from datetime import timezone
from pathlib import Path

from dads_ros.replay.prepare import prepare
from dads_ros.replay.prepare import slowed_down
from dads_ros.report.record import write_info
from dads_ros.report.schema import LinkKind
from dads_ros.report.schema import LinkSetup
from dads_ros.report.schema import RunInfo
from dads_ros.report.schema import SlowdownKind
from dads_ros.settings import DEFAULT_DETECTOR

NODES = ('recorder', 'cloud', 'edge', 'monitor', 'player')
NAMESPACE = '/car'
SCENE_HZ = 10.0
# A whole frame takes so long on the car, but so many times longer than in the cloud at least: on a
# machine of any pace the cloud is worth it.
EDGE_FRAME_S = 0.065
SLOWDOWN = 3.0
# The car can go on alone: it is busy for no more of the camera's period.
BUSY = 0.65
WATCHDOG_S = 2.0
LINK_RTT_MS = 10.0


@dataclass(frozen=True)
class Cast:
    """
    What the nodes are told.

    :param camera_hz: as fast as the car alone can follow, and no faster than the scene.
    :param parameters: by the node's name.
    """

    camera_hz: float
    parameters: dict[str, dict[str, object]]


def cast_for(folder: Path, uplink: Path) -> Cast:
    """
    Return what the nodes are told on this machine.

    What they read is written first: the profiles of both machines, and the head of the record.

    :param folder: of the record.
    :param uplink: the trace of the emulated link.
    """
    prepared = prepare(DEFAULT_DETECTOR, None, 'scene')
    profile = prepared.profile
    slowdown = max(SLOWDOWN, EDGE_FRAME_S / profile.whole_s)
    camera_hz = min(SCENE_HZ, BUSY / (slowdown * profile.whole_s))
    edge_profile, cloud_profile = folder / 'edge.json', folder / 'cloud.json'
    slowed_down(profile, slowdown).save(edge_profile)
    profile.save(cloud_profile)
    head = folder / 'info.json'
    info = RunInfo(
        method='faults',
        detector=profile.detector,
        model_hash=profile.model_hash,
        clip='scene',
        clip_rate_hz=camera_hz,
        frame_count=0,
        link=LinkSetup(LinkKind.NONE, 'this machine'),
        edge_slowdown=slowdown,
        edge_slowdown_kind=SlowdownKind.EMULATED,
        labels=prepared.labels,
        graph=profile.graph,
        started=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        versions=profile.versions,
        machine={'name': profile.machine},
        warmup_frames=0,
    )
    write_info(head, info)
    parameters: dict[str, dict[str, object]] = {
        'recorder': {'folder': str(folder / 'run'), 'info': str(head)},
        'cloud': {'threads': 1},
        'edge': {
            'threads': 1,
            'vehicle': NAMESPACE.strip('/'),
            'watchdog_s': WATCHDOG_S,
            'emulated_slowdown': slowdown,
            'emulated_uplink': str(uplink),
            'emulated_rtt_ms': LINK_RTT_MS,
        },
        'monitor': {'edge_profile': str(edge_profile), 'cloud_profile': str(cloud_profile)},
        'player': {'source': 'scene', 'loop': True, 'rate': camera_hz / SCENE_HZ},
    }
    return Cast(camera_hz, parameters)
