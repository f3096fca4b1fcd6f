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

"""The cloud's pipeline serves everyone fairly and survives whatever arrives."""

from dataclasses import replace
import random
import time

from dads_ros.bundle import Bundle
from dads_ros.bundle import check_result
from dads_ros.bundle import EncodedTensor
from dads_ros.bundle import Result
from dads_ros.errors import BundleError
from dads_ros.pipeline import turns as turns_module
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.cloud import FAILURES_IN_A_ROW
from dads_ros.pipeline.model import LoadedModel
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

FRAME = np.zeros((1, 16, 16, 3), np.uint8)
MAP = np.zeros((1, 1, 16, 16), np.float32)


def bundle(
    tiny: LoadedModel, vehicle: str = 'car', sequence: int = 1, name: str = 'conv2d'
) -> Bundle:
    array = FRAME if name == 'frame' else MAP
    tensor = EncodedTensor(name, array.shape, array.dtype.name, 'raw', array.tobytes())
    sent_ns = 100 * sequence
    return Bundle(vehicle, tiny.model.hash, sequence, 1, 5, 'camera', 32, 32, sent_ns, (tensor,))


def pipeline(tiny: LoadedModel, **limits: float) -> tuple[CloudPipeline, list[Result]]:
    results: list[Result] = []
    made = CloudPipeline(
        tiny.detector, tiny.model, tiny.halves, lambda result, _: results.append(result),
        CloudLimits(**limits),
    )  # fmt: skip
    return made, results


def run_dry(made: CloudPipeline) -> None:
    while made.step(0.0):
        pass


def test_answer_echoes_what_the_bundle_says(tiny):
    made, results = pipeline(tiny)
    made.receive(bundle(tiny, sequence=9), 'here')
    assert made.step(0.0)
    (result,) = results
    assert (result.vehicle, result.sequence, result.sent_ns, result.stamp_ns) == ('car', 9, 900, 5)
    assert result.queue_s >= 0 and result.decode_s >= 0 and result.compute_s > 0
    assert not made.step(0.0)


def test_flood_of_one_vehicle_does_not_starve_another(tiny):
    made, results = pipeline(tiny, queue_depth=4)
    for sequence in range(1000):
        made.receive(bundle(tiny, 'flood', sequence), 'here')
        if sequence in (100, 900):
            made.receive(bundle(tiny, 'quiet', sequence), 'here')
    run_dry(made)
    order = [result.vehicle for result in results]
    assert order.count('quiet') == 2 and order.count('flood') == 4
    assert order.index('quiet') <= 1
    assert [r.sequence for r in results if r.vehicle == 'flood'] == [996, 997, 998, 999]
    assert made.rejected['vehicle over its share'] == 996


def test_vehicles_take_turns(tiny):
    made, results = pipeline(tiny)
    for vehicle in 'abc':
        for sequence in range(3):
            made.receive(bundle(tiny, vehicle, sequence), 'here')
    run_dry(made)
    assert [result.vehicle for result in results] == list('abc' * 3)


def test_memory_is_bounded_by_vehicles(tiny):
    made, results = pipeline(tiny)
    for number in range(3 * turns_module.MAX_VEHICLES):
        made.receive(bundle(tiny, f'car{number}'), 'here')
    assert len(made._turns._vehicles) == len(made._turns) == turns_module.MAX_VEHICLES
    assert made.rejected['too many vehicles'] == 2 * turns_module.MAX_VEHICLES
    run_dry(made)
    assert len(results) == turns_module.MAX_VEHICLES
    made.receive(bundle(tiny, 'newcomer'), 'here')  # takes the place of one that is silent
    assert len(made._turns._vehicles) == turns_module.MAX_VEHICLES
    assert made.step(0.0) and results[-1].vehicle == 'newcomer'


def test_repeated_and_older_bundles_are_refused_also_after_they_were_served(tiny):
    made, results = pipeline(tiny)
    for sequence in (5, 5, 4):
        made.receive(bundle(tiny, sequence=sequence), 'here')
        run_dry(made)
    assert len(results) == 1
    assert made.rejected == {'repeated or out of order': 2}


def test_vehicle_whose_node_was_started_again_is_served_at_once(tiny):
    made, results = pipeline(tiny)
    first = bundle(tiny, sequence=500)
    again = replace(first, sequence=1, sent_ns=first.sent_ns + 1)  # counts anew, the clock goes on
    for one in (first, again, first, again):  # and neither life can be repeated
        made.receive(one, 'here')
        run_dry(made)
    assert [result.sequence for result in results] == [500, 1]
    assert made.rejected == {'repeated or out of order': 2}


def test_vehicle_that_was_switched_off_counts_from_the_start(tiny, monkeypatch):
    made, results = pipeline(tiny)
    made.receive(bundle(tiny, sequence=500), 'here')
    run_dry(made)
    monkeypatch.setattr(turns_module, 'FORGET_S', 0.01)
    time.sleep(0.02)
    made.receive(bundle(tiny, sequence=1), 'here')
    run_dry(made)
    assert [result.sequence for result in results] == [500, 1]


def test_bundle_that_waited_too_long_is_dropped(tiny):
    made, results = pipeline(tiny, max_age_s=0.01)
    made.receive(bundle(tiny), 'here')
    time.sleep(0.02)
    assert made.step(0.0)
    assert not results and made.rejected == {'too old': 1}


def tensor(good: Bundle, **changes: object) -> Bundle:
    return replace(good, tensors=(replace(good.tensors[0], **changes),))


MUTATIONS = {
    'another model': lambda b: replace(b, model_hash='f' * 32),
    'name missing or too long': lambda b: replace(b, vehicle=''),
    'image size out of range': lambda b: replace(b, image_width=0),
    'unknown tensor': lambda b: tensor(b, name='nothing'),
    'wrong shape or type': lambda b: tensor(b, shape=(1, 1, 1 << 20, 1 << 20)),
    'unknown codec': lambda b: tensor(b, codec='pickle'),
    'codec not accepted': lambda b: tensor(b, codec='jpeg75'),
    'not a legal cut': lambda b: replace(b, tensors=()),
    'over 4000000 bytes': lambda b: tensor(b, data=bytes(4_000_001)),
    'more tensors than layers': lambda b: replace(b, tensors=b.tensors * 100),
    'tensors repeated or out of order': lambda b: replace(b, tensors=b.tensors * 2),
    'data cannot be decoded': lambda b: tensor(b, data=b''),
}


@pytest.mark.parametrize('reason', MUTATIONS)
def test_violation_is_counted_and_answered_with_nothing(tiny, reason):
    made, results = pipeline(tiny)
    made.receive(MUTATIONS[reason](bundle(tiny)), 'here')
    run_dry(made)
    assert not results
    assert made.rejected == {reason: 1}


TEXTS = st.one_of(st.text(max_size=300), st.sampled_from(('conv2d', 'frame', 'raw', 'float32')))
TENSORS = st.builds(
    EncodedTensor,
    name=st.sampled_from(('frame', 'permute', 'div', 'conv2d', 'avg_pool2d', 'sigmoid', 'x', '')),
    shape=st.lists(st.sampled_from((0, 1, 3, 4, 16, 2**31)), max_size=5).map(tuple),
    dtype=st.sampled_from(('float32', 'uint8', 'object', '')),
    codec=st.sampled_from(('raw', 'raw+zstd', 'int8+zstd', 'packed', 'jpeg75', 'jpeg0', 'x')),
    data=st.binary(max_size=64),
)


@settings(max_examples=300)
@given(tensors=st.lists(TENSORS, max_size=4).map(tuple), text=TEXTS, number=st.integers(0, 2**32))
def test_no_bundle_raises(tiny, tensors, text, number):
    made, results = pipeline(tiny)
    good = bundle(tiny)
    made.receive(replace(good, tensors=tensors, vehicle=text, sequence=number), 'here')
    made.receive(replace(good, tensors=tensors, frame_id=text, image_height=number), 'here')
    run_dry(made)
    assert not results
    assert sum(made.rejected.values()) == 2


CODECS = ('raw', 'raw+zstd', 'float16+zstd', 'int8+zstd', 'int4+zstd')


@settings(max_examples=300)
@given(data=st.binary(max_size=2000), used=st.sampled_from(CODECS))
def test_no_data_raises(tiny, data, used):
    made, _ = pipeline(tiny)
    made.receive(tensor(bundle(tiny), codec=used, data=data), 'here')
    run_dry(made)
    assert made.answered + made.rejected['data cannot be decoded'] == 1


def test_reasons_do_not_quote_what_arrived(tiny):
    made, _ = pipeline(tiny)
    draw = random.Random(1)
    for sequence in range(200):
        changes = (
            {'codec': f'jpeg{draw.random()}'} if sequence % 2 else {'data': draw.randbytes(9)}
        )
        made.receive(tensor(bundle(tiny, sequence=sequence), **changes), 'here')
        run_dry(made)
    assert set(made.rejected) == {'unknown codec', 'data cannot be decoded'}


def test_detector_that_fails_does_not_stop_the_service(tiny):
    def decode(_: object) -> None:
        raise ZeroDivisionError

    broken = LoadedModel(replace(tiny.detector, decode=decode), tiny.model, tiny.halves)
    made, results = pipeline(broken)
    made.receive(bundle(tiny), 'here')
    assert made.step(0.0)
    assert not results and made.rejected == {'detector failed with ZeroDivisionError': 1}


def test_detector_that_fails_on_anything_ends_the_node_and_tells_why(tiny):
    def decode(_: object) -> None:
        raise ZeroDivisionError

    told: list[str] = []
    detector = replace(tiny.detector, decode=decode)
    made = CloudPipeline(
        detector, tiny.model, tiny.halves, lambda *_: None, CloudLimits(), told.append
    )
    for sequence in range(FAILURES_IN_A_ROW):
        assert len(told) == sequence
        made.receive(bundle(tiny, sequence=sequence), 'here')
        if sequence < FAILURES_IN_A_ROW - 1:
            assert made.step(0.0)
    with pytest.raises(ZeroDivisionError):
        made.step(0.0)
    assert all('Traceback' in text and 'ZeroDivisionError' in text for text in told)


def test_detector_that_fails_on_what_one_vehicle_sends_serves_on(tiny):
    def decode(outputs: tuple[np.ndarray, ...]) -> object:
        if np.isnan(outputs[0]).any():
            raise ZeroDivisionError
        return tiny.detector.decode(outputs)

    broken = LoadedModel(replace(tiny.detector, decode=decode), tiny.model, tiny.halves)
    made, results = pipeline(broken)
    bad = np.full_like(MAP, np.nan).tobytes()
    for sequence in range(3 * FAILURES_IN_A_ROW):
        made.receive(tensor(bundle(tiny, 'hostile', sequence), data=bad), 'here')
        run_dry(made)
    made.receive(bundle(tiny), 'here')
    run_dry(made)
    assert [one.vehicle for one in results] == ['car']
    assert made.rejected == {'detector failed with ZeroDivisionError': 3 * FAILURES_IN_A_ROW}


def test_an_answer_goes_where_its_bundle_came_in_whatever_name_it_bears(tiny):
    answered: list[tuple[int, str]] = []
    made = CloudPipeline(
        tiny.detector, tiny.model, tiny.halves,
        lambda result, account: answered.append((result.sequence, account)), CloudLimits(),
    )  # fmt: skip
    made.receive(bundle(tiny, sequence=1), '/car')
    made.receive(tensor(bundle(tiny, sequence=2), shape=(1, 1)), '/other')
    made.receive(replace(bundle(tiny), vehicle='x' * 10_000_000), '/other')
    made.receive(bundle(tiny, sequence=3), '/other')
    run_dry(made)
    assert answered == [(1, '/car'), (3, '/other')]
    assert made.vehicles == 1


def test_not_a_number_is_computed_and_left_to_the_edge_to_refuse(tiny):
    made, results = pipeline(tiny)
    made.receive(tensor(bundle(tiny), data=np.full_like(MAP, np.nan).tobytes()), 'here')
    run_dry(made)
    assert len(results) == 1
    with pytest.raises(BundleError, match='scores out of range'):
        check_result(results[0], tiny.model.hash, 'car', 1)
