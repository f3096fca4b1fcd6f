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

"""
What Foxglove is given: a layout that shows what exists, and recordings that others can read.

Foxglove's own mcap library reads the recording, each message by the definition in the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from dads_ros import topics
from dads_ros.media import run_bag
from dads_ros.media.frame import Frame
from dads_ros.report.record import load_run
import numpy as np
import pytest

PATH_KEYS = ('value', 'topicPath', 'topicToRender', 'imageTopic')


@pytest.fixture(scope='module')
def layout(root: Path) -> dict[str, Any]:
    return json.loads((root / 'config/foxglove/dads.json').read_text())


def paths(value: Any) -> Iterator[str]:
    """Yield every path of a message in the panels' settings: a topic, perhaps with a field."""
    if isinstance(value, dict):
        yield from (value[key] for key in PATH_KEYS if key in value)
        yield from value.get('annotations', {})
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from paths(inner)


def leaves(place: Any) -> Iterator[str]:
    """Yield the panels that are in a place of the window: one, or two places side by side."""
    if isinstance(place, str):
        yield place
    else:
        yield from leaves(place['first'])
        yield from leaves(place['second'])


def test_the_layout_shows_topics_and_fields_that_exist(layout: dict[str, Any], root: Path) -> None:
    live = {f'/{topic.name.lstrip("/")}': topic.type for topic in topics.TOPICS}
    kinds = live | run_bag.TOPICS
    shown = set()
    for path in paths(layout['configById']):
        topic, _, field = path.partition('.')
        assert topic in kinds, path
        shown.add(topic)
        if field:
            package, _, name = kinds[topic].split('/')
            assert package == 'dads_ros', path
            message = (root / f'msg/{name}.msg').read_text()
            assert re.search(rf'^\S+ +{field}\b', message, re.MULTILINE), path
    # What each of the two brings, and the boxes in another form, is somewhere on the screen.
    assert {'/overlay', '/diagnostics'} | set(run_bag.TOPICS) - {'/detections'} == shown


def test_every_panel_of_the_layout_has_its_place(layout: dict[str, Any]) -> None:
    panels = layout['configById']
    placed = list(leaves(layout['layout']))
    for panel in list(placed):
        placed += [
            inner for tab in panels[panel].get('tabs', ()) for inner in leaves(tab['layout'])
        ]
    assert sorted(placed) == sorted(panels)


@pytest.mark.ros
def test_mcap_reads_every_message_by_the_definitions_in_the_file(
    session: Path, tmp_path: Path
) -> None:
    reader = pytest.importorskip('mcap.reader', reason='needs mcap from PyPI')
    ros2 = pytest.importorskip('mcap_ros2.decoder', reason='needs mcap-ros2-support from PyPI')
    run = load_run(session / 'runs/dads')
    grey = np.full((9, 16, 3), 128, np.uint8)
    frames = [Frame(grey, record.stamp_ns) for record in run.frames]
    count = run_bag.write_run_bag(run, frames, tmp_path / 'run.mcap')
    read: Counter[str] = Counter()
    with (tmp_path / 'run.mcap').open('rb') as stream:
        opened = reader.make_reader(
            stream, validate_crcs=True, decoder_factories=[ros2.DecoderFactory()]
        )
        summary = opened.get_summary()
        for schema, channel, message, decoded in opened.iter_decoded_messages():
            assert schema.name == run_bag.TOPICS[channel.topic]
            read[channel.topic] += 1
            if channel.topic == '/plan':
                assert decoded.reason == run.plans[read['/plan'] - 1].reason
            elif channel.topic == '/camera/image/compressed':
                stamp = decoded.header.stamp
                assert stamp.sec * 10**9 + stamp.nanosec == message.log_time
    assert set(read) == set(run_bag.TOPICS)
    assert read.total() == summary.statistics.message_count == count
    assert summary.chunk_indexes and read['/camera/image/compressed'] == len(frames)
