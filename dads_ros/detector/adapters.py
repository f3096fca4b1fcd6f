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
Detectors of other projects, each named by a factory here; nothing of theirs is needed until used.

- ``dads_ros.detector.adapters:pt2``: a network saved by ``torch.export.save``, with a
  ``detector.json`` among its extra files (``save_pt2`` writes both);
- ``dads_ros.detector.adapters:ultralytics``: a YOLO of the ``ultralytics`` package (AGPL-3.0);
- ``dads_ros.detector.adapters:torchvision_ssdlite``: torchvision's SSDlite320 (BSD-3-Clause).
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
import json
from pathlib import Path

from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.detector.decode import MAX_BOXES
from dads_ros.detector.decode import MAX_CANDIDATES
from dads_ros.detector.decode import MIN_SCORE
from dads_ros.detector.decode import suppress
from dads_ros.detector.ssd import decode_ssd
from dads_ros.detector.ssd import ssd_anchors
from dads_ros.detector.ssd import SsdRaw
from dads_ros.errors import ConfigError
import numpy as np
import torch
from torch import nn
from torch import Tensor

ULTRALYTICS_INPUT = (384, 640)
SSDLITE_INPUT = (320, 320)


class FromFrame(nn.Module):
    """Feed a network of float RGB [n, 3, height, width] from a uint8 frame."""

    def __init__(
        self,
        network: nn.Module,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        deviation: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> None:
        super().__init__()
        self.network = network
        self.register_buffer('mean', torch.tensor(mean).reshape(3, 1, 1))
        self.register_buffer('deviation', torch.tensor(deviation).reshape(3, 1, 1))

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        """Return the network's raw outputs, tensors alone, in order."""
        pixels = frame.permute(0, 3, 1, 2).to(torch.float32) / 255
        outputs = self.network((pixels - self.get_buffer('mean')) / self.get_buffer('deviation'))
        leaves = torch.utils._pytree.tree_leaves(outputs)
        return tuple(leaf for leaf in leaves if isinstance(leaf, Tensor))


def best_boxes(boxes: np.ndarray, scores: np.ndarray) -> Detections:
    """
    Return what is left after the threshold and suppression, class by class.

    :param boxes: float32 [n, 4] as x0, y0, x1, y1 in input pixels.
    :param scores: float32 [n, classes] in 0 to 1.
    """
    class_ids = scores.argmax(axis=1)
    best = scores.max(axis=1)
    order = np.argsort(-best, kind='stable')[:MAX_CANDIDATES]
    order = order[best[order] > MIN_SCORE]
    order = order[suppress(boxes[order], class_ids[order])][:MAX_BOXES]
    return Detections(
        boxes[order].astype(np.float32),
        best[order].astype(np.float32),
        class_ids[order].astype(np.int64),
    )


def decode_yolo(outputs: tuple[np.ndarray, ...]) -> Detections:
    """Decode one tensor [1, 4 + classes, n]: centre, width and height in pixels, then scores."""
    table = outputs[0][0].T
    half = table[:, 2:4] / 2
    boxes = np.concatenate((table[:, :2] - half, table[:, :2] + half), axis=1)
    return best_boxes(boxes, table[:, 4:])


def decode_boxes(outputs: tuple[np.ndarray, ...]) -> Detections:
    """Decode two tensors: boxes [1, n, 4] as corners in pixels, scores [1, n, classes]."""
    return best_boxes(outputs[0][0], outputs[1][0])


DECODERS = {'yolo': decode_yolo, 'boxes': decode_boxes}


def require_outputs(detector: Detector, decoder: str) -> Detector:
    """
    Return a detector whose module gives what a decoder reads; one frame is run for it.

    :param decoder: a name in ``DECODERS``.
    Raises ConfigError when it gives anything else, such as boxes after suppression, or masks.
    """
    with torch.inference_mode():
        outputs = detector.module(detector.example_input())
    leaves = torch.utils._pytree.tree_leaves(outputs)
    shapes = [tuple(leaf.shape) for leaf in leaves if isinstance(leaf, Tensor)]
    classes = len(detector.labels)
    if decoder == 'yolo':
        wanted = f'one tensor (1, {4 + classes}, n)'
        fits = [len(shape) == 3 and shape[:2] == (1, 4 + classes) for shape in shapes] == [True]
    else:
        wanted = f'tensors (1, n, 4) and (1, n, {classes})'
        counts = [shape[1] for shape in shapes[:1] if len(shape) == 3]
        fits = shapes[:2] == [(1, n, last) for n in counts for last in (4, classes)]
    if not fits:
        raise ConfigError(
            f'detector {detector.name!r} gives {", ".join(map(str, shapes))}, but with {classes} '
            f'labels {wanted} is needed, boxes before suppression; use a detection network that '
            'gives it, or write a factory with a decode of its own'
        )
    return detector


def save_pt2(
    module: nn.Module, path: Path, height: int, width: int, labels: Sequence[str], decoder: str
) -> None:
    """
    Write a network from a uint8 frame [1, height, width, 3] to raw outputs as a ``.pt2`` file.

    :param decoder: how to read the outputs, a name in ``DECODERS``.
    Raises ConfigError when there is no such decoder.
    """
    if decoder not in DECODERS:
        raise ConfigError(f'decoder {decoder!r} is none of {", ".join(DECODERS)}')
    frame = torch.zeros(1, height, width, 3, dtype=torch.uint8)
    program = torch.export.export(module.eval(), (frame,), strict=False)
    facts = {'height': height, 'width': width, 'labels': list(labels), 'decoder': decoder}
    torch.export.save(program, path, extra_files={'detector.json': json.dumps(facts)})


def pt2(weights: Path | None = None) -> Detector:
    """
    Return the detector of a ``.pt2`` file.

    Raises ConfigError when there is no file, it lacks a usable ``detector.json``, or its outputs
    are not what its decoder reads.
    """
    if weights is None:
        raise ConfigError('detector adapters:pt2 needs the weights parameter: the .pt2 file')
    extra = {'detector.json': ''}
    with _reading(weights, 'a .pt2 file with a detector.json, which adapters.save_pt2 writes'):
        program = torch.export.load(weights, extra_files=extra)
        facts = json.loads(extra['detector.json'])
        detector = Detector(
            name=weights.stem,
            module=_Program(program.module()),
            input_height=int(facts['height']),
            input_width=int(facts['width']),
            labels=tuple(facts['labels']),
            decode=DECODERS[facts['decoder']],
        )
    return require_outputs(detector, facts['decoder'])


class _Program(nn.Module):
    """An exported program as a module that can be copied, evaluated and exported again."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        """Return the raw outputs."""
        outputs = self.program(frame)
        return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)

    def eval(self) -> _Program:
        """Return self: an exported program has no training mode."""
        return self


def ultralytics(weights: Path | None = None) -> Detector:
    """
    Return a YOLO detector of Ultralytics, 384x640; the file is a ``.pt`` of theirs.

    Of a network that can do without suppression (YOLO26, YOLOv10) it takes the other of its two
    heads, whose boxes are decoded like any YOLO's.
    Raises ConfigError when the package or the file is missing, when the file is none of theirs, or
    when the network is none that detects boxes (segmentation, poses), or has that head no more.
    """
    try:
        from ultralytics import YOLO
    except ImportError as error:
        raise ConfigError('ultralytics is not installed: pip install ultralytics') from error
    if weights is None:
        raise ConfigError('detector adapters:ultralytics needs the weights parameter: a .pt file')
    with _reading(weights, 'a .pt file of Ultralytics'):
        network = YOLO(str(weights)).model.float().eval()
    head = network.model[-1]
    head.export = True  # one decoded tensor [1, 4 + classes, n], without NMS
    if getattr(head, 'end2end', False) and head.cv2 is not None:
        # Else [1, 300, 6]: corners, score, class of the best. In some versions it has no setter.
        head.__class__ = type('OneToMany', (type(head),), {'end2end': False})
    names = network.names
    height, width = ULTRALYTICS_INPUT
    detector = Detector(
        name=weights.stem,
        module=FromFrame(network),
        input_height=height,
        input_width=width,
        labels=tuple(names[index] for index in range(len(names))),
        decode=decode_yolo,
    )
    return require_outputs(detector, 'yolo')


def torchvision_ssdlite(weights: Path | None = None) -> Detector:
    """
    Return torchvision's SSDlite320 on MobileNetV3, trained on COCO.

    :param weights: a state dict of theirs; None takes torchvision's own (it may download it).
    Raises ConfigError when torchvision is missing, or when the file is none.
    """
    try:
        from torchvision.models import detection
    except (ImportError, RuntimeError) as error:
        raise ConfigError(f'torchvision cannot be used: {error!s:.120}') from error
    known = detection.SSDLite320_MobileNet_V3_Large_Weights.DEFAULT
    whole = detection.ssdlite320_mobilenet_v3_large(
        weights=known if weights is None else None, weights_backbone=None
    )
    if weights is not None:
        with _reading(weights, "a state dict of torchvision's SSDlite320"):
            whole.load_state_dict(torch.load(weights, map_location='cpu', weights_only=True))
    height, width = SSDLITE_INPUT
    anchors = ssd_anchors(whole.eval(), height, width)

    def decode(outputs: tuple[np.ndarray, ...]) -> Detections:
        logits = outputs[1][0] - outputs[1][0].max(axis=1, keepdims=True)
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        # Class 0 is the background.
        return best_boxes(decode_ssd(outputs[0][0], anchors), scores[:, 1:])

    return Detector(
        name='ssdlite320_mobilenet_v3_large',
        module=FromFrame(SsdRaw(whole), (0.5,) * 3, (0.5,) * 3),
        input_height=height,
        input_width=width,
        labels=tuple(known.meta['categories'][1:]),
        decode=decode,
    )


@contextmanager
def _reading(weights: Path, wanted: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # torch raises whatever its unpacking meets, often in many lines
        said = ' '.join(f'{error!s:.120}'.split())
        raise ConfigError(f'weights file {str(weights)!r} is not {wanted} ({said})') from error
