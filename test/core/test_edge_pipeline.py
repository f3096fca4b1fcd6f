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

"""The edge's pipeline with real threads: whatever cloud and monitor do, the car detects."""

from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
import time

from dads_ros.detections import Detections
from dads_ros.errors import ConfigError
from dads_ros.errors import CutError
from dads_ros.pipeline.edge import EdgeLimits
from dads_ros.pipeline.frame import Outcome
from edge_bench import answer
from edge_bench import answering
from edge_bench import bench
from edge_bench import plan
import numpy as np
import pytest


def test_without_a_plan_the_car_detects(tiny):
    with bench(tiny) as car:
        car.drive(0.2)
        car.until(lambda: Outcome.LOCAL in car.outcomes(), 'a detection')
    assert not car.bundles


@pytest.mark.parametrize('boundary', [('frame',), ('conv2d',), ('sigmoid',)])
def test_frames_go_through_the_cloud_at_any_cut(tiny, boundary):
    with bench(tiny, on_send=answering(tiny)) as car:
        car.edge.set_plan(replace(plan(1, car.hash, boundary), deadline_s=5.0))
        car.drive(0.3)
        car.until(lambda: car.outcomes().count(Outcome.VIA_CLOUD) >= 3, 'three results')
    assert {bundle.boundary for bundle in car.bundles} == {boundary}


def test_switching_between_plans_loses_no_frame(tiny):
    with bench(tiny, on_send=answering(tiny, 0.03)) as car:
        for number in range(1, 25):
            boundary = (('frame',), ('conv2d',), ())[number % 3]
            car.edge.set_plan(replace(plan(number, car.hash, boundary), deadline_s=5.0))
            car.drive(0.02, 0.01)
        car.drive(0.1)
        car.until(lambda: len(car.ends) == car.edge.offered, 'all frames to end')
    assert car.edge.ended[Outcome.VIA_CLOUD] > 3 and car.edge.ended[Outcome.LOCAL] > 3
    lost = {Outcome.DROPPED_STALE, Outcome.LOCAL_AFTER_MISS} & set(car.outcomes())
    assert not lost


def test_silent_cloud_is_given_up_after_the_miss_limit(tiny):
    with bench(tiny, EdgeLimits(miss_limit=3)) as car:
        car.edge.set_plan(plan(1, car.hash))
        car.drive(0.8)
        car.until(lambda: Outcome.LOCAL in car.outcomes(), 'the car to compute by itself')
        assert Outcome.LOCAL_AFTER_MISS in car.outcomes()
        sent = len(car.bundles)
        # The limit may be met while the last of them are still in flight.
        car.until(lambda: car.edge.missed == sent, 'all that were sent to be missed')
        car.drive(0.2)
        assert len(car.bundles) == sent
        assert len(car.notes) == 1 and '3 deadlines missed' in car.notes[0]
        car.edge.set_plan(plan(2, car.hash))  # the monitor has a new plan
        car.drive(0.1)
        car.until(lambda: len(car.bundles) > sent, 'another bundle')
    done = [frame.completed_ns for frame, outcome in car.ends if outcome.is_published]
    came = sorted(frame.received_ns for frame, _ in car.ends)
    gap_s, camera_s = (max(b - a for a, b in pairwise(times)) / 1e9 for times in (done, came))
    # The deadline and two frames, as far apart as a busy machine let the camera's get.
    assert gap_s < 0.1 + 2 * camera_s + 0.2


def test_silent_monitor_is_noticed(tiny):
    with bench(tiny, EdgeLimits(watchdog_s=0.2), on_send=answering(tiny)) as car:
        car.edge.set_plan(replace(plan(1, car.hash), deadline_s=5.0))
        car.edge.monitor_alive()
        car.drive(0.1)
        car.until(lambda: Outcome.VIA_CLOUD in car.outcomes(), 'a result')
        car.drive(0.4)
        car.until(lambda: Outcome.LOCAL in car.outcomes(), 'the car to compute by itself')
        before = car.edge.ended[Outcome.VIA_CLOUD]
        for _ in range(5):
            car.edge.monitor_alive()
            car.drive(0.05)
        car.until(lambda: car.edge.ended[Outcome.VIA_CLOUD] > before, 'the plan to be back')


def test_late_frames_are_dropped_where_the_car_does_not_finish_them(tiny):
    with bench(tiny, EdgeLimits(finish_locally=False)) as car:
        car.edge.set_plan(plan(1, car.hash))
        car.drive(0.5)
        car.until(lambda: Outcome.DROPPED_STALE in car.outcomes(), 'a dropped frame')
    assert set(car.outcomes()) <= {Outcome.DROPPED_STALE, Outcome.DROPPED_SUPERSEDED}


def test_results_are_taken_once_and_only_if_they_answer(tiny):
    with bench(tiny, EdgeLimits(miss_limit=100)) as car:
        car.edge.set_plan(replace(plan(1, car.hash), deadline_s=5.0))
        car.offer()
        car.until(lambda: car.bundles, 'a bundle')
        good = answer(tiny, car.bundles[0])
        nan = Detections(
            np.full((1, 4), np.nan, np.float32), good.detections.scores, np.zeros(1, int)
        )
        forged = {
            'another vehicle': replace(good, vehicle='truck'),
            'another model': replace(good, model_hash='x'),
            'not asked for': replace(good, sent_ns=good.sent_ns + 1),
            'boxes not finite': replace(good, detections=nan),
            'times out of range': replace(good, queue_s=float('nan')),
            'unknown class': replace(
                good,
                detections=replace(nan, boxes=good.detections.boxes, class_ids=np.ones(1, int)),
            ),
        }  # fmt: skip
        for result in forged.values():
            assert not car.edge.receive(result)
        assert dict(car.edge.rejected) == dict.fromkeys(forged, 1)
        assert not car.ends
        assert car.edge.receive(good)
        assert not car.edge.receive(good)
        assert car.outcomes() == [Outcome.VIA_CLOUD]


def test_late_result_tells_of_the_link_but_is_not_published(tiny):
    with bench(tiny, EdgeLimits(miss_limit=100)) as car:
        car.edge.set_plan(plan(1, car.hash))
        car.offer()
        car.until(lambda: car.ends, 'the deadline')
        assert car.outcomes() == [Outcome.LOCAL_AFTER_MISS]
        late = answer(tiny, car.bundles[0])
        assert car.edge.receive(late)
        assert not car.edge.receive(late)
        assert car.edge.rejected == {'too late': 1, 'not asked for': 1}
        assert car.outcomes() == [Outcome.LOCAL_AFTER_MISS]


class Slow(nullcontext):
    def __exit__(self, *_: object) -> None:
        time.sleep(0.03)


def test_newest_frame_wins_when_the_camera_is_faster(tiny):
    with bench(tiny, slowdown=Slow()) as car:
        car.drive(0.6, 0.005)
        car.until(lambda: Outcome.LOCAL in car.outcomes(), 'a detection')
    waits = [f.times.wait_s for f, o in car.ends if o is Outcome.LOCAL]
    assert np.median(waits) < 0.03  # none waits longer than the frame before it takes
    assert car.edge.ended[Outcome.DROPPED_SUPERSEDED] > car.edge.ended[Outcome.LOCAL]


def test_local_plan_does_not_wait_for_frames_still_in_flight(tiny):
    with bench(tiny) as car:
        car.edge.set_plan(replace(plan(1, car.hash), deadline_s=5.0))
        car.offer()
        car.until(lambda: car.bundles, 'a bundle')
        car.edge.set_plan(plan(2, car.hash, ()))
        car.offer()
        held = car.edge._book._done  # computed, and held for the older frame
        car.until(lambda: held, 'the next frame to be computed')
        assert not car.ends
        assert car.edge.receive(answer(tiny, car.bundles[0]))
        assert car.outcomes() == [Outcome.VIA_CLOUD, Outcome.LOCAL]


def test_misses_of_the_plan_before_do_not_count(tiny):
    with bench(tiny, EdgeLimits(miss_limit=1)) as car:
        car.edge.set_plan(plan(1, car.hash))
        car.offer()
        car.until(lambda: car.bundles, 'a bundle')
        car.edge.set_plan(replace(plan(2, car.hash), deadline_s=5.0))
        car.until(lambda: car.ends, 'the deadline')
        car.offer()
        car.until(lambda: len(car.bundles) == 2, 'the new plan to be in force')
    assert not car.notes


def test_bad_images_and_plans_are_refused(tiny):
    with bench(tiny) as car:
        car.offer(np.zeros((0, 0, 3), np.uint8))
        car.until(lambda: car.ends, 'the end of the frame')
        assert car.outcomes() == [Outcome.DROPPED_INVALID]
        with pytest.raises(ConfigError, match='another model'):
            car.edge.set_plan(plan(1, 'x'))
        with pytest.raises(CutError):
            car.edge.set_plan(plan(1, car.hash, ('nothing',)))
        car.offer()
        car.until(lambda: len(car.ends) == 2, 'the next frame')
        assert car.outcomes()[1] is Outcome.LOCAL


def test_bundle_over_the_cap_is_finished_on_the_car(tiny):
    with bench(tiny, EdgeLimits(bundle_cap_bytes=8)) as car:
        car.edge.set_plan(plan(1, car.hash))
        car.offer()
        car.until(lambda: car.ends, 'the end of the frame')
        assert car.edge.over_cap == 1
    assert car.outcomes() == [Outcome.LOCAL]
    assert not car.bundles
