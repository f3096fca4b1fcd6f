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

"""Declare a node's parameters from its settings table, and read them back as one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from typing import TypeVar

from dads_ros.errors import ConfigError
from dads_ros.settings import check
from dads_ros.settings import defaults_of
from dads_ros.settings import Limits
from dads_ros.settings import limits_of
from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

Settings = TypeVar('Settings')


def declare(node: Node, settings: type[Settings]) -> None:
    """
    Declare every parameter of the table.

    Raises ConfigError when a value given from outside has another type or is out of range.
    """
    limits = limits_of(settings)
    for name, default in defaults_of(settings).items():
        try:
            node.declare_parameter(name, default, _descriptor(limits[name], default))
        except InvalidParameterTypeException as error:
            raise ConfigError(
                f'parameter {name!r} must be a {type(default).__name__}; {error}'
            ) from error
        except InvalidParameterValueException as error:
            raise ConfigError(f'parameter {name!r}: {error}') from error
        check(settings, name, _plain(node.get_parameter(name).value))


def read(node: Node, settings: type[Settings]) -> Settings:
    """Return the parameters' present values."""
    return settings(
        **{f.name: _plain(node.get_parameter(f.name).value) for f in fields(settings)}  # type: ignore[arg-type]
    )


def checked(settings: type, changes: Sequence[Parameter]) -> dict[str, Any]:
    """
    Return the new values of those parameters that are in the table.

    Raises ConfigError when one is not allowed.
    """
    table = limits_of(settings)
    values = {c.name: _plain(c.value) for c in changes if c.name in table}
    for name, value in values.items():
        check(settings, name, value)
    return values


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value


def _descriptor(limits: Limits, default: Any) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=limits.meaning, read_only=not limits.live)
    if limits.choices:
        descriptor.additional_constraints = 'one of ' + ', '.join(limits.choices)
    if limits.low is not None and limits.high is not None:
        if isinstance(default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(limits.low), to_value=float(limits.high))
            ]
        else:
            descriptor.integer_range = [
                IntegerRange(from_value=int(limits.low), to_value=int(limits.high))
            ]
    return descriptor
