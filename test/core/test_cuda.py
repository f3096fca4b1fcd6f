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
from dataclasses import replace
import threading
import time
from unittest.mock import MagicMock

from dads_ros.detector.api import load_detector
from dads_ros.errors import ConfigError
from dads_ros.model import capture
from dads_ros.model import cuda_timing
from dads_ros.model import surgery
from dads_ros.model.cuda import Graphed
from dads_ros.model.cuda import precision
from dads_ros.model.devices import Device
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.model import LoadedModel
from dads_ros.profiles import profiling
from dads_ros.sampling import input_frames
from edge_bench import answering
from edge_bench import bench
from edge_bench import plan
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


def test_layer_of_a_gpu_takes_what_it_adds_to_the_graph_before_it(tiny, monkeypatch):
    class Counted:
        """As long as it has operators; the second once seemed shorter than the first."""

        def __init__(self, module, inputs, dtypes, half_precision) -> None:
            assert len(inputs) == 1 and not half_precision
            self.operators = sum(node.op == 'call_function' for node in module.graph.nodes)
            assert len(dtypes) == len(module(*inputs))

        def replay_s(self, repeats: int) -> float:
            assert repeats == 5
            return 0.5 if self.operators == 2 else float(self.operators)

    monkeypatch.setattr(cuda_timing, 'Graphed', Counted)
    frame = np.zeros((1, 16, 16, 3), np.uint8)
    done: list[None] = []
    found = cuda_timing.layer_seconds(tiny.model, 'cpu', frame, 5, lambda: done.append(None))
    assert len(done) == len(found)
    assert list(found) == [x.id for x in tiny.model.graph.layers if x.op != 'detections']
    assert list(found.values())[:4] == [0.0, 1.0, 0.0, 2.0]
    assert set(list(found.values())[4:]) <= {1.0}


needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason='no CUDA device in this machine'
)


@needs_gpu
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


@needs_gpu
def test_half_runs_while_others_are_recorded():
    shipped = load_detector('dads_ros.detector.shipped:detector')
    model = capture.capture_detector(shipped)
    frame = next(iter(input_frames('scene', shipped, 1)))
    half = surgery.tail(model, model.graph.inputs, device='cuda')
    wanted = half(frame)
    recorded = threading.Event()
    wrong: list[int] = []

    def run() -> None:
        count = 0
        while not recorded.is_set() or count < 10:
            outputs = half(frame.copy())
            if any(a.tobytes() != b.tobytes() for a, b in zip(outputs, wanted, strict=True)):
                wrong.append(count)
            count += 1

    worker = threading.Thread(target=run)
    worker.start()
    try:
        ids = [layer.id for layer in model.graph.layers if layer.op != 'detections']
        for last in range(2, len(ids), 8):
            surgery.tail(model, model.graph.boundary(ids[:last]), device='cuda').warm_up()
    finally:
        recorded.set()
        worker.join()
    assert not wrong


@needs_gpu
@pytest.mark.parametrize('device', ['cuda', 'cuda-half'])
def test_profile_of_a_gpu_has_its_layers_and_the_way_there_and_back(tiny, device):
    model = tiny.model
    frame = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), np.uint8)
    here = profiling.measure(tiny.detector, model, [frame], codecs=('raw',), repeats=3)
    there = profiling.measure(
        tiny.detector, model, [frame], device=device, codecs=('raw',), repeats=3
    )
    assert there.layer_s.keys() == here.layer_s.keys() and there.device == device
    assert all(seconds >= 0 for seconds in there.layer_s.values())
    ways = cuda_timing.ways(model, device, 3)
    assert all(way.load_s > 0 for way in ways.values())
    assert {name for name, way in ways.items() if way.fetch_s == 0} == set(model.graph.inputs)
    for layer_id, costs in there.codecs.items():
        assert costs['raw'].bytes_mean == here.codecs[layer_id]['raw'].bytes_mean


@needs_gpu
@pytest.mark.parametrize(
    ('car', 'cloud'), [('cpu', 'cuda'), ('cuda', 'cpu'), ('cuda', 'cuda-half')]
)
def test_frames_are_finished_with_a_gpu_on_either_side(tiny, car, cloud):
    def on(device: str) -> LoadedModel:
        return LoadedModel(tiny.detector, tiny.model, HalfCache(tiny.model, device))

    with bench(on(car), on_send=answering(on(cloud))) as made:
        made.edge.set_plan(replace(plan(1, made.hash), deadline_s=5.0))  # recorded meanwhile
        made.drive(0.2)
        made.until(lambda: Outcome.VIA_CLOUD in made.outcomes(), 'an answer')
