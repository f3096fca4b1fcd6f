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
Compiled halves: AOTInductor packages in the user's cache.

Compiling takes up to minutes, so it is done when a profile is measured and never while driving. A
package is native code. It is read from the user's own cache alone, under a name computed here, and
only if nobody else could have written it; nothing that arrives over the link chooses a file.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
import platform
import stat
import tempfile
from unittest import mock

from dads_ros.cache import cache_folder
from dads_ros.errors import ConfigError
from dads_ros.model.capture import Model
from dads_ros.model.surgery import Half
import torch

FORMAT = 1


def require_cpu(device: str) -> None:
    """Raise ConfigError unless a device, by name, is the one that halves are compiled for."""
    if device != 'cpu':
        raise ConfigError(
            f'halves are compiled for cpu only, not {device}; leave compiling out or use cpu'
        )


def package_path(model: Model, half: Half) -> Path:
    """
    Return where a half's package is kept; it may not exist.

    The name covers all that the code depends on: network, cut, torch, processor, threads.
    """
    facts = [
        FORMAT, model.hash, half.input_names, half.output_names,
        torch.__version__, torch.get_num_threads(), _processor(),
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
    return cache_folder() / 'compiled' / f'{digest}.pt2'


def compile_half(model: Model, half: Half) -> Path:
    """
    Compile a half on the CPU and keep its package; takes seconds to minutes of one core.

    The half stays as it is. Raises ConfigError when its device is no CPU or the compiler fails.
    """
    require_cpu(half.device.type)
    path = package_path(model, half)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_private(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        part = str(Path(scratch) / path.name)
        # The compiler's own cache would be a well-known folder under /tmp.
        with mock.patch.dict(os.environ, {'TORCHINDUCTOR_CACHE_DIR': scratch}):
            try:
                _compile(half, part)
            except Exception as error:  # torch and the C++ compiler raise many kinds
                lines = str(error).strip().splitlines() or [type(error).__name__]
                raise ConfigError(
                    f'half {_span(half)} cannot be compiled: {lines[0]:.160}; '
                    'a C++ compiler (g++) is needed; leave --compile out to do without'
                ) from error
        Path(part).chmod(0o600)
        Path(part).replace(path)
    return path


def upgrade(model: Model, half: Half) -> bool:
    """
    Put the compiled form in the place of a half's operators, if the cache has it.

    Until that moment, and in calls under way, the half runs as before.
    :return: whether the cache has it.
    Raises ConfigError when the package could be another user's, or cannot be read or loaded.
    """
    path = package_path(model, half)
    if half.device.type != 'cpu':
        return False
    try:
        if not path.exists():
            return False
        for place in (path.parent, path):
            _check_private(place)
    except OSError as error:
        raise ConfigError(
            f'compiled half {str(path)!r} cannot be looked at ({error.strerror}); set '
            'XDG_CACHE_HOME to a folder of the user that runs the node'
        ) from error
    try:
        package = torch._inductor.aoti_load_package(str(path))
        with torch.inference_mode():
            package(*half.zeros())  # the first run is slow, and shows whether it runs at all
    except Exception as error:  # the loader raises whatever the dynamic linker meets
        raise ConfigError(
            f'compiled half {str(path)!r} cannot be loaded ({error!s:.120}); delete it and '
            'run dads profile --compile again'
        ) from error
    half.take(package)
    return True


def _compile(half: Half, path: str) -> None:
    with torch.no_grad():
        program = torch.export.export(half.module, half.zeros(), strict=False)
        torch._inductor.aoti_compile_and_package(
            program,
            package_path=path,
            inductor_configs={
                'freezing': True,  # packs the weights
                'compile_threads': 1,  # leaves no pool of processes behind
                # They would be taken from a well-known folder under /tmp, whoever made it.
                'aot_inductor.precompile_headers': False,
            },
        )


def _check_private(path: Path) -> None:
    """Raise ConfigError unless this user alone can write to a file or folder."""
    status = path.lstat()
    others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid() or others:
        raise ConfigError(
            f'{str(path)!r} holds code and could have been written by another user; '
            'delete it, or make it yours alone (chown, chmod go-w)'
        )


def _span(half: Half) -> str:
    return f'{", ".join(half.input_names)} -> {", ".join(half.output_names)}'


def _processor() -> str:
    """Return what decides which instructions may be used."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.startswith(('model name', 'flags', 'Features'))]
    return '\n'.join(sorted(set(told))) or platform.processor()
