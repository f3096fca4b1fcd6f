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

"""Data that would cost much to decode for few bytes is refused by its header or its shape."""

import cv2
from dads_ros import codec
from dads_ros.errors import CodecError
import numpy as np
import pytest

PICTURE = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
SHAPE = (1, *PICTURE.shape)


def jpeg(*options: int) -> bytes:
    return bytes(cv2.imencode('.jpg', PICTURE, list(options))[1])


def with_empty_scans(progressive: bytes, count: int) -> bytes:
    """Return a file that asks for a pass over the picture for every dozen bytes."""
    scan = bytes.fromhex('ffda0008010100013f00')
    return progressive[:-2] + count * scan + progressive[-2:]


def test_baseline_is_read_with_every_sampling():
    for sampling in (0x411111, 0x111111, 0x211111, 0x221111):
        data = jpeg(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling)
        assert codec.decode(data, 'jpeg90', SHAPE, 'uint8').shape == SHAPE


@pytest.mark.parametrize('count', [0, 1000])
def test_progressive_is_refused_before_it_is_decoded(count):
    data = with_empty_scans(jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1), count)
    with pytest.raises(CodecError, match='picture is None'):
        codec.decode(data, 'jpeg90', SHAPE, 'uint8')


@pytest.mark.parametrize('marker', [m for m in range(0xC1, 0xD0) if m not in (0xC4, 0xC8, 0xCC)])
def test_no_other_kind_of_frame_is_read(marker):
    data = jpeg().replace(b'\xff\xc0', bytes((0xFF, marker)), 1)
    with pytest.raises(CodecError):
        codec.decode(data, 'jpeg90', SHAPE, 'uint8')


def test_scans_of_single_components_are_refused_before_they_are_decoded():
    """Each is a pass over the whole picture, and costs its sender a dozen bytes."""
    plain = jpeg()
    at = plain.index(b'\xff\xda')
    one_component = bytes.fromhex('ffda0008010100003f00')
    many = plain[:at] + 1000 * one_component + plain[-2:]
    with pytest.raises(CodecError, match='picture is None'):
        codec.decode(many, 'jpeg90', SHAPE, 'uint8')


def test_a_header_of_endless_segments_is_refused():
    plain = jpeg()
    codec.decode(plain[:2] + 9 * b'\xff\xdd\x00\x04\x00\x00' + plain[2:], 'jpeg90', SHAPE, 'uint8')
    endless = plain[:2] + 9999 * b'\xff\xdd\x00\x04\x00\x00' + plain[2:]
    past_the_end = plain[:2] + 31 * b'\xff\xdd\x00\x04\x00\x00' + b'\xff\xdd\xff\xff' + bytes(9)
    for data in (endless, past_the_end):
        with pytest.raises(CodecError, match='picture is None'):
            codec.decode(data, 'jpeg90', SHAPE, 'uint8')


@pytest.mark.parametrize('name', ['packed', 'packed8', 'packed+ref'])
def test_two_bytes_do_not_ask_for_a_hundred_channels(name):
    """A frame taken for levels would be 192 planes of 320x3, a quarter of a second to decode."""
    assert codec.supported(name, (1, 64, 6, 10), 'uint8')
    assert not codec.supported(name, (1, 65, 6, 10), 'uint8')
    with pytest.raises(CodecError, match='does not take a tensor uint8'):
        codec.decode(b'\x01\x0f', name, (1, 192, 320, 3), 'uint8')
