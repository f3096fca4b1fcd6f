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

"""Halves on a GPU; what of it needs none is tested without."""

from collections.abc import Callable
from contextlib import contextmanager
from contextlib import nullcontext
import threading
import time
from unittest.mock import MagicMock

from dads_ros.detector.api import load_detector
from dads_ros.errors import ConfigError
from dads_ros.model import capture
from dads_ros.model import surgery
from dads_ros.model.cuda import Graphed
from dads_ros.model.cuda import precision
from dads_ros.model.devices import Device
from dads_ros.sampling import input_frames
import numpy as np
import pytest
import torch


def test_half_without_operators_stays_on_the_cpu(tiny, monkeypatch):
    gpu = Device(torch.device('cuda', 0))
    monkeypatch.setattr(surgery, 'find_device', lambda _: gpu)
    model = tiny.model
    head = surgery.head(model, model.graph.inputs, device='cuda')
    frame = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), np.uint8)
    assert head.device.type == 'cpu' and np.array_equal(head(frame)[0], frame)
    # All outputs are computed on the other side: what is left is decoding.
    boundary = tuple(dict.fromkeys(model.graph['detections'].inputs))
    tail = surgery.tail(model, boundary, device='cuda')
    assert tail.device.type == 'cpu'


def test_weights_are_not_taken_from_the_reference_by_a_move(tiny):
    model = tiny.model
    tail = surgery.tail(model, model.graph.inputs)
    surgery._move(tail.module, torch.device('meta'))
    assert {b.device.type for b in tail.module.buffers()} == {'meta'}
    assert {b.device.type for b in model.module.buffers()} == {'cpu'}


def test_convolutions_do_without_tf32_while_a_half_is_recorded():
    convolutions = torch.backends.cudnn.conv
    before = convolutions.fp32_precision
    with pytest.raises(RuntimeError, match='stop'), precision(False):
        assert convolutions.fp32_precision == 'ieee'
        raise RuntimeError('stop')
    assert convolutions.fp32_precision == before


class FakeCuda:
    """Stands in for torch.cuda's recording: one capture at a time, on a stream that is passed."""

    def __init__(self, monkeypatch) -> None:
        self.stream_of = threading.local()
        self.underway = self.most = 0
        self.fails = False
        monkeypatch.setattr(torch.cuda, 'CUDAGraph', lambda: None)
        monkeypatch.setattr(torch.cuda, 'device', lambda _: nullcontext())
        monkeypatch.setattr(torch.cuda, 'Stream', lambda _: MagicMock())
        monkeypatch.setattr(torch.cuda, 'stream', self.on)
        monkeypatch.setattr(torch.cuda, 'graph', self.capture)
        monkeypatch.setattr(torch.cuda, 'current_stream', lambda _=None: self.current())
        monkeypatch.setattr(torch.cuda, 'set_stream', self.set)

    def current(self):
        if not hasattr(self.stream_of, 'it'):
            self.stream_of.it = MagicMock()
        return self.stream_of.it

    def set(self, stream) -> None:
        self.stream_of.it = stream

    @contextmanager
    def on(self, stream):
        before = self.current()
        self.set(stream)
        yield
        self.set(before)  # not after an error, as when a capture cannot be ended

    @contextmanager
    def capture(self, _graph, stream, capture_error_mode):
        assert capture_error_mode == 'thread_local'
        self.underway += 1
        self.most = max(self.most, self.underway)
        time.sleep(0.02)
        try:
            with self.on(stream):
                yield
                if self.fails:
                    raise RuntimeError('operation not permitted when stream is capturing\nmore')
        finally:
            self.underway -= 1


def test_recordings_of_several_threads_take_turns(tiny, monkeypatch):
    fake = FakeCuda(monkeypatch)
    tail = surgery.tail(tiny.model, tiny.model.graph.inputs)

    def record() -> None:
        Graphed(tail.module, tail.zeros(), [torch.float32], False)

    workers = [threading.Thread(target=record) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert fake.most == 1


def test_recording_that_fails_leaves_the_thread_on_its_stream(tiny, monkeypatch):
    fake = FakeCuda(monkeypatch)
    fake.fails = True
    before = fake.current()
    tail = surgery.tail(tiny.model, tiny.model.graph.inputs)
    with pytest.raises(ConfigError, match=r'CUDA graph \(operation not permitted.*capturing\)'):
        Graphed(tail.module, tail.zeros(), [torch.float32], False)
    assert fake.current() is before


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device in this machine')
@pytest.mark.parametrize(('device', 'tolerance'), [('cuda', 1e-4), ('cuda-half', 3e-2)])
def test_shipped_detector_is_cut_between_cpu_and_cuda(device, tolerance):
    shipped = load_detector('dads_ros.detector.shipped:detector')
    model = capture.capture_detector(shipped)
    frame = next(iter(input_frames('scene', shipped, 1)))
    wanted = surgery.tail(model, model.graph.inputs)(frame)
    waist = next(layer.id for layer in model.graph.layers[1:] if layer.dtype == 'uint8')
    made: list[surgery.Half] = []

    def make(side: Callable[..., surgery.Half], boundary: tuple[str, ...]) -> None:
        half = side(model, boundary, device=device)
        half.warm_up()
        made.append(half)

    stream = torch.cuda.current_stream()
    pairs = [(surgery.head, (waist,)), (surgery.tail, (waist,)), (surgery.tail, ('frame',))]
    workers = [threading.Thread(target=make, args=pair) for pair in pairs]
    for worker in workers:  # all at once, as nodes of one process prepare their halves
        worker.start()
    for worker in workers:
        worker.join()
    assert torch.cuda.current_stream() == stream
    halves = {(half.input_names, half.output_names): half for half in made}
    head = halves[model.graph.inputs, (waist,)]
    tail = halves[(waist,), model.outputs]
    whole = halves[model.graph.inputs, model.outputs]
    codes = surgery.head(model, (waist,))(frame)
    # A code next to a threshold may be rounded to its neighbour, no further.
    assert np.abs(head(frame)[0].astype(int) - codes[0].astype(int)).max() <= 1
    for one, other in zip(tail(*codes), wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max())
    assert all(a.shape == b.shape for a, b in zip(whole(frame), wanted, strict=True))
    # A thread that did not record a half may run it too.
    other_thread: list[tuple[np.ndarray, ...]] = []
    worker = threading.Thread(target=lambda: other_thread.append(tail(*codes)))
    worker.start()
    worker.join()
    assert all(np.array_equal(a, b) for a, b in zip(other_thread[0], tail(*codes), strict=True))
