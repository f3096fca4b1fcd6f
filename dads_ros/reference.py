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

"""The nodes' parameters as files: YAML with every default, JSON schema, and a page to read."""

from __future__ import annotations

import json
import textwrap
from typing import Any
from typing import get_type_hints

from dads_ros.settings import ALL_SETTINGS
from dads_ros.settings import defaults_of
from dads_ros.settings import limits_of

# Which nodes share a file: those that run on one machine.
PARAMETER_FILES = {'edge.param.yaml': ('edge', 'monitor'), 'cloud.param.yaml': ('cloud',)}
_JSON_TYPES = {bool: 'boolean', int: 'integer', float: 'number', str: 'string', list: 'array'}


def yaml_text(nodes: tuple[str, ...]) -> str:
    """Return a parameter file with every default of these nodes, in any namespace."""
    lines = ['# Every parameter with its default; written by `dads parameters`.']
    for node in nodes:
        limits = limits_of(ALL_SETTINGS[node])
        lines += ['', f'/**/{node}:', '  ros__parameters:', '    autostart: true']
        for name, default in defaults_of(ALL_SETTINGS[node]).items():
            comment = textwrap.wrap(_sentence(limits[name].meaning), 92)
            lines += [f'    # {line}' for line in comment]
            lines.append(f'    {name}: {json.dumps(default)}')
    return '\n'.join(lines) + '\n'


def schema(nodes: tuple[str, ...]) -> dict[str, Any]:
    """Return a JSON schema of such a file; it allows no other parameter."""
    return {
        '$schema': 'https://json-schema.org/draft/2020-12/schema',
        'title': f'Parameters of {", ".join(nodes)}',
        'type': 'object',
        'additionalProperties': False,
        'properties': {f'/**/{node}': _node_schema(node) for node in nodes},
    }


def markdown() -> str:
    """Return the parameter reference as a page."""
    lines = [
        '# Parameters',
        '',
        'Written by `dads parameters --write-docs`. Every node has `autostart` (true), too: it '
        'configures and activates itself; false leaves that to a lifecycle manager. The edge has '
        'the read-only `labels`: the names of its classes, a list as JSON. Its `bundle_cap_bytes` '
        "should be no more than the cloud's `max_bytes`.",
    ]
    for node, settings in ALL_SETTINGS.items():
        lines += ['', f'## {node}', '', str(settings.__doc__).strip(), '']
        lines += ['| parameter | default | allowed | meaning |', '| --- | --- | --- | --- |']
        limits = limits_of(settings)
        for name, default in defaults_of(settings).items():
            meaning = _sentence(limits[name].meaning)
            if limits[name].live:
                meaning += ' May change while running.'
            lines.append(
                f'| `{name}` | `{json.dumps(default)}` | {_allowed(node, name)} | {meaning} |'
            )
    return '\n'.join(lines) + '\n'


def _node_schema(node: str) -> dict[str, Any]:
    settings = ALL_SETTINGS[node]
    properties: dict[str, Any] = {'autostart': {'type': 'boolean', 'default': True}}
    for name, default in defaults_of(settings).items():
        limits = limits_of(settings)[name]
        entry: dict[str, Any] = {
            'type': _JSON_TYPES[_plain_type(settings, name)],
            'description': _sentence(limits.meaning),
            'default': default,
        }
        if isinstance(default, list):
            entry['items'] = {'type': 'string'}
        if limits.choices:
            entry['enum'] = list(limits.choices)
        if limits.low is not None:
            entry['minimum'] = limits.low
        if limits.high is not None:
            entry['maximum'] = limits.high
        properties[name] = entry
    return {
        'type': 'object',
        'additionalProperties': False,
        'required': ['ros__parameters'],
        'properties': {
            'ros__parameters': {
                'type': 'object',
                'additionalProperties': False,
                'properties': properties,
            }
        },
    }


def _plain_type(settings: type, name: str) -> type:
    wanted = get_type_hints(settings)[name]
    plain: type = getattr(wanted, '__origin__', wanted)
    return plain


def _allowed(node: str, name: str) -> str:
    limits = limits_of(ALL_SETTINGS[node])[name]
    if limits.choices:
        return ', '.join(limits.choices)
    low = '' if limits.low is None else f'from {limits.low}'
    high = '' if limits.high is None else f' to {limits.high}'
    return (low + high).strip() or _plain_type(ALL_SETTINGS[node], name).__name__


def _sentence(text: str) -> str:
    return ' '.join(text.split())
