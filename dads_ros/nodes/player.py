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

"""Plays a video, a bag or the drawn scene as if it were a camera."""

from __future__ import annotations

from collections.abc import Iterator
import sys
import time

from dads_ros.errors import ConfigError
from dads_ros.media.frame import Frame
from dads_ros.media.sources import open_source
from dads_ros.nodes import base
from dads_ros.nodes import images
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.nodes.worker import Worker
from dads_ros.settings import PlayerSettings
from sensor_msgs.msg import Image


class PlayerNode(base.DadsNode[PlayerSettings]):
    """Publishes images at the recorded rate once somebody listens, and ends with the source."""

    def __init__(self) -> None:
        super().__init__('player', PlayerSettings)
        self._worker: Worker | None = None

    def configure(self) -> None:
        """Open the source, so that a missing one fails at once."""
        s = self.settings
        self._source = open_source(s.source)
        self._images = self.create_lifecycle_publisher(Image, 'image', qos.camera(s.reliability))

    def activate(self) -> None:
        """Begin to play."""
        self._frames = self._play()
        self._next: tuple[float, int, Frame] | None = None
        self._start_ns: int | None = None
        self._worker = Worker('player', self._step, self.fail)

    def deactivate(self) -> None:
        """Stop playing."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _step(self, timeout_s: float) -> bool:
        if not self._images.get_subscription_count():
            # Goes on later where it is now, at its own pace, as if no time had passed.
            self._start_ns = None
            time.sleep(timeout_s / 10)
            return False
        self._next = self._next or next(self._frames, None)
        if self._next is None:
            self.finish()
            time.sleep(timeout_s)
            return False
        due_s, stamp_ns, frame = self._next
        if self._start_ns is None:
            now_ns = time.monotonic_ns()
            self._start_ns = now_ns - round(due_s * 1e9)
            # With this, who reads the log knows when each frame was due on this machine's clock.
            self.get_logger().info(f'playing, stamp {stamp_ns} at {now_ns} ns')
        wait_s = due_s - (time.monotonic_ns() - self._start_ns) / 1e9
        if wait_s > timeout_s:  # in the source there may be gaps of minutes: end when told to
            time.sleep(timeout_s)
            return False
        message = self._message(frame, stamp_ns)
        time.sleep(max(0.0, due_s - (time.monotonic_ns() - self._start_ns) / 1e9))
        self._images.publish(message)
        self._next = None
        return True

    def _play(self) -> Iterator[tuple[float, int, Frame]]:
        """Yield each frame with the time it is due, in seconds since the first, and its stamp."""
        s = self.settings
        origin_ns = s.stamp_origin_ns or time.time_ns()
        offset_s = 0.0
        while True:
            first_ns: int | None = None
            due_s = offset_s
            for frame in self._source:
                first_ns = frame.stamp_ns if first_ns is None else first_ns
                due_s = offset_s + (frame.stamp_ns - first_ns) / 1e9 / s.rate
                own = self._source.has_stamps and s.rate == 1.0
                own_ns = frame.stamp_ns + round(offset_s * 1e9)
                stamp_ns = own_ns if own else origin_ns + round(due_s * 1e9)
                yield due_s, stamp_ns, frame
            if not s.loop:
                return
            if first_ns is None:
                raise ConfigError(f'source {s.source!r} holds no frame')
            offset_s = due_s + 1.0 / (self._source.rate_hz * s.rate)

    def _message(self, frame: Frame, stamp_ns: int) -> Image:
        s = self.settings
        pixels = images.encode(frame.image_rgb, s.encoding)
        header = messages.to_header(stamp_ns, frame.frame_id or s.frame_id)
        return images.to_msg(pixels, s.encoding, header)


def main() -> int:
    """Run the player node."""
    return base.run(PlayerNode)


if __name__ == '__main__':
    sys.exit(main())
