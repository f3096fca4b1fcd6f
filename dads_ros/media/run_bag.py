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

"""A run as a bag: camera, boxes, plans, link and stage times, for Foxglove and ``ros2 bag``."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import asdict
import heapq
import math
import os
from pathlib import Path
import tempfile
from typing import Any

from dads_ros.errors import MediaError
from dads_ros.media.annotate import label_colour
from dads_ros.media.annotate import SHOWN_SCORE
from dads_ros.media.bag import COMPRESSED
from dads_ros.media.bag import image_message
from dads_ros.media.frame import Frame
from dads_ros.report.schema import DetectionRecord
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import LinkRecord
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunRecord
import numpy as np
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import get_types_from_msg
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores
from rosbags.typesys.store import Typestore
from tqdm import tqdm

PLAN = 'dads_ros/msg/Plan'
LINK_STATE = 'dads_ros/msg/LinkState'
STAGE_TIMES = 'dads_ros/msg/StageTimes'
DETECTIONS = 'vision_msgs/msg/Detection2DArray'
ANNOTATIONS = 'foxglove_msgs/msg/ImageAnnotations'
TOPICS = {
    '/camera/image/compressed': COMPRESSED,
    '/detections': DETECTIONS,
    '/detections/annotations': ANNOTATIONS,
    '/plan': PLAN,
    '/link_state': LINK_STATE,
    '/stage_times': STAGE_TIMES,
}
_VISION = ('BoundingBox2D', 'Detection2D', 'Detection2DArray', 'ObjectHypothesis',
           'ObjectHypothesisWithPose', 'Point2D', 'Pose2D')  # fmt: skip
# What Foxglove draws over an image, field by field as its own messages have it.
_FOXGLOVE = {
    'Point2': 'float64 x\nfloat64 y',
    'Color': 'float64 r\nfloat64 g\nfloat64 b\nfloat64 a',
    'CircleAnnotation': 'builtin_interfaces/Time timestamp\nfoxglove_msgs/Point2 position\n'
    'float64 diameter\nfloat64 thickness\nfoxglove_msgs/Color fill_color\n'
    'foxglove_msgs/Color outline_color',
    'PointsAnnotation': 'builtin_interfaces/Time timestamp\nuint8 LINE_LOOP=2\nuint8 type\n'
    'foxglove_msgs/Point2[] points\nfoxglove_msgs/Color outline_color\n'
    'foxglove_msgs/Color[] outline_colors\nfoxglove_msgs/Color fill_color\nfloat64 thickness',
    'TextAnnotation': 'builtin_interfaces/Time timestamp\nfoxglove_msgs/Point2 position\n'
    'string text\nfloat64 font_size\nfoxglove_msgs/Color text_color\n'
    'foxglove_msgs/Color background_color',
    'ImageAnnotations': 'foxglove_msgs/CircleAnnotation[] circles\n'
    'foxglove_msgs/PointsAnnotation[] points\nfoxglove_msgs/TextAnnotation[] texts',
}
_LINE_LOOP = 2
Entry = tuple[int, int, str, Any]


def write_run_bag(run: RunRecord, frames: Iterable[Frame], path: Path) -> int:
    """
    Write a run as one MCAP file and return how many messages it holds.

    Images are JPEGs under the camera's stamps; what was published is logged when it was.

    :param frames: the pictures that were played, under the stamps that the player gave them.
    :param path: ends in .mcap; an existing file is replaced.
    Raises MediaError when the messages' definitions are not installed or nothing can be written.
    """
    types = run_types()
    messages = _Messages(run, types)
    shown = tqdm(frames, desc='bag', total=len(run.frames), unit='frame', leave=False)
    with tempfile.TemporaryDirectory(prefix=f'.{path.name}.', dir=path.parent) as folder:
        unfinished = Path(folder) / path.stem
        count = 0
        with Writer(unfinished, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
            connections = {
                topic: writer.add_connection(topic, kind, typestore=types)
                for topic, kind in TOPICS.items()
            }
            for time_ns, _, topic, message in heapq.merge(messages.images(shown), messages.rest()):
                data = types.serialize_cdr(message, TOPICS[topic])
                writer.write(connections[topic], time_ns, data)
                count += 1
        (unfinished / f'{path.stem}.mcap').replace(path)
    return count


def run_types() -> Typestore:
    """
    Return ROS's types with this package's own, as they are installed.

    Raises MediaError when their definitions are not found.
    """
    types = get_typestore(Stores.LATEST)
    wanted = {f'vision_msgs/msg/{name}': _installed('vision_msgs', name) for name in _VISION}
    for kind in (PLAN, LINK_STATE, STAGE_TIMES):
        wanted[kind] = _installed('dads_ros', kind.rpartition('/')[2])
    wanted |= {f'foxglove_msgs/msg/{name}': text for name, text in _FOXGLOVE.items()}
    known = types.fielddefs
    for kind, text in wanted.items():
        found = get_types_from_msg(text, kind)
        types.register({name: fields for name, fields in found.items() if name not in known})
    return types


def _installed(package: str, name: str) -> str:
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        path = Path(prefix) / 'share' / package / 'msg' / f'{name}.msg'
        if path.is_file():
            return path.read_text(encoding='utf-8')
    raise MediaError(
        f'message {package}/{name} is not installed; use scripts/run, or source a workspace'
    )


class _Messages:
    """A run's records as messages, each with the time it is logged at, in order."""

    def __init__(self, run: RunRecord, types: Typestore) -> None:
        self._run = run
        self._types = types
        self._names = types.types
        first = min(run.frames, key=lambda frame: frame.stamp_ns)
        # The camera's clock at the run's start; a frame arrives when it is taken, near enough.
        self._origin_ns = first.stamp_ns - round(first.t_s * 1e9)

    def images(self, frames: Iterable[Frame]) -> Iterator[Entry]:
        """Yield the pictures."""
        for number, frame in enumerate(frames):
            message = image_message(self._types, frame, compressed=True)
            yield frame.stamp_ns, number, '/camera/image/compressed', message

    def rest(self) -> list[Entry]:
        """Return all others."""
        run = self._run
        entries: list[tuple[float, str, Any]] = []
        for found in run.detections:
            entries.append((found.t_s, '/detections', self._detections(found)))
            entries.append((found.t_s, '/detections/annotations', self._annotations(found)))
        entries += [(plan.t_s, '/plan', self._plan(plan)) for plan in run.plans]
        entries += [(link.t_s, '/link_state', self._link(link)) for link in run.links]
        entries += [(f.t_s + f.total_s, '/stage_times', self._stages(f)) for f in run.frames]
        entries.sort(key=lambda entry: entry[0])
        return [
            (max(0, self._ns(time_s)), number, topic, message)
            for number, (time_s, topic, message) in enumerate(entries)
        ]

    def _ns(self, time_s: float) -> int:
        return self._origin_ns + round(time_s * 1e9)

    def _time(self, stamp_ns: int) -> Any:
        seconds, nanoseconds = divmod(max(0, stamp_ns), 1_000_000_000)
        return self._names['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)

    def _header(self, stamp_ns: int, frame_id: str = '') -> Any:
        return self._names['std_msgs/msg/Header'](self._time(stamp_ns), frame_id)

    def _detections(self, record: DetectionRecord) -> Any:
        vision = {name: self._names[f'vision_msgs/msg/{name}'] for name in _VISION}
        header = self._header(record.stamp_ns, 'camera')
        found = []
        for box, score, label in zip(record.boxes, record.scores, record.labels, strict=True):
            hypothesis = vision['ObjectHypothesis'](class_id=label, score=score)
            centre = vision['Point2D'](x=(box[0] + box[2]) / 2, y=(box[1] + box[3]) / 2)
            found.append(
                vision['Detection2D'](
                    header=header,
                    results=[
                        vision['ObjectHypothesisWithPose'](hypothesis, _no_pose(self._names))
                    ],
                    bbox=vision['BoundingBox2D'](
                        center=vision['Pose2D'](position=centre, theta=0.0),
                        size_x=box[2] - box[0],
                        size_y=box[3] - box[1],
                    ),
                    id='',
                )
            )
        return vision['Detection2DArray'](header=header, detections=found)

    def _annotations(self, record: DetectionRecord) -> Any:
        foxglove = {name: self._names[f'foxglove_msgs/msg/{name}'] for name in _FOXGLOVE}
        stamp = self._time(record.stamp_ns)
        clear = foxglove['Color'](0.0, 0.0, 0.0, 0.0)
        black = foxglove['Color'](0.05, 0.05, 0.05, 1.0)
        points, texts = [], []
        for box, score, label in zip(record.boxes, record.scores, record.labels, strict=True):
            if score < SHOWN_SCORE:
                continue
            colour = foxglove['Color'](*(part / 255 for part in label_colour(label)), 1.0)
            x0, y0, x1, y1 = box
            corners = [foxglove['Point2'](*xy) for xy in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
            points.append(
                foxglove['PointsAnnotation'](
                    timestamp=stamp, type=_LINE_LOOP, points=corners, outline_color=colour,
                    outline_colors=[], fill_color=clear, thickness=2.0,
                )
            )  # fmt: skip
            texts.append(
                foxglove['TextAnnotation'](
                    timestamp=stamp, position=corners[0], text=f'{label} {score:.2f}',
                    font_size=12.0, text_color=black, background_color=colour,
                )
            )  # fmt: skip
        return foxglove['ImageAnnotations'](circles=[], points=points, texts=texts)

    def _plan(self, record: PlanRecord) -> Any:
        kept = {
            name: getattr(record, name)
            for name in ('plan_id', 'codec', 'edge_s', 'transfer_s', 'cloud_s', 'delay_s',
                         'max_rate_hz', 'deadline_s', 'reason')
        }  # fmt: skip
        return self._names[PLAN](
            header=self._header(self._ns(record.t_s)),
            model_hash=self._run.info.model_hash,
            mode=record.mode.value,
            boundary=list(record.boundary),
            **kept,
        )

    def _link(self, record: LinkRecord) -> Any:
        return self._names[LINK_STATE](
            header=self._header(self._ns(record.t_s)), **_fields(record, 't_s')
        )

    def _stages(self, record: FrameRecord) -> Any:
        kept = _fields(record, 't_s', 'stamp_ns', 'outcome')
        return self._names[STAGE_TIMES](
            header=self._header(record.stamp_ns, 'camera'),
            outcome=record.outcome.value,
            sent_ns=0,  # a run does not keep it
            **kept,
        )


def _fields(record: FrameRecord | LinkRecord, *without: str) -> dict[str, Any]:
    """Return a record's fields; what is not a finite number is 0 in a message."""
    values = {name: value for name, value in asdict(record).items() if name not in without}
    return {
        name: 0.0 if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def _no_pose(names: Any) -> Any:
    """Return an empty pose with covariance: a box in an image has none."""
    point = names['geometry_msgs/msg/Point'](0.0, 0.0, 0.0)
    turn = names['geometry_msgs/msg/Quaternion'](0.0, 0.0, 0.0, 1.0)
    return names['geometry_msgs/msg/PoseWithCovariance'](
        names['geometry_msgs/msg/Pose'](point, turn), np.zeros(36)
    )
