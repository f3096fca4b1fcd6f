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
Train the shipped network: mosaics, task-aligned loss, bits held to a budget, averaged weights.

A run is fixed by its seed and can be stopped at any time: it goes on from the last whole epoch, and
each epoch draws from its own random state, so that a resumed run is the run without a stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
import json
import math
from pathlib import Path
import time

from dads_ros.detector.augment import Augmenter
from dads_ros.detector.augment import Recipe
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import Sample
from dads_ros.detector.loss import detection_loss
from dads_ros.detector.loss import flatten
from dads_ros.detector.loss import Targets
from dads_ros.detector.network import CarNet
from dads_ros.detector.network import INPUT_HEIGHT
from dads_ros.detector.network import INPUT_WIDTH
from dads_ros.detector.network import STRIDES
from dads_ros.detector.rate import RateModel
from dads_ros.detector.shipped import save_network
from dads_ros.detector.validate import validate
from dads_ros.errors import ConfigError
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

BOX_WEIGHT = 2.0
MOST_AVERAGING = 0.999
PLAIN_SHARE = 0.12


@dataclass(frozen=True)
class Settings:
    """
    A training run.

    :param quantise: False trains the twin without a waist's rounding.
    :param waist_bytes: modelled bytes per training frame that the waist is held to. Training frames
        are fuller than real ones, which come out smaller.
    :param jpeg: share of frames recompressed as JPEG or WebP, as a camera or an upload may.
    :param scenes: generated frames per real one.
    :param validate_every: epochs between accuracies on the validation frames.
    """

    epochs: int = 70
    batch: int = 16
    seed: int = 1
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up_epochs: float = 2.0
    quantise: bool = True
    waist_bytes: float = 1600.0
    jpeg: float = 0.25
    scenes: float = 0.15
    validate_every: int = 10


class Training:
    """One run, in memory: the network, its averaged copy, the optimiser and the rate's price."""

    def __init__(self, settings: Settings, device: str = 'cpu') -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.device = torch.device(device)
        self.network = CarNet(quantise=settings.quantise).to(self.device)
        self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = CarNet(quantise=settings.quantise).to(self.device).eval()
        self.average.load_state_dict(self.network.state_dict())
        self.rate = RateModel().to(self.device)
        self.optimiser = torch.optim.AdamW(self._groups(), lr=settings.learning_rate)
        self.log_price = math.log(0.1)
        self.epoch = 0
        self.step = 0

    def _groups(self) -> list[dict]:
        named = [*self.network.parameters(), *self.rate.parameters()]
        decay = [p for p in named if p.dim() > 1]
        plain = [p for p in named if p.dim() <= 1]
        return [
            {'params': decay, 'weight_decay': self.settings.weight_decay},
            {'params': plain, 'weight_decay': 0.0},
        ]

    def start_from(self, network: CarNet) -> None:
        """Begin with another network's weights, with a waist or without."""
        for mine in (self.network, self.average):
            mine.load_state_dict(network.state_dict())

    def state(self) -> dict:
        """Return all that a resumed run needs."""
        return {
            'settings': asdict(self.settings),
            'network': self.network.state_dict(),
            'average': self.average.state_dict(),
            'rate': self.rate.state_dict(),
            'optimiser': self.optimiser.state_dict(),
            'log_price': self.log_price,
            'epoch': self.epoch,
            'step': self.step,
        }

    def load(self, state: dict) -> None:
        """
        Take over the state of a stopped run.

        Only the number of epochs may be another one, which stretches the schedule from here on.
        Raises ConfigError when anything else differs.
        """
        mine = {name: value for name, value in asdict(self.settings).items() if name != 'epochs'}
        changed = [name for name in mine if state['settings'].get(name) != mine[name]]
        if changed:
            name = changed[0]
            raise ConfigError(
                f'the run to resume has {name} {state["settings"].get(name)!r}, not '
                f'{mine[name]!r}; give the same options, or start anew in another folder'
            )
        for part in ('network', 'average', 'rate', 'optimiser'):
            getattr(self, part).load_state_dict(state[part])
        self.log_price, self.epoch, self.step = (
            state[name] for name in ('log_price', 'epoch', 'step')
        )

    def run_epoch(self, samples: Sequence[Sample]) -> dict[str, float]:
        """Train on each sample about once and return the mean losses."""
        settings = self.settings
        plain = self.epoch >= settings.epochs * (1 - PLAIN_SHARE)
        recipe = Recipe(jpeg=settings.jpeg)
        if plain:
            recipe = Recipe(mosaic=0.0, paste=0.1, jpeg=settings.jpeg)
        augmenter = Augmenter(samples, INPUT_HEIGHT, INPUT_WIDTH, recipe)
        rng = np.random.default_rng((settings.seed, self.epoch))
        torch.manual_seed(settings.seed * 100_003 + self.epoch)
        order = rng.permutation(len(samples))
        steps = len(order) // settings.batch
        sums: dict[str, float] = {}
        bar = tqdm(range(steps), desc=f'epoch {self.epoch + 1}/{settings.epochs}', leave=False)
        for index in bar:
            self._set_rate(steps)
            chosen = order[index * settings.batch : (index + 1) * settings.batch]
            images, truth = augmenter.batch(chosen.tolist(), rng)
            losses = self._train_step(torch.from_numpy(images), truth)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value / steps
        self.epoch += 1
        return sums

    def _set_rate(self, steps: int) -> None:
        done = self.step / (steps * self.settings.epochs)
        warm = min(1.0, self.step / (steps * self.settings.warm_up_epochs))
        factor = warm * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)
        for group in self.optimiser.param_groups:
            group['lr'] = self.settings.learning_rate * factor

    def _train_step(self, images: Tensor, truth: Sequence[Boxes]) -> dict[str, float]:
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            outputs = self.network(images.to(self.device))
        cells = flatten(outputs, STRIDES)
        kind, box = detection_loss(cells, pad(truth, self.device))
        losses = {'class': kind, 'box': box}
        total = kind + BOX_WEIGHT * box
        values = self.network.waist.values
        if values is not None:
            losses['bytes'] = self.rate(values[::2]) / 8  # half of the batch says enough
            total = total + math.exp(self.log_price) * losses['bytes'] / self.settings.waist_bytes
        self.optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimiser.step()
        self.step += 1
        self._follow()
        numbers = {name: float(value.detach()) for name, value in losses.items()}
        if values is not None:
            self._set_price(numbers['bytes'])
            numbers['price'] = math.exp(self.log_price)
        return numbers

    def _set_price(self, spent_bytes: float) -> None:
        # Dearer above the budget, cheaper below it: it holds without tuning a weight.
        excess = max(-1.0, min(1.0, spent_bytes / self.settings.waist_bytes - 1))
        self.log_price = max(math.log(1e-3), min(math.log(3.0), self.log_price + 0.01 * excess))

    @torch.no_grad()
    def _follow(self) -> None:
        keep = MOST_AVERAGING * (1 - math.exp(-self.step / 500))
        for mine, new in zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(new, 1 - keep)
            else:
                mine.copy_(new)


def pad(truth: Sequence[Boxes], device: torch.device) -> Targets:
    """Return the boxes of a batch as padded tensors."""
    longest = max(1, *(len(boxes) for boxes in truth))
    boxes = torch.zeros(len(truth), longest, 4)
    classes = torch.zeros(len(truth), longest, dtype=torch.int64)
    kind = torch.zeros(len(truth), longest, dtype=torch.int64)
    for row, item in enumerate(truth):
        count = len(item)
        boxes[row, :count] = torch.from_numpy(item.boxes)
        classes[row, :count] = torch.from_numpy(item.class_ids)
        kind[row, :count] = torch.from_numpy(np.where(item.ignore, -1, 1))
    return Targets(boxes.to(device), classes.to(device), kind.to(device))


def train(
    training: Training, samples: Sequence[Sample], held_out: Sequence[Sample], folder: Path
) -> Iterator[dict[str, float]]:
    """
    Train to the end, keeping a checkpoint, a log and weights in a folder; yield each epoch's log.

    :param held_out: validation frames; their accuracy is logged, and nothing is chosen by it.
    """
    settings = training.settings
    while training.epoch < settings.epochs:
        started = time.monotonic()
        entry: dict[str, float] = {'epoch': training.epoch + 1}
        entry.update(training.run_epoch(samples))
        entry['seconds'] = time.monotonic() - started
        last = training.epoch == settings.epochs
        if held_out and (last or training.epoch % settings.validate_every == 0):
            entry.update(validate(training.average, held_out))
        save_network(training.average, folder / 'weights.pt')
        with (folder / 'log.jsonl').open('a') as log:
            log.write(json.dumps({k: round(v, 5) for k, v in entry.items()}) + '\n')
        partial = folder / 'checkpoint.partial'
        torch.save(training.state(), partial)
        partial.replace(folder / 'checkpoint.pt')
        yield entry
