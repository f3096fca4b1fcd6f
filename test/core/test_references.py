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

"""What car and cloud remember so that bundles may refer to earlier ones."""

from __future__ import annotations

from dataclasses import replace
import threading

from dads_ros.codec import checksum
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.edge import EdgeLimits
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.references import CAR_BUNDLES
from dads_ros.pipeline.references import CAR_BYTES
from dads_ros.pipeline.references import DecodedTensors
from dads_ros.pipeline.references import Memory
from dads_ros.pipeline.references import SentTensors
from dads_ros.pipeline.turns import MAX_VEHICLES
from edge_bench import bench
from edge_bench import plan
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np

CUT = ('waist',)
# What happens to a bundle: the cloud answers and the car hears it, now or later or never; or it
# does not reach the cloud; and at times the cloud is started again.
FATES = st.sampled_from(('heard', 'late', 'unheard', 'lost', 'restart'))


def arrays(number: int, size: int = 10) -> tuple[np.ndarray, ...]:
    return (np.full(size, number, np.uint8),)


def test_the_oldest_go_first_and_what_is_too_large_is_not_kept():
    memory = Memory(3, 100)
    for number in range(1, 6):
        memory.keep(number, CUT, arrays(number))
    assert [n for n in range(1, 6) if memory.recall(n, CUT)] == [3, 4, 5]
    assert not memory.recall(5, ('other',))
    assert memory.find(CUT, 0, checksum(arrays(4)[0])) is memory.recall(4, CUT)[0]
    assert memory.find(('other',), 0, checksum(arrays(4)[0])) is None
    assert memory.find(CUT, 0, checksum(arrays(2)[0])) is None
    memory.keep(6, CUT, arrays(6, 95))
    assert [n for n in range(1, 7) if memory.recall(n, CUT)] == [6]
    memory.keep(7, CUT, arrays(7, 101))
    assert not [n for n in range(1, 8) if memory.recall(n, CUT)]
    memory.keep(8, CUT, arrays(8, 60))
    memory.keep(8, CUT, arrays(8, 60))  # the same number again counts once
    assert memory.recall(8, CUT)


@settings(max_examples=300)
@given(st.lists(FATES, max_size=60), st.integers(1, 40_000))
def test_the_cloud_has_whatever_the_car_refers_to_unless_it_was_started_again(fates, size):
    car, cloud = SentTensors(), Memory(2 * CAR_BUNDLES, 2 * CAR_BYTES)
    later: list[int] = []
    has_restarted = False
    for number, fate in enumerate(fates, start=1):
        if fate == 'restart':
            cloud, has_restarted = Memory(2 * CAR_BUNDLES, 2 * CAR_BYTES), True
            continue
        references = car.references(CUT)
        car.sent(number, CUT, arrays(number, size))
        if fate == 'lost':
            continue
        if references:
            found = cloud.find(CUT, 0, checksum(references[0]))
            if found is None:
                assert has_restarted
                car.forget()  # no answer comes, and the deadline passes
                assert not car.references(CUT)
                continue
            np.testing.assert_array_equal(found, references[0])
        cloud.keep(number, CUT, arrays(number, size))
        if fate == 'heard':
            car.answered(number)
            assert [a[0] for a in car.references(CUT)] == [number]
        elif fate == 'late':
            later.append(number)
        while later and number - later[0] > 3:
            car.answered(later.pop(0))


def test_an_answer_to_an_older_bundle_does_not_take_the_reference_back():
    car = SentTensors()
    for number in (1, 2):
        car.sent(number, CUT, arrays(number))
    car.answered(2)
    car.answered(1)
    assert [a[0] for a in car.references(CUT)] == [2]
    assert car.references(('other',)) == ()
    for number in range(3, 3 + CAR_BUNDLES):
        car.sent(number, CUT, arrays(number))
    assert car.references(CUT) == ()  # older than what the cloud is sure to have


def test_the_cloud_remembers_the_newest_vehicles():
    decoded = DecodedTensors()
    for number in range(MAX_VEHICLES + 1):
        decoded.of(f'car{number}').keep(1, CUT, arrays(1))
    assert decoded.of('car1').recall(1, CUT)
    assert not decoded.of('car0').recall(1, CUT)


class Clouds:
    """A cloud that answers an edge's bundles; it may be started again, losing what it knew."""

    def __init__(self, tiny) -> None:
        self._tiny = tiny
        self.restart()

    def restart(self) -> None:
        self.results: list = []
        self.cloud = CloudPipeline(
            self._tiny.detector, self._tiny.model, self._tiny.halves,
            lambda result, _: self.results.append(result),
            CloudLimits(max_age_s=60),
        )  # fmt: skip

    def on_send(self, made, bundle) -> None:
        self.cloud.receive(bundle, 'here')
        self.cloud.step(0.0)
        if self.results:
            result = self.results.pop()
            threading.Timer(0.0, lambda: made.edge.receive(result)).start()


def test_an_edge_refers_to_what_was_answered_and_gets_over_a_cloud_that_forgot(tiny):
    clouds = Clouds(tiny)
    image = np.zeros((32, 32, 3), np.uint8)
    image[4:8, 20:24] = 15  # what packed codecs take
    cut = replace(plan(1, tiny.model.hash, ('frame',)), codec='packed+ref')

    def frame(made) -> str:
        """Offer a frame, wait for its end, and return the codec that it was sent in."""
        count = len(made.ends)
        made.offer(image)
        made.until(lambda: len(made.ends) > count, 'the end of a frame')
        return made.bundles[-1].tensors[0].codec

    with bench(tiny, EdgeLimits(miss_limit=10), on_send=clouds.on_send) as made:
        made.edge.set_plan(cut)
        assert [frame(made) for _ in range(3)] == ['packed', 'packed+ref', 'packed+ref']
        assert set(made.outcomes()) == {Outcome.VIA_CLOUD}
        whole, referring = (bundle.tensors[0].data for bundle in made.bundles[:2])
        assert len(referring) - 4 < len(whole)
        clouds.restart()
        assert frame(made) == 'packed+ref'
        assert made.outcomes()[-1] is Outcome.LOCAL_AFTER_MISS
        assert clouds.cloud.rejected == {'data cannot be decoded': 1}
        assert [frame(made) for _ in range(2)] == ['packed', 'packed+ref']
        assert made.outcomes()[-2:] == [Outcome.VIA_CLOUD] * 2


def test_an_edge_refers_to_nothing_unless_the_plan_says_so(tiny):
    clouds = Clouds(tiny)
    image = np.full((32, 32, 3), 3, np.uint8)
    image[4:8, 20:24] = 15
    with bench(tiny, on_send=clouds.on_send) as made:
        made.edge.set_plan(replace(plan(1, tiny.model.hash, ('frame',)), codec='packed'))
        for count in range(1, 4):
            made.offer(image)
            made.until(lambda count=count: len(made.ends) == count, 'the end of a frame')
        assert {bundle.tensors[0].codec for bundle in made.bundles} == {'packed'}
