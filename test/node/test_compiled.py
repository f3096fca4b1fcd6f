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

"""Real nodes told to run compiled halves: the plain one serves first, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import os
from pathlib import Path
import shutil
import time
from typing import Any

from dads_ros.detector.api import load_detector
from dads_ros.model import compiled
from dads_ros.model import surgery
from dads_ros.model.capture import capture_detector
from dads_ros.model.capture import Model
from dads_ros.plan import Mode
from dads_ros.plan import Plan
import numpy as np
import pytest
import torch

pytestmark = [
    pytest.mark.ros,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which('g++') is None, reason='compiling needs g++'),
]

# A network that compiles in seconds. The nodes import it too, so it is a module of its own.
NETWORK = """
import torch
from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
import numpy as np

class Brightest(torch.nn.Module):
    def forward(self, frame):
        grey = frame.permute(0, 3, 1, 2).float().mean(1, keepdim=True)
        cells = torch.nn.functional.avg_pool2d(grey, 4)
        return torch.sigmoid(cells / 255)

def decode(outputs):
    cells = outputs[0][0, 0]
    row, column = divmod(int(cells.argmax()), cells.shape[1])
    box = np.array([[column, row, column + 1, row + 1]], np.float32) * 4
    return Detections(box, cells.max(keepdims=True)[0], np.zeros(1, np.int64))

def detector(_):
    return Detector('brightest', Brightest().eval(), 16, 16, ('thing',), decode)
"""
COMPILED, PLAIN = 'avg_pool2d', 'mean'
PERIOD_S = 0.1


@pytest.fixture(scope='module')
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """Return the network, in a cache of its own where the head of one cut is compiled."""
    folder: Path = tmp_path_factory.mktemp('network')
    (folder / 'compiled_test_network.py').write_text(NETWORK, encoding='utf-8')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(folder / 'cache'))
        patch.setenv('PYTHONPATH', str(folder), prepend=os.pathsep)
        patch.syspath_prepend(folder)
        model = capture_detector(load_detector('compiled_test_network:detector'))
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # what a package is for
        compiled.compile_half(model, surgery.head(model, [COMPILED]))
        torch.set_num_threads(threads)
        yield model


class Drive:
    """Real edge and cloud; the test is their camera and their monitor."""

    def __init__(self, peer: Any, network: Model) -> None:
        from dads_ros import msg
        from dads_ros.nodes import qos
        from sensor_msgs.msg import Image
        from vision_msgs.msg import Detection2DArray

        self._peer = peer
        self._network = network
        common = {
            'detector': 'compiled_test_network:detector', 'threads': 1, 'compiled': True,
        }  # fmt: skip
        self.cloud = peer.start('cloud', **common)
        self.edge = peer.start('edge', image_reliability='reliable', **common)
        self.times = peer.hear(msg.StageTimes, 'stage_times', qos.local())
        self.detections = peer.hear(Detection2DArray, 'detections', qos.local())
        node = peer.node
        self._images = node.create_publisher(Image, 'image', qos.camera('reliable'))
        self._plans = node.create_publisher(msg.Plan, 'plan', qos.latched())
        self._states = node.create_publisher(msg.LinkState, 'link_state', qos.local())
        self._picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        self._timer = node.create_timer(PERIOD_S, self._tick)

    def cut_at(self, name: str, plan_id: int) -> None:
        """Put a plan in force and wait for frames that it brought through the cloud."""
        from dads_ros import msg
        from dads_ros.nodes import messages

        plan = replace(
            Plan.local(self._network.hash), plan_id=plan_id, mode=Mode.FIXED, boundary=(name,),
            codec='raw', edge_s=0.01, cloud_s=0.01, transfer_s=0.01, delay_s=0.03,
            max_rate_hz=30.0, deadline_s=5.0,
        )  # fmt: skip
        self._plans.publish(messages.plan_to_msg(plan, messages.to_header(time.time_ns(), '')))
        self.until(lambda: self._via_cloud(msg, plan_id) > 5, f'frames cut at {name}')

    def until(self, ready: Any, what: str) -> None:
        self._peer.until(ready, what, 60.0)

    def scores(self, start: int) -> list[float]:
        """Return the one score of each message from a position on."""
        return [m.detections[0].results[0].hypothesis.score for m in self.detections[start:]]

    def _via_cloud(self, msg: Any, plan_id: int) -> int:
        ends = [(t.plan_id, t.outcome) for t in self.times]
        return ends.count((plan_id, msg.StageTimes.VIA_CLOUD))

    def _tick(self) -> None:
        from dads_ros import msg
        from dads_ros.nodes import images
        from dads_ros.nodes import messages

        header = messages.to_header(time.time_ns(), 'front')
        self._images.publish(images.to_msg(self._picture, 'rgb8', header))
        self._states.publish(msg.LinkState(header=header))


def test_compiled_half_takes_over_from_the_plain_one_and_finds_the_same(
    peer: Any, network: Model
) -> None:
    drive = Drive(peer, network)
    drive.cut_at(PLAIN, 1)
    missing = f'no compiled half from frame to {PLAIN} for 1 thread'
    drive.until(lambda: drive.edge.has_logged(missing), 'a line that the half runs plain')
    plain = set(drive.scores(0))
    assert len(plain) == 1
    drive.cut_at(COMPILED, 2)
    took = f'the half from frame to {COMPILED} is compiled from now on'
    drive.until(lambda: drive.edge.has_logged(took), 'the compiled half')
    count = len(drive.detections)
    drive.until(lambda: len(drive.detections) > count + 5, 'detections')
    assert drive.scores(count + 3) == pytest.approx([*plain] * len(drive.scores(count + 3)))
    log = drive.edge.log.read_text(encoding='utf-8')
    assert log.count(missing) == 1
    assert log.count(took) == 1
    # The cloud was never given a compiled half.
    assert drive.cloud.has_logged(f'no compiled half from {COMPILED} to sigmoid')
    assert (drive.edge.stop(), drive.cloud.stop()) == (0, 0)
    assert not drive.edge.has_logged('Traceback')
