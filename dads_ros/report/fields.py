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

"""Frozen dataclasses to and from JSON, checked field by field against their type hints."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
from enum import Enum
import functools
import math
import types
from typing import Any
from typing import get_args
from typing import get_origin
from typing import get_type_hints
from typing import TypeVar
from typing import Union

Record = TypeVar('Record')
# From a JSON value and the field's name, for the complaint.
Convert = Callable[[Any, str], Any]


def to_json(value: Any) -> Any:
    """
    Return a value as json.dumps takes it, with allow_nan=False.

    :param value: a dataclass, or what its fields may hold. A float that is not finite becomes
        null: JSON has no word for it. A member of an enumeration becomes its name in lower case.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[Record], value: object) -> Record:
    """
    Return the dataclass that a JSON object describes; unknown keys are ignored.

    A field with a default may be missing, and null in a float's place reads as not a number.
    Raises ValueError, with the field's name, when a field is missing or of another type.
    """
    if not isinstance(value, dict):
        raise ValueError(f'expected an object with the fields of {kind.__name__}')
    given = {}
    for name, convert, required in _fields(kind):  # type: ignore[arg-type]
        if name in value:
            given[name] = convert(value[name], name)
        elif required:
            raise ValueError(f'field {name!r} is missing')
    return kind(**given)


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, Convert, bool], ...]:
    """Return name, conversion and whether it must be given, of each field of a dataclass."""
    hints = get_type_hints(kind)
    return tuple(
        (field.name, _convert(hints[field.name]), field.default is dataclasses.MISSING)
        for field in dataclasses.fields(kind)
    )


def _convert(hint: Any) -> Convert:
    """Return what turns a JSON value into what the hint wants."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional(_convert(inner[0]))
    if origin is tuple:
        return _many(_convert(inner[0])) if inner[-1] is Ellipsis else _few(inner)
    if origin is dict:
        return _mapping(_convert(inner[1]))
    if hint is Any:
        return lambda value, _: value
    if hint is float:
        return _number
    if issubclass(hint, Enum):
        return _member(hint)
    if dataclasses.is_dataclass(hint):
        return lambda value, _: from_json(hint, value)  # type: ignore[arg-type]
    return _plain(hint)


def _plain(kind: type) -> Convert:
    def convert(value: Any, name: str) -> Any:
        if type(value) is not kind:
            raise _mismatch(value, name, kind.__name__)
        return value

    return convert


def _number(value: Any, name: str) -> float:
    if type(value) is float:
        return value
    if value is None:
        return math.nan
    if type(value) is not int:
        raise _mismatch(value, name, 'a number')
    return float(value)


def _optional(convert: Convert) -> Convert:
    return lambda value, name: None if value is None else convert(value, name)


def _many(convert: Convert) -> Convert:
    def convert_all(values: Any, name: str) -> tuple[Any, ...]:
        if not isinstance(values, list):
            raise _mismatch(values, name, 'a list')
        return tuple([convert(value, name) for value in values])

    return convert_all


def _few(hints: tuple[Any, ...]) -> Convert:
    converts = [_convert(hint) for hint in hints]

    def convert_each(values: Any, name: str) -> tuple[Any, ...]:
        if not isinstance(values, list) or len(values) != len(converts):
            raise _mismatch(values, name, f'a list of {len(converts)}')
        return tuple([c(value, name) for c, value in zip(converts, values, strict=True)])

    return convert_each


def _mapping(convert: Convert) -> Convert:
    def convert_values(values: Any, name: str) -> dict[str, Any]:
        if not isinstance(values, dict):
            raise _mismatch(values, name, 'an object')
        return {key: convert(value, f'{name}.{key}') for key, value in values.items()}

    return convert_values


def _member(kind: type[Enum]) -> Convert:
    names = {member.name.lower(): member for member in kind}

    def convert(value: Any, name: str) -> Enum:
        if not isinstance(value, str) or value not in names:
            raise _mismatch(value, name, f'one of {", ".join(names)}')
        return names[value]

    return convert


def _mismatch(value: Any, name: str, wanted: str) -> ValueError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f'{shown[:57]}...'
    return ValueError(f'field {name!r} holds {shown}, which is not {wanted}')
