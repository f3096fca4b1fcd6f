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
from types import ModuleType
from types import SimpleNamespace

from dads_ros.detector import adapters
from dads_ros.detector.api import load_detector
from dads_ros.detector.decode import MAX_BOXES
from dads_ros.detector.decode import MAX_CANDIDATES
from dads_ros.detector.decode import MAX_IOU
from dads_ros.detector.decode import MIN_SCORE
from dads_ros.detector.ssd import decode_ssd
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


class Table(nn.Module):
    """The raw outputs of the shipped network as one table."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, frame):
        return torch.cat([output.flatten(2) for output in self.network(frame)], dim=2)


def test_the_shipped_network_goes_through_a_pt2_file_unchanged(tmp_path):
    shipped = load_detector('dads_ros.detector.shipped:detector')
    path, module = tmp_path / 'carnet.pt2', Table(shipped.module)
    adapters.save_pt2(module, path, 192, 320, shipped.labels, 'yolo')
    frame = torch.randint(0, 255, (1, 192, 320, 3), dtype=torch.uint8)
    with torch.inference_mode():
        (theirs,) = adapters.pt2(path).module(frame)
        assert torch.equal(module(frame), theirs)


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


def test_a_file_that_is_no_yolo_is_refused_in_one_line(made_up_yolo, monkeypatch):
    path = made_up_yolo()

    def refuse(_):
        raise RuntimeError('PytorchStreamReader failed\nfinding central directory')

    monkeypatch.setattr(sys.modules['ultralytics'], 'YOLO', refuse)
    told = r"toy\.pt' is not a \.pt file of Ultralytics \(PytorchStreamReader failed finding"
    with pytest.raises(ConfigError, match=told):
        adapters.ultralytics(path)


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
    np.testing.assert_allclose(decode_ssd(np.zeros((1, 4), np.float32), anchors), anchors)
    right = decode_ssd(np.array([[1, 0, 0, 5 * np.log(2)]], np.float32), anchors)
    np.testing.assert_allclose(right, [[12, 0, 32, 80]], atol=1e-5)


class Head(nn.Module):
    """A stand-in for a head that gives the best boxes, or all of them before suppression."""

    def __init__(self, channels, fused):
        super().__init__()
        self.cv2 = None if fused else nn.Identity()
        best = torch.zeros(1, 300, 6)
        best[0, 0] = torch.tensor([40.0, 35, 60, 45, 0.9, 1])
        every = torch.zeros(1, channels, 8)
        every[0, :6, 2] = torch.tensor([50.0, 40, 20, 10, 0.1, 0.9])
        self.register_buffer('best', best)
        self.register_buffer('every', every)

    @property
    def end2end(self):
        return True

    def forward(self, pixels):
        return (self.best if self.end2end else self.every) + 0 * pixels.mean()


@pytest.fixture
def made_up_yolo(monkeypatch, tmp_path):
    """Return a function that makes ``ultralytics.YOLO`` give a made-up network, and its file."""

    def make(channels=6, fused=False):
        network = nn.Module()
        network.model = nn.Sequential(Head(channels, fused))
        network.forward = network.model.forward
        network.names = {0: 'cat', 1: 'dog'}
        package = ModuleType('ultralytics')
        package.YOLO = lambda _: SimpleNamespace(model=network)
        monkeypatch.setitem(sys.modules, 'ultralytics', package)
        path = tmp_path / 'toy.pt'
        path.touch()
        return path

    return make


def test_a_yolo_that_suppresses_itself_gives_its_boxes_before_that(made_up_yolo):
    detector = load_detector('dads_ros.detector.adapters:ultralytics', made_up_yolo())
    assert (detector.name, detector.labels) == ('toy', ('cat', 'dog'))
    with torch.inference_mode():
        (table,) = detector.module(detector.example_input())
    found = detector.decode((table.numpy(),))
    np.testing.assert_allclose(found.boxes, [[40, 35, 60, 45]])
    np.testing.assert_allclose(found.scores, [0.9], rtol=1e-6)
    assert found.class_ids.tolist() == [1]


@pytest.mark.parametrize(
    ('made', 'told'),
    [({'fused': True}, r'\(1, 300, 6\)'), ({'channels': 38}, r'\(1, 38, 8\)')],
    ids=['suppressed', 'masks'],
)
def test_a_yolo_whose_output_is_another_is_refused(made_up_yolo, made, told):
    with pytest.raises(ConfigError, match=rf"'toy' gives {told}, but with 2 labels one tensor "):
        adapters.ultralytics(made_up_yolo(**made))


def test_a_pt2_file_whose_output_its_decoder_cannot_read_is_refused(tmp_path):
    path = tmp_path / 'toy.pt2'
    adapters.save_pt2(adapters.FromFrame(Yolo()), path, 64, 96, ('cat', 'dog', 'cow'), 'yolo')
    with pytest.raises(ConfigError, match=r'one tensor \(1, 7, n\) is needed'):
        adapters.pt2(path)
    adapters.save_pt2(adapters.FromFrame(Yolo()), path, 64, 96, ('cat', 'dog'), 'boxes')
    with pytest.raises(ConfigError, match=r'tensors \(1, n, 4\) and \(1, n, 2\) is needed'):
        adapters.pt2(path)


def take_statistics(network, run, pixels):
    """Give batch norms statistics of a frame; with others, random weights find nothing."""
    for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.momentum = 1.0
    network.train()
    with torch.no_grad():
        run(torch.cat((pixels, 1 - pixels)))
    network.eval()


def check_same(found, boxes, scores, class_ids):
    """Compare what was found in one frame; rounding may decide of a box at a threshold."""
    assert len(found.scores) > 10 and abs(len(found.scores) - len(scores)) <= 2
    np.testing.assert_allclose(found.boxes[0], boxes[0], atol=0.1)
    np.testing.assert_allclose(found.scores[0], scores[0], atol=1e-3)
    near = np.abs(found.boxes[:, None] - boxes).max(axis=2) < 0.1
    same = near & (found.class_ids[:, None] == class_ids)
    assert same.any(axis=1).mean() > 0.9


@pytest.mark.parametrize('name', ['yolov8n', 'yolo11n', 'yolov10n', 'yolo26n'])
def test_boxes_of_a_real_yolo_are_those_that_ultralytics_finds(name, tmp_path, monkeypatch):
    monkeypatch.setenv('YOLO_CONFIG_DIR', str(tmp_path))
    ultralytics = pytest.importorskip('ultralytics')
    nms = pytest.importorskip('ultralytics.utils.nms')
    torch.manual_seed(0)
    made = ultralytics.YOLO(f'{name}.yaml')
    frame = np.random.default_rng(0).integers(0, 255, (1, 384, 640, 3), np.uint8)
    pixels = torch.from_numpy(frame).permute(0, 3, 1, 2).float() / 255
    head = made.model.model[-1]
    for part in head.cv3:  # else random weights give every box the same score
        nn.init.normal_(part[-1].weight, 0.0, 0.2)
        nn.init.constant_(part[-1].bias, -4.0)
    take_statistics(made.model, made.model, pixels)
    if hasattr(head, 'one2one_cv2') and not head.end2end:
        head.end2end = True  # as files of other versions come
    path = tmp_path / f'{name}.pt'
    made.save(path)
    detector = load_detector('dads_ros.detector.adapters:ultralytics', path)
    model = capture_detector(detector)
    found = detector.decode(tail(model, model.graph.inputs)(frame))

    theirs = ultralytics.YOLO(path).model.float().eval()
    head = theirs.model[-1]
    head.__class__ = type('Head', (type(head),), {'end2end': False})
    with torch.inference_mode():
        raw, _ = theirs(pixels)
        (wanted,) = nms.non_max_suppression(
            raw, MIN_SCORE, MAX_IOU, max_det=MAX_BOXES, max_nms=MAX_CANDIDATES, max_time_img=60
        )
    wanted = wanted.numpy()
    check_same(found, wanted[:, :4], wanted[:, 4], wanted[:, 5])


def test_boxes_of_a_real_ssdlite_are_those_of_its_own_decoder(tmp_path):
    models = pytest.importorskip(
        'torchvision.models.detection', exc_type=(ImportError, RuntimeError)
    )
    torch.manual_seed(0)
    frame = np.random.default_rng(0).integers(0, 255, (1, 320, 320, 3), np.uint8)
    pixels = torch.from_numpy(frame).permute(0, 3, 1, 2).float() / 255
    theirs = models.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    for part in theirs.head.classification_head.module_list:
        nn.init.normal_(part[-1].weight, 0.0, 0.2)  # else every class has the same score
    take_statistics(theirs, lambda x: theirs.head(list(theirs.backbone(x).values())), pixels)
    path = tmp_path / 'ssdlite.pt'
    torch.save(theirs.state_dict(), path)
    detector = load_detector('dads_ros.detector.adapters:torchvision_ssdlite', path)
    model = capture_detector(detector)
    found = detector.decode(tail(model, model.graph.inputs)(frame))

    with torch.inference_mode():
        images, _ = theirs.transform([pixels[0]])
        features = list(theirs.backbone(images.tensors).values())
        head = theirs.head(features)
        anchors = theirs.anchor_generator(images, features)
        boxes = theirs.box_coder.decode_single(head['bbox_regression'][0], anchors[0]).numpy()
        scores = head['cls_logits'][0].softmax(dim=1)[:, 1:].numpy()
    wanted = adapters.best_boxes(boxes, scores)
    check_same(found, wanted.boxes, wanted.scores, wanted.class_ids)


@pytest.mark.parametrize(
    'factory, package', [('ultralytics', 'ultralytics'), ('torchvision_ssdlite', 'torchvision')]
)
def test_a_missing_package_is_told_in_one_line(factory, package, monkeypatch):
    for name in [package, *(name for name in sys.modules if name.startswith(f'{package}.'))]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=package):
        getattr(adapters, factory)(None)
