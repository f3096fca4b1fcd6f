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

import sys

from dads_ros.detector import adapters
from dads_ros.detector.api import load_detector
from dads_ros.errors import ConfigError
from dads_ros.model.capture import capture_detector
from dads_ros.model.surgery import tail
import numpy as np
import pytest
import torch
from torch import nn


class Yolo(nn.Module):
    """A stand-in with YOLO's output: eight boxes, the third a sure one of class 1."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Conv2d(3, 1, 1)
        table = torch.zeros(1, 6, 8)
        table[0, :, 2] = torch.tensor([50.0, 40, 20, 10, 0.1, 0.9])
        self.register_buffer('table', table)

    def forward(self, pixels):
        return self.table + 0 * self.scale(pixels).mean()


def test_a_pt2_file_is_a_detector(tmp_path):
    path = tmp_path / 'toy.pt2'
    adapters.save_pt2(adapters.FromFrame(Yolo()), path, 64, 96, ('cat', 'dog'), 'yolo')
    detector = load_detector('dads_ros.detector.adapters:pt2', path)
    assert (detector.name, detector.labels) == ('toy', ('cat', 'dog'))
    assert (detector.input_height, detector.input_width) == (64, 96)
    model = capture_detector(detector)
    frame = np.random.default_rng(0).integers(0, 255, (1, 64, 96, 3), dtype=np.uint8)
    found = detector.decode(tail(model, model.graph.inputs)(frame))
    np.testing.assert_allclose(found.boxes, [[40, 35, 60, 45]])
    np.testing.assert_allclose(found.scores, [0.9], rtol=1e-6)
    assert found.class_ids.tolist() == [1]


def test_the_shipped_network_goes_through_a_pt2_file_unchanged(tmp_path):
    shipped = load_detector('dads_ros.detector.shipped:detector')
    path = tmp_path / 'carnet.pt2'
    adapters.save_pt2(shipped.module, path, 192, 320, shipped.labels, 'boxes')
    frame = torch.randint(0, 255, (1, 192, 320, 3), dtype=torch.uint8)
    with torch.inference_mode():
        for mine, theirs in zip(
            shipped.module(frame), adapters.pt2(path).module(frame), strict=True
        ):
            assert torch.equal(mine, theirs)


def test_unusable_pt2_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match='needs the weights parameter'):
        adapters.pt2(None)
    bare = tmp_path / 'bare.pt2'
    program = torch.export.export(adapters.FromFrame(Yolo()), (torch.zeros(1, 8, 8, 3).byte(),))
    torch.export.save(program, bare)
    with pytest.raises(ConfigError, match=r"bare\.pt2' is not a \.pt2 file with a detector\.json"):
        adapters.pt2(bare)
    with pytest.raises(ConfigError, match="decoder 'x' is none of yolo, boxes"):
        adapters.save_pt2(Yolo(), tmp_path / 'x.pt2', 8, 8, (), 'x')


def test_frames_are_scaled_to_floats_and_normalised():
    identity = adapters.FromFrame(nn.Identity(), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    (pixels,) = identity(torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8))
    torch.testing.assert_close(pixels.flatten(), torch.tensor([-1.0, 1.0, -0.6]))


def test_box_tables_are_suppressed_class_by_class():
    boxes = np.array([[[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10]]], np.float32)
    scores = np.array([[[0.9, 0.0], [0.8, 0.0], [0.0, 0.7]]], np.float32)
    found = adapters.decode_boxes((boxes, scores))
    assert found.class_ids.tolist() == [0, 1]


def test_ssd_codes_of_zero_are_the_anchors():
    anchors = np.array([[10, 20, 30, 60]], np.float32)
    np.testing.assert_allclose(adapters.decode_ssd(np.zeros((1, 4), np.float32), anchors), anchors)
    right = adapters.decode_ssd(np.array([[1, 0, 0, 5 * np.log(2)]], np.float32), anchors)
    np.testing.assert_allclose(right, [[12, 0, 32, 80]], atol=1e-5)


@pytest.mark.parametrize(
    'factory, package', [('ultralytics', 'ultralytics'), ('torchvision_ssdlite', 'torchvision')]
)
def test_a_missing_package_is_told_in_one_line(factory, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=package):
        getattr(adapters, factory)(None)
