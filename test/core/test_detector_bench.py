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

import argparse
from dataclasses import replace
import json
import shutil

import cv2
from dads_ros.bench.detector import main as bench
from dads_ros.bench.detector.capped import capped
from dads_ros.bench.detector.rates import against_earlier
from dads_ros.bench.detector.temporal import Temporal
from dads_ros.bench.detector.text import as_text
from dads_ros.bench.detector.uploads import bytes_at
from dads_ros.bench.detector.uploads import Row
from dads_ros.bench.detector.uploads import Trial
from dads_ros.bench.detector.video import stream
from dads_ros.bench.faults.hostile import MOST_FRAMES
from dads_ros.bench.faults.hostile import some_frames
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import Sample
from dads_ros.detector.network import LABELS
from dads_ros.detector.shipped import TWIN
from dads_ros.detector.shipped import WEIGHTS
from dads_ros.errors import ConfigError
from dads_ros.errors import MediaError
import numpy as np
import pytest


def row(upload, size, ap50, network='shipped'):
    return Row(network, upload, size, int(size), 0.1, ap50)


def test_bytes_at_an_ap_are_read_between_two_qualities():
    rows = [row('jpeg10', 1000, 0.2), row('webp5', 10, 0.9), row('jpeg50', 3000, 0.6)]
    assert bytes_at(rows, 'jpeg', 0.4) == pytest.approx(2000)
    assert bytes_at(rows, 'jpeg', 0.1) == 1000
    assert bytes_at(rows, 'jpeg', 0.6) == pytest.approx(3000)
    assert bytes_at(rows, 'jpeg', 0.7) is None
    twin = [row('jpeg10', 900, 0.3, 'twin'), row('jpeg50', 2500, 0.7, 'twin')]
    assert bytes_at(rows + twin, 'jpeg', 0.3) == 900
    assert bytes_at(rows + twin, 'jpeg', 0.7) == pytest.approx(2500)


def test_bytes_of_the_waist_are_of_a_codec_that_there_is():
    rows = [row('packed', 2300, 0.85), row('packed2', 1600, 0.86), row('packed4', 1000, 0.8)]
    assert bytes_at(rows, 'packed', 0.85) == 1600
    assert bytes_at(rows, 'packed', 0.82) == 1600
    assert bytes_at(rows, 'packed', 0.8) == 1000
    assert bytes_at(rows, 'packed', 0.87) is None


def test_references_make_a_row_smaller_by_what_they_saved_at_that_round_trip():
    parts = [
        Temporal(codec, 9, 100.0, {}, {0: 50.0, 1: 80.0}, {0: 0.8, 1: 0.6}, 1.0, 0.5)
        for codec in ('packed', 'packed2')
    ]
    rows = [row('packed', 2000, 0.8), row('packed2', 1000, 0.7), row('jpeg10', 500, 0.9)]
    near = against_earlier(rows, parts, 0)
    assert [(r.upload, r.bytes_mean, r.ap50) for r in near] == [
        ('packed', 1000, 0.8),
        ('packed2', 500, 0.8),
    ]
    far = against_earlier(rows, parts, 1)
    assert [(r.bytes_mean, r.ap50) for r in far] == [(1600, 0.6), (800, 0.6)]
    assert against_earlier(rows, [replace(parts[0], intra=None)], 0) == []


def test_a_stream_gives_every_frame_back_and_sends_less_for_a_still_scene():
    pytest.importorskip('av', reason='PyAV is not installed')
    rng = np.random.default_rng(0)
    still = np.zeros((1, 192, 320, 3), np.uint8)
    still[0] = cv2.resize(rng.integers(0, 255, (12, 20, 3), dtype=np.uint8), (320, 192))
    decoded, sizes, encode_s = stream([still] * 5, 28)
    assert [d.shape for d in decoded] == [still.shape] * 5
    assert len(sizes) == 5
    assert sizes[4] < sizes[0] / 4
    assert np.abs(decoded[4].astype(int) - still).mean() < 6
    assert encode_s > 0


@pytest.fixture
def data(tmp_path):
    image = np.full((360, 640, 3), 120, np.uint8)
    cv2.rectangle(image, (200, 150), (320, 240), (20, 20, 160), -1)
    images, annotations = [], []
    for index in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f'{index}.png'), image)
        images.append({'id': index, 'file_name': f'{index}.png', 'clip': 'a'})
        if index > 1:
            box = [200, 150, 120, 90]
            annotations.append({'id': index, 'image_id': index, 'category_id': 3, 'bbox': box})
    table = {
        'images': images,
        'annotations': annotations,
        'categories': [{'id': 3, 'name': 'car'}],
    }
    (tmp_path / 'val.json').write_text(json.dumps(table))
    return tmp_path


def options(*arguments):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args([str(a) for a in arguments])


@pytest.mark.long
def test_bench_prints_one_object_with_the_promised_keys(data, capsys, monkeypatch):
    monkeypatch.setattr(bench, 'FRAMES', 10 * bench.RATE_HZ)  # the pages' commands draw all
    assert bench.run(options('--data', data, '--drawn-frames', 8, '--json')) == 0
    result = json.loads(capsys.readouterr().out)
    assert {
        'ap50',
        'ap50_by_class',
        'frames_per_s_one_core',
        'parameters',
        'weights_bytes',
        'waist_bytes_mean',
        'jpeg_bytes_at_equal_ap50',
        'ap50_drop_at_waist',
    } <= set(result)
    assert result['frames'] == 3
    assert result['frames_without_vehicles'] == 1
    assert result['boxes_by_class']['vehicle'] == 2
    assert result['frames_per_s_one_core'] > 1
    uploads = {row['upload']: row for row in result['uploads']}
    assert uploads['packed']['ap50'] == result['ap50']
    assert result['ap50_drop_at_waist'] == result['ap50_without_waist'] - result['ap50']
    assert {'jpeg95', 'jpeg100', 'webp95', 'webp100'} <= set(uploads)
    assert 100 < result['peak_memory_mb'] < 2000
    assert uploads['packed4']['bytes_mean'] < uploads['packed']['bytes_mean']
    assert uploads['packed']['bytes_mean'] == result['waist_bytes_mean']
    assert result['larger_detector'] is None  # no weights of it in this folder
    low, high = result['ap50_drop_interval']
    assert low <= high
    text = as_text(result)
    larger = as_text({**result, 'larger_detector': {**result, 'is': 'another network'}})
    added = larger.removeprefix(text + '\n').splitlines()
    assert added[0] == 'larger detector: another network'
    assert 'AP50 (boxes) by height' in added and set(added[1:]) < set(text.splitlines())
    assert f'waist_bytes_mean                          {result["waist_bytes_mean"]:.4g}' in text
    assert [line.split()[:2] for line in text.splitlines() if line.startswith('twin ')] == [
        [row['network'], row['upload']] for row in result['uploads'] if row['network'] == 'twin'
    ]
    assert [row['codec'] for row in result['temporal']] == [
        'packed',
        'packed2',
        'packed4',
        'packed6',
        'packed8',
    ]
    assert {row['frames'] for row in result['temporal']} == {0}  # of 3 frames none has 5 before it
    assert set(result['packed_bytes_at_equal_ap50_by_round_trip'].values()) == {None}
    for row in result['capped']['by_condition'].values():
        assert row['largest'] <= result['capped']['cap_bytes']
        assert sum(row['share_by_codec'].values()) == pytest.approx(1)
    for sizes in result['largest_bytes_by_condition'].values():
        # Three symbols at most are left of each value: no frame can cost more, whatever it shows.
        assert sizes['packed8'] < 8 * 24 * 40 * np.log2(3) / 8 + 64
        assert sizes['packed8'] < sizes['packed']


def test_bench_refuses_a_folder_without_frames(data):
    with pytest.raises(MediaError, match='has no frames of another'):
        bench.run(options('--data', data, '--annotations', 'val.json:another'))


@pytest.mark.parametrize(
    ('change', 'categories'),
    [
        ({'categories': [{'id': 3, 'name': 'vehicle'}]}, "'vehicle'"),
        ({'annotations': [], 'categories': []}, 'none'),
        (
            {'annotations': [{'image_id': 1, 'category_id': 3, 'bbox': [0, 0, 20, 11]}]},
            "'car'",  # half as high in the network's input
        ),
        (
            {
                'annotations': [
                    {'image_id': 1, 'category_id': 3, 'bbox': [0, 0, 99, 99], 'score': 0.3}
                ]
            },
            "'car'",
        ),
    ],
)
def test_bench_refuses_labels_without_a_vehicle_that_counts(data, change, categories):
    path = data / 'val.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(MediaError, match='has no car or truck or bus that counts') as raised:
        bench.run(options('--data', data))
    assert f'its categories are {categories};' in str(raised.value)


def test_bench_refuses_to_draw_nothing(data):
    with pytest.raises(ConfigError, match='--drawn-frames must be at least 1, not 0'):
        bench.run(options('--data', data, '--drawn-frames', 0))


def test_bench_compares_with_the_twin_beside_the_weights(data, tmp_path):
    weights = shutil.copy(WEIGHTS, tmp_path / 'mine.pt')
    with pytest.raises(ConfigError, match=r"twin\.pt' does not exist; say with --twin"):
        bench.run(options('--data', data, '--weights', weights))
    missing = tmp_path / 'none.pt'
    with pytest.raises(ConfigError, match=r"weights file '.*none\.pt' is not one"):
        bench.run(options('--data', data, '--weights', missing))


def test_bench_refuses_networks_that_are_each_others(data):
    with pytest.raises(ConfigError, match=r"twin\.pt' is a network with no waist; give --weights"):
        bench.run(options('--data', data, '--weights', TWIN, '--twin', WEIGHTS))
    with pytest.raises(ConfigError, match=r"carnet\.pt' is a network with a waist; give --twin"):
        bench.run(options('--data', data, '--twin', WEIGHTS))


def test_of_two_files_one_clip_is_two_streams(data, monkeypatch):
    seen = {}

    def stop(trial, _):
        seen['clips'] = trial.clips
        raise MediaError('enough')

    monkeypatch.setattr(bench, 'require_vehicles', stop)
    shutil.copy(data / 'val.json', data / 'train.json')
    with pytest.raises(MediaError, match='enough'):
        bench.run(options('--data', data, '--annotations', 'val.json', 'train.json:a'))
    assert seen['clips'] == ['val.json a'] * 3 + ['train.json:a a'] * 3


def test_true_boxes_beside_the_labels_say_what_a_vehicle_is(data, monkeypatch):
    seen = {}

    def stop(trial, _):
        seen['classes'] = [LABELS[i] for truth in trial.truth for i in truth.class_ids]
        raise MediaError('enough')

    monkeypatch.setattr(bench, 'require_vehicles', stop)
    table = json.loads((data / 'val.json').read_text())
    del table['annotations'][1]
    table['categories'][0]['name'] = 'truck'
    (data / 'true.json').write_text(json.dumps(table))
    with pytest.raises(MediaError, match='enough'):
        bench.run(options('--data', data, '--true-classes', 'true.json'))
    assert seen['classes'] == ['truck', 'car']
    for image in table['images']:
        image['file_name'] = f'other/{image["file_name"]}'
    (data / 'true.json').write_text(json.dumps(table))
    with pytest.raises(MediaError, match=r"true\.json' has none of the frames of .*val\.json'"):
        bench.run(options('--data', data, '--true-classes', 'true.json'))


def test_hostile_conditions_are_tried_on_frames_of_all_clips():
    trial = Trial('', None, None, range(3 * MOST_FRAMES), (), ())
    assert some_frames(trial)[0] == 0
    assert some_frames(trial)[-1] == 3 * MOST_FRAMES - 1
    assert len(some_frames(trial)) == MOST_FRAMES


def test_frames_that_no_codec_brings_under_the_cap_are_counted():
    image = np.random.default_rng(0).integers(0, 256, (192, 320, 3), dtype=np.uint8)
    nothing = Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool))
    trial = bench.trial('shipped', WEIGHTS, True, [Sample(image, nothing, 'a')])
    (row, *_) = capped(trial, cap_bytes=100)['by_condition'].values()
    assert row == {'largest': 0, 'share_by_codec': {'over the cap': 1}}
