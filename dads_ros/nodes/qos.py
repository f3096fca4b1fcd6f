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

"""The quality of service of every topic, in one place."""

from __future__ import annotations

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy
from rclpy.qos import HistoryPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy

_RELIABILITY = {
    'reliable': ReliabilityPolicy.RELIABLE,
    'best_effort': ReliabilityPolicy.BEST_EFFORT,
}


def camera(reliability: str, deadline_s: float = 0.0) -> QoSProfile:
    """
    Return the profile of a camera topic.

    Of a live camera only the newest image counts; a replay that asks for reliable wants them all.

    :param deadline_s: between two images; 0 for none.
    """
    depth = 1 if reliability == 'best_effort' else 10
    profile = QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=_RELIABILITY[reliability]
    )
    if deadline_s:
        profile.deadline = Duration(nanoseconds=round(deadline_s * 1e9))
    return profile


def overlay() -> QoSProfile:
    """Return the profile of pictures for people: the newest, to viewers of either reliability."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
    )


def wire(reliability: str) -> QoSProfile:
    """
    Return the profile of what crosses the network.

    Keeps few messages: a repeated old bundle is worth less than the next frame.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=4, reliability=_RELIABILITY[reliability]
    )


def probes() -> QoSProfile:
    """
    Return the profile of what measures the link: none is worth sending again.

    On an uplink of 0.13 Mbit/s asking for and acknowledging them took a tenth of it.
    """
    return wire('best_effort')


def crowded(profile: QoSProfile) -> QoSProfile:
    """
    Return a profile for listening where strangers may send too.

    What they send takes places in the queue, and would push out what we wait for.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=64,
        reliability=profile.reliability,
        durability=profile.durability,
    )


def local(reliability: str = 'reliable') -> QoSProfile:
    """
    Return the profile of reports on the car: none may be missing.

    Who can do without one listens with best effort: acknowledging costs more than receiving.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=200, reliability=_RELIABILITY[reliability]
    )


def latched() -> QoSProfile:
    """Return the profile of what holds until replaced; a late joiner gets the last one."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )
