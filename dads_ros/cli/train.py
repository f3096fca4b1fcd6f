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

"""``dads train``: train the shipped detector and its twin on annotated video."""

from __future__ import annotations

import argparse
from dataclasses import fields
from importlib.util import find_spec
import io
import json
from pathlib import Path
import sys

from dads_ros.cli.arguments import positive
from dads_ros.cli.arguments import share
from dads_ros.cli.arguments import whole
from dads_ros.detector.coco import category_names
from dads_ros.detector.data import fingerprint
from dads_ros.detector.data import load_coco
from dads_ros.detector.data import Sample
from dads_ros.detector.insertion import leave_unrounded
from dads_ros.detector.network import CarNet
from dads_ros.detector.network import INPUT_HEIGHT
from dads_ros.detector.network import INPUT_WIDTH
from dads_ros.detector.network import LABELS
from dads_ros.detector.shipped import load_network
from dads_ros.detector.shipped import WEIGHTS
from dads_ros.detector.training import CHECKPOINT
from dads_ros.detector.training import Settings
from dads_ros.detector.training import train
from dads_ros.detector.training import Training
from dads_ros.detector.true_classes import read_true
from dads_ros.errors import ConfigError
from dads_ros.media.drawn import draw_samples
from dads_ros.media.drawn import FIRST_TRAINING
from dads_ros.model.devices import find_device
from dads_ros.model.threads import use_threads
import torch

EXAMPLES = """\
  dads train --data bdd/ --out run1/ --device cuda
  dads train --data bdd/ --out run1/ --resume
      goes on from the last whole epoch
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``dads train``."""
    parser.add_argument(
        '--data',
        type=Path,
        required=True,
        metavar='DIR',
        help='folder with train.json and val.json (COCO) and the frames that they name',
    )
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='DIR',
        help='weights, log and checkpoint go here',
    )
    parser.add_argument('--epochs', type=whole, help=f'default: {Settings.epochs}')
    parser.add_argument('--seed', type=whole, help=f'default: {Settings.seed}')
    parser.add_argument('--threads', type=int, default=2, help='CPU threads, default: %(default)s')
    parser.add_argument(
        '--device', choices=('cpu', 'cuda'), default='cpu', help='default: %(default)s'
    )
    parser.add_argument(
        '--unrounded-epochs',
        type=whole,
        metavar='EPOCHS',
        help="of these, the first, with the waist's channels unrounded, default: three quarters",
    )
    parser.add_argument(
        '--waist-bytes',
        type=positive,
        metavar='BYTES',
        help=f'modelled bytes per training frame, default: {Settings.waist_bytes:g}',
    )
    parser.add_argument(
        '--jpeg',
        type=share,
        metavar='SHARE',
        help=f'share of frames recompressed as JPEG, WebP or H.264, default: {Settings.jpeg:g}',
    )
    parser.add_argument(
        '--scenes',
        type=share,
        metavar='SHARE',
        help=f'generated frames per real one in an epoch, default: {Settings.scenes:g}',
    )
    parser.add_argument(
        '--leave-out',
        nargs='*',
        metavar='CLIP',
        help='clips not to train on, for a test on cameras never seen',
    )
    parser.add_argument(
        '--true-classes',
        metavar='FILE',
        help='COCO file in --data with true boxes of some of its frames: what car, truck or bus a '
        'label is is taken from the true box that it lies on',
    )
    parser.add_argument(
        '--learning-rate',
        type=positive,
        metavar='RATE',
        help=f'largest step of the schedule, default: {Settings.learning_rate:g}',
    )
    parser.add_argument(
        '--start',
        type=Path,
        metavar='WEIGHTS',
        help='begin with these instead of from scratch, in a run of its own',
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on from the checkpoint in --out, with the settings of that run',
    )
    parser.add_argument(
        '--json', action='store_true', help="print the weights' path and every epoch as JSON"
    )


def run(args: argparse.Namespace) -> int:
    """Train to the end; stopped at any time, ``--resume`` goes on from the last whole epoch."""
    find_device(args.device)
    state = stopped_run(args.out, args.device) if args.resume else None
    settings = settings_of(args, state)
    if not 0 <= settings.unrounded_epochs < settings.epochs:
        raise ConfigError(
            f'--unrounded-epochs is {settings.unrounded_epochs}, of {settings.epochs} epochs; '
            'give fewer of the one or more of the other: the waist needs some to learn rounding'
        )
    if settings.jpeg and find_spec('av') is None:
        print(
            'PyAV is not installed (pip install av): WebP stands in for H.264 among the '
            'recompressed frames',
            file=sys.stderr,
        )
    trained = load_start(args.start) if args.start and state is None else None
    samples, held_out = load(args.data, settings)
    training = start(Training(settings, args.device, fingerprint(samples)), args.out, state)
    if trained is not None:
        training.carnet.start_from(trained)
    use_threads(args.threads)
    count = round(settings.scenes * settings.drives * len(samples))
    drawn = draw_samples(count, (settings.seed + 1) * FIRST_TRAINING)
    entries = []
    for entry in train(training, samples, drawn, held_out, args.out):
        print(' '.join(f'{name} {value:.4g}' for name, value in entry.items()), file=sys.stderr)
        entries.append(entry)
    weights = args.out / 'carnet.pt'
    print(json.dumps({'weights': str(weights), 'epochs': entries}) if args.json else weights)
    return 0


def settings_of(args: argparse.Namespace, state: dict | None) -> Settings:
    """
    Return what the arguments ask for; what they leave open is as by default, or as in the run.

    :param state: of a stopped run, to go on with.
    """
    names = [one.name for one in fields(Settings)]
    asked = {name: value for name in names if (value := getattr(args, name, None)) is not None}
    if 'leave_out' in asked:
        asked['leave_out'] = tuple(sorted(asked['leave_out']))
    if state is not None:
        kept = {name: value for name, value in state['settings'].items() if name in names}
        return Settings(**{**kept, **asked})
    if 'epochs' in asked:
        asked.setdefault('unrounded_epochs', asked['epochs'] * 3 // 4)
    return Settings(**asked)


def load_start(path: Path) -> CarNet:
    """
    Return a network with a waist, unrounded as a run begins.

    Raises ConfigError when the file holds another or none.
    """
    network = load_network(path)
    if network.waist is None:
        raise ConfigError(
            f'--start names {str(path)!r}, a network without a waist; a run begins with one with '
            f'a waist: give the {WEIGHTS.name} beside it'
        )
    leave_unrounded(network)
    return network


def load(folder: Path, settings: Settings) -> tuple[list[Sample], list[Sample]]:
    """
    Return the frames to train on, and those to validate on.

    Raises MediaError when there are none to be read, ConfigError when they are too few, when a
    clip to leave out is none of theirs, or when no box is of a class that can be learnt.
    """
    # Augmentation shows a frame at 1.8 times its size in use at most.
    twice = (2 * INPUT_HEIGHT, 2 * INPUT_WIDTH)
    path = folder / 'train.json'
    told = settings.true_classes
    true = [] if told is None else read_true(folder / told, [path])
    samples = load_coco(path, LABELS, size=twice, true=true)
    clips = sorted({sample.clip for sample in samples})
    unknown = [name for name in settings.leave_out if name not in clips]
    if unknown:
        raise ConfigError(
            f'no clip {unknown[0]!r} to leave out; there are {", ".join(map(repr, clips))}'
        )
    samples = [sample for sample in samples if sample.clip not in settings.leave_out]
    if len(samples) < settings.batch:
        raise ConfigError(
            f'{len(samples)} training frames are too few; '
            f'give at least a batch of {settings.batch}'
        )
    if all(sample.truth.ignore.all() for sample in samples):
        names = ', '.join(map(repr, category_names(path))) or 'none'
        raise ConfigError(
            f'{str(path)!r} has no sure box to learn from of {", ".join(LABELS)}; its categories '
            f'are {names}; call them by these words'
        )
    once = (INPUT_HEIGHT, INPUT_WIDTH)
    return samples, load_coco(folder / 'val.json', LABELS, size=once, true=true)


def start(training: Training, folder: Path, state: dict | None) -> Training:
    """
    Return a run at its start, brought to its last whole epoch if it was stopped.

    :param state: of a stopped run, to go on with.
    Raises ConfigError when there is a run in the folder already that is not to go on, or when the
    settings or the frames are not those of the stopped one.
    """
    if state is not None:
        training.load(state)
    elif (folder / CHECKPOINT).exists():
        raise ConfigError(f'{str(folder)!r} holds a run; give --resume or another folder')
    folder.mkdir(parents=True, exist_ok=True)
    return training


def stopped_run(folder: Path, device: str) -> dict:
    """Return the state of a stopped run; raise ConfigError when there is none that is whole."""
    path = folder / CHECKPOINT
    if not path.is_file():
        raise ConfigError(f'no run to resume: {str(path)!r} does not exist')
    data = io.BytesIO(path.read_bytes())
    try:
        return torch.load(data, map_location=device, weights_only=True)
    except Exception as error:  # torch.load raises many kinds on a file that is not its own
        raise ConfigError(
            f'checkpoint {str(path)!r} is damaged; train anew in another folder'
        ) from error
