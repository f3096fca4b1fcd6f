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

"""A detector as both nodes load it: captured, hashed, ready to be cut."""

from __future__ import annotations

from dataclasses import dataclass
import gc
from pathlib import Path
from weakref import WeakSet

from dads_ros import codec
from dads_ros.detector.api import Detector
from dads_ros.detector.api import load_detector
from dads_ros.model import compiled
from dads_ros.model.capture import capture_detector
from dads_ros.model.capture import Model
from dads_ros.model.devices import find_device
from dads_ros.model.threads import use_threads
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.halves import Log
from dads_ros.settings import DetectorSettings

# One per node of this process that runs a network, until it is cleaned up.
_in_use: WeakSet[HalfCache] = WeakSet()


@dataclass(frozen=True)
class LoadedModel:
    """A detector, its reference graph, and the cache of its halves."""

    detector: Detector
    model: Model
    halves: HalfCache


def load_model(settings: DetectorSettings, log: Log) -> LoadedModel:
    """
    Load and capture the detector that the settings name; takes seconds.

    Sets the threads that compute, which all nodes of a process share. Raises ConfigError or
    CaptureError when the detector cannot be loaded, the device is not there, or compiled halves
    are asked for on one that has none.

    :param log: is told, now or later and from any thread, which halves are compiled.
    """
    if settings.compiled:
        compiled.require_cpu(settings.device)
    find_device(settings.device)
    weights = Path(settings.weights) if settings.weights else None
    detector = load_detector(settings.detector, weights)
    model = capture_detector(detector)
    codec.warm_up()
    halves = HalfCache(model, settings.device, log if settings.compiled else None)
    gc.collect()  # so that nodes which were cleaned up count no more
    _in_use.add(halves)
    use_threads(settings.threads, sharers=len(_in_use))
    return LoadedModel(detector, model, halves)
