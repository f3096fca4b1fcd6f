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

"""Bundles of many cars without the cars: what `dads bench fleet` loads cloud nodes with."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
import json
from pathlib import Path
import sys
import threading
import time

from dads_ros import codec
from dads_ros.bundle import Bundle
from dads_ros.bundle import EncodedTensor
from dads_ros.detector.api import load_detector
from dads_ros.errors import ConfigError
from dads_ros.model.capture import capture_detector
from dads_ros.model.surgery import head
from dads_ros.model.threads import use_threads
import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.nodes.wire import Outlet
from dads_ros.nodes.wire import Wire
from dads_ros.nodes.worker import Worker
from dads_ros.report.atomic import write_text
from dads_ros.sampling import input_frames
from dads_ros.settings import DEFAULT_DETECTOR
from dads_ros.settings import Limits

MAX_RESULT_BYTES = 256 * 1024
# A bundle that was not answered by then is given up, and the car sends its next one.
PATIENCE_S = 2.0
FRAMES = 8


def _meaning(text: str) -> dict[str, Limits]:
    return {'limits': Limits(text)}


@dataclass(frozen=True)
class FleetSettings:
    """What the measurement asks for; no node of a car or a cloud has these."""

    vehicles: list[str] = field(
        default_factory=lambda: ['/car1'], metadata=_meaning('Namespaces of the cars.')
    )
    boundary: list[str] = field(
        default_factory=lambda: ['frame'], metadata=_meaning('Tensors to send.')
    )
    detector: str = field(default=DEFAULT_DETECTOR, metadata=_meaning('Factory of the detector.'))
    codec: str = field(default='raw+zstd', metadata=_meaning('Codec of the tensors.'))
    source: str = field(default='scene', metadata=_meaning('What the cars see.'))
    duration_s: float = field(default=10.0, metadata=_meaning('How long to measure.'))
    output: str = field(default='', metadata=_meaning('JSON file for the figures.'))


@dataclass(slots=True)
class _Car:
    """One car: what it sends with, what it waits for, and how long its answers took."""

    name: str
    outlet: Outlet
    sequence: int = 0
    sent_ns: int = 0
    answered: int = 0
    lost: int = 0
    latencies_s: list[float] = field(default_factory=list)


class FleetNode(base.DadsNode[FleetSettings]):
    """
    Sends each car's next bundle when its last one was answered, as fast as the clouds can.

    Bundles are made beforehand: sending costs little next to what the clouds do.
    """

    def __init__(self) -> None:
        super().__init__('fleet', FleetSettings)
        self._worker: Worker | None = None

    def configure(self) -> None:
        """Make the bundles; announce a bundle topic for each car."""
        s = self.settings
        if not s.output:
            raise ConfigError("parameter 'output' must name a file for the figures")
        use_threads(1)
        self._bundles = _bundles(s.detector, tuple(s.boundary), s.codec, s.source)
        wire = Wire(self, None, MAX_RESULT_BYTES)
        profile = qos.wire('reliable')
        self._cars = {
            name: _Car(name, wire.outlet(f'{name}/bundle', profile)) for name in s.vehicles
        }
        for name in s.vehicles:
            wire.listen(f'{name}/result', self._on_result, profile)
        self._lock = threading.Lock()
        self._since_ns = 0

    def activate(self) -> None:
        """Begin to send."""
        self._worker = Worker('fleet', self._step, self.fail)
        self._begun_s = time.monotonic()

    def deactivate(self) -> None:
        """Send no more."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _step(self, timeout_s: float) -> None:
        """Send for cars that wait in vain; begin and end the measurement."""
        time.sleep(timeout_s / 4)
        now_ns = time.monotonic_ns()
        with self._lock:
            for car in self._cars.values():
                if now_ns - car.sent_ns > PATIENCE_S * 1e9:
                    car.lost += car.sequence > 0
                    self._send(car)
            if not self._since_ns and all(car.answered for car in self._cars.values()):
                self._since_ns = now_ns
                for car in self._cars.values():
                    car.answered, car.lost = 0, 0
                    car.latencies_s.clear()
                self.get_logger().info('measuring')
            elapsed_s = (now_ns - self._since_ns) / 1e9
            if self._since_ns and elapsed_s >= self.settings.duration_s:
                self._write(elapsed_s)
                self.finish()
                self._since_ns = now_ns  # a second file would hold nothing

    def _on_result(self, result: msg.Result) -> None:
        now_ns = time.monotonic_ns()
        with self._lock:
            car = self._cars.get(result.vehicle)
            if car is None or result.sequence != car.sequence:
                return
            car.answered += 1
            car.latencies_s.append((now_ns - car.sent_ns) / 1e9)
            self._send(car)

    def _send(self, car: _Car) -> None:
        car.sequence += 1
        car.sent_ns = time.monotonic_ns()
        bundle = self._bundles[car.sequence % len(self._bundles)]
        bundle = replace(bundle, vehicle=car.name, sequence=car.sequence, sent_ns=car.sent_ns)
        car.outlet.publish(car.outlet.pack(messages.bundle_to_msg(bundle)))

    def _write(self, elapsed_s: float) -> None:
        cars = [
            {'answered': c.answered, 'lost': c.lost, 'latencies_s': c.latencies_s}
            for c in self._cars.values()
        ]
        write_text(Path(self.settings.output), json.dumps({'elapsed_s': elapsed_s, 'cars': cars}))


def _bundles(
    factory: str, boundary: tuple[str, ...], codec_name: str, source: str
) -> list[Bundle]:
    """Return the bundles of a few frames, cut as asked."""
    detector = load_detector(factory)
    model = capture_detector(detector)
    half = head(model, boundary)
    made = []
    for frame in input_frames(source, detector, FRAMES):
        arrays = half(frame)
        used, data = codec.encode_bundle(arrays, codec_name, MAX_RESULT_BYTES * 16)
        made.append(
            Bundle(
                vehicle='',
                model_hash=model.hash,
                sequence=0,
                plan_id=1,
                stamp_ns=0,
                frame_id='camera',
                image_width=detector.input_width,
                image_height=detector.input_height,
                sent_ns=0,
                tensors=tuple(
                    EncodedTensor(name, array.shape, array.dtype.name, used, bytes(part))
                    for name, array, part in zip(boundary, arrays, data, strict=True)
                ),
            )
        )
    return made


def main() -> int:
    """Run the fleet."""
    return base.run(FleetNode)


if __name__ == '__main__':
    sys.exit(main())
