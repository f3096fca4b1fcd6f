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
The answer to "why not just stream video": H.264 of the network's input, for low delay.

PyAV's FFmpeg is built with x264, which is GPL: an optional package. Besides the benches only
``dads train`` imports it, where it is installed; no node does.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
import time
from typing import Any

import numpy as np

# Constant rate factors, by rising quality.
QUALITIES = (48, 44, 40, 36, 32, 28, 23, 18, 12)
FRAMES_PER_S = 10


def stream(
    frames: Sequence[np.ndarray], quality: int
) -> tuple[list[np.ndarray], list[int], float]:
    """
    Send consecutive frames through x264 at a constant rate factor, with no frame held back.

    :param frames: uint8 RGB [1, height, width, 3], in order, of one camera.
    :return: the decoded frames, the bytes of each, and the encoder's seconds per frame (thread
        time). The first frame is whole; the others say what changed.
    """
    import av

    height, width = frames[0].shape[1:3]
    encoder = av.VideoCodecContext.create('libx264', 'w')
    encoder.width, encoder.height = width, height
    encoder.pix_fmt = 'yuv420p'
    encoder.framerate = Fraction(FRAMES_PER_S)
    encoder.thread_count = 1
    encoder.options = {
        'preset': 'medium',
        'tune': 'zerolatency',
        'crf': str(quality),
        'g': '10000',
    }
    decoder = av.VideoCodecContext.create('h264', 'r')
    decoder.thread_count = 1
    decoder.options = {'flags': 'low_delay'}
    decoded: list[np.ndarray] = []
    sizes: list[int] = []
    spent_s = 0.0
    for frame in frames:
        started = time.thread_time()
        picture = av.VideoFrame.from_ndarray(frame[0], 'rgb24').reformat(format='yuv420p')
        packets = encoder.encode(picture)
        spent_s += time.thread_time() - started
        sizes.append(sum(packet.size for packet in packets))
        for packet in packets:
            decoded.extend(_pictures(decoder, packet))
    decoded.extend(_pictures(decoder, None))
    return decoded, sizes, spent_s / len(frames)


def _pictures(decoder: Any, packet: Any) -> list[np.ndarray]:
    return [picture.to_ndarray(format='rgb24')[None] for picture in decoder.decode(packet)]
