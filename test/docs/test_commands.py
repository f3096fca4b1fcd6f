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
Commands of the documentation, run as they stand in a folder where the files that they name exist.

Each ``dads`` command and each line for bash must end with status 0. What takes minutes by nature
is run with the least it can do, added from ``LEAST``, or by another test, named in ``TRIED``, as
real nodes need the machine to themselves. A command on two pages is run once. What cannot run
without a network or an installed ROS is in ``test_lines_not_run``.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys

import cv2
from dads_ros.detector.shipped import TWIN
from dads_ros.media import scene
from page_blocks import Block
from page_blocks import BLOCKS
from page_blocks import Command
from page_blocks import COMMANDS
from page_blocks import ROOT
from page_blocks import SHOWN_BY
import pytest
from small_profile import make_profile
from synthetic_runs import write_session

# Added to a command: the least that it can do, and profiles instead of measuring one.
LEAST = {
    'dads profile': ('--count', '1'),
    'dads bench detector': ('--drawn-frames', '30'),
    'dads simulate': ('--edge', 'edge.json', '--cloud', 'cloud.json', '--budget', '1'),
    'dads train': ('--epochs', '1', '--scenes', '0', '--threads', '1'),
}
# Run by another test, with the settings that it can afford.
TRIED = {
    'dads replay': 'test/node/test_forecast.py::test_mean_latency_is_foretold',
    'dads bench testbed': 'test/testbed/test_drive.py::test_the_bench_follows_a_trace_of_ones_own',
    'dads bench faults': 'test/node/test_faults.py::test_all_faults_are_listed',
    'dads bench detector --data ../shared/driving --json': 'test/core/test_detector_bench.py'
    '::test_bench_prints_one_object_with_the_promised_keys',
    **dict.fromkeys(
        (
            'dads train --data ../shared/driving --out runs/plain',
            'dads train --data ../shared/driving --out runs/cheap',
            'dads train --data ../shared/driving --out runs/held-out',
        ),
        'test/core/test_train_command.py::test_one_command_trains_and_refuses_to_overwrite',
    ),
    'ping_cloud': 'test/node/test_security.py::test_cloud_is_pinged_with_the_key_and_not_without',
    'python test/fuzz/fuzz_bundle.py': 'test/fuzz/test_fuzz_bundle.py'
    '::test_fuzzer_finds_nothing_in_a_short_run',
    'scripts/testbed --clean': 'test/testbed/test_hosts.py'
    '::test_clean_removes_only_what_the_dead_left',
}
TRAINING_FRAMES = 16  # a batch
LEFT_OUT = ('panda_back', 'panda_left')  # clips that a command names to be left out
VALIDATION_FRAMES = 6  # the last has a reference of every age
PATIENCE_S = 280.0


def is_tried(command: Command) -> str | None:
    return next((beginning for beginning in TRIED if command.text.startswith(beginning)), None)


def to_run() -> dict[Block, list[Command]]:
    """Return the commands that are run, by block, each where it comes first."""
    wanted: dict[str, Command] = {}
    for command in COMMANDS:
        if command.words[0] in ('dads', 'bash') and not is_tried(command):
            wanted.setdefault(command.text, command)
    chosen: dict[Block, list[Command]] = {}
    for command in wanted.values():
        chosen.setdefault(command.block, []).append(command)
    return chosen


TO_RUN = to_run()


@pytest.fixture(scope='session')
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a checkout's stand-in, a reader's files in it, and data beside it."""
    folder = tmp_path_factory.mktemp('reader')
    here = folder / 'checkout'
    (here / 'runs/3').mkdir(parents=True)
    shutil.copy(TWIN, here / 'runs/3/twin.pt')
    write_session(here / 'SESSION_DIR', methods=('dads',), seconds=4.0)
    make_profile().save(here / 'edge.json')
    make_profile().save(here / 'cloud.json')
    write_drive(here / 'drive.mp4')
    write_annotations(folder / 'shared/driving')
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """Return the checkout's stand-in, as nobody has touched it."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path / 'checkout'


def write_drive(path: Path) -> None:
    """Write two seconds of the drawn scene."""
    frames = list(scene.frames(0, 20, rate_hz=10.0))
    height, width = frames[0].image_rgb.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10.0, (width, height))
    for frame in frames:
        writer.write(frame.image_rgb[..., ::-1])
    writer.release()


def write_annotations(data: Path) -> None:
    """Write a batch of drawn frames, and the first few again to validate on."""
    data.mkdir(parents=True)
    images, annotations = [], []
    for number, frame in enumerate(scene.frames(0, TRAINING_FRAMES, rate_hz=1.0)):
        name = f'{number}.jpg'
        cv2.imwrite(str(data / name), frame.image_rgb[..., ::-1])
        images.append({'id': number, 'file_name': name, 'clip': 'drawn'})
        for x0, y0, x1, y1 in frame.boxes.tolist():
            box = {'image_id': number, 'category_id': 3, 'bbox': [x0, y0, x1 - x0, y1 - y0]}
            annotations.append({'id': len(annotations), **box})
    for clip in LEFT_OUT:
        images.append({'id': len(images), 'file_name': '0.jpg', 'clip': clip})
    for name, count in (('train', len(images)), ('val', VALIDATION_FRAMES)):
        table = {
            'images': images[:count],
            'annotations': [box for box in annotations if box['image_id'] < count],
            'categories': [{'id': 3, 'name': 'car'}],
        }
        (data / f'{name}.json').write_text(json.dumps(table))


@pytest.mark.long
@pytest.mark.parametrize('block', TO_RUN, ids=str)
def test_commands_of_a_block_run(block: Block, folder: Path) -> None:
    for command in TO_RUN[block]:
        printed = run(command, folder)
        for (page, number), shown in SHOWN_BY.items():
            if command.text == shown:
                block = [b for b in BLOCKS if b.page == page and b.language == 'text'][number]
                text = block.text
                if find_spec('ncnn') is None:  # an extra, too
                    text = text.partition('\nlarger detector')[0]
                unknown = forms(text) - forms(printed)
                if find_spec('av') is None:  # an extra, without which there is no H.264
                    unknown = {form for form in unknown if 'h264' not in ''.join(form)}
                assert not unknown, f'{block} shows what {shown} does not print: {unknown}'


def run(command: Command, folder: Path) -> str:
    """Return what a command prints."""
    words = list(command.words)
    for beginning, least in LEAST.items():
        if command.text.startswith(beginning):
            words += least
    if words[0] == 'dads':
        words = [sys.executable, '-m', 'dads_ros.cli.main', *words[1:]]
    environment = {
        **os.environ,
        # Behind the built package, where there is one: it has the messages.
        'PYTHONPATH': ':'.join(filter(None, (os.environ.get('PYTHONPATH'), str(ROOT)))),
        'XDG_CACHE_HOME': str(folder / 'cache'),
    }
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )
    # The doctor ends with 1 where this machine lacks something; it then says what.
    lacking = command.text == 'dads doctor' and re.search('^bad ', done.stdout, re.MULTILINE)
    assert done.returncode == bool(lacking), f'{command}\n{done.stdout}{done.stderr}'
    return done.stdout


def forms(text: str) -> set[tuple[str, ...]]:
    """
    Return what the lines of an output look like, whatever they measured.

    A line is its label; a row of the table of uploads is its network, its upload and how many
    columns it has.
    """
    found = set()
    for line in text.splitlines():
        columns = re.split(r' {2,}', line.strip())
        if columns[0] in ('shipped', 'twin'):
            found.add((*columns[:2], str(len(columns))))
        else:
            label = re.split(r' largest |: ', columns[0])[0]
            found.add((re.sub(r'\d+ frames', 'frames', label),))
    return found


def test_an_output_of_another_form_is_noticed() -> None:
    real = forms('frames    182\nshipped  packed   1105     1654   3.39  0.788\n')
    assert forms('frames    80\nshipped  packed   1     2   3  4\n') == real
    assert forms('images    80\n') - real
    assert forms('shipped  packed   1302 bytes  AP50 0.557\n') - real


@pytest.mark.parametrize('beginning', TRIED)
def test_what_is_not_run_here_is_run_by_a_test_that_exists(beginning: str) -> None:
    assert beginning in {is_tried(command) for command in COMMANDS}, 'no page has it any more'
    file, _, name = TRIED[beginning].partition('::')
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize('beginning', [*LEAST, *SHOWN_BY.values()])
def test_every_addition_is_to_a_command_that_is_run(beginning: str) -> None:
    commands = [command for block in TO_RUN.values() for command in block]
    assert any(command.text.startswith(beginning) for command in commands)
