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

"""A run as a video: each camera frame with what was found on it, why, and how fast."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import cv2
from dads_ros.media.annotate import annotate
from dads_ros.media.annotate import Colour
from dads_ros.media.annotate import Mark
from dads_ros.media.annotate import Strip
from dads_ros.media.annotate import WINDOW_S
from dads_ros.media.frame import Frame
from dads_ros.media.sources import Source
from dads_ros.media.writer import VideoWriter
from dads_ros.pipeline.frame import Outcome
from dads_ros.plan import Mode
from dads_ros.report.atomic import write_bytes
from dads_ros.report.schema import FrameRecord
from dads_ros.report.schema import LinkKind
from dads_ros.report.schema import PlanRecord
from dads_ros.report.schema import RunRecord
import numpy as np
from tqdm import tqdm

_STILLS = 4
_STILL_WIDTH = 640
_SAME_NS = 1_000_000  # stamps closer than this are one frame's
_BLUE, _GREEN, _ORANGE, _RED = (90, 160, 255), (80, 200, 120), (255, 170, 60), (255, 80, 80)
_WHITE, _GREY = (225, 228, 232), (150, 156, 164)
_OUTCOMES: dict[Outcome, tuple[str, Colour]] = {
    Outcome.VIA_CLOUD: ('finished in the cloud', _BLUE),
    Outcome.LOCAL: ('finished on the car', _GREEN),
    Outcome.LOCAL_AFTER_MISS: ('finished on the car, deadline missed', _ORANGE),
    Outcome.DROPPED_SUPERSEDED: ('dropped: a newer frame came', _RED),
    Outcome.DROPPED_STALE: ('dropped: a newer result was out', _RED),
    Outcome.DROPPED_INVALID: ('dropped: image unreadable', _RED),
}
_MODES: dict[Mode, tuple[str, Colour]] = {
    Mode.LOCAL: ('all on the car', _GREEN),
    Mode.LIGHT: ('light load (DSL)', _BLUE),
    Mode.HEAVY: ('heavy load (DSH)', (200, 120, 255)),
    Mode.FIXED: ('fixed plan', _GREY),
}


def write_run_video(run: RunRecord, frames: Iterable[Frame], path: Path, still: Path) -> int:
    """
    Write a run as an annotated video and four of its frames as a picture; return how many it has.

    :param run: at least one of its frames is recorded.
    :param frames: the pictures that were played, under the stamps that the player gave them.
    :param path: ends in .webm.
    :param still: a .jpg: the middle frame of each of the longest plans, in order.
    Raises MediaError when the video cannot be written.
    """
    story = _Story(run)
    count = 0
    size: tuple[int, int] | None = None
    moments = _moments(run)
    stills: dict[int, np.ndarray] = {}
    shown = tqdm(frames, desc='annotated video', total=len(run.frames), unit='frame', leave=False)
    with VideoWriter(path, run.info.clip_rate_hz) as video:
        for frame in shown:
            record = story.record(frame.stamp_ns)
            if record is None:
                continue
            lines, strip = story.lines(record), story.strip(record.t_s)
            found = story.detections.get(record.stamp_ns)
            picture = annotate(frame.image_rgb, found, lines, strip)
            size = size or (picture.shape[1], picture.shape[0])
            if size != (picture.shape[1], picture.shape[0]):  # a folder's may be of any size
                picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            video.write(picture)
            if record.stamp_ns in moments:
                stills[record.stamp_ns] = picture
            count += 1
    if stills:
        _write_montage(list(stills.values()), still)
    return count


def _moments(run: RunRecord) -> set[int]:
    """Return the stamps of four answered frames: of each of the longest plans its middle one."""
    answered = [f for f in run.frames[run.info.warmup_frames :] if f.outcome.is_published]
    plans = {plan.plan_id: (plan.boundary, plan.codec) for plan in run.plans}
    spans = [list(span) for _, span in groupby(answered, key=lambda f: plans.get(f.plan_id))]
    longest: list[list[FrameRecord]] = []
    seen: set[object] = set()
    for span in sorted(spans, key=len, reverse=True):
        plan = plans.get(span[0].plan_id)
        if plan not in seen:
            longest.append(span)
            seen.add(plan)
    longest = longest[:_STILLS]
    # Where there were fewer plans than stills, the longest is shown more than once.
    parts = _STILLS - len(longest) + 1
    moments = {span[len(span) // 2].stamp_ns for span in longest[1:]}
    if longest:
        first = longest[0]
        moments |= {first[(2 * i + 1) * len(first) // (2 * parts)].stamp_ns for i in range(parts)}
    return moments


def _write_montage(pictures: list[np.ndarray], path: Path) -> None:
    """Write pictures of one size two by two, each 640 wide."""
    height, width = pictures[0].shape[:2]
    size = (_STILL_WIDTH, round(height * _STILL_WIDTH / width))
    small = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures]
    small += [np.zeros_like(small[0])] * (-len(small) % 2)
    rows = [np.hstack(small[i : i + 2]) for i in range(0, len(small), 2)]
    bgr = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    write_bytes(path, data.tobytes())


def as_played(source: Source, origin_ns: int, rate: float) -> Iterator[Frame]:
    """
    Yield a source's frames under the stamps that the player gives them.

    :param origin_ns: the stamp of the first frame, where the player makes the stamps.
    :param rate: speed of the replay.
    """
    first_ns: int | None = None
    for frame in source:
        first_ns = frame.stamp_ns if first_ns is None else first_ns
        own = source.has_stamps and rate == 1.0
        made_ns = origin_ns + round((frame.stamp_ns - first_ns) / rate)
        yield frame if own else replace(frame, stamp_ns=made_ns)


class _Story:
    """A run's records, ordered for asking what was known at a moment."""

    def __init__(self, run: RunRecord) -> None:
        self._run = run
        self._frames = sorted(run.frames, key=lambda record: record.stamp_ns)
        self._stamps = [record.stamp_ns for record in self._frames]
        self._plans = sorted(run.plans, key=lambda record: record.t_s)
        self._plan_of_id = {plan.plan_id: plan for plan in self._plans}
        self.detections = {record.stamp_ns: record for record in run.detections}
        self._marks = tuple(_mark(record) for record in self._frames)
        self._mark_times = [mark.time_s for mark in self._marks]
        self._bands = tuple((plan.t_s, _MODES[plan.mode][1]) for plan in self._plans)
        self._rates = _rates(run)
        latencies = sorted(mark.latency_s for mark in self._marks if mark.latency_s is not None)
        self._top_s = 1.2 * latencies[int(0.98 * (len(latencies) - 1))] if latencies else 1.0
        self._top_bps = max([rate for _, rate in self._rates], default=0.0) * 1.1 or 1e6

    def record(self, stamp_ns: int) -> FrameRecord | None:
        """Return how the frame of a stamp ended; None when the edge never saw it."""
        place = bisect.bisect_left(self._stamps, stamp_ns - _SAME_NS)
        if place < len(self._stamps) and self._stamps[place] <= stamp_ns + _SAME_NS:
            return self._frames[place]
        return None

    def lines(self, record: FrameRecord) -> list[tuple[str, Colour]]:
        """Return the words beneath a frame."""
        ending, colour = _OUTCOMES[record.outcome]
        took = f'{record.total_s * 1e3:.0f} ms, ' if record.outcome.is_published else ''
        info = self._run.info
        lines = [(took + ending, colour)]
        if plan := self._plan_of_id.get(record.plan_id) or self._plan_at(record.t_s):
            lines += [_MODES[plan.mode], (_cut(plan, record), _WHITE)]
        lines.append((self._link_words(record.t_s), _GREY))
        slower = f', car {info.edge_slowdown:.2g}x slower ({info.edge_slowdown_kind.name.lower()})'
        lines.append((info.method + (slower if info.edge_slowdown > 1 else ''), _GREY))
        return lines

    def strip(self, now_s: float) -> Strip:
        """Return the last seconds before a moment."""
        first = bisect.bisect_left(self._mark_times, now_s - WINDOW_S)
        last = bisect.bisect_right(self._mark_times, now_s)
        marks = self._marks[first:last]
        return Strip(now_s, marks, self._bands, self._rates, self._top_s, self._top_bps)

    def _plan_at(self, now_s: float) -> PlanRecord | None:
        place = bisect.bisect_right([plan.t_s for plan in self._plans], now_s)
        return self._plans[place - 1] if place else None

    def _link_words(self, now_s: float) -> str:
        kind = self._run.info.link.kind
        place = bisect.bisect_right(self._rates, (now_s, float('inf'))) - 1
        if kind == LinkKind.NONE or place < 0:
            return 'link: none in between' if kind == LinkKind.NONE else 'link: not yet known'
        return f'uplink {self._rates[place][1] / 1e6:.2f} Mbit/s ({kind.name.lower()})'


def _rates(run: RunRecord) -> tuple[tuple[float, float], ...]:
    """Return (time, bits per second): the trace that was followed, else what was estimated."""
    if run.info.link.trace is None:
        return tuple((link.t_s, link.uplink_bps) for link in run.links)
    first_s = min(record.t_s for record in run.frames)
    return tuple((first_s + time_s, rate_bps) for time_s, rate_bps in run.info.link.trace)


def _mark(record: FrameRecord) -> Mark:
    latency_s = record.total_s if record.outcome.is_published else None
    return Mark(record.t_s, latency_s, _OUTCOMES[record.outcome][1])


def _cut(plan: PlanRecord, record: FrameRecord) -> str:
    """Return what a plan sent for a frame."""
    if not plan.boundary:
        return 'nothing sent'
    tensors = plan.boundary[0] if len(plan.boundary) == 1 else f'{len(plan.boundary)} tensors'
    sent = f'{record.size_bytes / 1e3:.1f} kB: ' if record.size_bytes else ''
    return f'{sent}{tensors[-24:]}, {plan.codec}'
