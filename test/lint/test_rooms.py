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


"""The rooms of docs/architecture.md: imports point down, ROS and torch are where it says."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
import re
import sys

import pytest

ROS = re.compile(
    r'rclpy|rcl_interfaces|builtin_interfaces|\w+_msgs|std_srvs|cv_bridge|tf2\w*|launch\w*|'
    r'ament_index_python|rosidl_runtime_py|rosbag2_py|dads_ros\.msg'
)


# Imported inside functions only, for who has them: their licence, size or platform is not for all.
OPTIONAL = {'av', 'ncnn', 'timm', 'torchvision', 'ultralytics'}


def rooms(root: Path) -> dict[str, bool]:
    """Return the rooms of the architecture in its order, each with whether it may import torch."""
    text = (root / 'docs/architecture.md').read_text(encoding='utf-8')
    section = text.split('## Rooms', 1)[1].split('\n## ', 1)[0]
    found = {}
    for line in section.splitlines():
        if match := re.match(r' {4}((?:[\w/]+(?:\.py|/) ?)+)\s*(T )?', line):
            for name in match[1].split():
                found[name.removesuffix('.py').removesuffix('/')] = bool(match[2])
    return found


def room_of(name: str, known: Iterable[str]) -> str:
    """Return the room of dads_ros.NAME: a module listed by itself, or its top-level part."""
    parts = name.split('.')
    return next((r for i in (3, 2) if (r := '/'.join(parts[:i])) in known), parts[0])


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Return the line and the full name of every import, lazy ones included."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f'{node.module}.{alias.name}'


def modules(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Return (room, name relative to the root, path) of every module of the package."""
    known = rooms(root)
    for path in sorted((root / 'dads_ros').rglob('*.py')):
        parts = path.relative_to(root / 'dads_ros').with_suffix('').parts
        if parts != ('__init__',):
            yield room_of('.'.join(parts), known), str(path.relative_to(root)), path


def test_every_module_has_a_room(root: Path) -> None:
    known = rooms(root)
    assert 'graph' in known and 'cli' in known  # the list was found
    missing = sorted({room for room, _, _ in modules(root)} - set(known))
    assert not missing, f'add to the rooms of docs/architecture.md: {missing}'


def test_imports_point_down(root: Path) -> None:
    order = {room: i for i, room in enumerate(rooms(root))}
    wrong = []
    for room, name, path in modules(root):
        for line, target in imports(path):
            target_room = room_of(target.removeprefix('dads_ros.'), order)
            if target.startswith('dads_ros.') and order.get(target_room, -1) > order.get(room, 99):
                wrong.append(f'{name}:{line} imports {target}, a room below its own')
    assert not wrong, '\n'.join(wrong)


def test_only_nodes_import_ros(root: Path) -> None:
    wrong = [
        f'{name}:{line} imports {target}'
        for room, name, path in modules(root)
        for line, target in imports(path)
        if room != 'nodes' and re.match(rf'(?:{ROS.pattern})(?:\.|$)', target)
    ]
    assert not wrong, '\n'.join(wrong)


def test_torch_only_where_the_architecture_says(root: Path) -> None:
    allowed = rooms(root)
    wrong = [
        f'{name}:{line} imports {target}'
        for room, name, path in modules(root)
        for line, target in imports(path)
        if re.match(r'torch(\.|$)', target) and not allowed.get(room, True)
    ]
    assert not wrong, '\n'.join(wrong)


def test_imported_packages_are_required(root: Path) -> None:
    distributions = {'cv2': 'opencv-python-headless', 'PIL': 'pillow', 'yaml': 'pyyaml'}
    pins = re.findall(r'^([\w-]+)==', (root / 'requirements/core.txt').read_text(), re.MULTILINE)
    known = {'dads_ros', '__future__', *sys.stdlib_module_names, *map(str.lower, pins)}
    wrong = [
        f'{name}:{line} imports {target}'
        for room, name, path in modules(root)
        for line, target in imports(path)
        if room != 'nodes'
        and distributions.get(top := target.split('.', 1)[0], top) not in known
        and not (top in OPTIONAL and path.read_text().splitlines()[line - 1].startswith('    '))
    ]
    assert not wrong, 'in no requirements file:\n' + '\n'.join(wrong)


@pytest.mark.parametrize(
    ('statement', 'target'),
    [
        ('def f():\n    import rclpy.node', 'rclpy.node'),
        ('from dads_ros.msg import Plan', 'dads_ros.msg.Plan'),
        ('from dads_ros import msg', 'dads_ros.msg'),
        ('from sensor_msgs.msg import Image', 'sensor_msgs.msg.Image'),
    ],
)
def test_the_scan_sees_ros(tmp_path: Path, statement: str, target: str) -> None:
    module = tmp_path / 'module.py'
    module.write_text(statement)
    assert [name for _, name in imports(module)] == [target]
    assert re.match(rf'(?:{ROS.pattern})(?:\.|$)', target)


@pytest.mark.parametrize(
    ('module', 'room'),
    [
        ('graph.LayerGraph', 'graph'),
        ('detector.api.Detector', 'detector/api'),
        ('detector.apis', 'detector'),
        ('codec', 'codec'),
    ],
)
def test_a_module_listed_by_itself_is_a_room(module: str, room: str) -> None:
    assert room_of(module, ['graph', 'codec', 'detector/api', 'detector']) == room
