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


"""
The faults: what is done to the running nodes, each with its end and the sign of recovery.

A scenario hurts the rig and returns once the nodes have recovered; the record tells the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import time

from dads_ros.bench.faults.cast import SCENE_HZ
from dads_ros.bench.faults.props import OLD_STAMP_NS
from dads_ros.bench.faults.props import write_pictures
from dads_ros.bench.faults.props import write_short_bag
from dads_ros.bench.faults.props import write_trace
from dads_ros.bench.faults.rig import LINK_MBPS
from dads_ros.bench.faults.rig import Rig
from dads_ros.pipeline.frame import Outcome

PAUSE_S = 5.0
# Full, and quick: how often the link is lost, and for how long at a time.
LINK_LOSSES = {False: 100, True: 5}
# Half of it with no link at all, which is longer than an answer may take.
LINK_PERIOD_S = 0.6
SLOW_LINK_MBPS = 0.05
SLOW_LINK_S = 6.0


@dataclass(frozen=True)
class Phase:
    """
    When a fault began, when its cause was gone, and when the nodes had recovered.

    :param count: how often the fault was made.
    """

    name: str
    count: int
    begin_ns: int
    healed_ns: int
    end_ns: int


@dataclass(frozen=True)
class Scenario:
    """
    A fault by name.

    :param run: makes the fault and waits for recovery; returns when the cause was gone.
    """

    name: str
    run: Callable[[Rig], int]
    count: int = 1

    def play(self, rig: Rig) -> Phase:
        """Hurt the nodes, and return when what happened."""
        begin_ns = time.monotonic_ns()
        healed_ns = self.run(rig)
        return Phase(self.name, self.count, begin_ns, healed_ns, time.monotonic_ns())


def scenarios(folder: Path, *, quick: bool) -> tuple[Scenario, ...]:
    """
    Return all faults, in an order in which each leaves the nodes as it found them.

    :param folder: for the traces and pictures that some need.
    :param quick: lose the link a few times only.
    """
    losses = LINK_LOSSES[quick]
    folder.mkdir(parents=True, exist_ok=True)
    slow = write_trace(folder / 'slow.csv', [(0.0, SLOW_LINK_MBPS), (SLOW_LINK_S, LINK_MBPS)])
    lost = write_trace(
        folder / 'lost.csv',
        [
            (LINK_PERIOD_S * (i + half / 2), LINK_MBPS * half)
            for i in range(losses)
            for half in (0, 1)
        ],
    )
    return (
        Scenario('cloud killed and restarted', _kill_cloud),
        Scenario('cloud paused for 5 s', _pause_cloud),
        Scenario('monitor killed and restarted', _kill_monitor),
        Scenario('two clouds', _two_clouds),
        Scenario('camera stops for 1 s', _stop_camera),
        Scenario('camera jumps back by years', _camera(stamp_origin_ns=OLD_STAMP_NS)),
        Scenario(
            'camera changes size and encoding',
            _camera(source=str(write_pictures(folder / 'pictures')), encoding='mono8'),
        ),
        Scenario('camera at 60 Hz', _camera(rate=60 / SCENE_HZ)),
        Scenario('bag loops', _camera(source=str(write_short_bag(folder / 'bag')))),
        Scenario('edge killed and restarted', _kill_edge),
        Scenario('link at 50 kbit/s', _link(slow, SLOW_LINK_S)),
        Scenario('link to zero and back', _link(lost, LINK_PERIOD_S * losses), count=losses),
    )


def _kill_cloud(rig: Rig) -> int:
    rig.kill('cloud')
    rig.wait_for_frames('the car to go on alone', lambda f: f.outcome is Outcome.LOCAL)
    healed_ns = rig.start_again('cloud')
    rig.wait_for_cloud()
    return healed_ns


def _pause_cloud(rig: Rig) -> int:
    with _paused(rig, 'cloud'):
        rig.wait(PAUSE_S)
    healed_ns = time.monotonic_ns()
    rig.wait_for_cloud()
    return healed_ns


def _kill_monitor(rig: Rig) -> int:
    rig.kill('monitor')
    rig.wait_for_frames("the edge's watchdog", lambda f: f.outcome is Outcome.LOCAL)
    healed_ns = rig.start_again('monitor')
    rig.wait_for_cloud()
    return healed_ns


def _kill_edge(rig: Rig) -> int:
    rig.kill('edge')
    healed_ns = rig.start_again('edge')
    rig.wait_for_cloud()
    return healed_ns


def _two_clouds(rig: Rig) -> int:
    rig.start_again('second cloud', 'cloud')
    rig.wait(2.0)
    rig.stop('second cloud')
    healed_ns = time.monotonic_ns()
    rig.wait_for_cloud()
    return healed_ns


def _stop_camera(rig: Rig) -> int:
    with _paused(rig, 'player'):
        rig.wait(1.0)
    healed_ns = time.monotonic_ns()
    rig.wait_for_cloud()
    return healed_ns


def _camera(**parameters: str | float) -> Callable[[Rig], int]:
    """Return a scenario in which another camera takes over for a while."""

    def run(rig: Rig) -> int:
        with rig.another_camera(**parameters):
            rig.wait_for_frames('the other camera', lambda f: f.outcome.is_published)
            rig.wait(1.5)
        healed_ns = time.monotonic_ns()
        rig.wait_for_cloud()
        return healed_ns

    return run


def _link(trace: Path, duration_s: float) -> Callable[[Rig], int]:
    """Return a scenario in which the edge's uplink follows a trace, steady after its end."""

    def run(rig: Rig) -> int:
        rig.follow_link(trace)
        rig.wait(duration_s)
        healed_ns = time.monotonic_ns()
        rig.wait_for_cloud()
        rig.follow_link(None)
        return healed_ns

    return run


@contextmanager
def _paused(rig: Rig, name: str) -> Iterator[None]:
    rig.pause(name)
    try:
        yield
    finally:
        rig.resume(name)
