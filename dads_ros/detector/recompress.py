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
Training frames as a link may bring them: through JPEG, WebP or H.264 of random quality.

So the networks that the image rows of ``dads bench detector`` are measured with have seen what
these do to a picture. H.264 needs PyAV (``pip install dads_ros[video]``); without it WebP, whose
blocks are much like those of an H.264 key frame, takes its share.
"""

from __future__ import annotations

from fractions import Fraction
from importlib.util import find_spec

import cv2
import numpy as np

JPEG_QUALITIES = (8, 90)
WEBP_QUALITIES = (2, 90)
H264_QUALITIES = (22, 41)
# Between the two frames of a stream that ends in the frame wanted, in pixels.
LARGEST_MOTION_PX = 4


def recompress(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an RGB frame after one of the three, drawn with its quality from the generator."""
    kind = rng.choice(('jpeg', 'webp', 'h264'))
    if kind == 'h264' and find_spec('av') is not None:
        return _h264(image, int(rng.integers(*H264_QUALITIES)), rng)
    if kind == 'jpeg':
        return _still(image, '.jpg', cv2.IMWRITE_JPEG_QUALITY, _quality(rng, JPEG_QUALITIES))
    return _still(image, '.webp', cv2.IMWRITE_WEBP_QUALITY, _quality(rng, WEBP_QUALITIES))


def _quality(rng: np.random.Generator, limits: tuple[int, int]) -> int:
    return int(np.exp(rng.uniform(*np.log(limits))))


def _still(image: np.ndarray, form: str, flag: int, quality: int) -> np.ndarray:
    # The channels' order matters to the colour transform of the codec.
    _, data = cv2.imencode(form, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [flag, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))


def _h264(image: np.ndarray, quality: int, rng: np.random.Generator) -> np.ndarray:
    """Return the frame as the second of a stream whose first is the same a few pixels away."""
    import av

    height, width = image.shape[:2]
    encoder = av.VideoCodecContext.create('libx264', 'w')
    encoder.width, encoder.height = width, height
    encoder.pix_fmt = 'yuv420p'
    encoder.framerate = Fraction(10)
    encoder.thread_count = 1
    encoder.options = {'preset': 'veryfast', 'tune': 'zerolatency', 'crf': str(quality)}
    decoder = av.VideoCodecContext.create('h264', 'r')
    decoder.thread_count = 1
    shift = rng.integers(-LARGEST_MOTION_PX, LARGEST_MOTION_PX + 1, 2)
    before = np.roll(image, tuple(int(n) for n in shift), (0, 1))
    pictures = []
    for frame in (before, image):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), 'rgb24')
        for packet in encoder.encode(picture.reformat(format='yuv420p')):
            pictures += decoder.decode(packet)
    pictures += decoder.decode(None)
    return np.asarray(pictures[-1].to_ndarray(format='rgb24'))
