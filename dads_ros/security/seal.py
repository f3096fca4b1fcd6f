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
Seals messages that leave the host, and opens those that come in. The AEAD is ChaCha20-Poly1305.

Each process seals under a key of its own, derived from the vehicle's and a random session number:
so no nonce is ever used twice, be there two clouds by mistake, or a clock that was set back.

The counter of a message is the time in nanoseconds, or one more than the last where that is not
later: it goes on growing when a sender is restarted. A receiver takes, per vehicle and kind, only
what is newer than the newest it took.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
import os
import threading
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from dads_ros.errors import BundleError
from dads_ros.security.keys import Key
from dads_ros.security.keys import KEY_BYTES
from dads_ros.security.keys import KEY_ID_BYTES
from dads_ros.security.keys import Keyring

SESSION_BYTES = 16
TAG_BYTES = 16
# Derived keys that are kept; another one costs ten microseconds.
SESSIONS_KEPT = 256
_COUNTER_BYTES = 8
_PURPOSE = b'dads_ros sealed 1'


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed message; see msg/Sealed.msg."""

    key_id: bytes
    session: bytes
    counter: int
    data: bytes

    def associated(self, kind: str) -> bytes:
        """Return what is not encrypted and still cannot be changed, the kind of message first."""
        counter = self.counter.to_bytes(_COUNTER_BYTES, 'big')
        return b'\0'.join((_PURPOSE, kind.encode(), self.key_id + self.session + counter))

    @property
    def nonce(self) -> bytes:
        """Return the number that is used once under the session's key."""
        return self.counter.to_bytes(12, 'big')


class Sealer:
    """Seals what one process sends; safe to use from any thread."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._session = os.urandom(SESSION_BYTES)
        self._lock = threading.Lock()
        self._counter = 0
        self._ciphers = _Ciphers()

    def seal(self, kind: str, plaintext: bytes, vehicle: str = '') -> Sealed:
        """
        Return a message sealed with the vehicle's present key.

        :param kind: what sort of message it is; it opens as no other.
        Raises ConfigError when the vehicle has no key.
        """
        key = self._keyring.sealing(vehicle)
        with self._lock:
            self._counter = max(self._counter + 1, time.time_ns())
            head = Sealed(key.id, self._session, self._counter, b'')
            cipher = self._ciphers.get(key, self._session) or self._ciphers.add(key, self._session)
        data = cipher.encrypt(head.nonce, plaintext, head.associated(kind))
        return Sealed(key.id, self._session, head.counter, data)


class Opener:
    """Opens what one process receives, each message once; for one thread."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._newest: dict[tuple[str, str], int] = {}
        self._ciphers = _Ciphers()

    def open(self, kind: str, sealed: Sealed) -> tuple[str, bytes]:
        """
        Return whose message it is, and the message.

        Raises BundleError saying why it is refused: malformed, sealed with an unknown key,
        replayed, or forged.
        """
        lengths = (len(sealed.key_id), len(sealed.session))
        if lengths != (KEY_ID_BYTES, SESSION_BYTES) or len(sealed.data) < TAG_BYTES:
            raise BundleError('malformed')
        found = self._keyring.opening(sealed.key_id)
        if found is None:
            raise BundleError('unknown key')
        vehicle, key = found
        if sealed.counter <= self._newest.get((vehicle, kind), -1):
            raise BundleError('replayed')
        known = self._ciphers.get(key, sealed.session)
        cipher = known or _derive(key, sealed.session)
        try:
            plaintext = cipher.decrypt(sealed.nonce, sealed.data, sealed.associated(kind))
        except InvalidTag as error:
            raise BundleError('forged') from error
        # Only from here on is anything remembered of it.
        self._newest[vehicle, kind] = sealed.counter
        if known is None:
            self._ciphers.add(key, sealed.session)
        return vehicle, plaintext


class _Ciphers:
    """The least recently used session keys, so that they are not derived again and again."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[bytes, bytes], ChaCha20Poly1305] = OrderedDict()

    def get(self, key: Key, session: bytes) -> ChaCha20Poly1305 | None:
        cipher = self._known.get((key.id, session))
        if cipher is not None:
            self._known.move_to_end((key.id, session))
        return cipher

    def add(self, key: Key, session: bytes) -> ChaCha20Poly1305:
        cipher = self._known[key.id, session] = _derive(key, session)
        while len(self._known) > SESSIONS_KEPT:
            self._known.popitem(last=False)
        return cipher


def _derive(key: Key, session: bytes) -> ChaCha20Poly1305:
    derivation = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=session, info=_PURPOSE)
    return ChaCha20Poly1305(derivation.derive(key.secret))
