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

"""Pages and files that are written from the code, or name what is in it, agree with it."""

from __future__ import annotations

from pathlib import Path

from dads_ros import reference
from dads_ros import topics
import pytest

ROOT = Path(__file__).parents[2]
KNOWN = {topic.name: topic.type for topic in topics.TOPICS}


@pytest.mark.parametrize(
    ('page', 'text'),
    [
        ('parameters.md', reference.markdown()),
        ('topics.md', topics.markdown(ROOT / 'msg')),
    ],
)
def test_a_written_page_is_up_to_date(page: str, text: str) -> None:
    remedy = 'scripts/run dads parameters --write-docs docs'
    assert (ROOT / 'docs' / page).read_text() == text, f'run {remedy}'


def test_every_message_is_on_a_topic_or_in_another_message() -> None:
    used = {kind.rpartition('/')[2] for kind in KNOWN.values() if kind.startswith('dads_ros/')}
    assert {p.stem for p in (ROOT / 'msg').glob('*.msg')} - used == {'Sealed', 'Tensor'}
