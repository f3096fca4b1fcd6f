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

"""Bundles of several cars are finished together: fairly, with the answers they get alone."""

from collections.abc import Sequence
from dataclasses import replace
import time

from dads_ros.bundle import Bundle
from dads_ros.bundle import EncodedTensor
from dads_ros.bundle import Result
from dads_ros.detector.api import Detector
from dads_ros.model.capture import capture_detector
from dads_ros.model.surgery import tail
from dads_ros.pipeline import batch
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.model import LoadedModel
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest
import torch

SHAPES = {'frame': (1, 16, 16, 3), 'conv2d': (1, 1, 16, 16)}
CARS = 'abcd'


def bundle(loaded: LoadedModel, vehicle: str, sequence: int = 1, name: str = 'conv2d') -> Bundle:
    """Return a bundle of random numbers that depend on the vehicle and the sequence."""
    draw = np.random.default_rng([ord(vehicle), sequence])
    array = (draw.random(SHAPES[name]) * 255).astype(np.uint8 if name == 'frame' else np.float32)
    tensor = EncodedTensor(name, array.shape, array.dtype.name, 'raw', array.tobytes())
    return Bundle(
        vehicle, loaded.model.hash, sequence, 1, 5, 'camera', 32, 32, 7 + sequence, (tensor,)
    )


def serve(
    loaded: LoadedModel, bundles: Sequence[Bundle], size: int = 4
) -> tuple[CloudPipeline, list[Result]]:
    """Let bundles wait together and return what they were answered."""
    results: list[Result] = []
    made = CloudPipeline(
        loaded.detector, loaded.model, loaded.halves, lambda result, _: results.append(result),
        CloudLimits(batch=size),
    )  # fmt: skip
    for one in bundles:
        made.receive(one, 'here')
    while made.step(0.0):
        pass
    return made, results


def assert_same_answers(results: Sequence[Result], expected: Sequence[Result]) -> None:
    by_frame = {(one.vehicle, one.sequence): one.detections for one in expected}
    assert by_frame.keys() == {(one.vehicle, one.sequence) for one in results}
    for one in results:
        wanted = by_frame[one.vehicle, one.sequence]
        assert np.allclose(one.detections.boxes, wanted.boxes, atol=1e-4)
        assert np.allclose(one.detections.scores, wanted.scores, atol=1e-4)


@pytest.fixture
def eager(monkeypatch):
    """Let a batch seem the faster the larger it is."""
    monkeypatch.setattr(batch._Record, 'size', lambda _, most: most)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(CARS), st.sampled_from(sorted(SHAPES))), max_size=10),
    st.sampled_from((2, 3, 16)),
)
def test_answers_are_those_of_bundles_served_alone(tiny, arrivals, size):
    bundles = [bundle(tiny, car, number, name) for number, (car, name) in enumerate(arrivals)]
    _, expected = serve(tiny, bundles, size=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch._Record, 'size', lambda _, most: most)
        made, results = serve(tiny, bundles, size)
    assert_same_answers(results, expected)
    for car in CARS:
        answered = [one.sequence for one in results if one.vehicle == car]
        assert answered == sorted(answered)
    if len({(car, name) for car, name in arrivals}) == len({name for _, name in arrivals}):
        assert made.answered_together == 0  # every bundle of a cut is of one car


@pytest.mark.usefixtures('eager')
def test_bundles_of_another_cut_wait_for_their_turn(tiny):
    cuts = {'a': 'conv2d', 'b': 'frame', 'c': 'conv2d', 'd': 'frame'}
    made, results = serve(tiny, [bundle(tiny, car, 1, name) for car, name in cuts.items()])
    assert [one.vehicle for one in results] == ['a', 'c', 'b', 'd']
    assert made.answered_together == 4


@pytest.mark.usefixtures('eager')
def test_one_car_is_never_given_a_batch(tiny, monkeypatch):
    monkeypatch.setattr(batch, 'together', None)
    made, results = serve(tiny, [bundle(tiny, 'a', sequence) for sequence in range(4)])
    assert [one.sequence for one in results] == [0, 1, 2, 3]
    assert made.answered_together == 0 and not made.rejected


@pytest.mark.usefixtures('eager')
def test_bad_bundle_in_a_batch_hurts_nobody_else(tiny):
    bundles = [bundle(tiny, car) for car in CARS]
    _, expected = serve(tiny, [bundles[0], bundles[2], bundles[3]], size=1)
    cut_short = replace(bundles[1].tensors[0], data=b'')
    bundles[1] = replace(bundles[1], tensors=(cut_short,))
    made, results = serve(tiny, bundles)
    assert_same_answers(results, expected)
    assert made.answered_together == 3
    assert made.rejected == {'data cannot be decoded': 1}


@pytest.mark.usefixtures('eager')
def test_detector_that_fails_on_one_answers_the_others(tiny):
    calls = []

    def decode(outputs: tuple[np.ndarray, ...]) -> object:
        calls.append(outputs)
        if len(calls) == 2:
            raise ZeroDivisionError
        return tiny.detector.decode(outputs)

    broken = replace(tiny, detector=replace(tiny.detector, decode=decode))
    made, results = serve(broken, [bundle(tiny, car) for car in CARS])
    assert [one.vehicle for one in results] == ['a', 'c', 'd']
    assert made.rejected == {'detector failed with ZeroDivisionError': 1}


@pytest.mark.usefixtures('eager')
def test_companion_that_grew_too_old_is_left_out(tiny, monkeypatch):
    results: list[Result] = []
    made = CloudPipeline(
        tiny.detector, tiny.model, tiny.halves, lambda result, _: results.append(result),
        CloudLimits(max_age_s=0.05),
    )  # fmt: skip
    made.receive(bundle(tiny, 'a'), 'here')
    made.receive(bundle(tiny, 'b'), 'here')
    decode = made._decode

    def slow(waiting: object) -> object:
        time.sleep(0.06)
        return decode(waiting)

    monkeypatch.setattr(made, '_decode', slow)
    assert made.step(0.0) and not made.step(0.0)
    assert [one.vehicle for one in results] == ['a']
    assert made.rejected == {'too old': 1}


@pytest.mark.usefixtures('eager')
def test_time_of_the_batch_is_told_to_each_of_its_cars(tiny, monkeypatch):
    together = batch.together

    def slow(*arguments: object) -> object:
        time.sleep(0.02)
        return together(*arguments)

    monkeypatch.setattr(batch, 'together', slow)
    started_s = time.monotonic()
    _, results = serve(tiny, [bundle(tiny, car) for car in CARS])
    elapsed_s = time.monotonic() - started_s
    assert len(results) == 4
    assert all(one.compute_s >= 0.02 for one in results)
    assert all(one.cloud_s <= elapsed_s for one in results)


@pytest.mark.usefixtures('eager')
def test_batch_that_fails_is_served_one_by_one_and_never_again(tiny, monkeypatch):
    monkeypatch.setattr(batch, 'takes_batches', lambda _: True)
    tried = []

    def fails(_: object, bundles: Sequence[object]) -> None:
        tried.append(len(bundles))
        raise RuntimeError

    monkeypatch.setattr(batch, 'together', fails)
    bundles = [bundle(tiny, car, sequence) for car in CARS for sequence in range(3)]
    made, results = serve(tiny, bundles)
    assert len(results) == len(bundles) and not made.rejected
    assert made.answered_together == 0 and tried == [4]


class Pooled(torch.nn.Module):
    """A convolution and a last step that may or may not take a batch."""

    def __init__(self, last: object) -> None:
        super().__init__()
        self.mix = torch.nn.Conv2d(3, 1, 1, bias=False)
        torch.nn.init.constant_(self.mix.weight, 1 / 3)
        self.last = last

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        pixels = frame.permute(0, 3, 1, 2).to(torch.float32) / 255
        return self.last(torch.nn.functional.avg_pool2d(self.mix(pixels), 4))


LAST_STEPS = {
    'nothing': (lambda maps: maps, True),
    'a view of one frame': (lambda maps: maps.reshape(1, 16) * 2, False),
    'no batch in the output': (lambda maps: maps.reshape(4, 4) * 2, False),
    'the largest of all': (lambda maps: maps / maps.abs().amax(), False),
    'one answer whatever comes': (lambda maps: maps * 0 + 1, False),
}


@pytest.mark.usefixtures('eager')
@pytest.mark.parametrize('last', LAST_STEPS)
def test_tail_that_cannot_take_a_batch_is_found_out_and_answers_as_before(tiny, last):
    step, is_able = LAST_STEPS[last]

    def decode(outputs: tuple[np.ndarray, ...]) -> object:
        return tiny.detector.decode((outputs[0].reshape(1, 1, 4, 4),))

    detector = Detector('pooled', Pooled(step).eval(), 16, 16, ('thing',), decode)
    model = capture_detector(detector)
    assert batch.takes_batches(tail(model, ('conv2d',))) is is_able
    loaded = LoadedModel(detector, model, HalfCache(model))
    bundles = [bundle(loaded, car, sequence) for car in CARS for sequence in range(2)]
    _, expected = serve(loaded, bundles, size=1)
    made, results = serve(loaded, bundles)
    assert_same_answers(results, expected)
    assert made.answered_together == (len(bundles) if is_able else 0)


def test_batches_run_plain_operators_whatever_form_serves_single_bundles(tiny):
    half = tail(tiny.model, ('conv2d',))
    arrays = [(np.full(SHAPES['conv2d'], value, np.float32),) for value in (0.2, 0.7)]
    alone = [half(*one) for one in arrays]
    half.take(lambda _: [torch.zeros(1, 1, 4, 4)])
    for one, expected in zip(batch.together(half, arrays), alone, strict=True):
        assert np.allclose(one[0], expected[0])


BUNDLE_MS = {1: 10.0, 2: 8.0, 4: 7.0, 8: 9.0, 16: 12.0}


def settled(bundle_ms: dict[int, float]) -> batch._Record:
    record = batch._Record()
    for _ in range(batch.SAMPLES * len(bundle_ms)):
        size = record.size(16)
        record.note(size, bundle_ms[size] * size / 1e3)
    return record


@pytest.mark.parametrize(('waiting', 'best'), [(1, 1), (2, 2), (3, 2), (4, 4), (15, 4), (40, 4)])
def test_fastest_size_is_taken_of_those_that_wait(waiting, best):
    assert settled(BUNDLE_MS).size(waiting) == best


def test_slower_batches_are_not_made_but_measured_again_at_times():
    slower = {n: 10.0 + n for n in batch.SIZES}
    record = settled(slower)
    sizes = []
    for _ in range(10 * batch.REVIEW):
        sizes.append(record.size(4))
        record.note(sizes[-1], slower[sizes[-1]] * sizes[-1] / 1e3)
    assert 0 < sum(size > 1 for size in sizes) <= 10
    for size in batch.SIZES:  # now the machine is another one
        for _ in range(batch.SAMPLES):
            record.note(size, BUNDLE_MS[size] * size / 1e3)
    assert record.size(4) == 4
