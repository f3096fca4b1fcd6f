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

"""What a change of plan saves where nothing keeps up with the camera."""

from dads_ros.monitor.gain import crowded_s
from dads_ros.monitor.gain import gain_of
from dads_ros.partition.plan import CutPlan
from dads_ros.partition.situation import Situation
import pytest


def test_a_link_that_cannot_keep_up_makes_a_frame_older_than_its_delay_says():
    def plan(edge_s: float, transfer_s: float, cut: str) -> CutPlan:
        return CutPlan(
            mode='heavy', boundary=(cut,), edge=(cut,), codec='raw', edge_s=edge_s,
            transfer_s=transfer_s, cloud_s=0.01, delay_s=edge_s + transfer_s + 0.02,
            lower_bound_s=0.0,
        )  # fmt: skip

    upload, later = plan(0.01, 0.40, 'frame'), plan(0.36, 0.17, 'pool')
    # Two are under way and share the link, so that each takes 0.81 s, not 0.43 s.
    assert crowded_s(upload) == pytest.approx(0.81)
    assert crowded_s(later) == pytest.approx(later.delay_s)
    situation = Situation(0.1e6, rate_hz=20.0)
    assert gain_of(upload, later, situation, older=0.03) > 0.1
    assert gain_of(later, upload, situation, older=0.03) == 0.0


def test_as_many_frames_but_sooner_is_a_gain():
    def plan(codec: str, transfer_s: float) -> CutPlan:
        return CutPlan(
            mode='heavy', boundary=('frame',), edge=('frame',), codec=codec, edge_s=0.01,
            transfer_s=transfer_s, cloud_s=0.35, delay_s=0.36 + transfer_s, lower_bound_s=0.0,
        )  # fmt: skip

    raw, jpeg = plan('raw', 0.34), plan('jpeg75', 0.01)
    situation = Situation(1e7, rate_hz=20.0)
    # Three frames under way or two share the cloud, 0.35 s each, after 0.01 s and before a next.
    assert gain_of(raw, jpeg, situation, older=0.1) == pytest.approx(0.35 / 1.41)
    assert gain_of(jpeg, raw, situation, older=0.1) == 0.0
