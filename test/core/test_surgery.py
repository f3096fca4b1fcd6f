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

"""Head and tail of a cut agree with the whole network bit for bit, on random nets and cuts."""

import random

from dads_ros.detector.api import Detector
from dads_ros.errors import ConfigError
from dads_ros.errors import CutError
from dads_ros.errors import GraphError
from dads_ros.model import capture
from dads_ros.model import surgery
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest
import torch
from torch import nn

SIDE = 16


class RandomNet(nn.Module):
    """A random DAG of the operators that detectors are made of, drawn from a seed."""

    def __init__(self, seed: int, steps: int) -> None:
        super().__init__()
        draw = random.Random(seed)
        torch.manual_seed(seed)
        self.convs = nn.ModuleDict()
        self.norms = nn.ModuleDict()
        self.plan = []
        channels = [3]
        for step in range(steps):
            kind = draw.choice(
                ('conv', 'conv', 'relu_', 'add', 'cat', 'chunk', 'pool', 'soft', 'view', 'mix')
            )
            a, b = draw.randrange(len(channels)), draw.randrange(len(channels))
            if kind == 'conv':
                out = draw.choice((2, 4, 6))
                self.convs[str(step)] = nn.Conv2d(channels[a], out, 3, padding=1, bias=False)
                norm = nn.BatchNorm2d(out)
                nn.init.uniform_(norm.running_mean, -1, 1)
                nn.init.uniform_(norm.running_var, 0.5, 2)
                self.norms[str(step)] = norm
                channels.append(out)
            elif kind == 'cat':
                channels.append(channels[a] + channels[b])
            elif kind == 'add':
                channels.append(max(channels[a], channels[b]))
            elif kind == 'chunk' and channels[a] >= 2:
                half = (channels[a] + 1) // 2
                channels.extend((half, channels[a] - half))
            else:
                channels.append(channels[a])
            self.plan.append((kind, a, b))
        self.sinks = tuple(draw.sample(range(len(channels)), k=min(3, len(channels))))
        if 0 in self.sinks and len(self.sinks) == 1:
            self.sinks = (len(channels) - 1,)

    def forward(self, frame: torch.Tensor) -> tuple[torch.Tensor, ...]:
        tensors = [frame.permute(0, 3, 1, 2).float() / 255]
        for step, (kind, a, b) in enumerate(self.plan):
            x, y = tensors[a], tensors[b]
            if kind == 'conv':
                tensors.append(self.norms[str(step)](self.convs[str(step)](x)))
            elif kind == 'relu_':
                tensors.append(torch.relu_(x.clone()))
            elif kind == 'add':
                wide, narrow = (x, y) if x.shape[1] >= y.shape[1] else (y, x)
                tensors.append(wide + narrow.mean(dim=1, keepdim=True))
            elif kind == 'cat':
                tensors.append(torch.cat((x, y), dim=1))
            elif kind == 'chunk' and x.shape[1] >= 2:
                tensors.extend(x.split((x.shape[1] + 1) // 2, dim=1))
            elif kind == 'pool':
                tensors.append(nn.functional.max_pool2d(x, 3, 1, 1))
            elif kind == 'soft':
                tensors.append(torch.softmax(x.flatten(2), dim=2).view_as(x))
            elif kind == 'mix':
                tensors.append(x.transpose(2, 3).contiguous())
            else:
                tensors.append(x.reshape(1, -1).view(x.shape) * 0.5)
        return tuple(tensors[i] for i in self.sinks)


def random_detector(seed: int, steps: int) -> Detector:
    return Detector(
        'random', RandomNet(seed, steps), SIDE, SIDE, ('thing',), lambda outputs: outputs
    )


def random_cut(graph, rng):
    """Return the boundary of a random closed set that leaves something for the cloud."""
    keep = rng.uniform(0.3, 1.0)
    edge = set(graph.inputs)
    for layer in graph.layers[:-1]:
        if layer.op != 'input' and edge.issuperset(layer.inputs) and rng.random() < keep:
            edge.add(layer.id)
    return graph.boundary(edge)


def legal(graph, boundary) -> bool:
    try:
        graph.cloud_layers(boundary)
    except CutError:
        return False
    return True


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**16), steps=st.integers(1, 14))
def test_split_output_is_bit_identical_at_random_cuts(seed, steps):
    model = capture.capture_detector(random_detector(seed, steps))
    rng = random.Random(seed)
    frame = np.random.default_rng(seed).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
    whole = surgery.tail(model, model.graph.inputs)(frame)
    tried = 0
    for _ in range(12):
        boundary = random_cut(model.graph, rng)
        if not legal(model.graph, boundary):
            continue
        tried += 1
        tensors = surgery.head(model, boundary)(frame)
        # What arrives is in C order, read-only and at an odd address, as in a message.
        wire = [np.frombuffer(b'\0' + t.tobytes(), t.dtype, offset=1) if t.dtype == np.uint8
                else np.frombuffer(t.tobytes(), t.dtype) for t in tensors]  # fmt: skip
        received = [w.reshape(t.shape) for w, t in zip(wire, tensors, strict=True)]
        split = surgery.tail(model, boundary)(*received)
        for one, other in zip(split, whole, strict=True):
            assert np.array_equal(one, other, equal_nan=True)
    assert tried


@pytest.fixture(scope='module')
def model():
    return capture.capture_detector(random_detector(5, 12))


def test_whole_agrees_with_the_original_module(model):
    frame = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
    original = random_detector(5, 12).module.eval()
    with torch.inference_mode():
        expected = original(torch.from_numpy(frame))
    for one, other in zip(surgery.tail(model, model.graph.inputs)(frame), expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-4, atol=1e-5)


def test_tail_of_the_raw_outputs_passes_them_through(model):
    last = model.graph[model.graph.outputs[0]]
    boundary = model.graph.boundary(model.graph.all_edge - {last.id})
    frame = np.full((1, SIDE, SIDE, 3), 9, np.uint8)
    outputs = surgery.tail(model, boundary)(*surgery.head(model, boundary)(frame))
    whole = surgery.tail(model, model.graph.inputs)(frame)
    assert len(outputs) == len(model.outputs) == 3
    assert all(np.array_equal(a, b) for a, b in zip(outputs, whole, strict=True))


def test_head_of_the_inputs_returns_the_frame_as_it_is(model):
    head = surgery.head(model, model.graph.inputs)
    frame = np.full((1, SIDE, SIDE, 3), 9, np.uint8)
    frame.flags.writeable = False
    assert head(frame)[0] is frame
    with pytest.raises(CutError, match='must be uint8'):
        head(frame.astype(np.int16))
    with pytest.raises(CutError, match='takes 1 tensors but got 2'):
        head(frame, frame)


def test_halves_share_weights_and_own_only_what_they_need(model):
    boundary = model.graph.boundary(set(model.graph.inputs))
    reference = {b.data_ptr() for b in model.module.buffers()}
    tail = surgery.tail(model, boundary)
    assert {b.data_ptr() for b in tail.module.buffers()} <= reference
    assert not list(surgery.head(model, boundary).module.buffers())


def test_half_takes_any_strides(model):
    frame = np.random.default_rng(1).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
    half = surgery.tail(model, model.graph.inputs)
    padded = np.zeros((1, 2 * SIDE, SIDE, 3), np.uint8)
    padded[:, ::2] = frame
    for one, other in zip(half(frame), half(padded[:, ::2]), strict=True):
        assert np.array_equal(one, other)


def test_arguments_are_never_written_to(model):
    rng = random.Random(0)
    frame = np.random.default_rng(3).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
    boundary = next(b for b in (random_cut(model.graph, rng) for _ in range(99)) if len(b) > 1)
    tensors = surgery.head(model, boundary)(frame)
    before = [tensor.copy() for tensor in tensors]
    surgery.tail(model, boundary)(*tensors)
    assert all(np.array_equal(a, b) for a, b in zip(tensors, before, strict=True))


def test_half_refuses_another_shape_or_type(model):
    half = surgery.tail(model, model.graph.inputs)
    name = model.graph.inputs[0]
    with pytest.raises(CutError, match=rf"tensor '{name}' must be uint8 \(1, 16, 16, 3\)"):
        half(np.zeros((1, SIDE, SIDE, 4), np.uint8))
    with pytest.raises(CutError, match='but is float32'):
        half(np.zeros((1, SIDE, SIDE, 3), np.float32))
    with pytest.raises(CutError, match='takes 1 tensors but got 0'):
        half()


@pytest.mark.parametrize('boundary', [(), ('no such layer',), ('detections',)])
def test_what_is_no_cut_is_refused(model, boundary):
    with pytest.raises((CutError, GraphError)):
        surgery.tail(model, boundary)


@pytest.mark.parametrize('device', ['tpu', 'cuda:1', 'cuda-half:1', 'cuda:x', 'cpu:1', ''])
def test_devices_that_are_not_there_are_refused(model, device):
    with pytest.raises(ConfigError, match=f"device '{device}' is not available here"):
        surgery.tail(model, model.graph.inputs, device=device)


def test_warm_up_runs_the_half(model):
    surgery.head(model, model.graph.inputs).warm_up()


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device in this machine')
@pytest.mark.parametrize(('device', 'tolerance'), [('cuda', 1e-3), ('cuda-half', 3e-2)])
def test_halves_on_cuda_agree_to_rounding(model, device, tolerance):
    rng = np.random.default_rng(2)
    there = surgery.tail(model, model.graph.inputs, device=device)
    for _ in range(2):  # the second replays the graph with another frame
        frame = rng.integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
        here = surgery.tail(model, model.graph.inputs)(frame)
        for one, other in zip(here, there(frame), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance / 10)
