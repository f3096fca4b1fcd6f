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
    hints = _hints(kind)  # type: ignore[arg-type]
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in value:
            given[field.name] = _convert(hints[field.name], value[field.name], field.name)
        elif field.default is dataclasses.MISSING:
            raise ValueError(f'field {field.name!r} is missing')
    return kind(**given)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _convert(hint: Any, value: Any, name: str) -> Any:
    """Return the value as the hint wants it."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else _convert(get_args(hint)[0], value, name)
    if hint is float:
        return _number(value, name)
    if origin is tuple and isinstance(value, list):
        return _tuple(get_args(hint), value, name)
    if origin is dict and isinstance(value, dict):
        item_hint = get_args(hint)[1]
        return {key: _convert(item_hint, item, f'{name}.{key}') for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(hint, value, name)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_json(hint, value)
    if hint is Any or (isinstance(hint, type) and type(value) is hint):
        return value
    raise ValueError(f'field {name!r} holds {value!r}, which is not of type {_words(hint)}')


def _number(value: object, name: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f'field {name!r} holds {value!r}, which is not a number')
    return float(value)


def _tuple(hints: tuple[Any, ...], values: list[Any], name: str) -> tuple[Any, ...]:
    if hints[-1] is Ellipsis:
        return tuple(_convert(hints[0], value, name) for value in values)
    if len(hints) != len(values):
        raise ValueError(f'field {name!r} holds {len(values)} values where {len(hints)} belong')
    return tuple(_convert(hint, value, name) for hint, value in zip(hints, values, strict=True))


def _member(kind: type[Enum], value: object, name: str) -> Enum:
    names = {member.name.lower(): member for member in kind}
    if not isinstance(value, str) or value not in names:
        raise ValueError(f'field {name!r} holds {value!r}; it may be one of {", ".join(names)}')
    return names[value]


def _words(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)
