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

"""ROS 2 bags, MCAP and SQLite3, read and written without a ROS installation."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
import itertools
from pathlib import Path
import statistics
import tempfile
from typing import Any

import cv2
from dads_ros.errors import MediaError
from dads_ros.media import encodings
from dads_ros.media.frame import Frame
from dads_ros.report.schema import TruthRecord
import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores
from rosbags.typesys.store import Typestore

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
STORAGES = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
SUFFIXES = ('.mcap', '.db3')
_RATE_FRAMES = 40  # enough to tell a camera's rate
_JPEG_QUALITY = 95


class BagSource:
    """
    The images of one topic of a bag.

    :param path: the bag's folder, or its .mcap or .db3 file.
    :param topic: empty takes the only image topic.
    Raises MediaError when the bag cannot be read, or has no such topic or image.
    """

    has_stamps = True

    def __init__(self, path: Path, topic: str = '') -> None:
        self.name = path.name
        self._path = path
        self._types = get_typestore(Stores.LATEST)
        with self._reading() as reader:
            connections = list(reader.connections)
        self._topic = topic or self._only_image_topic(connections)
        chosen = [c for c in connections if c.topic == self._topic]
        if not any(c.msgtype in (IMAGE, COMPRESSED) for c in chosen):
            raise MediaError(
                f'bag {str(path)!r} has no image topic {self._topic!r}; '
                f'name one of its topics as {path}#/TOPIC: {_listed(connections)}'
            )
        self.frame_count: int | None = sum(c.msgcount for c in chosen)
        self.rate_hz = self._rate_hz()

    def __iter__(self) -> Iterator[Frame]:
        for message, received_ns in self._messages():
            yield Frame(
                self._pixels(message), _stamp_ns(message, received_ns), message.header.frame_id
            )

    def truth(self) -> tuple[TruthRecord, ...]:
        """Return nothing: a camera topic carries no labels."""
        return ()

    def _only_image_topic(self, connections: list[Connection]) -> str:
        topics = sorted({c.topic for c in connections if c.msgtype in (IMAGE, COMPRESSED)})
        if len(topics) == 1:
            return topics[0]
        problem = 'has several image topics' if topics else 'has no image topic'
        raise MediaError(
            f'bag {str(self._path)!r} {problem}; name one of its topics as {self._path}#/TOPIC: '
            f'{_listed(connections)}'
        )

    def _rate_hz(self) -> float:
        first = itertools.islice(self._messages(), _RATE_FRAMES)
        stamps = [_stamp_ns(message, received_ns) for message, received_ns in first]
        if not stamps:
            raise MediaError(f'topic {self._topic!r} of bag {str(self._path)!r} holds no image')
        steps = [b - a for a, b in itertools.pairwise(stamps) if b > a]
        return 1e9 / statistics.median(steps) if steps else 10.0

    def _messages(self) -> Iterator[tuple[Any, int]]:
        """Yield each image message and when it was recorded."""
        with self._reading() as reader:
            chosen = [
                c
                for c in reader.connections
                if c.topic == self._topic and c.msgtype in (IMAGE, COMPRESSED)
            ]
            for connection, received_ns, data in reader.messages(chosen):
                yield self._types.deserialize_cdr(data, connection.msgtype), received_ns

    def _pixels(self, message: Any) -> np.ndarray:
        if message.__msgtype__ == COMPRESSED:
            return encodings.decode_compressed(message.data, message.format)
        size = (message.height, message.width, message.step)
        return encodings.to_rgb(message.data, message.encoding, *size)

    @contextmanager
    def _reading(self) -> Iterator[Reader]:
        """Open the bag; whatever its bytes make the library raise becomes one line."""
        try:
            with Reader(self._path) as reader:
                yield reader
        except (MediaError, GeneratorExit):
            raise
        except Exception as error:  # damage surfaces anywhere, as struct.error, sqlite3.Error, ...
            text = ' '.join(str(error).split()) or type(error).__name__
            raise MediaError(
                f'bag {str(self._path)!r} cannot be read: {text}; '
                'if its recording was cut off, try `ros2 bag reindex` or `mcap recover`'
            ) from error


def write_bag(
    path: Path,
    frames: Iterable[Frame],
    *,
    topic: str = '/camera/image_raw',
    storage: str = 'mcap',
    compressed: bool = False,
) -> int:
    """
    Write frames as a new bag folder and return how many there were.

    :param storage: a key of STORAGES.
    :param compressed: as CompressedImage (JPEG), not Image (rgb8).
    Raises MediaError when there is such a folder already; nothing half-written is left.
    """
    if storage not in STORAGES:
        raise MediaError(f'bag storage {storage!r} is not one of {", ".join(STORAGES)}')
    if path.exists():
        raise MediaError(f'{str(path)!r} exists; give a new folder for the bag')
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{path.name}.', dir=path.parent) as folder:
        unfinished = Path(folder) / path.name  # the storage file inside takes the folder's name
        count = _write(unfinished, frames, topic, STORAGES[storage], compressed)
        unfinished.replace(path)
    return count


def _write(
    path: Path, frames: Iterable[Frame], topic: str, storage: StoragePlugin, compressed: bool
) -> int:
    types = get_typestore(Stores.LATEST)
    kind = COMPRESSED if compressed else IMAGE
    count = 0
    # Metadata version 9 is not read by Humble.
    with Writer(path, version=8, storage_plugin=storage) as writer:
        connection = writer.add_connection(topic, kind, typestore=types)
        for frame in frames:
            message = image_message(types, frame, compressed=compressed)
            writer.write(connection, frame.stamp_ns, types.serialize_cdr(message, kind))
            count += 1
    return count


def image_message(types: Typestore, frame: Frame, *, compressed: bool) -> Any:
    """Return the ROS message of a frame."""
    names = types.types
    seconds, nanoseconds = divmod(frame.stamp_ns, 1_000_000_000)
    stamp = names['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)
    header = names['std_msgs/msg/Header'](stamp=stamp, frame_id=frame.frame_id)
    image = np.ascontiguousarray(frame.image_rgb)
    if compressed:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return names[COMPRESSED](header=header, format='jpeg', data=data.reshape(-1))
    height, width = image.shape[:2]
    return names[IMAGE](
        header=header,
        height=height,
        width=width,
        encoding='rgb8',
        is_bigendian=0,
        step=width * 3,
        data=image.reshape(-1),
    )


def _stamp_ns(message: Any, received_ns: int) -> int:
    """Return the camera's stamp, or when the message was recorded where the camera set none."""
    stamp = message.header.stamp
    return stamp.sec * 1_000_000_000 + stamp.nanosec or received_ns


def _listed(connections: list[Connection]) -> str:
    topics = sorted({f'{c.topic} ({c.msgtype})' for c in connections})
    return ', '.join(topics) or 'no topic'
