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

"""A tiny detector, loaded once: three layers that find the brightest cell of a small frame."""

from __future__ import annotations

from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.model.capture import capture_detector
from dads_ros.pipeline.halves import HalfCache
from dads_ros.pipeline.model import LoadedModel
import numpy as np
import pytest
import torch

SIDE = 16


class Brightest(torch.nn.Module):
    """Pools the frame to a 4 x 4 map of brightness."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.nn.Conv2d(3, 1, 1, bias=False)
        torch.nn.init.constant_(self.mix.weight, 1 / 3)

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        pixels = frame.permute(0, 3, 1, 2).to(torch.float32) / 255
        return torch.sigmoid(torch.nn.functional.avg_pool2d(self.mix(pixels), 4))


def decode(outputs: tuple[np.ndarray, ...]) -> Detections:
    """Return one box: the brightest cell."""
    cells = outputs[0][0, 0]
    row, column = divmod(int(cells.argmax()), cells.shape[1])
    box = np.array([[column, row, column + 1, row + 1]], np.float32) * 4
    return Detections(box, cells.max(keepdims=True)[0], np.zeros(1, np.int64))


@pytest.fixture(scope='session')
def tiny() -> LoadedModel:
    """Return the tiny detector, captured, with its halves."""
    torch.set_num_threads(1)
    detector = Detector('tiny', Brightest().eval(), SIDE, SIDE, ('thing',), decode)
    model = capture_detector(detector)
    return LoadedModel(detector, model, HalfCache(model))
