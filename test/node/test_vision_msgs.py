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


"""vision_msgs as built here is the official one: the same types to every other node."""

from __future__ import annotations

import json
from pathlib import Path
import time

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('vision_msgs.msg', exc_type=ImportError)

from ament_index_python.packages import get_package_share_directory
import rclpy
from vision_msgs.msg import Detection2DArray

# Of Detection2DArray in vision_msgs 4.1.1. It covers every name, type and order of all seven
# types.
OFFICIAL = 'RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968'
OFFICIAL_INFO = 'RIHS01_95d3116a17484ad91c9a2686e1d54890bbfc3ff6c6a2de137738c4950d45d284'


@pytest.mark.parametrize(
    ('name', 'official'), [('Detection2DArray', OFFICIAL), ('VisionInfo', OFFICIAL_INFO)]
)
def test_generated_type_hash_is_the_official_one(name: str, official: str) -> None:
    description = Path(get_package_share_directory('vision_msgs'), f'msg/{name}.json')
    if not description.is_file():
        pytest.skip('this ROS 2 generates no type descriptions (Humble)')
    hashes = {
        entry['type_name']: entry['hash_string']
        for entry in json.loads(description.read_text())['type_hashes']
    }
    assert hashes[f'vision_msgs/msg/{name}'] == official


def test_type_hash_that_dds_tells_others_is_the_official_one() -> None:
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('vision_msgs_test', context=context)
    try:
        node.create_publisher(Detection2DArray, 'detections', 1)
        deadline = time.monotonic() + 10
        while not (found := node.get_publishers_info_by_topic('detections')):
            assert time.monotonic() < deadline, 'the publisher was not discovered'
            time.sleep(0.01)
        told = getattr(found[0], 'topic_type_hash', None)
        if told is None:
            pytest.skip('this rclpy does not tell type hashes (Humble)')
        digest = OFFICIAL.removeprefix('RIHS01_')
        assert (told.version, bytes(told.value).hex()) == (1, digest)
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
