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

"""The shipped parameter files, their schemas and the table they come from agree."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
import re

from dads_ros import reference
from dads_ros.settings import ALL_SETTINGS
from dads_ros.settings import check
from dads_ros.settings import defaults_of
import jsonschema
import pytest
import yaml

FILES = sorted(reference.PARAMETER_FILES)


@pytest.mark.parametrize('name', FILES)
def test_shipped_file_is_what_the_table_says(name: str, root: Path) -> None:
    shipped = (root / 'config' / name).read_text(encoding='utf-8')
    assert shipped == reference.yaml_text(reference.PARAMETER_FILES[name])


@pytest.mark.parametrize('name', FILES)
def test_shipped_file_meets_the_shipped_schema(name: str, root: Path) -> None:
    schema_name = name.replace('.param.yaml', '.schema.json')
    schema = json.loads((root / 'config' / schema_name).read_text(encoding='utf-8'))
    assert schema == reference.schema(reference.PARAMETER_FILES[name])
    values = yaml.safe_load((root / 'config' / name).read_text(encoding='utf-8'))
    jsonschema.validate(values, schema)


@pytest.mark.parametrize('name', FILES)
def test_schema_refuses_an_unknown_parameter_and_a_wrong_type(name: str) -> None:
    nodes = reference.PARAMETER_FILES[name]
    schema = reference.schema(nodes)
    for wrong in ({'no_such': 1}, {'autostart': 'yes'}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({f'/**/{nodes[0]}': {'ros__parameters': wrong}}, schema)


@pytest.mark.parametrize('node', ALL_SETTINGS)
def test_every_default_passes_its_own_check(node: str) -> None:
    for name, default in defaults_of(ALL_SETTINGS[node]).items():
        check(ALL_SETTINGS[node], name, default)


def test_the_lines_that_bring_a_detector_of_ones_own_are_parameters(root: Path) -> None:
    page = (root / 'docs' / 'detector.md').read_text(encoding='utf-8')
    blocks = [yaml.safe_load(text) for text in re.findall(r'```yaml\n(.*?)```', page, re.S)]
    factories = set()
    for block in blocks:
        for node, values in block.items():
            jsonschema.validate({node: values}, reference.schema((node.removeprefix('/**/'),)))
            factories.add(values['ros__parameters'].get('detector'))
    assert len(blocks) == 3 and len(factories - {None}) == 3
    for name in factories - {None}:
        module, _, factory = name.partition(':')
        assert callable(getattr(importlib.import_module(module), factory))
