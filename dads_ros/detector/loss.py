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
What the network is taught: which cells answer for a box (task-aligned [1]), and the loss.

[1] Feng et al., TOOD: Task-aligned One-stage Object Detection, ICCV 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

CANDIDATES = 8
ALIGN_POWER = 4.0


@dataclass(frozen=True)
class Targets:
    """
    Boxes of a batch, padded to the longest list.

    ``boxes`` is [n, m, 4] as x0, y0, x1, y1 in input pixels, ``classes`` [n, m], ``kind`` [n, m]:
    1 an object, 0 padding, -1 a region in which nothing is asked.
    """

    boxes: Tensor
    classes: Tensor
    kind: Tensor


@dataclass(frozen=True)
class Cells:
    """The raw outputs of all strides as one list: logits, boxes in pixels, centres, strides."""

    logits: Tensor
    boxes: Tensor
    centres: Tensor
    strides: Tensor


def flatten(outputs: Sequence[Tensor], strides: Sequence[int]) -> Cells:
    """Return the cells of all strides, boxes decoded to pixels."""
    flat, centres, sizes = [], [], []
    for output, stride in zip(outputs, strides, strict=True):
        rows, columns = output.shape[2:]
        flat.append(output.float().flatten(2).transpose(1, 2))
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing='ij')
        grid = torch.stack((x, y), dim=-1).reshape(-1, 2).to(output.device)
        centres.append((grid + 0.5) * stride)
        sizes.append(torch.full((rows * columns, 1), float(stride), device=output.device))
    raw, middle, scale = torch.cat(flat, dim=1), torch.cat(centres), torch.cat(sizes)
    at = middle + raw[..., :2] * scale
    half = torch.exp(torch.clamp(raw[..., 2:4], -4, 4)) * scale / 2
    return Cells(raw[..., 4:], torch.cat((at - half, at + half), dim=-1), middle, scale[:, 0])


def box_iou(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return the IoU, and the area of the union, of boxes that broadcast."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    width, height = (high - low).clamp(min=0).unbind(-1)
    inter = width * height
    union = area(first) + area(second) - inter
    return inter / (union + 1e-6), union


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU less the share of the hull that neither box covers, in -1 to 1."""
    iou, union = box_iou(first, second)
    low = torch.minimum(first[..., :2], second[..., :2])
    high = torch.maximum(first[..., 2:], second[..., 2:])
    hull = (high - low).prod(dim=-1)
    return iou - (hull - union) / (hull + 1e-6)


def area(boxes: Tensor) -> Tensor:
    """Return width times height."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1)


def assign(cells: Cells, targets: Targets) -> tuple[Tensor, Tensor]:
    """
    Return for each cell the box it answers for ([n, cells], -1 for none) and how well it fits.

    The best ``CANDIDATES`` cells in or near a box by (score^0.5 x IoU^power) answer for it; a cell
    wanted by several takes the one it overlaps most.
    """
    iou, _ = box_iou(targets.boxes[:, :, None], cells.boxes[:, None])
    near = _near(cells, targets.boxes) & (targets.kind == 1)[..., None]
    index = targets.classes[:, :, None].expand(-1, -1, cells.logits.shape[1])
    score = cells.logits.sigmoid().transpose(1, 2).gather(1, index)
    align = score.sqrt() * iou**ALIGN_POWER * near
    # Near cells without any overlap still rank, so that no box is left without one.
    rank = align + near * (1e-6 + 1e-9 * iou)
    top = rank.topk(min(CANDIDATES, rank.shape[-1]), dim=-1)
    chosen = torch.zeros_like(near).scatter_(-1, top.indices, top.values > 1e-7)
    overlap = torch.where(chosen, iou + 1e-6, 0.0)
    best, owner = overlap.max(dim=1)
    peak_align = (align * chosen).amax(dim=-1, keepdim=True)
    peak_iou = (iou * chosen).amax(dim=-1, keepdim=True)
    quality = (align * peak_iou / (peak_align + 1e-9)).gather(1, owner[:, None])[:, 0]
    return torch.where(best > 0, owner, -1), torch.where(best > 0, quality, 0.0)


def _near(cells: Cells, boxes: Tensor) -> Tensor:
    """Return whether each cell's centre lies in a box or within a stride of the box's middle."""
    x, y = cells.centres[:, 0], cells.centres[:, 1]
    x0, y0, x1, y1 = (boxes[..., i, None] for i in range(4))
    inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
    reach = cells.strides
    close = ((x0 + x1) / 2 - x).abs().lt(reach) & ((y0 + y1) / 2 - y).abs().lt(reach)
    return inside | close


def detection_loss(cells: Cells, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return the classification and the box loss, each per unit of assigned quality."""
    with torch.no_grad():
        owner, quality = assign(cells, targets)
        positive = owner >= 0
        taken = owner.clamp(min=0)
        wanted = functional.one_hot(targets.classes.gather(1, taken), cells.logits.shape[-1])
        wanted = wanted * quality[..., None]
        ignored = (_near(cells, targets.boxes) & (targets.kind == -1)[..., None]).any(dim=1)
        counted = (positive | ~ignored).float()[..., None]
        total = quality.sum().clamp(min=1.0)
    cost = functional.binary_cross_entropy_with_logits(cells.logits, wanted, reduction='none')
    goal = targets.boxes.gather(1, taken[..., None].expand(-1, -1, 4))
    misfit = (1 - generalised_iou(cells.boxes, goal)) * quality * positive
    return (cost * counted).sum() / total, misfit.sum() / total


def likeness_loss(features: Tensor, guide: Tensor) -> Tensor:
    """Return the mean squared distance of features from another network's, by their variance."""
    return functional.mse_loss(features.float(), guide) / guide.var().clamp(min=1e-6)


def guide_loss(cells: Cells, guide: Cells, box_weight: float) -> Tensor:
    """
    Return how far cells are from what another network says of them, nought when they agree.

    The divergence of the class probabilities everywhere, and of the boxes where there are objects,
    each per unit of the other network's certainty.
    """
    wanted = guide.logits.sigmoid()
    certain = wanted.amax(dim=-1)
    total = certain.sum().clamp(min=1.0)
    cost = functional.binary_cross_entropy_with_logits(cells.logits, wanted, reduction='none')
    least = functional.binary_cross_entropy_with_logits(guide.logits, wanted, reduction='none')
    misfit = (1 - generalised_iou(cells.boxes, guide.boxes)) * certain
    return ((cost - least).sum() + box_weight * misfit.sum()) / total
