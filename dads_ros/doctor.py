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

"""Look at this machine as a node would find it, and say what to do about what is not right."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import ctypes
from dataclasses import dataclass
import enum
import importlib.util
import os
from pathlib import Path
import shutil
import subprocess

from dads_ros.model.threads import available_cores

# A bundle of a few megabytes (a raw frame) has to fit, or the kernel drops parts of it.
SOCKET_BUFFER_BYTES = 4 * 2**20
# They read another variable, and other names of elements.
FAST_DDS_2 = ('humble', 'iron', 'jazzy')
FRAGMENTS_KEPT_S = 3
SHARED_MEMORY_BYTES = 64 * 2**20
STA_UNSYNC = 0x0040
PING_TIMEOUT_S = 20


class Health(enum.Enum):
    """How a check ended; only BAD keeps something from working."""

    OK = 'ok'
    HINT = 'hint'
    BAD = 'bad'


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, what was found, and what to do about it."""

    subject: str
    health: Health
    found: str
    remedy: str = ''


def examine() -> Iterator[Finding]:
    """Yield the findings, one after another: the last one takes seconds."""
    checks: tuple[Callable[[], Finding], ...] = (
        _cores,
        _rclpy,
        _interfaces,
        _programs,
        _middleware,
        _discovery,
        _socket_buffers,
        _fragments,
        _shared_memory,
        _gpu,
        _cv_bridge,
        _clock,
    )
    for check in checks:
        yield check()
    if importlib.util.find_spec('rclpy') and shutil.which('ping_cloud'):
        yield _cloud()


def _cores() -> Finding:
    cores = available_cores()
    if cores > 1:
        return Finding('processor', Health.OK, f'{cores} cores; one is left to DDS')
    return Finding(
        'processor', Health.HINT, 'one core', 'computing and DDS will disturb each other'
    )


def _rclpy() -> Finding:
    if importlib.util.find_spec('rclpy') is None:
        return Finding(
            'ROS 2', Health.BAD, 'rclpy is not importable',
            'use scripts/run, or source /opt/ros/DISTRO/setup.bash',
        )  # fmt: skip
    return Finding('ROS 2', Health.OK, os.environ.get('ROS_DISTRO') or 'rclpy from wheels')


def _interfaces() -> Finding:
    missing = [
        name
        for name in ('dads_ros.msg', 'sensor_msgs.msg', 'vision_msgs.msg')
        if not _is_importable(name)
    ]
    if missing:
        return Finding(
            'messages', Health.BAD, f'{", ".join(missing)} not importable',
            'colcon build this package, then source install/setup.bash',
        )  # fmt: skip
    return Finding('messages', Health.OK, 'dads_ros, sensor_msgs, vision_msgs')


def _is_importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _programs() -> Finding:
    missing = [name for name in ('setpriv', 'edge', 'cloud', 'player') if not shutil.which(name)]
    if missing:
        return Finding(
            'programs', Health.HINT, f'{", ".join(missing)} not on PATH: dads replay cannot run',
            "use scripts/run or ros2 run dads_ros dads; setpriv is in Debian's util-linux",
        )  # fmt: skip
    return Finding('programs', Health.OK, 'the nodes and setpriv are on PATH')


def _middleware() -> Finding:
    # Unset, it is Fast DDS in every distribution from Humble on.
    name = os.environ.get('RMW_IMPLEMENTATION') or 'rmw_fastrtps_cpp (default)'
    is_old = os.environ.get('ROS_DISTRO') in FAST_DDS_2
    variable, file = (
        ('FASTRTPS_DEFAULT_PROFILES_FILE', 'config/fastdds2.xml')
        if is_old
        else ('FASTDDS_DEFAULT_PROFILES_FILE', 'config/fastdds.xml')
    )
    profile = os.environ.get(variable)
    if 'fastrtps' in name and not profile:
        return Finding(
            'middleware', Health.HINT, f'{name} with its own buffers',
            f'images of a camera get lost in them; set {variable} to {file}',
        )  # fmt: skip
    if profile and not Path(profile).is_file():
        return Finding(
            'middleware', Health.BAD, f'{variable} names {profile!r}',
            'which does not exist; correct or unset it',
        )  # fmt: skip
    return Finding('middleware', Health.OK, name)


def _discovery() -> Finding:
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    if reach in ('LOCALHOST', 'OFF'):
        return Finding(
            'discovery',
            Health.HINT,
            f'{reach}, domain {domain}: nodes of other hosts stay unseen',
            'for a cloud on another host set ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET on both',
        )
    return Finding('discovery', Health.OK, f'{reach}, domain {domain}')


def _socket_buffers() -> Finding:
    """Look at what config/fastdds.xml asks for and the kernel may not grant."""
    found = {name: _kernel(f'net.core.{name}') for name in ('rmem_max', 'wmem_max')}
    told = ', '.join(f'{name} {_told(size)}' for name, size in found.items())
    small = [
        name for name, size in found.items() if size is not None and size < SOCKET_BUFFER_BYTES
    ]
    if small:
        wanted = ' '.join(f'net.core.{name}={SOCKET_BUFFER_BYTES}' for name in small)
        return Finding(
            'socket buffers', Health.HINT, told,
            f'raw frames to another host may be lost; sudo sysctl -w {wanted}',
        )  # fmt: skip
    return Finding('socket buffers', Health.OK, told)


def _fragments() -> Finding:
    """Look at how the kernel puts large datagrams together: a DDS sample is sent in such."""
    limit, kept_s = _kernel('net.ipv4.ipfrag_high_thresh'), _kernel('net.ipv4.ipfrag_time')
    told = f'up to {_told(limit)}, kept {"?" if kept_s is None else kept_s} s'
    if limit is not None and limit < SOCKET_BUFFER_BYTES:
        return Finding(
            'IP fragments', Health.HINT, told,
            f'large messages may be lost; sudo sysctl -w net.ipv4.ipfrag_high_thresh={2**27}',
        )  # fmt: skip
    if kept_s is not None and kept_s > FRAGMENTS_KEPT_S:
        return Finding(
            'IP fragments', Health.HINT, told,
            'on a link that loses packets, broken messages fill the buffer for so long; '
            f'sudo sysctl -w net.ipv4.ipfrag_time={FRAGMENTS_KEPT_S}',
        )  # fmt: skip
    return Finding('IP fragments', Health.OK, told)


def _kernel(name: str) -> int | None:
    """Return a limit of the kernel's; None where it does not tell, as in some containers."""
    path = Path('/proc/sys') / name.replace('.', '/')
    try:
        return int(path.read_text(encoding='ascii'))
    except (OSError, ValueError):
        return None


def _told(size: int | None) -> str:
    return 'not told here' if size is None else f'{size / 2**20:.3g} MiB'


def _shared_memory() -> Finding:
    try:
        free = shutil.disk_usage('/dev/shm').free
    except OSError:
        free = 0
    if free < SHARED_MEMORY_BYTES:
        return Finding(
            'shared memory', Health.HINT, f'{free / 2**20:.0f} MiB free in /dev/shm',
            'images between nodes of one host go through it; make it larger',
        )  # fmt: skip
    return Finding('shared memory', Health.OK, f'{free / 2**20:.0f} MiB free')


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding('GPU', Health.OK, f"{torch.cuda.get_device_name()}; use device 'cuda'")
    if Path('/dev/nvidia0').exists():
        return Finding(
            'GPU', Health.HINT, 'one is there, but torch cannot use it',
            "install torch's CUDA build and a driver that fits it; until then device 'cpu'",
        )  # fmt: skip
    return Finding('GPU', Health.OK, "none; device 'cpu'")


def _cv_bridge() -> Finding:
    there = importlib.util.find_spec('cv_bridge') is not None
    return Finding(
        'cv_bridge', Health.OK, 'there, and not needed' if there else 'not there, and not needed'
    )


def _clock() -> Finding:
    """Ask the kernel; delays are measured on the car's clock alone, so this is never bad."""
    state = ctypes.create_string_buffer(512)
    code = ctypes.CDLL(None).adjtimex(state)
    status = int.from_bytes(state.raw[40:44], 'little')  # struct timex: modes, 3 longs, status
    if code < 0 or status & STA_UNSYNC:
        return Finding(
            'clock', Health.HINT, 'not synchronised',
            'delays are measured on the car alone; only stamps of other hosts would disagree',
        )  # fmt: skip
    return Finding('clock', Health.OK, 'synchronised')


def _cloud() -> Finding:
    try:
        done = subprocess.run(
            ['ping_cloud'], capture_output=True, text=True, timeout=PING_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding('cloud', Health.HINT, 'no word from the middleware', 'is DDS blocked here?')
    if done.returncode == 0:
        return Finding('cloud', Health.OK, done.stdout.strip())
    return Finding(
        'cloud', Health.HINT, 'no cloud node answers',
        'start one, on the same ROS_DOMAIN_ID and namespace; until then the car computes alone',
    )  # fmt: skip
