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

"""The command that trains: what it asks for, keeps and refuses."""

from argparse import ArgumentParser
from dataclasses import replace
import json

import cv2
from dads_ros.cli.main import main
from dads_ros.cli.train import add_arguments
from dads_ros.cli.train import load
from dads_ros.cli.train import settings_of
from dads_ros.detector.network import LABELS
from dads_ros.detector.shipped import load_network
from dads_ros.detector.training import Settings
from dads_ros.errors import MediaError
import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()  # the command sets them for its process
    yield
    torch.set_num_threads(before)


def write_data(folder):
    (folder / 'frames').mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for index in range(1, 17):
        name, (x, y) = f'frames/{index}.png', rng.integers(0, 100, 2).tolist()
        frame = rng.integers(0, 90, (192, 320, 3), np.uint8)
        frame[y : y + 40, x : x + 60] = 255
        cv2.imwrite(str(folder / name), frame)
        images.append({'id': index, 'file_name': name, 'clip': 'clip'})
        box = {'id': index, 'image_id': index, 'category_id': 3, 'bbox': [x, y, 60, 40]}
        annotations.append(box)
    table = {
        'images': images,
        'annotations': annotations,
        'categories': [{'id': 3, 'name': 'car'}],
    }
    (folder / 'train.json').write_text(json.dumps(table))
    few = {**table, 'images': images[:2], 'annotations': annotations[:2]}
    (folder / 'val.json').write_text(json.dumps(few))
    return folder


def test_one_command_trains_and_refuses_to_overwrite(tmp_path, capsys):
    data, out = write_data(tmp_path / 'data'), tmp_path / 'run'
    command = ['train', '--data', str(data), '--out', str(out), '--epochs', '1', '--threads', '1']
    command += ['--scenes', '0', '--unrounded-epochs', '0']
    assert main([*command, '--resume']) == 1
    assert 'no run to resume' in capsys.readouterr().err
    assert main(command) == 0
    assert capsys.readouterr().out.strip() == str(out / 'carnet.pt')
    assert load_network(out / 'carnet.pt').waist is not None
    assert load_network(out / 'twin.pt').waist is None
    assert main(command) == 1
    assert 'holds a run; give --resume or another folder' in capsys.readouterr().err
    assert main([*command, '--resume']) == 0
    at = command.index('--epochs')
    assert main([*command[:at], *command[at + 2 :], '--resume']) == 0  # as long as it was to be
    assert main([*command[:5], '--resume']) == 0  # all as it was
    assert main([*command, '--resume', '--scenes', '0.5']) == 1
    assert 'the run to resume has scenes 0.0, not 0.5' in capsys.readouterr().err
    elsewhere = write_data(tmp_path / 'elsewhere')
    (elsewhere / 'frames' / '3.png').write_bytes((elsewhere / 'frames' / '4.png').read_bytes())
    assert main([*command[:2], str(elsewhere), *command[3:], '--resume']) == 1
    assert 'the run to resume was trained on other frames or boxes' in capsys.readouterr().err
    assert len((out / 'log.jsonl').read_text().splitlines()) == 1
    twin = ['--start', str(out / 'twin.pt')]
    assert main([*command[:4], str(tmp_path / 'other'), *command[5:], *twin]) == 1
    assert 'a network without a waist; a run begins with one with' in capsys.readouterr().err
    assert main([*command, '--unrounded-epochs', '1']) == 1
    assert '--unrounded-epochs is 1, of 1 epochs' in capsys.readouterr().err
    empty = tmp_path / 'other'
    assert main([*command[:4], str(empty), *command[5:], '--leave-out', 'clip']) == 1
    assert '0 training frames are too few' in capsys.readouterr().err
    assert main([*command[:4], str(empty), *command[5:], '--leave-out', 'cilp']) == 1
    assert "no clip 'cilp' to leave out; there are 'clip'" in capsys.readouterr().err
    table = data / 'train.json'
    table.write_text(table.read_text().replace('"car"', '"automobile"'))
    assert main([*command[:4], str(empty), *command[5:]]) == 1
    assert "its categories are 'automobile'; call them by these" in capsys.readouterr().err
    assert not empty.exists()
    (out / 'checkpoint.pt').write_bytes(b'half')
    assert main([*command, '--resume']) == 1
    assert f"checkpoint '{out / 'checkpoint.pt'}' is damaged" in capsys.readouterr().err


def test_true_boxes_beside_the_labels_say_what_is_learnt(tmp_path):
    data = write_data(tmp_path)
    table = json.loads((data / 'train.json').read_text())
    table['categories'] = [{'id': 3, 'name': 'bus'}]
    (data / 'true.json').write_text(json.dumps(table))
    learnt, held_out = load(data, Settings(true_classes='true.json'))
    assert {LABELS[i] for s in (*learnt, *held_out) for i in s.truth.class_ids} == {'bus'}
    for image in table['images']:
        image['file_name'] = f'other/{image["file_name"]}'
    (data / 'true.json').write_text(json.dumps(table))
    with pytest.raises(MediaError, match=r"true\.json' has none of the frames of .*train\.json'"):
        load(data, Settings(true_classes='true.json'))


@pytest.mark.parametrize(
    ('options', 'epochs', 'unrounded'),
    [([], 140, 105), (['--epochs', '8'], 8, 6), (['--epochs', '1'], 1, 0)],
)
def test_three_quarters_of_a_run_are_unrounded_if_nobody_says(options, epochs, unrounded):
    parser = ArgumentParser()
    add_arguments(parser)
    settings = settings_of(parser.parse_args(['--data', 'd', '--out', 'o', *options]), None)
    assert settings == replace(Settings(), epochs=epochs, unrounded_epochs=unrounded)


@pytest.mark.parametrize(
    ('option', 'value'),
    [('--epochs', '-1'), ('--waist-bytes', '0'), ('--jpeg', '2'), ('--scenes', 'nan')],
)
def test_numbers_out_of_range_are_refused_at_once(tmp_path, capsys, option, value):
    with pytest.raises(SystemExit) as stopped:
        main(['train', '--data', str(tmp_path), '--out', str(tmp_path / 'run'), option, value])
    assert stopped.value.code == 2
    assert f'argument {option}: {value!r} is' in capsys.readouterr().err
