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

"""A vehicle that asks for ever new cuts takes a bounded share of the cloud, and of its memory."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from dads_ros.bundle import Bundle
from dads_ros.bundle import EncodedTensor
from dads_ros.bundle import Result
from dads_ros.pipeline import allowance
from dads_ros.pipeline import halves as halves_module
from dads_ros.pipeline.allowance import Allowance
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.model import LoadedModel
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest


@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1)), min_size=1, max_size=200),
    st.floats(0, 1e6),
)
def test_building_takes_a_bounded_share_of_any_time(asked, start_s):
    # Asks as often as it likes; each build takes what it takes, and the clock goes on with it.
    left = Allowance(start_s)
    now_s, spent_s, longest_s = start_s, 0.0, 0.0
    for pause_s, build_s in asked:
        now_s += pause_s
        if left.is_left(now_s):
            left.spend(build_s)
            now_s += build_s
            spent_s += build_s
            longest_s = max(longest_s, build_s)
        # What is owed beyond DEEPEST_S is forgiven, at most once in the time that this takes back.
        waits = (now_s - start_s) * allowance.SHARE / allowance.DEEPEST_S + 1
        forgiven_s = max(0.0, longest_s - allowance.DEEPEST_S) * waits
        share_s = (now_s - start_s) * allowance.SHARE
        assert spent_s <= allowance.FULL_S + share_s + longest_s + forgiven_s + 1e-6


def test_vehicle_may_ask_again_after_a_rest():
    left = Allowance(0.0)
    left.spend(100.0)
    assert not left.is_left(1.0)
    assert left.is_left(1.0 + allowance.DEEPEST_S / allowance.SHARE)


class SlowHalves(HalfCache):
    """Halves that take 50 ms to build, on a clock of their own."""

    def __init__(self, tiny: LoadedModel, clock: SimpleNamespace) -> None:
        super().__init__(tiny.model)
        self._clock = clock
        self.built: list[tuple[str, tuple[str, ...]]] = []

    def _get(self, cache: Any, make: Callable[..., Any], boundary: Any, owner: str = '') -> Any:
        if boundary not in cache:
            self.built.append((owner, boundary))
            self._clock.now_s += 0.05
        return super()._get(cache, make, boundary, owner)


def bundle(tiny: LoadedModel, vehicle: str, sequence: int, name: str) -> Bundle:
    layer = tiny.model.graph[name]
    array = np.zeros(layer.shape, layer.dtype)
    tensor = EncodedTensor(name, array.shape, array.dtype.name, 'raw', array.tobytes())
    return Bundle(
        vehicle, tiny.model.hash, sequence, 1, 5, 'camera', 32, 32, 7 + sequence, (tensor,)
    )


def served_from(tiny, slow: SlowHalves, results: list[Result]) -> CloudPipeline:
    def answer(result: Result, _: str) -> None:
        results.append(result)

    return CloudPipeline(tiny.detector, tiny.model, slow, answer, CloudLimits())


def test_vehicle_that_cycles_cuts_has_few_built_and_the_others_are_served(tiny, monkeypatch):
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr('dads_ros.pipeline.cloud.time.monotonic', lambda: clock.now_s)
    monkeypatch.setattr(halves_module, 'CACHED_CUTS', 2)
    slow = SlowHalves(tiny, clock)
    results: list[Result] = []
    made = served_from(tiny, slow, results)
    names = [layer.id for layer in tiny.model.graph.layers[:-1]]
    assert len(names) > 3
    rounds = 300
    for sequence in range(rounds):
        clock.now_s += 0.05
        made.receive(bundle(tiny, 'hostile', sequence, names[sequence % len(names)]), 'hostile')
        made.receive(bundle(tiny, 'car', sequence, 'conv2d'), 'car')
        while made.step(0.0):
            pass
    served = [result.sequence for result in results if result.vehicle == 'car']
    assert served == list(range(rounds))
    # Its cut is in use, so it stays; the other drives out its own.
    assert sum(owner == 'car' for owner, _ in slow.built) <= 1
    hostile = sum(owner == 'hostile' for owner, _ in slow.built) * 0.05
    assert 1.0 < hostile < allowance.FULL_S + (clock.now_s - 100.0) * allowance.SHARE + 0.06
    assert made.rejected['too many new cuts'] > rounds / 2


def test_invented_names_share_one_account(tiny, monkeypatch):
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr('dads_ros.pipeline.cloud.time.monotonic', lambda: clock.now_s)
    monkeypatch.setattr(halves_module, 'CACHED_CUTS', 2)
    slow = SlowHalves(tiny, clock)
    results: list[Result] = []
    made = served_from(tiny, slow, results)
    names = [layer.id for layer in tiny.model.graph.layers[:-1]]
    rounds = 300
    for number in range(rounds):
        clock.now_s += 0.05
        name = names[number % len(names)]
        made.receive(bundle(tiny, f'invented {number}', number, name), '/open')
        made.receive(bundle(tiny, 'car', number, 'conv2d'), '/car')
        while made.step(0.0):
            pass
    assert sum(result.vehicle == 'car' for result in results) == rounds
    assert sum(owner == '/car' for owner, _ in slow.built) <= 1
    taken_s = sum(owner == '/open' for owner, _ in slow.built) * 0.05
    assert 1.0 < taken_s < allowance.FULL_S + (clock.now_s - 100.0) * allowance.SHARE + 0.06


def test_a_vehicle_that_is_sure_pays_for_its_cuts_on_any_lane(tiny):
    slow = SlowHalves(tiny, SimpleNamespace(now_s=0.0))
    answers: list[Result] = []
    made = served_from(tiny, slow, answers)
    made.receive(bundle(tiny, 'guest', 1, 'conv2d'), '/car', 'guest')
    assert made.step(0.0)
    assert [owner for owner, _ in slow.built] == ['guest']
    assert len(answers) == 1


@pytest.mark.parametrize(('owners', 'given_up'), [('aab', 0), ('abb', 1), ('abc', 0)])
def test_whoever_has_most_loses_the_one_unused_for_longest(tiny, monkeypatch, owners, given_up):
    monkeypatch.setattr(halves_module, 'CACHED_CUTS', 2)
    halves = HalfCache(tiny.model)
    names = [(layer.id,) for layer in tiny.model.graph.layers[:3]]
    for name, owner in zip(names, owners, strict=True):
        halves.tail(name, owner)
    assert [halves.has_tail(name) for name in names] == [i != given_up for i in range(3)]
