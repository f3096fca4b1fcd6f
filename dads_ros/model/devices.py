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

"""Where halves run, by name: ``cpu``, ``cuda``, or ``cuda-half`` for half precision."""

from __future__ import annotations

from dataclasses import dataclass

from dads_ros.errors import ConfigError
import torch


@dataclass(frozen=True, slots=True)
class Device:
    """A device of this machine, and whether to compute in half precision on it."""

    torch: torch.device
    half_precision: bool = False


def find_device(name: str) -> Device:
    """
    Return the device of a name; of several GPUs the first that CUDA_VISIBLE_DEVICES leaves.

    Raises ConfigError when it is not in this machine.
    """
    if name == 'cpu':
        return Device(torch.device('cpu'))
    if name in ('cuda', 'cuda-half') and torch.cuda.device_count() > 0:
        return Device(torch.device('cuda', 0), name == 'cuda-half')
    raise ConfigError(f'device {name!r} is not available here; use cpu, or install its driver')
