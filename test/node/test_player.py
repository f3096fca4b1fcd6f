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

"""The player keeps its source's pace, whoever comes and goes, and ends when told to."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.quiet]

PAUSE_S = 2.0


class Listener:
    """Notes when each image came, and its stamp."""

    def __init__(self, peer: Any, topic: str) -> None:
        from dads_ros.nodes import qos
        from sensor_msgs.msg import Image

        self.came: list[tuple[float, float]] = []
        self._node = peer.node
        self._subscription = self._node.create_subscription(
            Image, topic, self._take, qos.camera('reliable')
        )

    def _take(self, image: Any) -> None:
        stamp = image.header.stamp
        self.came.append((time.monotonic(), stamp.sec + stamp.nanosec / 1e9))

    def leave(self) -> None:
        self._node.destroy_subscription(self._subscription)


def test_it_ends_in_the_middle_of_a_gap(peer: Any) -> None:
    listener = Listener(peer, '/slow/image')
    player = peer.start('player', '/slow', ends=True, rate=0.001)
    peer.until(lambda: listener.came, 'the first image; the next is due in minutes')
    began_s = time.monotonic()
    assert player.stop() == 0
    assert time.monotonic() - began_s < 5.0
    assert len(listener.came) == 1
    listener.leave()


def test_after_a_pause_without_listeners_it_goes_on_at_its_pace(peer: Any) -> None:
    before = Listener(peer, '/paused/image')
    player = peer.start('player', '/paused', ends=True, loop=True)
    peer.until(lambda: len(before.came) > 3, 'images')
    before.leave()
    peer.until(lambda: not player_is_heard(peer), 'nobody to listen')
    time.sleep(PAUSE_S)
    after = Listener(peer, '/paused/image')
    peer.until(lambda: len(after.came) > 9, 'more images')
    player.stop()
    (first_s, first_stamp_s), (last_s, last_stamp_s) = after.came[0], after.came[9]
    # What was missed is not caught up on: a camera would not either.
    assert last_s - first_s > 0.7 * (last_stamp_s - first_stamp_s) > 0.5
    assert first_stamp_s - before.came[-1][1] < PAUSE_S / 2
    after.leave()


def player_is_heard(peer: Any) -> bool:
    return peer.node.count_subscribers('/paused/image') > 0
