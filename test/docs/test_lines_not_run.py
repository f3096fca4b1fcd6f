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
Commands of the documentation that no test runs: what they name exists.

They need a network (``pip``, ``rosdep``, ``git clone``), root (``sysctl``, the testbed), running
nodes (``ros2 topic``, ``ros2 param``), a ROS installation (``ros2 launch``, ``colcon build`` in a
workspace; Cyclone DDS, Zenoh), a Ray cluster, or they are what runs this (``scripts/test``). Each
has a check in ``CHECKS``, by its program, and a program without one fails. Of ``ros2 launch`` the
launch file, its arguments and their choices are checked, and where ``ros2`` is, it reads them too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
import importlib
import os
from pathlib import Path
import re
import shutil
import subprocess
from typing import Any
import xml.etree.ElementTree as ElementTree

from dads_ros.cli.main import main
from dads_ros.cli.main import VERBS
from dads_ros.settings import ALL_SETTINGS
from dads_ros.settings import limits_of
from dads_ros.settings import PingSettings
from dads_ros.testbed.__main__ import _parser
from dads_ros.topics import TOPICS
from page_blocks import Block
from page_blocks import BLOCKS
from page_blocks import Command
from page_blocks import COMMANDS
from page_blocks import commands_of
from page_blocks import ROOT
import pytest
import yaml

PACKAGE = ElementTree.parse(ROOT / 'package.xml').getroot()
KEYS = {element.text or '' for element in PACKAGE.iter('exec_depend')}
# Keys that rosdep gives to pip, and pip's names of them.
PIP_KEYS = {'python3-pytorch-pip': 'torch', 'python3-rosbags-pip': 'rosbags'}
SETTINGS = {**ALL_SETTINGS, 'ping_cloud': PingSettings}
NOT_RUN = [command for command in COMMANDS if command.words[0] != 'bash']


def arguments_of(file: str) -> dict[str, dict[str | None, str]]:
    """Return a launch file's arguments, each with the words that it is declared with."""
    tree = ast.parse((ROOT / 'launch' / file).read_text())
    constants = {
        ast.unparse(node.targets[0]): ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
    }
    declared = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == 'DeclareLaunchArgument':
            words = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            name = ast.literal_eval(node.args[0])
            declared[name] = {word: constants.get(text, text) for word, text in words.items()}
    return declared


def check_launch(file: str, given: dict[str, str]) -> None:
    declared = arguments_of(file)
    assert set(given) <= set(declared), f'{file} has no {set(given) - set(declared)}'
    for name, value in given.items():
        choices = ast.literal_eval(declared[name].get('choices', '[]'))
        assert not choices or value in choices, f'{name} of {file} is one of {choices}'


def check_node(name: str, *arguments: str) -> None:
    module = ROOT / 'dads_ros/nodes' / f'{name}.py'
    assert re.search('^def main', module.read_text(), re.MULTILINE), f'no node {name!r}'
    if name in SETTINGS:
        set_here = {a.partition(':=')[0] for a in arguments if re.match(r'[a-z]\w*:=', a)}
        assert set_here <= {*limits_of(SETTINGS[name]), 'autostart'}


def check_topic(name: str) -> None:
    known = {topic.name for topic in TOPICS}
    in_namespace = name.removeprefix('/').partition('/')[2]
    assert {name, in_namespace} & known, f'no topic {name!r}'


def check_ros2(*words: str) -> None:
    match words:
        case ('launch', 'dads_ros', file, *arguments):
            check_launch(file, dict(a.split(':=', 1) for a in arguments))
        case ('run', 'dads_ros', name, *arguments):
            check_node(name, *arguments)
        case ('run', _, _, *topics):
            for name in topics:
                check_topic(name)
        case ('topic', 'hz' | 'echo', name, *_):
            check_topic(name)
        case ('param', 'set', node, name, value):
            default = limits_of(SETTINGS[node.rpartition('/')[2]])
            assert name in default and yaml.safe_load(value)
        case ('security', 'create_keystore', _):
            pass
        case ('security', 'create_enclave', _, enclave):
            assert enclave.rpartition('/')[2] in ALL_SETTINGS
        case ('security', 'create_permission', _, enclave, policy):
            paths = {e.get('path') for e in ElementTree.parse(ROOT / policy).iter('enclave')}
            assert enclave in paths, f'{policy} is of {paths}'
        case _:
            pytest.fail(f'nobody checks ros2 {" ".join(words)}')


def check_dads(*words: str) -> None:
    """Let the real parser read a command."""
    assert words[0] in VERBS, f'dads has no verb {words[0]!r}'
    name = f'bench.{words[1]}.main' if words[0] == 'bench' else f'cli.{words[0]}'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module(f'dads_ros.{name}'), 'run', lambda _: 0)
        assert main(list(words)) == 0


def check_pip(verb: str, *names: str) -> None:
    """Hold the names to what rosdep leaves: keys that are pip's, and what has no key."""
    lines = (ROOT / 'requirements/core.txt').read_text().splitlines()
    no_key = {line.partition('==')[0] for line in lines if '(no rosdep key)' in line}
    assert verb == 'install' and set(names) == no_key | set(PIP_KEYS.values())


def check_rosdep(*words: str) -> None:
    assert words[:5] == ('install', '--from-paths', 'src', '-iy', '--skip-keys')
    assert set(words[5].split()) == {key for key in KEYS if key.endswith('-pip')} == set(PIP_KEYS)


def check_colcon(*words: str) -> None:
    assert words[0] == 'build'
    assert words[1:] in ((), ('--packages-select', PACKAGE.findtext('name')))


def check_export(*words: str) -> None:
    """Look for the package's file that a variable names."""
    name, _, value = ' '.join(words).partition('=')
    assert re.fullmatch('[A-Z_]+', name)
    if (found := re.search(r'\$\(ros2 pkg prefix --share dads_ros\)/(.*)', value)) is not None:
        assert (ROOT / found[1]).is_file()


def check_sudo(*words: str) -> None:
    assert words[:2] == ('sysctl', '-w')
    for setting in words[2:]:
        name = setting.partition('=')[0]
        assert Path('/proc/sys', *name.split('.')).exists(), f'no kernel setting {name!r}'


def check_script(path: str, *words: str) -> None:
    """Look for a program of the checkout; let its own parser read its arguments."""
    if path.startswith('scripts/'):
        assert os.access(ROOT / path, os.X_OK), f'no program {path!r}'
        subprocess.run(['bash', '-n', ROOT / path], check=True)
    if path == 'scripts/testbed':
        _parser().parse_args(words)
    else:
        options = {word.partition('=')[0] for word in words if word.startswith('--')}
        assert all(option in (ROOT / path).read_text() for option in options)


def check_shell(*_: str) -> None:
    """Check nothing: a folder is made or entered, an environment made or entered."""


def check_git(*words: str) -> None:
    assert words[0] == 'clone' and words[-1] == f'src/{PACKAGE.findtext("name")}'


def check_fastdds(*words: str) -> None:
    """Have the program itself say that it has these options, where it works."""
    if shutil.which('fastdds') is None:
        pytest.skip('needs the program fastdds')
    help_of = ['fastdds', words[0], '--help']
    done = subprocess.run(help_of, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("needs a fastdds that starts; the wheel's lacks its own modules")
    assert all(word in done.stdout for word in words[1:] if word.startswith('-'))


CHECKS: dict[str, Callable[..., None]] = {
    'cd': check_shell,
    'colcon': check_colcon,
    'dads': check_dads,
    'export': check_export,
    'fastdds': check_fastdds,
    'git': check_git,
    'mkdir': check_shell,
    'ping_cloud': lambda *words: check_node('ping_cloud', *words),
    'pip': check_pip,
    'python': check_script,
    'python3': check_shell,
    'ros2': check_ros2,
    'rosdep': check_rosdep,
    'source': check_shell,
    'sudo': check_sudo,
}


@pytest.mark.parametrize('command', NOT_RUN, ids=str)
def test_what_a_command_names_exists(command: Command) -> None:
    program, *arguments = command.words
    if program.startswith('scripts/'):
        check_script(program, *arguments)
        return
    assert program in CHECKS, f'{command}: nobody checks {program!r}'
    CHECKS[program](*arguments)


@pytest.mark.parametrize('block', [b for b in BLOCKS if b.language == 'yaml'], ids=str)
def test_nodes_that_a_yaml_block_starts_exist(block: Block) -> None:
    lines = '\n'.join(re.findall(r'ros2 (?:run|launch) dads_ros .*', block.text))
    for command in commands_of(Block(block.page, block.line, 'sh', lines)):
        check_ros2(*command.words[1:])


@pytest.mark.parametrize('block', [b for b in BLOCKS if b.language == 'python'], ids=str)
def test_launch_arguments_of_a_python_block_exist(block: Block) -> None:
    for file in re.findall(r"'(\w+\.launch\.py)'", block.text):
        (given,) = (n for n in ast.walk(ast.parse(block.text)) if isinstance(n, ast.Dict))
        check_launch(
            file,
            {
                ast.literal_eval(k): ast.unparse(v).strip("'")
                for k, v in zip(given.keys, given.values, strict=True)
            },
        )


@pytest.mark.parametrize(
    ('program', 'words'),
    [
        (check_launch, ('edge.launch.py', {'edge_profile': 'a', 'cloud_profile': 'b', 'no': ''})),
        (check_ros2, ('launch', 'dads_ros', 'cloud.launch.py', 'log_level:=loud')),
        (check_ros2, ('topic', 'hz', '/car1/detection')),
        (check_ros2, ('run', 'dads_ros', 'cloud', '-p', 'vehicle:=x')),
        (check_pip, ('install', 'torch')),
        (check_script, ('scripts/testbed', '--second', '60', '--sped')),
    ],
)
def test_a_name_that_does_not_exist_is_noticed(
    program: Callable[..., None], words: tuple[Any, ...]
) -> None:
    with pytest.raises((AssertionError, SystemExit)):
        program(*words)


@pytest.mark.skipif(shutil.which('ros2') is None, reason='needs the command ros2')
@pytest.mark.parametrize('command', [c for c in COMMANDS if c.words[:2] == ('ros2', 'launch')])
def test_ros2_reads_the_launch_files(command: Command) -> None:
    words = ['ros2', 'launch', '--print', *command.words[2:]]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
