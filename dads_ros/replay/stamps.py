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
The camera's own stamps, after a replay at another rate.

While it runs, frames bear stamps of the replay: the camera's would tell the monitor a wrong rate.
What is left behind is to be joined with the recording, so it gets the camera's stamps back.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
import json
from pathlib import Path

from dads_ros.media.run_video import as_played
from dads_ros.media.sources import Source
from dads_ros.report.atomic import write_text

FILES = ('frames.jsonl', 'detections.jsonl')


def cameras_stamps(source: Source, origin_ns: int, rate: float) -> dict[int, int]:
    """Return the camera's stamp of each stamp that the player gave, other arguments as it had."""
    played = as_played(source, origin_ns, rate)
    return {p.stamp_ns: own.stamp_ns for p, own in zip(played, source, strict=True)}


def restore_stamps(run: Path, cameras: Mapping[int, int]) -> None:
    """Put the camera's stamps into a run folder's files; the player's are known to a few ns."""
    known = sorted(cameras)
    for name in FILES:
        lines = []
        for line in (run / name).read_text(encoding='utf-8').split('\n')[:-1]:
            record = json.loads(line)
            place = bisect.bisect_left(known, record['stamp_ns'])
            nearest = min(known[max(0, place - 1) : place + 1],
                          key=lambda stamp_ns: abs(stamp_ns - record['stamp_ns']))  # fmt: skip
            record['stamp_ns'] = cameras[nearest]
            lines.append(json.dumps(record, allow_nan=False, separators=(',', ':')) + '\n')
        write_text(run / name, ''.join(lines))
