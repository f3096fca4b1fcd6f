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
import json

import cv2
from dads_ros.bench.detector import main as bench
from dads_ros.bench.detector.uploads import bytes_at
from dads_ros.bench.detector.uploads import Row
from dads_ros.bench.detector.video import stream
from dads_ros.detector.shipped import WEIGHTS
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


def test_bench_prints_one_object_with_the_promised_keys(data, capsys):
    assert bench.run(options('--data', data, '--twin', WEIGHTS, '--json')) == 0
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
    assert result['empty_frames'] == 1
    assert result['boxes_by_class']['vehicle'] == 2
    assert result['frames_per_s_one_core'] > 1
    uploads = {row['upload']: row for row in result['uploads']}
    assert uploads['packed']['ap50'] == result['ap50'] == result['ap50_without_waist']
    assert result['ap50_drop_at_waist'] == 0
    assert uploads['packed4']['bytes_mean'] < uploads['packed']['bytes_mean']
    assert uploads['packed']['bytes_mean'] == result['waist_bytes_mean']
    assert result['larger_detector'] is None  # no weights of it in this folder
    assert [row['codec'] for row in result['temporal']] == ['packed', 'packed4']
    for row in result['capped']['by_condition'].values():
        assert row['largest'] <= result['capped']['cap_bytes']
        assert sum(row['share_by_codec'].values()) == pytest.approx(1)
    for sizes in result['largest_bytes_by_condition'].values():
        # Three symbols at most are left of each value: no frame can cost more, whatever it shows.
        assert sizes['packed8'] < 8 * 24 * 40 * np.log2(3) / 8 + 64
        assert sizes['packed8'] < sizes['packed']


def test_bench_refuses_a_folder_without_frames(data):
    with pytest.raises(MediaError, match='has no frames of another'):
        bench.run(options('--data', data, '--twin', WEIGHTS, '--clips', 'another'))
