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

"""Files that are either whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from dads_ros.errors import ConfigError


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step: a reader sees the old file or the new one, never a part."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file in one step."""
    part = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_between(path: Path, begin: str, text: str, end: str) -> None:
    """
    Replace what stands between two marks of a text file.

    Raises ConfigError when the file cannot be read, or lacks a mark.
    """
    try:
        before = path.read_text(encoding='utf-8')
    except OSError as error:
        raise ConfigError(f'{str(path)!r} cannot be read: {error.strerror}') from error
    head, found, rest = before.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not (found and found_end):
        raise ConfigError(f'{str(path)!r} has no lines {begin!r} and {end!r} to write between')
    write_text(path, f'{head}{begin}\n{text}\n{end}{tail}')
