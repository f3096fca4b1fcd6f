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
Everything that may leave the host, in one place: which messages, on which topics, sealed or plain.

With keys, a message travels as msg/Sealed on ``sealed/`` and its topic, and nothing plain is
listened to. Subscriptions take raw bytes: what rclpy cannot deserialise would end the node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
import struct
from typing import Any

from dads_ros.errors import BundleError
import dads_ros.msg as msg
from dads_ros.nodes import base
from dads_ros.nodes import messages
from dads_ros.nodes import qos
from dads_ros.security.keys import KEY_ID_BYTES
from dads_ros.security.keys import Keyring
from dads_ros.security.seal import Opener
from dads_ros.security.seal import Sealed
from dads_ros.security.seal import Sealer
from dads_ros.security.seal import SESSION_BYTES
from rclpy._rclpy_pybind11 import RCLError
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rclpy.serialization import serialize_message

# What may leave the host: the last part of its topic, which is its kind, and its type.
KINDS = {
    'bundle': msg.Bundle,
    'result': msg.Result,
    'probe': msg.Probe,
    'probe_reply': msg.Probe,
    'plan': msg.Plan,
}
# Names, headers and the seal, beside the tensors of a bundle.
OVERHEAD_BYTES = 64 * 1024
# Where the data of a serialised msg/Sealed begins: after CDR's own header, the fields, its length.
_DATA_AT = 4 + KEY_ID_BYTES + SESSION_BYTES + 8 + 4


class Outlet:
    """
    Sends one kind of message on one topic.

    :param unsent: is told the kind and why, when the middleware does not take a message.
    """

    def __init__(
        self,
        publisher: Any,
        kind: str,
        sealer: Sealer | None,
        unsent: Callable[[str, RCLError], None],
    ) -> None:
        self._publisher = publisher
        self._kind = kind
        self._sealer = sealer
        self._unsent = unsent

    def pack(self, message: Any, vehicle: str = '') -> bytes:
        """
        Return a message as it travels.

        :param vehicle: whose key seals it, where there are several.
        """
        data = serialize_message(message)
        if self._sealer is None:
            return data
        sealed = self._sealer.seal(self._kind, data, vehicle)
        return serialize_message(sealed_to_msg(sealed))

    def publish(self, packed: bytes) -> None:
        """Send what ``pack`` returned; what the middleware does not take is lost and counted."""
        try:
            self._publisher.publish(packed)
        except RCLError as error:
            self._unsent(self._kind, error)

    def activate(self) -> None:
        """Let it send though its node was active before; others are activated with their node."""
        if not self._publisher.is_activated:
            self._publisher.on_activate(None)

    def close(self, node: base.DadsNode[Any]) -> None:
        """Destroy the publisher; others are destroyed when their node is cleaned up."""
        node.destroy_lifecycle_publisher(self._publisher)


class Wire:
    """
    A node's way to what may leave the host.

    :param keyring: whose keys seal and open every message; None for plain topics.
    :param limit_bytes: larger messages are refused before anything is done with them.
    """

    def __init__(
        self, node: base.DadsNode[Any], keyring: Keyring | None, limit_bytes: int
    ) -> None:
        self._node = node
        self._sealer = Sealer(keyring) if keyring else None
        self._opener = Opener(keyring) if keyring else None
        self._limit_bytes = limit_bytes + OVERHEAD_BYTES
        self.refused: Counter[str] = Counter()

    @property
    def is_sealed(self) -> bool:
        """Return whether strangers are kept out."""
        return self._sealer is not None

    def outlet(self, topic: str, profile: QoSProfile) -> Outlet:
        """Return what sends on a topic, whose last part says the kind of message."""
        kind = _kind(topic)
        publisher = self._node.create_lifecycle_publisher(*self._channel(topic), profile)
        return Outlet(publisher, kind, self._sealer, self._note_unsent)

    def listen(self, topic: str, callback: Callable[[Any], None], profile: QoSProfile) -> Any:
        """Return a subscription that calls back with each message that is what it claims to be."""
        kind = _kind(topic)

        def take(data: bytes) -> None:
            try:
                message = self._open(kind, data)
            except BundleError as error:
                self._refuse(kind, str(error))
                return
            callback(message)

        if self.is_sealed:
            profile = qos.crowded(profile)
        return self._node.create_subscription(*self._channel(topic), take, profile, raw=True)

    def _channel(self, topic: str) -> tuple[Any, str]:
        if not self.is_sealed:
            return KINDS[_kind(topic)], topic
        head, slash, kind = topic.rpartition('/')
        return msg.Sealed, f'{head}{slash}sealed/{kind}'

    def _open(self, kind: str, data: bytes) -> Any:
        if len(data) > self._limit_bytes:
            raise BundleError('too large')
        if self._opener is None:
            return deserialize(data, KINDS[kind])
        if not _is_whole(data):
            raise BundleError('malformed')
        sealed = sealed_from_msg(deserialize(data, msg.Sealed))
        vehicle, plaintext = self._opener.open(kind, sealed)
        message = deserialize(plaintext, KINDS[kind])
        # A key speaks for its own vehicle only. On the car its name is not known here.
        if vehicle and message.vehicle != vehicle:
            raise BundleError('another vehicle')
        return message

    def _note_unsent(self, kind: str, error: RCLError) -> None:
        self.refused[f'{kind} not sent'] += 1
        self._node.get_logger().warning(f'{kind} not sent: {error}', throttle_duration_sec=1.0)

    def _refuse(self, kind: str, reason: str) -> None:
        self.refused[f'{kind} {reason}'] += 1
        self._node.get_logger().warning(f'{kind} refused: {reason}', throttle_duration_sec=1.0)


def keyring_of_car(node: base.DadsNode[Any], file: str) -> Keyring | None:
    """
    Return the keys that a node of the car seals with; None when no file is named.

    Raises ConfigError when the file cannot be used.
    """
    return Keyring.of_vehicle(Path(file), node.get_logger().error) if file else None


def keyring_of_cloud(node: base.DadsNode[Any], folder: str) -> Keyring | None:
    """
    Return the keys of all vehicles; None when no folder is named.

    Raises ConfigError when the folder cannot be used.
    """
    return Keyring.of_folder(Path(folder), node.get_logger().error) if folder else None


def sealed_to_msg(sealed: Sealed) -> msg.Sealed:
    """Return the message of a sealed one."""
    return msg.Sealed(
        key_id=list(sealed.key_id),
        session=list(sealed.session),
        counter=sealed.counter,
        data=messages.to_bytes_field(sealed.data),
    )


def sealed_from_msg(message: msg.Sealed) -> Sealed:
    """Return what a message holds; nothing in it is checked yet."""
    return Sealed(
        key_id=bytes(message.key_id),
        session=bytes(message.session),
        counter=message.counter,
        data=bytes(message.data),
    )


def _kind(topic: str) -> str:
    return topic.rpartition('/')[2]


def _is_whole(data: bytes) -> bool:
    """
    Return whether a serialised msg/Sealed has as much data as it says.

    The deserialiser would find that too, with a line on stderr each time, and anybody may send.
    """
    if len(data) < _DATA_AT:
        return False
    order = '<I' if data[1] & 1 else '>I'
    (size,) = struct.unpack_from(order, data, _DATA_AT - 4)
    return 0 <= len(data) - _DATA_AT - size < 4


def deserialize(data: bytes, message_type: Any) -> Any:
    """
    Return a message from bytes that anybody may have sent; its fields may hold anything.

    Raises BundleError when they are no such message.
    """
    try:
        return deserialize_message(data, message_type)
    except Exception as error:  # rmw_fastrtps raises its own kinds, and rclpy several
        raise BundleError('malformed') from error
