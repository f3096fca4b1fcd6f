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

"""Draws what happened to a camera frame: boxes on it, words and the last seconds beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
from dads_ros.report.schema import DetectionRecord
import numpy as np

WINDOW_S = 10.0
SHOWN_SCORE = 0.25  # boxes below are left out
PANEL_PX = 116  # beneath the picture
_MIN_WIDTH = 640
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK = (225, 228, 232)
_FAINT = (120, 126, 134)
_PAPER = (22, 24, 28)
_TEXT_PX = 292  # width of the words
_MARGIN = 8

Colour = tuple[int, int, int]
Held = TypeVar('Held')


@dataclass(frozen=True, slots=True)
class Mark:
    """One past frame: when it came, how long it took, None when it was dropped."""

    time_s: float
    latency_s: float | None
    colour: Colour


@dataclass(frozen=True, slots=True)
class Strip:
    """
    What the chart shows of the last WINDOW_S before ``now_s``.

    :param bands: (start, colour) of each plan, in order; it holds until the next.
    :param rates: (time, bits per second) of the link, in order; each holds until the next.
    :param top_s: latency at the upper edge.
    :param top_bps: rate at the upper edge.
    """

    now_s: float
    marks: tuple[Mark, ...]
    bands: tuple[tuple[float, Colour], ...]
    rates: tuple[tuple[float, float], ...]
    top_s: float
    top_bps: float


def annotate(
    image_rgb: np.ndarray,
    detections: DetectionRecord | None,
    lines: Sequence[tuple[str, Colour]],
    strip: Strip,
) -> np.ndarray:
    """
    Return the picture with boxes, at least 640 wide, and a panel of PANEL_PX rows beneath.

    :param detections: None when the frame was dropped; boxes below SHOWN_SCORE are left out.
    :param lines: up to five lines of text and their colours; ASCII, as the font is.
    """
    picture = _enlarged(image_rgb)
    scale = picture.shape[1] / image_rgb.shape[1]
    if detections is None:
        picture = (picture * 0.6).astype(np.uint8)
    else:
        draw_boxes(picture, detections, scale)
    panel = np.full((PANEL_PX, picture.shape[1], 3), _PAPER, np.uint8)
    for number, (text, colour) in enumerate(lines):
        write(panel, text, (_MARGIN, 20 + 21 * number), colour)
    _draw_strip(panel[:, _TEXT_PX:], strip)
    return np.concatenate([picture, panel])


def _enlarged(image_rgb: np.ndarray) -> np.ndarray:
    """Return a copy of even size and at least _MIN_WIDTH wide; video codecs want even sizes."""
    height, width = image_rgb.shape[:2]
    scale = max(1.0, _MIN_WIDTH / width)
    size = (round(width * scale) // 2 * 2, round(height * scale) // 2 * 2)
    return cv2.resize(image_rgb, size, interpolation=cv2.INTER_LINEAR)


def draw_boxes(picture: np.ndarray, detections: DetectionRecord, scale: float = 1.0) -> None:
    """
    Draw what was found, the surest on top; boxes below SHOWN_SCORE are left out.

    :param picture: uint8 RGB; drawn on.
    :param scale: its pixels per pixel of the boxes.
    """
    found = zip(detections.boxes, detections.scores, detections.labels, strict=True)
    for box, score, label in sorted(found, key=lambda entry: entry[1]):
        if score < SHOWN_SCORE:
            continue
        x0, y0, x1, y1 = (round(v * scale) for v in box)
        colour = label_colour(label)
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 2, cv2.LINE_AA)
        text = f'{label} {score:.2f}'
        (width, height), _ = cv2.getTextSize(text, _FONT, 0.4, 1)
        top = max(y0 - height - 5, 0)
        cv2.rectangle(picture, (x0, top), (x0 + width + 4, top + height + 5), colour, cv2.FILLED)
        write(picture, text, (x0 + 2, top + height + 2), (12, 12, 12))


def label_colour(label: str) -> Colour:
    """Return a bright colour that is the same for a label in every video."""
    hue = sum(ord(c) * (i + 3) * 37 for i, c in enumerate(label)) % 180
    pixel = np.array([[[hue, 150, 250]]], np.uint8)
    red, green, blue = cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue


def _draw_strip(panel: np.ndarray, strip: Strip) -> None:
    """Draw plan bands, the link's rate as an area and each frame's latency as a dot."""
    left, right, top, bottom = 4, panel.shape[1] - 62, 20, PANEL_PX - 20
    begin_s = strip.now_s - WINDOW_S

    def x_of(time_s: float) -> int:
        share = min(max((time_s - begin_s) / WINDOW_S, 0.0), 1.0)
        return round(left + share * (right - left))

    def y_of(share: float) -> int:
        return round(bottom - min(max(share, 0.0), 1.0) * (bottom - top))

    for start_s, end_s, colour in _held(strip.bands, strip.now_s):
        dim = tuple(c // 4 for c in colour)
        cv2.rectangle(panel, (x_of(start_s), top), (x_of(end_s), bottom), dim, cv2.FILLED)
    area = [(x_of(begin_s), bottom)]
    for start_s, end_s, rate_bps in _held(strip.rates, strip.now_s):
        y = y_of(rate_bps / strip.top_bps)
        area += [(x_of(start_s), y), (x_of(end_s), y)]
    cv2.polylines(panel, [np.array(area[1:], np.int32)], False, _FAINT, 1, cv2.LINE_AA)
    for mark in strip.marks:
        if not begin_s <= mark.time_s <= strip.now_s:
            continue
        if mark.latency_s is None:
            cv2.drawMarker(
                panel, (x_of(mark.time_s), top + 4), mark.colour, cv2.MARKER_TILTED_CROSS, 6
            )
        else:
            y = y_of(mark.latency_s / strip.top_s)
            cv2.circle(panel, (x_of(mark.time_s), y), 2, mark.colour, cv2.FILLED, cv2.LINE_AA)
    cv2.line(panel, (left, bottom), (right, bottom), _FAINT)
    write(panel, f'{strip.top_s * 1e3:.0f} ms', (right + 5, top + 10), _INK)
    write(panel, f'{strip.top_bps / 1e6:.2g} Mbps', (right + 5, top + 26), _FAINT)
    write(panel, '0', (right + 5, bottom + 4), _INK)
    write(panel, f'-{WINDOW_S:.0f} s', (left, PANEL_PX - 6), _FAINT)
    write(panel, 'now', (right - 24, PANEL_PX - 6), _FAINT)
    write(panel, 'dots: latency   line: link   band: plan', (left, 13), _FAINT)


def _held(samples: Sequence[tuple[float, Held]], now_s: float) -> list[tuple[float, float, Held]]:
    """Return (start, end, value) of what holds until the next sample, within the window."""
    ends = [time_s for time_s, _ in samples[1:]] + [float('inf')]
    return [
        (max(start_s, now_s - WINDOW_S), min(end_s, now_s), value)
        for (start_s, value), end_s in zip(samples, ends, strict=True)
        if end_s > now_s - WINDOW_S and start_s <= now_s
    ]


def write(image: np.ndarray, text: str, at: tuple[int, int], colour: Colour) -> None:
    """Write one line of text; ``at`` is its lower left corner."""
    plain = text.encode('ascii', 'replace').decode()
    cv2.putText(image, plain, at, _FONT, 0.4, colour, 1, cv2.LINE_AA)
