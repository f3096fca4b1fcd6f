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

"""Which classes the detections may be of, told as vision_msgs has it."""

from __future__ import annotations

import json

from dads_ros.detector.api import Detector
from dads_ros.nodes import base
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from rcl_interfaces.msg import ParameterDescriptor
from vision_msgs.msg import VisionInfo

PARAMETER = 'labels'
# The list is a detector's own and lasts as long as the node.
VERSION = 1


class Labels:
    """
    A read-only parameter with the class names, and a latched message that says where it is.

    The parameter is a JSON list: the class ids that ``detections`` may hold.
    """

    def __init__(self, node: base.DadsNode, detector: Detector) -> None:
        self._node = node
        self._method = detector.name
        if not node.has_parameter(PARAMETER):
            node.declare_parameter(
                PARAMETER,
                json.dumps(detector.labels),
                ParameterDescriptor(
                    description='JSON list of all class ids in detections.', read_only=True
                ),
                ignore_override=True,
            )
        self._publisher = node.create_lifecycle_publisher(VisionInfo, 'vision_info', qos.latched())

    def publish(self) -> None:
        """Tell it once; whoever subscribes later gets it too."""
        self._publisher.publish(
            VisionInfo(
                header=messages.to_header(self._node.get_clock().now().nanoseconds, ''),
                method=self._method,
                database_location=f'{self._node.get_fully_qualified_name()}/{PARAMETER}',
                database_version=VERSION,
            )
        )
