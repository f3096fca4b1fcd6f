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

"""One network in training: its average, its optimiser and, with a waist, the price of bits."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
import math

from dads_ros.detector.insertion import put_in_waist
from dads_ros.detector.insertion import widened
from dads_ros.detector.loss import Cells
from dads_ros.detector.loss import detection_loss
from dads_ros.detector.loss import flatten
from dads_ros.detector.loss import guide_loss
from dads_ros.detector.loss import likeness_loss
from dads_ros.detector.loss import Targets
from dads_ros.detector.network import CarNet
from dads_ros.detector.network import STRIDES
from dads_ros.detector.rate import RateModel
import torch
from torch import Tensor

BOX_WEIGHT = 2.0
MOST_AVERAGING = 0.999
# Steps after which the average begins to reach far back.
AVERAGING_STEPS = 200
LIKENESS_WEIGHT = 2.0
START_PRICE = 0.4
LEAST_PRICE = 1e-3
MOST_PRICE = 3.0


@dataclass(frozen=True)
class Said:
    """What a network said of a batch, and the features at the finest stride that it said it by."""

    cells: Cells
    fine: Tensor


class Learner:
    """
    A network in training.

    :param waist: False for the twin without one, which pays for no bits.
    :param waist_bytes: modelled bytes per frame that the waist is held to.
    """

    def __init__(
        self, waist: bool, device: torch.device, weight_decay: float, waist_bytes: float
    ) -> None:
        self.device = device
        self._half = device.type != 'cpu' or _is_fast_in_bfloat16()
        self.waist_bytes = waist_bytes
        self.network = CarNet(waist=waist).to(device)
        self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = CarNet(waist=waist).to(device).eval()
        self.average.load_state_dict(self.network.state_dict())
        self.rate = RateModel().to(device)
        self.optimiser = torch.optim.AdamW(self._groups(weight_decay))
        self.log_price = math.log(START_PRICE)
        self.step = 0

    def _groups(self, weight_decay: float) -> list[dict]:
        named = [*self.network.parameters(), *self.rate.parameters()]
        decay = [p for p in named if p.dim() > 1]
        plain = [p for p in named if p.dim() <= 1]
        return [
            {'params': decay, 'weight_decay': weight_decay},
            {'params': plain, 'weight_decay': 0.0},
        ]

    def state(self) -> dict:
        """Return all that a resumed run needs."""
        return {
            'network': self.network.state_dict(),
            'average': self.average.state_dict(),
            'rate': self.rate.state_dict(),
            'optimiser': self.optimiser.state_dict(),
            'log_price': self.log_price,
            'step': self.step,
        }

    def load(self, state: dict) -> None:
        """Take over the state of a stopped run."""
        for part in ('network', 'average', 'rate', 'optimiser'):
            getattr(self, part).load_state_dict(state[part])
        self.log_price, self.step = state['log_price'], state['step']

    def start_from(self, network: CarNet) -> None:
        """Begin with the weights of another network of the same kind."""
        for mine in (self.network, self.average):
            mine.load_state_dict(network.state_dict())

    def start_wide(self, narrow: Learner) -> None:
        """
        Begin with what a network of a few unrounded channels has learnt, without that bottleneck.

        What the two have in common keeps the moments of its gradients, too: without, the first
        steps are as long for a weight that hardly matters as for any other.
        """
        self.start_from(widened(narrow.average))
        self.step = narrow.step
        known = dict(narrow.network.named_parameters())
        for name, mine in self.network.named_parameters():
            theirs = known[name]
            if theirs.shape == mine.shape and theirs in narrow.optimiser.state:
                self.optimiser.state[mine] = deepcopy(narrow.optimiser.state[theirs])

    def round(self, images: Tensor) -> None:
        """Round the waist from here on, and pay for its bits; the images show it the tensor."""
        put_in_waist(self.network, widened(self.average), images.to(self.device))
        self.average.load_state_dict(self.network.state_dict())
        self.set_rounding(True)
        for name, mine in self.network.named_parameters():
            if name.startswith(('waist.', 'level8.0.0.')):  # other channels than they were
                self.optimiser.state.pop(mine, None)

    def set_rounding(self, rounds: bool) -> None:
        """Say whether the waist rounds what it hands on."""
        for network in (self.network, self.average):
            if network.waist is not None:
                network.waist.rounds = rounds

    def learn(
        self, images: Tensor, targets: Targets, rate: float, guide: Said | None = None
    ) -> tuple[dict[str, float], Said]:
        """
        Take one step on a batch; return the losses and what the network said, without gradients.

        :param rate: the learning rate.
        :param guide: what a network without a waist said of the batch, to be like.
        """
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            fine = self.network.fine(images.to(self.device))
            outputs = self.network.outputs(fine)
        cells = flatten(outputs, STRIDES)
        kind, box = detection_loss(cells, targets)
        losses = {'class': kind, 'box': box}
        total = kind + BOX_WEIGHT * box
        if guide is not None:
            losses['guide'] = guide_loss(cells, guide.cells, BOX_WEIGHT)
            losses['likeness'] = likeness_loss(fine, guide.fine)
            total = total + losses['guide'] + LIKENESS_WEIGHT * losses['likeness']
        waist = self.network.waist
        charged = waist is not None and waist.rounds
        if waist is not None and charged:
            values = waist.values
            assert values is not None
            losses['bytes'] = self.rate(values[::2]) / 8  # half of the batch says enough
            total = total + math.exp(self.log_price) * losses['bytes'] / self.waist_bytes
        self._descend(total, rate)
        numbers = {name: float(value.detach()) for name, value in losses.items()}
        if charged:
            self._set_price(numbers['bytes'])
            numbers['price'] = math.exp(self.log_price)
        said = Cells(cells.logits.detach(), cells.boxes.detach(), cells.centres, cells.strides)
        return numbers, Said(said, fine.detach().float())

    def _descend(self, loss: Tensor, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group['lr'] = rate
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimiser.step()
        self.step += 1
        self._follow()

    def _set_price(self, spent_bytes: float) -> None:
        # Dearer above the budget, cheaper below it: it holds without tuning a weight.
        excess = max(-1.0, min(1.0, spent_bytes / self.waist_bytes - 1))
        log_price = self.log_price + 0.01 * excess
        self.log_price = max(math.log(LEAST_PRICE), min(math.log(MOST_PRICE), log_price))

    @torch.no_grad()
    def _follow(self) -> None:
        keep = MOST_AVERAGING * (1 - math.exp(-self.step / AVERAGING_STEPS))
        for mine, new in zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(new, 1 - keep)
            else:
                mine.copy_(new)


def _is_fast_in_bfloat16() -> bool:
    """Return whether this processor has instructions for it: one without is ten times slower."""
    able = torch.cpu.get_capabilities()
    return any(able.get(name) for name in ('amx_bf16', 'avx512_bf16', 'bf16'))
