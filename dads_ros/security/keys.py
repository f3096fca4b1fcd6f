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
Keys of vehicles: read from files that nobody else can read, and read again when they change.

A file holds one key a line, 32 random bytes in base64 or hex. The first one seals, all of them
open; so keys change without a restart and without losing a message: add the new one as the second
line everywhere, then make it the first everywhere, then drop the old one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
import hashlib
import os
from pathlib import Path
import stat
import threading
import time

from dads_ros.errors import ConfigError

KEY_BYTES = 32
KEY_ID_BYTES = 8
SUFFIX = '.key'
# How often files are looked at; a change is in force everywhere after so long.
LOOK_PERIOD_S = 1.0
MAX_FILE_BYTES = 64 * 1024

# What tells that a file changed: another file, another length, or written since.
_State = tuple[int, int, int]


@dataclass(frozen=True)
class Key:
    """A secret that one vehicle shares with the cloud."""

    secret: bytes = field(repr=False)

    @cached_property
    def id(self) -> bytes:
        """Return what names the key to others and tells nothing about it."""
        return hashlib.sha256(b'dads_ros key id\0' + self.secret).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True)
class _Loaded:
    state: _State
    keys: tuple[Key, ...]


class Keyring:
    """
    The keys of one vehicle, or of many; safe to use from any thread.

    A file that is found wrong while running leaves its former keys in force.

    :param files: says which file holds the keys of which vehicle; asked again and again.
    :param note: tells a person, in one line, that a changed file cannot be used.
    """

    def __init__(
        self, files: Callable[[], dict[str, Path]], note: Callable[[str], object] = lambda _: None
    ) -> None:
        self._files = files
        self._note = note
        self._lock = threading.Lock()
        self._loaded: dict[str, _Loaded] = {}
        self._by_id: dict[bytes, tuple[str, Key]] = {}
        self._noted = ''
        self._load(files())
        self._looked_s = time.monotonic()

    @classmethod
    def of_vehicle(cls, file: Path, note: Callable[[str], object] = lambda _: None) -> Keyring:
        """
        Return the keys of the vehicle that this host is; its name here is ''.

        Raises ConfigError when the file cannot be used.
        """
        return cls(lambda: {'': file}, note)

    @classmethod
    def of_folder(cls, folder: Path, note: Callable[[str], object] = lambda _: None) -> Keyring:
        """
        Return the keys of all vehicles that have a file VEHICLE.key in a folder.

        Raises ConfigError when there is none, or one cannot be used.
        """

        def files() -> dict[str, Path]:
            try:
                # Not glob: to that, a folder that is missing is an empty one.
                paths = sorted(folder.iterdir())
            except OSError as error:
                raise ConfigError(f'key folder {str(folder)!r}: {error.strerror}') from error
            return {path.stem: path for path in paths if path.suffix == SUFFIX}

        if not files():
            raise ConfigError(
                f'key folder {str(folder)!r} holds no key; put one file VEHICLE{SUFFIX} in it '
                'for each vehicle'
            )
        return cls(files, note)

    def sealing(self, vehicle: str) -> Key:
        """
        Return the key to seal with.

        Raises ConfigError when the vehicle has none.
        """
        with self._lock:
            self._look()
            if vehicle not in self._loaded:
                raise ConfigError(f'vehicle {vehicle!r} has no key; add {vehicle}{SUFFIX}')
            return self._loaded[vehicle].keys[0]

    def opening(self, key_id: bytes) -> tuple[str, Key] | None:
        """Return the vehicle and the key of that id, or None."""
        with self._lock:
            self._look()
            return self._by_id.get(key_id)

    def _look(self) -> None:
        if time.monotonic() - self._looked_s < LOOK_PERIOD_S:
            return
        self._looked_s = time.monotonic()
        try:
            self._load(self._files())
            self._noted = ''
        except ConfigError as error:
            if str(error) != self._noted:
                self._note(f'{error}; the former keys stay in force')
            self._noted = str(error)

    def _load(self, files: dict[str, Path]) -> None:
        """Read what changed; nothing changes here when any file is wrong."""
        loaded = {
            vehicle: _read(path, self._loaded.get(vehicle)) for vehicle, path in files.items()
        }
        if loaded == self._loaded:
            return
        by_id: dict[bytes, tuple[str, Key]] = {}
        for vehicle, entry in loaded.items():
            for key in entry.keys:
                other, _ = by_id.setdefault(key.id, (vehicle, key))
                if other != vehicle:
                    # Either could speak for the other.
                    raise ConfigError(
                        f'vehicles {other!r} and {vehicle!r} have the same key; '
                        'give each one its own'
                    )
        self._loaded, self._by_id = loaded, by_id


def _read(path: Path, before: _Loaded | None) -> _Loaded:
    """Return a file's keys, the former ones where it has not changed."""
    name = repr(str(path))
    try:
        with path.open('rb') as file:
            status = os.fstat(file.fileno())
            state = (status.st_ino, status.st_size, status.st_mtime_ns)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
                raise ConfigError(f'key file {name} is no key file')
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigError(f'key file {name} is open to others; run: chmod 600 {path}')
            if before is not None and before.state == state:
                return before
            text = file.read().decode('ascii')
    except OSError as error:
        raise ConfigError(f'key file {name}: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise ConfigError(f'key file {name} is not text; write keys as base64 or hex') from error
    keys = tuple(_keys(name, text.splitlines()))
    if not keys:
        raise ConfigError(
            f'key file {name} holds no key; make one with: '
            f'(umask 077; openssl rand -base64 {KEY_BYTES} > {path})'
        )
    return _Loaded(state, keys)


def _keys(name: str, lines: Iterable[str]) -> Iterable[Key]:
    for number, line in enumerate(lines, 1):
        word = line.partition('#')[0].strip()
        if not word:
            continue
        try:
            # 64 hex digits are base64 too, of 48 bytes: hex is what their number says.
            hexadecimal = len(word) == 2 * KEY_BYTES
            secret = bytes.fromhex(word) if hexadecimal else base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            secret = b''
        # The line itself is not quoted: it may be a secret with a slip in it.
        if len(secret) != KEY_BYTES:
            raise ConfigError(
                f'key file {name}, line {number}: a key is {KEY_BYTES} bytes in base64 or hex'
            )
        yield Key(secret)
