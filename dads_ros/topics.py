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

"""Every topic and service of the nodes, in one table, and as a page to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Topic:
    """
    A topic by its relative name.

    :param profile: its quality of service, in words.
    """

    name: str
    type: str
    publishers: tuple[str, ...]
    subscribers: tuple[str, ...]
    profile: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its relative name."""

    name: str
    type: str
    server: str
    meaning: str


_WIRE = 'depth 4, `reliability`'
_PROBES = 'best effort, depth 4'
_LOCAL = 'reliable, depth 200'
_LATCHED = 'latched: reliable, transient local, depth 1'
_CAMERA = '`image_reliability`: best effort and depth 1, or reliable and depth 10'

TOPICS = (
    Topic('image', 'sensor_msgs/msg/Image', (), ('edge',), _CAMERA, 'The camera.'),
    Topic(
        'image/compressed', 'sensor_msgs/msg/CompressedImage', (), ('edge',), _CAMERA,
        'The camera, instead of `image` when `compressed` is true.',
    ),
    Topic(
        'detections', 'vision_msgs/msg/Detection2DArray', ('edge',), (), _LOCAL,
        "Boxes in the camera's pixels, class names as ids; the camera's stamp and frame_id, in "
        'order.',
    ),
    Topic(
        'vision_info', 'vision_msgs/msg/VisionInfo', ('edge',), (), _LATCHED,
        'Where the class names are listed: parameter `labels` of the edge.',
    ),
    Topic(
        'overlay', 'sensor_msgs/msg/Image', ('edge',), (), 'reliable, depth 1',
        'The image with its boxes and how it was finished; drawn only while somebody subscribes.',
    ),
    Topic(
        'bundle', 'dads_ros/msg/Bundle', ('edge',), ('cloud',), _WIRE,
        'Boundary tensors of a frame. Crosses the network.',
    ),
    Topic(
        'result', 'dads_ros/msg/Result', ('cloud',), ('edge',), _WIRE,
        'Boxes of a bundle. Crosses the network.',
    ),
    Topic(
        'probe', 'dads_ros/msg/Probe', ('edge',), ('cloud',), _PROBES,
        'Measures the link when no bundle travels. Crosses the network.',
    ),
    Topic(
        'probe_reply', 'dads_ros/msg/Probe', ('cloud',), ('edge',), _PROBES,
        'Its answer. Crosses the network.',
    ),
    Topic(
        'plan', 'dads_ros/msg/Plan', ('monitor',), ('edge',), _LATCHED,
        'The cut in force, why, and what is predicted of it.',
    ),
    Topic(
        'probe_request', 'dads_ros/msg/Probe', ('monitor',), ('edge',), _LOCAL,
        'Asks the edge to send a probe.',
    ),
    Topic(
        'link_event', 'dads_ros/msg/LinkEvent', ('edge',), ('monitor',), _LOCAL,
        'A message left, or its answer came.',
    ),
    Topic(
        'link_state', 'dads_ros/msg/LinkState', ('monitor',), ('edge',), _LOCAL,
        "The estimates of link and machines, once a second; the monitor's heartbeat.",
    ),
    Topic(
        'stage_times', 'dads_ros/msg/StageTimes', ('edge',), ('monitor',), _LOCAL,
        'How each camera frame ended and where its time went.',
    ),
    Topic(
        '/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', ('edge', 'monitor', 'cloud'), (),
        _LOCAL,
        'Once a second, and with each plan. The one absolute name: tools look for it there.',
    ),
)  # fmt: skip
SERVICES = (
    Service(
        'enable', 'std_srvs/srv/SetBool', 'edge',
        'True: watch the camera; false: receive no image. What is under way is finished.',
    ),
)  # fmt: skip


def markdown(messages: Path) -> str:
    """
    Return the page of topics, services and messages.

    :param messages: the folder of the package's .msg files.
    """
    lines = [
        '# Topics, services and messages',
        '',
        'Written by `dads parameters --write-docs`; a test compares it with the running nodes.',
        "Names are relative to the vehicle's namespace and may be remapped. With keys, what",
        'crosses the network and `plan` travel as `Sealed` on `sealed/` and the name',
        '([security](security.md)). Each node has the lifecycle services of ROS 2 as well',
        '(`change_state`, `get_state`, ...).',
        '',
        '## Topics',
        '',
        '| topic | type | from | to | quality of service | |',
        '| --- | --- | --- | --- | --- | --- |',
    ]
    for topic in TOPICS:
        ends = (', '.join(nodes) or 'yours' for nodes in (topic.publishers, topic.subscribers))
        cells = (f'`{topic.name}`', f'`{topic.type}`', *ends, topic.profile, topic.meaning)
        lines.append(f'| {" | ".join(cells)} |')
    lines += ['', '## Services', '', '| service | type | of | |', '| --- | --- | --- | --- |']
    for service in SERVICES:
        cells = (f'`{service.name}`', f'`{service.type}`', service.server, service.meaning)
        lines.append(f'| {" | ".join(cells)} |')
    lines += ['', '## Messages']
    for path in sorted(messages.glob('*.msg')):
        text = path.read_text(encoding='utf-8').strip()
        lines += ['', f'### {path.stem}', '', '```text', text, '```']
    return '\n'.join(lines) + '\n'
