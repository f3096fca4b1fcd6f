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

"""How many threads torch may use in this process, with a core left for DDS."""

from __future__ import annotations

import os

import cv2
from dads_ros.errors import ConfigError
import torch


def available_cores() -> int:
    """Return the cores this process may run on."""
    return len(os.sched_getaffinity(0))


def use_threads(count: int = 0, sharers: int = 1) -> int:
    """
    Set the threads of torch and OpenCV for this process.

    Every Python thread that runs a network has a team of its own, so workers that share a process
    must share the cores.

    :param count: for all sharers together; 0 takes every core but one.
    :param sharers: workers in this process that run networks at the same time.
    :return: threads of one worker.
    Raises ConfigError when a number is negative, or there are no sharers.
    """
    if count < 0 or sharers < 1:
        raise ConfigError(f'threads must be 0 or more for 1 worker or more, not {count}/{sharers}')
    each = max(1, (count or available_cores() - 1) // sharers)
    torch.set_num_threads(each)
    cv2.setNumThreads(each)
    return each
