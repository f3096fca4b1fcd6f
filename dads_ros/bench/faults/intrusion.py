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


"""A real intruder among real nodes: how much of what it sends is accepted."""

from __future__ import annotations

from dataclasses import dataclass
import json
import subprocess

from dads_ros.bench.faults.cast import NAMESPACE
from dads_ros.bench.faults.rig import Rig
from dads_ros.errors import ProcessError

# What intruder.py puts into everything it forges.
FORGED_PLAN_ID = 666
FORGED_BOX = (1.0, 2.0, 3.0, 4.0)
# Refusals by a pipeline that our own messages can give cause for.
_OURS = {'vehicle over its share', 'too old', 'too late'}
# What the nodes' status holds beside the reasons.
SUMS = ('transport', 'refused', 'forged')
_KINDS = ('bundle ', 'result ', 'probe ', 'probe_reply ', 'plan ')


@dataclass(frozen=True)
class Intrusion:
    """
    What an intruder did and what came of it.

    :param sent: messages it sent, by sort.
    :param refused: messages that the nodes told of having refused, by node and reason.
    :param forged: of these, what was made without the key, as the nodes' sum of it says.
    :param accepted: its messages that got past the seal, or changed what the car did.
    :param heard: messages it heard, by channel and kind.
    """

    sent: dict[str, int]
    refused: dict[str, dict[str, int]]
    forged: dict[str, int]
    accepted: int
    heard: dict[str, int]


def intrude(rig: Rig, duration_s: float) -> Intrusion:
    """
    Let an intruder loose for some seconds.

    Raises ProcessError when it, or a node, fails.
    """
    with rig.every_frame_sent():  # what it does not hear it cannot repeat
        done = subprocess.run(
            ['intruder', str(duration_s), '--ros-args', '-r', f'__ns:={NAMESPACE}'],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise ProcessError(f"'intruder' ended with status {done.returncode}:\n{done.stderr}")
    rig.wait(0.5)
    report = json.loads(done.stdout)
    told = {node: report['told'].get(f'{node}: refused', {}) for node in ('edge', 'cloud')}
    refused = {
        node: {reason: int(n) for reason, n in values.items() if reason not in SUMS}
        for node, values in told.items()
    }
    forged = {node: int(values.get('forged', 0)) for node, values in told.items()}
    past_the_seal = sum(
        count
        for reasons in refused.values()
        for reason, count in reasons.items()
        if reason not in _OURS and not reason.startswith(_KINDS)
    )
    frames, detections = rig.frames(), rig.record.detections
    obeyed = sum(f.plan_id == FORGED_PLAN_ID for f in frames)
    believed = sum(FORGED_BOX in d.boxes for d in detections)
    accepted = past_the_seal + obeyed + believed
    return Intrusion(report['sent'], refused, forged, accepted, report['heard'])
