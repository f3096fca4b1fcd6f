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
Measure what codecs cost in accuracy, at the cuts where they would be chosen.

Only the rows of the plan table are measured. Where one is over the budget, the pairs that take its
place are measured too, until the table holds none that is over it. A frame or a waist can be coded
in several finenesses: there all of them are measured, as a node's budget may be a smaller one.

Accuracy is the AP at IoU 0.5 over the classes, each weighed by how many true boxes it has: in a
plain mean a class of one box would decide what a codec may cost on hundreds of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence

from dads_ros import codec
from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import POSITIVE_SCORE
from dads_ros.detector.evaluate import average_precision
from dads_ros.errors import ConfigError
from dads_ros.model import surgery
from dads_ros.model.capture import Model
from dads_ros.partition.costs import CostGraph
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.calibration import CodecAccuracy
from dads_ros.profiles.planning import keeps_every_bit
from dads_ros.profiles.planning import within_budget
import numpy as np
from tqdm import tqdm


def measure(
    detector: Detector,
    model: Model,
    frames: Sequence[np.ndarray],
    graphs: Mapping[str, CostGraph],
    *,
    budget: float,
    truth: Sequence[Boxes] | None = None,
    progress: bool = False,
) -> Calibration:
    """
    Return the accuracy of every (cut, codec) pair that a plan within the budget could use.

    :param frames: network inputs, uint8 [1, height, width, 3].
    :param graphs: costs by codec, as :func:`dads_ros.profiles.planning.cost_graphs` makes them.
    :param budget: AP at IoU 0.5, classes weighed by their boxes, that may be lost, 0 to 1.
    :param truth: true boxes in input pixels, one per frame; when None, the detector's own
        detections count as true, so that the figure is the codec's damage alone.
    Raises ConfigError when nothing is there to be found in the frames.
    """
    judge = Judge(detector, model, frames, truth)
    rows: dict[tuple[tuple[str, ...], str], float] = {}
    with tqdm(disable=not progress, unit='pair') as bar:

        def drop(boundary: tuple[str, ...], name: str) -> float:
            if keeps_every_bit(model.graph, boundary, name):
                return 0.0
            key = (boundary, name)
            if key not in rows:
                rows[key] = judge.accuracy(*key)
                bar.update()
            return judge.ap50 - rows[key]

        table = within_budget(dict(graphs), budget, lambda row: drop(row.boundary, row.codec))
        for boundary in dict.fromkeys((*(r.boundary for r in table.rows), *(b for b, _ in rows))):
            if any(model.graph[layer].dtype != 'uint8' for layer in boundary):
                continue
            for name, costs in graphs.items():
                if costs.forbidden.isdisjoint(costs.index[layer] for layer in boundary):
                    drop(boundary, name)
    return Calibration(
        model_hash=model.hash,
        reference='detector' if truth is None else 'labels',
        frames=len(frames),
        ap50=judge.ap50,
        rows=tuple(CodecAccuracy(*key, ap50) for key, ap50 in rows.items()),
    )


class Judge:
    """
    Runs frames through a cut and a codec, and judges what is found.

    Every figure is the AP at IoU 0.5, the classes weighed by how many true boxes each has.

    :param truth: when None, what the detector finds on the CPU, where it is sure, is true.
    :param device: where the network runs that is judged.
    """

    def __init__(
        self,
        detector: Detector,
        model: Model,
        frames: Sequence[np.ndarray],
        truth: Sequence[Boxes] | None,
        device: str = 'cpu',
    ) -> None:
        self._detector = detector
        self._model = model
        self._frames = frames
        self._device = device
        found = self._find(device)
        if truth is None:
            sure = found if device == 'cpu' else self._find('cpu')
            truth = [_as_truth(one) for one in sure]
        self._truth = list(truth)
        if not any((~boxes.ignore).any() for boxes in self._truth):
            raise ConfigError('there is nothing to be found in the frames; give others')
        self.ap50 = self._judge(found)

    def accuracy(self, boundary: tuple[str, ...], name: str) -> float:
        """Return AP at IoU 0.5 with the boundary tensors sent through a codec."""
        tail = surgery.tail(self._model, boundary, device=self._device)
        layers = [self._model.graph[layer_id] for layer_id in boundary]
        head = surgery.head(self._model, boundary, device=self._device)
        found = []
        for frame in self._frames:
            received = [
                codec.decode(codec.encode(tensor, name), name, layer.shape, layer.dtype)
                for layer, tensor in zip(layers, head(frame), strict=True)
            ]
            found.append(self._detector.decode(tail(*received)))
        return self._judge(found)

    def _find(self, device: str) -> list[Detections]:
        whole = surgery.tail(self._model, self._model.graph.inputs, device=device)
        return [self._detector.decode(whole(frame)) for frame in self._frames]

    def _judge(self, found: Sequence[Detections]) -> float:
        return average_precision(found, self._truth, self._detector.labels).ap50_by_boxes


def _as_truth(found: Detections) -> Boxes:
    """Take sure detections for true; near the unsure ones nothing is asked."""
    return Boxes(found.boxes, found.class_ids, found.scores < POSITIVE_SCORE)
