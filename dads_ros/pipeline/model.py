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

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dads_ros.detector.api import Detector
from dads_ros.detector.api import load_detector
from dads_ros.model.capture import capture_detector
from dads_ros.model.capture import Model
from dads_ros.model.devices import find_device
from dads_ros.model.threads import use_threads
from dads_ros.pipeline.halves import HalfCache
from dads_ros.settings import DetectorSettings


@dataclass(frozen=True)
class LoadedModel:
    """A detector, its reference graph, and the cache of its halves."""

    detector: Detector
    model: Model
    halves: HalfCache


def load_model(settings: DetectorSettings, note: Callable[[str], None]) -> LoadedModel:
    """
    Load and capture the detector that the settings name; takes seconds.

    :param note: is told, now or later and from any thread, which halves were not compiled.

    Sets the process's number of computing threads. Raises ConfigError or CaptureError when the
    detector cannot be loaded, or the device is not there.
    """
    find_device(settings.device)
    use_threads(settings.threads)
    weights = Path(settings.weights) if settings.weights else None
    detector = load_detector(settings.detector, weights)
    model = capture_detector(detector)
    halves = HalfCache(model, settings.device, note if settings.compiled else None)
    return LoadedModel(detector, model, halves)
