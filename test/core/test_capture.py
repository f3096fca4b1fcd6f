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

"""Capture gives a stable layer graph, folds what can be folded, and refuses what cannot be cut."""

import subprocess
import sys

from dads_ros.detector.api import Detector
from dads_ros.errors import CaptureError
from dads_ros.model import capture
import pytest
import torch
from torch import nn

FRAME = torch.full((1, 8, 8, 3), 114, dtype=torch.uint8)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.out = nn.Conv2d(2, 2, 1)
        self.register_buffer('grid', torch.arange(8.0))

    def forward(self, frame: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = frame.permute(0, 3, 1, 2).float()
        a, b = nn.functional.relu(self.norm(self.conv(x)), inplace=True).chunk(2, dim=1)
        a += self.grid * 2 + torch.arange(8)
        return self.out(a), b.flatten(1)


def detector(**changes) -> Detector:
    facts = {
        'name': 'small', 'module': Small().eval(), 'input_height': 8, 'input_width': 8,
        'labels': ('car',), 'decode': lambda outputs: outputs,
    }  # fmt: skip
    return Detector(**{**facts, **changes})


def test_graph_holds_the_layers_that_depend_on_the_input():
    model = capture.capture(Small(), FRAME)
    ops = [layer.op for layer in model.graph.layers]
    assert ops[0] == 'input' and ops.count('conv2d') == 2
    assert not {'arange', 'batch_norm', '_native_batch_norm_legit_no_training'} & set(ops)
    assert all(layer.inputs for layer in model.graph.layers[1:])
    assert model.graph.outputs == model.outputs


class Items(nn.Module):
    def forward(self, frame: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        a, b, c = torch.relu(frame.permute(0, 3, 1, 2).float()).split(1, dim=1)
        return a + c, b


def test_items_of_one_operator_are_layers_that_read_what_it_reads():
    graph = capture.capture(Items(), FRAME).graph
    items = [layer for layer in graph.layers if layer.op == 'split']
    assert [layer.shape for layer in items] == [(1, 1, 8, 8)] * 3
    (relu,) = (layer for layer in graph.layers if layer.op == 'relu')
    assert all(layer.inputs == (relu.id,) for layer in items)


def test_detector_ends_in_one_layer_that_reads_all_raw_outputs():
    model = capture.capture_detector(detector())
    last = model.graph.layers[-1]
    assert (last.id, last.op, last.inputs) == ('detections', 'detections', model.outputs)
    assert model.graph.outputs == ('detections',)


def test_capture_leaves_the_module_alone():
    module = Small().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    capture.capture(module, FRAME)
    assert module.training and all(p.requires_grad for p in module.parameters())
    for name, value in module.state_dict().items():
        assert type(value) is torch.Tensor and torch.equal(value, before[name])


def test_hash_is_equal_in_another_process():
    code = (
        'import sys; sys.path.insert(0, sys.argv[1])\n'
        'import test_capture as t; from dads_ros.model import capture\n'
        'print(capture.capture_detector(t.detector()).hash)'
    )
    folder = __file__.rpartition('/')[0]
    there = subprocess.run(
        [sys.executable, '-c', code, folder], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == capture.capture_detector(detector()).hash


def test_hash_covers_weights_buffers_and_what_decoding_depends_on():
    other_weights, other_buffer = Small().eval(), Small().eval()
    with torch.no_grad():
        other_weights.conv.weight[0, 0, 0, 0] += 1e-6
        other_buffer.grid[3] = 4
    hashes = {
        capture.capture_detector(detector(**changes)).hash
        for changes in (
            {},
            {'module': other_weights},
            {'module': other_buffer},
            {'labels': ('truck',)},
            {'name': 'other'},
            {'input_height': 16},
        )
    }
    assert len(hashes) == 6


def test_saved_program_is_the_same_network(tmp_path):
    path = tmp_path / 'small.pt2'
    torch.export.save(torch.export.export(Small().eval().requires_grad_(False), (FRAME,)), path)
    loaded = capture.load_program(path, FRAME)
    whole = capture.capture(Small(), FRAME)
    for one, other in zip(loaded.module(FRAME), whole.module(FRAME), strict=True):
        assert torch.equal(one, other)


def test_unreadable_program_is_refused(tmp_path):
    path = tmp_path / 'no.pt2'
    path.write_bytes(b'not a program')
    with pytest.raises(CaptureError, match=r'is not a program saved by torch\.export\.save'):
        capture.load_program(path, FRAME)


class Branches(nn.Module):
    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        return frame.float() * 2 if frame.float().mean() > 100 else frame.float()


class Selects(nn.Module):
    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        return frame[frame > 100].float()


class Chooses(nn.Module):
    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        x = frame.float()
        return torch.cond(x.sum() > 0, lambda t: t + 1, lambda t: t - 1, (x,))


class Counts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('seen', torch.zeros(()))

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        return frame.float() + self.seen


class WritesInput(nn.Module):
    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        frame.add_(1)
        return frame.float()


class Random(nn.Module):
    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        return frame.float() + torch.rand_like(frame.float())


class Strided(nn.Module):
    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        return torch.as_strided(frame.float(), (4, 4), (1, 2))


class Number(nn.Module):
    def forward(self, frame: torch.Tensor) -> tuple[torch.Tensor, int]:
        return frame.float(), 3


class Constant(nn.Module):
    def forward(self, _frame: torch.Tensor) -> torch.Tensor:
        return torch.arange(4.0)


class Breaks(nn.Module):
    def forward(self, _frame: torch.Tensor) -> torch.Tensor:
        raise ValueError('no such thing')


@pytest.mark.parametrize(
    ('module', 'message'),
    [
        (Branches(), r"cannot capture Branches: .*, at '.*if .*' \(test_capture.py, line \d+\)"),
        (Selects(), r"operator '\w+' \(aten\.\w+\.\w+\) makes a tensor whose size depends"),
        (Chooses(), r"operator 'cond' .* chooses a branch"),
        (Counts(), "changes its buffer 'seen'"),
        (WritesInput(), "writes into its input 'frame'"),
        (Random(), r'draws random numbers'),
        (Strided(), r'\(aten.as_strided.default\) reads memory by its layout'),
        (Number(), 'output 1 of the network is 3, not a tensor'),
        (Constant(), 'no output of the network depends on its input'),
        (Breaks(), 'ValueError: no such thing'),
    ],
)
def test_what_cannot_be_cut_is_refused_by_name(module, message):
    with pytest.raises(CaptureError, match=message) as caught:
        capture.capture(module, FRAME)
    assert '\n' not in str(caught.value)


class Attends(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=0.0)


def test_attention_without_dropout_is_taken():
    x = torch.randn(1, 2, 6, 4)
    model = capture.capture(Attends(), x)
    assert [layer.op for layer in model.graph.layers] == ['input', 'scaled_dot_product_attention']
    (result,) = model.module(x)
    torch.testing.assert_close(result, Attends()(x))


class Picks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('order', torch.tensor([2, 0, 1, 1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, self.order] * 2


def test_elements_taken_by_number_have_a_known_size():
    x = torch.randn(1, 3, 4)
    model = capture.capture(Picks(), x)
    assert [layer.shape for layer in model.graph.layers] == [(1, 3, 4), (1, 4, 4), (1, 4, 4)]
    torch.testing.assert_close(model.module(x)[0], Picks()(x))


def test_folding_batch_norm_changes_only_rounding():
    module = Small().eval()
    nn.init.uniform_(module.norm.running_mean, -1, 1)
    nn.init.uniform_(module.norm.running_var, 0.5, 2)
    nn.init.uniform_(module.norm.weight, 0.5, 2)
    nn.init.uniform_(module.norm.bias, -1, 1)
    frame = torch.randint(0, 256, FRAME.shape, dtype=torch.uint8)
    with torch.inference_mode():
        expected = module(frame)
    for one, other in zip(capture.capture(module, FRAME).module(frame), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-3)
