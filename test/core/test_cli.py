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

"""The ``dads`` command: help that teaches, JSON everywhere, exit codes, completion."""

from __future__ import annotations

import errno
import importlib
import json
import os
from pathlib import Path
import re
import shlex
import subprocess

from dads_ros.cli import arguments
from dads_ros.cli.bench import SUBJECTS
from dads_ros.cli.main import main
from dads_ros.cli.main import make_parser
from dads_ros.cli.main import VERBS
import pytest

RECORDS = [verb for verb in VERBS if verb != 'completion']


def help_of(verb: str) -> str:
    parser = make_parser((verb,))
    (verbs,) = (action for action in parser._actions if action.dest == 'verb')
    return verbs.choices[verb].format_help()


@pytest.mark.parametrize('verb', VERBS)
def test_help_gives_examples_that_parse(
    verb: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = help_of(verb).split('examples:\n', 1)[1]
    lines = re.findall(r'^  (dads .*?)(?: {2,}.*)?$', text, re.MULTILINE)
    assert lines
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.import_module(f'dads_ros.cli.{verb}'), 'run', lambda _: 0)
    for line in lines:
        words = shlex.split(line.split(' > ')[0])[1:]
        words = ['partition' if word == 'SUBJECT' else word for word in words]
        assert words[0] == verb
        assert main(words) == 0, line


@pytest.mark.parametrize('verb', [verb for verb in RECORDS if verb != 'bench'])
def test_every_verb_speaks_json(verb: str) -> None:
    assert '--json' in help_of(verb)


@pytest.mark.parametrize('subject', SUBJECTS)
def test_every_benchmark_speaks_json(subject: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(['bench', subject, '--help'])
    assert stop.value.code == 0
    assert '--json' in capsys.readouterr().out


def test_exit_status_says_what_happened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['report', str(tmp_path)]) == 1
    words = capsys.readouterr().err
    assert words.startswith('error: ') and words.count('\n') == 1
    assert main(['parameters', '--write', str(tmp_path / 'none')]) == 1
    words = capsys.readouterr().err
    assert words.startswith('error: ') and words.count('\n') == 1
    assert 'No such file or directory' in words
    for wrong in (['fly'], [], ['report'], ['replay', '--edge-slowdown', '0.5']):
        with pytest.raises(SystemExit) as stop:
            main(wrong)
        assert stop.value.code == 2
    assert main(['parameters', '--json']) == 0
    assert json.loads(capsys.readouterr().out)


def test_a_full_disk_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as a write has it, without a name

    monkeypatch.setattr('dads_ros.cli.parameters.run', full)
    assert main(['parameters', '--json']) == 1
    assert capsys.readouterr().err == 'error: No space left on device\n'


def test_completion_knows_verbs_options_and_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(['completion', 'bash']) == 0
    script = tmp_path / 'dads'
    script.write_text(capsys.readouterr().out)
    (tmp_path / 'drive.mp4').touch()

    def offered(*words: str) -> set[str]:
        line = f"""
            source {script}
            COMP_WORDS=(dads {' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words)}
            $(complete -p dads | sed 's/.*-F \\([^ ]*\\).*/\\1/')
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(
            ['bash', '-c', line], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return set(done.stdout.split())

    assert {'replay', 'report'} <= offered('rep') <= set(VERBS)
    assert offered('replay', '--edge') == {'--edge-slowdown'}
    assert offered('bench', 'part') == {'partition'}
    assert 'drive.mp4' in offered('replay', 'dri')


@pytest.mark.parametrize('shell', ['zsh', 'tcsh'])
def test_other_shells_get_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['completion', shell]) == 0
    assert 'replay' in capsys.readouterr().out


@pytest.mark.ros
def test_ros2_run_finds_the_same_command(capsys: pytest.CaptureFixture[str]) -> None:
    # `ros2 run PACKAGE NAME` starts lib/PACKAGE/NAME of the package's prefix.
    prefixes = [Path(prefix) for prefix in os.environ['AMENT_PREFIX_PATH'].split(os.pathsep)]
    program = next(p for prefix in prefixes if (p := prefix / 'lib/dads_ros/dads').is_file())
    done = subprocess.run([program, 'parameters', '--json'], capture_output=True, text=True)
    assert main(['parameters', '--json']) == 0
    assert done.stdout == capsys.readouterr().out
    assert subprocess.run([program, 'fly'], capture_output=True).returncode == 2


def test_several_numbers() -> None:
    assert arguments.several('0.5,2') == (0.5, 2.0)
    assert arguments.several('1:100:3') == pytest.approx((1.0, 10.0, 100.0))
    for wrong in ('1:2', '0:5:3', '1:5:0', 'x', '-1', 'nan', '1,,2'):
        with pytest.raises(arguments.argparse.ArgumentTypeError):
            arguments.several(wrong)
