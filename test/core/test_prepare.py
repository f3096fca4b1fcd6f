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

"""A profile is kept for the frames that it was measured on."""

import os
from pathlib import Path

from dads_ros.replay.prepare import identity


def test_sources_are_told_apart_by_place_and_age(tmp_path: Path, monkeypatch) -> None:
    for folder in ('a', 'b'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'drive.mp4').write_bytes(b'frames')
    monkeypatch.chdir(tmp_path / 'a')
    here = identity('drive.mp4')
    assert here == identity(str(tmp_path / 'a' / 'drive.mp4'))
    monkeypatch.chdir(tmp_path / 'b')
    assert identity('drive.mp4') != here
    os.utime(tmp_path / 'a' / 'drive.mp4', ns=(0, 1))
    assert identity(str(tmp_path / 'a' / 'drive.mp4')) != here


def test_a_picture_added_to_a_folder_makes_it_another(tmp_path: Path) -> None:
    (tmp_path / '1.png').write_bytes(b'picture')
    os.utime(tmp_path / '1.png', ns=(0, 1))
    before = identity(str(tmp_path))
    (tmp_path / '2.png').write_bytes(b'picture')
    os.utime(tmp_path / '2.png', ns=(0, 2**62))
    assert identity(str(tmp_path)) != before


def test_what_is_no_file_is_its_name() -> None:
    assert identity('scene:3') == 'scene:3'
