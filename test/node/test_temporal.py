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

"""Bundles that refer to earlier ones, over real DDS, and a cloud that is started again."""

from __future__ import annotations

from typing import Any

from dads_ros import codec
from dads_ros.bench.detector.uploads import waist_layer
from dads_ros.detector.shipped import detector
from dads_ros.model.capture import capture_detector
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.plan import Plan
import numpy as np
import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]

ENOUGH = 20
REFERRING = 'packed' + codec.REF_SUFFIX


class Listener:
    """
    Hears bundles and decodes them as a cloud does that was there from the beginning.

    ``bytes`` has, of each bundle that refers, its bytes and what it would have without.
    """

    def __init__(self) -> None:
        self.codecs: list[str] = []
        self.bytes: list[tuple[int, int]] = []
        self._known: dict[int, np.ndarray] = {}

    def hear(self, bundle: Any) -> None:
        (tensor,) = bundle.tensors
        self.codecs.append(tensor.codec)
        shape = tuple(tensor.shape)
        found = codec.decode(tensor.data, tensor.codec, shape, tensor.dtype, self._known.get)
        self._known[codec.checksum(found)] = found
        if tensor.codec == REFERRING:
            self.bytes.append((len(tensor.data), len(codec.encode(found, 'packed'))))


def waist_plan() -> Plan:
    """Return a plan that sends the shipped detector's waist, with time for a slow machine."""
    model = capture_detector(detector())
    return Plan(
        plan_id=1, model_hash=model.hash, mode=Mode.FIXED, boundary=(waist_layer(model),),
        codec=REFERRING, edge_s=0.0, transfer_s=0.01, cloud_s=0.0, delay_s=0.02, max_rate_hz=50.0,
        deadline_s=1.0, reason='test',
    )  # fmt: skip


def test_bundles_shrink_by_what_was_answered_and_a_cloud_that_forgot_is_got_over(
    peer: Any,
) -> None:
    from dads_ros import msg
    from dads_ros.nodes import messages
    from dads_ros.nodes import qos

    listener = Listener()
    peer.node.create_subscription(msg.Bundle, 'bundle', listener.hear, qos.local())
    ended = peer.hear(msg.StageTimes, 'stage_times', qos.local())
    cloud = peer.start('cloud', ends=True)
    peer.start('edge', watchdog_s=60.0, miss_limit=100)
    plans = peer.node.create_publisher(msg.Plan, 'plan', qos.latched())
    plans.publish(messages.plan_to_msg(waist_plan(), messages.to_header(0, '')))
    peer.start('player', source='scene', loop=True)

    def answered() -> int:
        return sum(frame.outcome == Outcome.VIA_CLOUD for frame in ended)

    peer.until(
        lambda: len(listener.bytes) >= ENOUGH and answered() >= ENOUGH, 'bundles that refer'
    )
    referring, alone = np.sum(listener.bytes, axis=0)
    assert referring < 0.97 * alone

    count = len(listener.codecs)
    assert cloud.stop() == 0
    before = answered()
    peer.start('cloud')
    peer.until(
        lambda: answered() >= before + ENOUGH, 'answers of the cloud that was started again'
    )
    since = listener.codecs[count:]
    # What the new cloud could not decode cost its own frames; then one stood alone, and others
    # refer to it.
    assert 'packed' in since
    assert REFERRING in since[since.index('packed') :]
