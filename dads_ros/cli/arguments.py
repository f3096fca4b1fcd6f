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

"""Arguments that several verbs of ``dads`` share, so that they are one and the same."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
import sys

from dads_ros.replay.methods import choose
from dads_ros.replay.methods import DEFAULT_METHODS
from dads_ros.replay.methods import Method
from dads_ros.replay.methods import METHODS
from dads_ros.settings import DEFAULT_DETECTOR
import numpy as np


def add_detector(parser: argparse.ArgumentParser) -> None:
    """Add the detector and its weights."""
    parser.add_argument(
        '--detector', default=DEFAULT_DETECTOR, metavar='MODULE:FACTORY',
        help='default: %(default)s',
    )  # fmt: skip
    parser.add_argument('--weights', type=Path, metavar='FILE', help='handed to the factory')


def add_drive(parser: argparse.ArgumentParser) -> None:
    """Add the recording."""
    parser.add_argument(
        'drive', nargs='?', default='scene',
        help='video, ROS 2 bag (BAG#/TOPIC, if it has several cameras), folder of images, or '
        'scene[:seed] (default: %(default)s)',
    )  # fmt: skip


def add_baselines(parser: argparse.ArgumentParser) -> None:
    """Add the ways to compare with."""
    parser.add_argument(
        '--against', default=','.join(DEFAULT_METHODS), metavar='METHODS',
        help=f"some of {', '.join(METHODS)}; or all, none (default: %(default)s)",
    )  # fmt: skip


def methods(args: argparse.Namespace) -> tuple[Method, ...]:
    """Return what ``add_baselines`` and ``add_choice_of_plans`` ask for."""
    chosen = choose(args.against, privacy=args.privacy)
    if args.privacy and len(chosen) < len(choose(args.against)):
        print('note: with --privacy nothing is compared that sends the frame', file=sys.stderr)
    return chosen


def add_choice_of_plans(parser: argparse.ArgumentParser) -> None:
    """Add what bounds the plans: accuracy and privacy."""
    parser.add_argument(
        '--calibration', type=Path, metavar='FILE',
        help="of dads calibrate; default: the shipped detector's own",
    )  # fmt: skip
    parser.add_argument(
        '--budget', type=share, default=0.01, metavar='AP',
        help='AP at IoU 0.5 that a codec may cost (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument('--privacy', action='store_true', help='never send the frame')


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """
    Add ``--json``.

    :param what: is printed, in place of text.
    """
    parser.add_argument('--json', action='store_true', help=f'print {what} as JSON')


def output_file(text: str) -> Path:
    """Return the path of a file to write; an argparse type, so that it fails before any work."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f'{text!r} is a folder; name a file')
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f'folder {str(path.parent)!r} does not exist; make it')
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f'{text!r} must not be written; name another file')
    return path


def positive(text: str) -> float:
    """Return a number over 0."""
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f'{text!r} is not over 0')
    return value


def at_least_zero(text: str) -> float:
    """Return a number that is 0 or more."""
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'{text!r} is under 0')
    return value


def whole(text: str) -> int:
    """Return a whole number that is 0 or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number that is 0 or more')
    return int(text)


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not from 0 to 1')
    return value


def several(text: str) -> tuple[float, ...]:
    """Return the numbers of ``1,2,5``, or of ``1:20:50``, which is 50 from 1 to 20 by ratio."""
    if ':' not in text:
        return tuple(at_least_zero(part) for part in text.split(','))
    parts = text.split(':')
    if len(parts) != 3 or not parts[2].isdigit() or not 1 < int(parts[2]) <= 100_000:
        raise argparse.ArgumentTypeError(f'{text!r} is not FROM:TO:COUNT, such as 0.5:20:50')
    low, high = positive(parts[0]), positive(parts[1])
    return tuple(float(value) for value in np.geomspace(low, high, int(parts[2])))


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e12:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number')
    return value
