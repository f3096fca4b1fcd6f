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

"""An edge with a real worker thread, and everything that came out of it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
import threading
import time

from dads_ros.bundle import Bundle
from dads_ros.bundle import Result
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.cloud import CloudPipeline
from dads_ros.pipeline.edge import EdgeLimits
from dads_ros.pipeline.edge import EdgePipeline
from dads_ros.pipeline.edge import EdgePorts
from dads_ros.pipeline.frame import Frame
from dads_ros.pipeline.frame import Outcome
from dads_ros.pipeline.model import LoadedModel
from dads_ros.plan import Mode
from dads_ros.plan import Plan
import numpy as np

IMAGE = np.zeros((32, 32, 3), np.uint8)
IMAGE[4:8, 20:24] = 255
BOX = [16.0, 0.0, 24.0, 8.0]  # the brightest 4 x 4 cell of the 16 x 16 input, in camera pixels


def plan(plan_id: int, model_hash: str, boundary: tuple[str, ...] = ('conv2d',)) -> Plan:
    return Plan(
        plan_id=plan_id, model_hash=model_hash, mode=Mode.FIXED, boundary=boundary, codec='raw',
        edge_s=0.0, transfer_s=0.02, cloud_s=0.0, delay_s=0.04, max_rate_hz=50.0, deadline_s=0.1,
        reason='test',
    )  # fmt: skip


class Bench:
    """An edge with a worker thread, and what came out of it."""

    def __init__(
        self,
        tiny: LoadedModel,
        limits: EdgeLimits,
        slowdown: object,
        on_send: Callable[..., None],
    ) -> None:
        self.ends: list[tuple[Frame, Outcome]] = []
        self.bundles: list[Bundle] = []
        self.notes: list[str] = []
        self.hash = tiny.model.hash
        self._on_send = on_send
        self._stop = threading.Event()
        self.edge = EdgePipeline(
            tiny.detector, tiny.model, tiny.halves,
            EdgePorts(self._send, lambda f, o: self.ends.append((f, o)), self.notes.append),
            limits, 'car', slowdown,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _send(self, bundle: Bundle) -> int:
        self.bundles.append(bundle)
        self._on_send(self, bundle)
        return bundle.data_bytes

    def _work(self) -> None:
        while not self._stop.is_set():
            self.edge.step(0.02)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.edge.close()

    def offer(self, image: np.ndarray = IMAGE) -> None:
        self.edge.offer(lambda: image, time.monotonic_ns(), 'camera')

    def drive(self, seconds: float, period_s: float = 0.02) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.offer()
            time.sleep(period_s)

    def until(self, condition: Callable[[], object], what: str) -> None:
        end_s = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end_s, f'waited 10 s for {what}'
            time.sleep(0.002)

    def outcomes(self) -> list[Outcome]:
        return [outcome for _, outcome in self.ends]

    def check(self) -> None:
        """Every frame ended once, published ones in order, the counters add up."""
        sequences = [frame.sequence for frame, _ in self.ends]
        assert sorted(sequences) == list(range(1, self.edge.offered + 1))
        published = [f.sequence for f, outcome in self.ends if outcome.is_published]
        assert all(before < after for before, after in pairwise(published))
        assert sum(self.edge.ended.values()) == self.edge.offered
        for frame, outcome in self.ends:
            if outcome.is_published:
                assert frame.detections.boxes.tolist() == [BOX]


@contextmanager
def bench(
    tiny: LoadedModel,
    limits: EdgeLimits | None = None,
    slowdown: object = None,
    on_send: Callable[..., None] = lambda *_: None,
) -> Iterator[Bench]:
    made = Bench(tiny, limits or EdgeLimits(), slowdown, on_send)
    try:
        yield made
    finally:
        made.close()
    made.check()


def answer(tiny: LoadedModel, bundle: Bundle) -> Result:
    """Return what a real cloud answers."""
    results: list[Result] = []
    cloud = CloudPipeline(
        tiny.detector, tiny.model, tiny.halves, lambda result, _: results.append(result),
        CloudLimits(),
    )  # fmt: skip
    cloud.receive(bundle, 'here')
    assert cloud.step(0.0), cloud.rejected
    return results[0]


def answering(tiny: LoadedModel, delay_s: float = 0.0) -> Callable[..., None]:
    def on_send(made: Bench, bundle: Bundle) -> None:
        threading.Timer(delay_s, lambda: made.edge.receive(answer(tiny, bundle))).start()

    return on_send
