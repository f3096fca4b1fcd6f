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

"""Speed factors and the camera's rate hold against outliers, disorder and loops."""

import random

from dads_ros.monitor.load import CameraRate
from dads_ros.monitor.load import SpeedFactor
from hypothesis import given
from hypothesis import strategies as st
import pytest


def test_factor_is_one_until_measured_and_ignores_trifles():
    factor = SpeedFactor()
    assert factor.value == 1.0
    factor.note(0.01, 0.0001)
    factor.note(0.0, 0.5)
    assert factor.value == 1.0


@given(
    st.floats(0.5, 20),
    st.lists(st.floats(0.9, 1.1), min_size=9, max_size=9),
    st.lists(st.floats(5, 100), max_size=4),
)
def test_factor_is_found_though_some_frames_are_late(true, noise, late):
    factor = SpeedFactor()
    measured = [true * n for n in noise]
    for place, times in enumerate(late):
        measured[2 * place] *= times
    for seconds in measured:
        factor.note(seconds * 0.02, 0.02)
    assert true * 0.899 <= factor.value <= true * 1.101


def test_throttling_shows_after_half_a_window():
    factor = SpeedFactor()
    for _ in range(20):
        factor.note(0.02, 0.02)
    for _ in range(5):
        factor.note(0.06, 0.02)
    assert factor.value == pytest.approx(3.0)


def test_one_slow_frame_at_the_start_proves_nothing_and_three_do():
    factor = SpeedFactor()
    factor.note(0.2, 0.01)
    assert factor.value == 1.0
    for _ in range(2):
        factor.note(0.2, 0.01)
    assert factor.value == pytest.approx(20)
    factor.forget()
    assert factor.value == 1.0


def stamps(rate_hz: float, count: int, start_s: float = 0.0) -> list[int]:
    return [round((start_s + i / rate_hz) * 1e9) for i in range(count)]


@given(st.floats(2, 60), st.integers(0, 1000), st.booleans())
def test_camera_rate_is_found_in_any_order(rate_hz, seed, drops):
    order = stamps(rate_hz, 40)
    draw = random.Random(seed)
    if drops:
        order = [s for i, s in enumerate(order) if i % 5 != seed % 5]
    for i in range(0, len(order) - 3, 3):  # reports of frames in flight come up to three late
        part = order[i : i + 3]
        draw.shuffle(part)
        order[i : i + 3] = part
    camera = CameraRate()
    assert camera.rate_hz == 0.0
    for stamp_ns in order:
        camera.note(stamp_ns)
    assert camera.rate_hz == pytest.approx(rate_hz, rel=0.01)


def test_camera_that_stops_and_resumes_keeps_its_rate():
    camera = CameraRate()
    for stamp_ns in stamps(10, 20) + stamps(10, 20, start_s=60):
        camera.note(stamp_ns)
        if stamp_ns > 2e8:
            assert camera.rate_hz == pytest.approx(10)


@pytest.mark.parametrize('duration_s', [1.0, 2.5, 30.0])
def test_bag_that_loops_keeps_its_rate(duration_s):
    camera = CameraRate()
    once = stamps(20, int(duration_s * 20), start_s=1000)
    for stamp_ns in once * 3:
        camera.note(stamp_ns)
    assert camera.rate_hz == pytest.approx(20)


def test_change_of_rate_is_followed():
    camera = CameraRate()
    for stamp_ns in stamps(10, 30) + stamps(30, 30, start_s=3):
        camera.note(stamp_ns)
    assert camera.rate_hz == pytest.approx(30)
