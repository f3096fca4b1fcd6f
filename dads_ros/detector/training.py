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
Train the shipped network, then it and a twin without a waist side by side.

At first there is one network, with the waist's few channels, unrounded and free of charge. It is
trained to its end. Then the twin is made of it, which has no bottleneck: its cloud's half reads
all channels of the car's. Both go on over the same frames, the one rounding and paying for its
bits, the twin telling it what it would say of each frame. So the two differ by the waist and by
that help. Each of the two phases has a warm-up and a cosine schedule of its own: on the tail of
the first one's a waist learns too little.

A run is fixed by its seed and can be stopped at any time: it goes on from the last whole epoch,
and each epoch draws from its own random state, so that a resumed run is the run without a stop.
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
from dads_ros.detector.insertion import widened
from dads_ros.detector.learner import Learner
from dads_ros.detector.loss import Targets
from dads_ros.detector.network import CarNet
from dads_ros.detector.network import INPUT_HEIGHT
from dads_ros.detector.network import INPUT_WIDTH
from dads_ros.detector.shipped import save_network
from dads_ros.detector.shipped import save_whole
from dads_ros.detector.validate import validate
from dads_ros.errors import ConfigError
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

# The end of a phase, in frames as they come: no mosaic, little pasted.
PLAIN_SHARE = 0.12
CHECKPOINT = 'checkpoint.pt'
# Of the learning rate, in the phase with a waist: it begins with a network that is nearly right.
JOINT_RATE = 0.4


@dataclass(frozen=True)
class Settings:
    """
    A training run.

    :param unrounded_epochs: the first, in which the waist's channels are neither rounded nor
        charged for. Then a twin without a waist is made of the network, and both go on over the
        same frames, the one with rounding and guided by the other.
    :param waist_bytes: modelled bytes per training frame that the waist is held to. Real
        frames come out near it.
    :param jpeg: share of frames recompressed as JPEG, WebP or H.264, as an upload may be.
    :param scenes: generated frames per real one in an epoch.
    :param drives: how many times as many are drawn, of which each epoch sees others.
    :param leave_out: clips that are not trained on, in order.
    :param true_classes: name of a file beside the labels that tells cars, trucks and buses apart.
    :param validate_every: epochs between accuracies on the validation frames.
    """

    epochs: int = 140
    unrounded_epochs: int = 105
    batch: int = 16
    seed: int = 1
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up_epochs: float = 2.0
    waist_bytes: float = 2100.0
    jpeg: float = 0.25
    scenes: float = 0.15
    drives: int = 8
    validate_every: int = 10
    leave_out: tuple[str, ...] = ()
    true_classes: str | None = None


class Training:
    """
    One run, in memory: the network with a waist, and in time its twin without one.

    :param data: fingerprint of the frames that it trains on.
    """

    def __init__(self, settings: Settings, device: str = 'cpu', data: str = '') -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.data = data
        self.device = torch.device(device)
        self.carnet = self._learner(waist=True)
        self.carnet.set_rounding(False)
        self.twin: Learner | None = None
        self.epoch = 0
        self.step = 0

    def _learner(self, waist: bool) -> Learner:
        settings = self.settings
        return Learner(waist, self.device, settings.weight_decay, settings.waist_bytes)

    def state(self) -> dict:
        """Return all that a resumed run needs."""
        return {
            'settings': asdict(self.settings),
            'data': self.data,
            'carnet': self.carnet.state(),
            'twin': None if self.twin is None else self.twin.state(),
            'epoch': self.epoch,
            'step': self.step,
        }

    def load(self, state: dict) -> None:
        """
        Take over the state of a stopped run.

        Only the number of epochs may be another one, which stretches the schedule from here on.
        Raises ConfigError when anything else differs, the frames among it.
        """
        mine = {name: value for name, value in asdict(self.settings).items() if name != 'epochs'}
        given = state['settings']
        changed = [name for name in mine if given.get(name) != mine[name]]
        if changed:
            name = changed[0]
            raise ConfigError(
                f'the run to resume has {name} {given.get(name)!r}, not '
                f'{mine[name]!r}; give the same options, or start anew in another folder'
            )
        if state.get('data', self.data) != self.data:
            raise ConfigError(
                'the run to resume was trained on other frames or boxes; give the --data that it '
                'had, or start anew in another folder'
            )
        self.carnet.load(state['carnet'])
        if state['twin'] is not None:
            self.carnet.set_rounding(True)
            self.twin = self._learner(waist=False)
            self.twin.load(state['twin'])
        self.epoch, self.step = state['epoch'], state['step']

    def run_epoch(
        self, samples: Sequence[Sample], drawn: Sequence[Sample] = ()
    ) -> dict[str, float]:
        """Train on each sample, and a share of the drawn, about once; return the mean losses."""
        settings = self.settings
        first, count = self._phase()
        plain = self.epoch - first >= count * (1 - PLAIN_SHARE)
        recipe = Recipe(jpeg=settings.jpeg)
        if plain:
            recipe = Recipe(mosaic=0.0, paste=0.1, jpeg=settings.jpeg)
        rng = np.random.default_rng((settings.seed, self.epoch))
        share = min(round(settings.scenes * len(samples)), len(drawn))
        chosen = rng.choice(len(drawn), share, replace=False).tolist()
        samples = [*samples, *(drawn[index] for index in chosen)]
        augmenter = Augmenter(samples, INPUT_HEIGHT, INPUT_WIDTH, recipe)
        torch.manual_seed(settings.seed * 100_003 + self.epoch)
        order = rng.permutation(len(samples))
        steps = len(order) // settings.batch
        sums: dict[str, float] = {}
        bar = tqdm(range(steps), desc=f'epoch {self.epoch + 1}/{settings.epochs}', leave=False)
        for index in bar:
            batch = order[index * settings.batch : (index + 1) * settings.batch]
            images, truth = augmenter.batch(batch.tolist(), rng)
            losses = self._train_step(torch.from_numpy(images), truth, steps)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value / steps
        self.epoch += 1
        return sums

    def _phase(self) -> tuple[int, int]:
        """Return the first epoch of the phase that the run is in, and how many it has."""
        settings = self.settings
        if self.epoch < settings.unrounded_epochs:
            return 0, settings.unrounded_epochs
        return settings.unrounded_epochs, settings.epochs - settings.unrounded_epochs

    def _rate(self, steps: int) -> float:
        first, count = self._phase()
        step = self.step - steps * first
        warm = min(1.0, step / (steps * self.settings.warm_up_epochs))
        cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * step / (steps * count))) / 2
        share = JOINT_RATE if first == self.settings.unrounded_epochs else 1.0
        return self.settings.learning_rate * share * warm * cosine

    def _train_step(self, images: Tensor, truth: Sequence[Boxes], steps: int) -> dict[str, float]:
        targets = pad(truth, self.device)
        if self.twin is None and self.epoch >= self.settings.unrounded_epochs:
            self.twin = self._learner(waist=False)
            self.twin.start_wide(self.carnet)
            self.carnet.round(images)
        rate = self._rate(steps)
        losses: dict[str, float] = {}
        guide = None
        if self.twin is not None:
            told, guide = self.twin.learn(images, targets, rate)
            losses = {f'twin_{name}': value for name, value in told.items()}
        losses.update(self.carnet.learn(images, targets, rate, guide)[0])
        self.step += 1
        return losses

    def networks(self) -> dict[str, CarNet]:
        """Return what has been learnt so far, by the names of the files."""
        if self.twin is None:
            return {'twin': widened(self.carnet.average)}
        return {'twin': self.twin.average, 'carnet': self.carnet.average}


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
    training: Training,
    samples: Sequence[Sample],
    drawn: Sequence[Sample],
    held_out: Sequence[Sample],
    folder: Path,
) -> Iterator[dict[str, float]]:
    """
    Train to the end and yield each epoch's log.

    A checkpoint, a log and both networks' weights are kept in a folder.

    :param drawn: generated frames, of which each epoch sees a share.
    :param held_out: validation frames; their accuracy is logged, and nothing is chosen by it.
    Raises ConfigError when the losses are no numbers any more.
    """
    settings = training.settings
    log = folder / 'log.jsonl'
    _forget_after(training.epoch, log)
    while training.epoch < settings.epochs:
        started = time.monotonic()
        entry: dict[str, float] = {'epoch': training.epoch + 1}
        entry.update(training.run_epoch(samples, drawn))
        if not all(map(math.isfinite, entry.values())):
            raise ConfigError(
                f'the run has diverged in epoch {training.epoch}; {str(folder)!r} holds the epoch '
                'before; begin another with a lower --learning-rate'
            )
        entry['seconds'] = time.monotonic() - started
        last = training.epoch == settings.epochs
        for name, network in training.networks().items():
            save_network(network, folder / f'{name}.pt')
            if held_out and (last or training.epoch % settings.validate_every == 0):
                figures = validate(network, held_out)
                prefix = 'twin_' if name == 'twin' else ''
                entry.update({prefix + key: value for key, value in figures.items()})
        with log.open('a') as file:
            file.write(json.dumps({k: round(v, 5) for k, v in entry.items()}) + '\n')
        save_whole(training.state(), folder / CHECKPOINT)
        yield entry


def _forget_after(epoch: int, log: Path) -> None:
    """Take out of a log what came after a checkpoint, and comes again."""
    if log.is_file():
        lines = log.read_text().splitlines(keepends=True)
        if len(lines) > epoch:
            log.write_text(''.join(lines[:epoch]))
