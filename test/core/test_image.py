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

"""Any camera image becomes an input frame, and boxes find their way back."""

from dads_ros.errors import MediaError
from dads_ros.image import letterbox
from dads_ros.image import letterbox_scale
from dads_ros.image import PADDING_GREY
from dads_ros.image import to_camera_pixels
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

SIDES = st.integers(1, 700)


@given(SIDES, SIDES, st.integers(8, 320), st.integers(8, 320))
def test_whole_image_fits_and_the_rest_is_grey(width, height, to_width, to_height):
    frame = letterbox(np.full((height, width, 3), 200, np.uint8), to_height, to_width)
    assert frame.shape == (1, to_height, to_width, 3) and frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    scale = letterbox_scale(width, height, to_width, to_height)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    assert rows == to_height or columns == to_width
    assert (frame[0, :rows, :columns] == 200).all()
    assert (frame[0, rows:] == PADDING_GREY).all() and (
        frame[0, :, columns:] == PADDING_GREY
    ).all()


@given(
    SIDES, SIDES,
    st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4),
)  # fmt: skip
def test_boxes_return_to_where_they_were(width, height, shares):
    x0, x1 = sorted((shares[0] * width, shares[1] * width))
    y0, y1 = sorted((shares[2] * height, shares[3] * height))
    camera = np.array([[x0, y0, x1, y1]], np.float32)
    inside = camera * np.float32(letterbox_scale(width, height, 320, 192))
    back = to_camera_pixels(inside, width, height, 320, 192)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, camera, atol=1e-3 * max(width, height))


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4))
def test_boxes_are_clipped_to_the_image(box):
    back = to_camera_pixels(np.array([box], np.float32), 640, 480, 320, 192)
    assert (back >= 0).all() and (back[:, [0, 2]] <= 640).all() and (back[:, [1, 3]] <= 480).all()


def test_no_boxes_stay_no_boxes():
    assert to_camera_pixels(np.zeros((0, 4), np.float32), 640, 480, 320, 192).shape == (0, 4)


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((0, 5, 3), np.uint8), np.zeros((5, 0, 3), np.uint8), np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3), np.float32),
    ],
)  # fmt: skip
def test_what_is_no_rgb_image_is_refused(image):
    with pytest.raises(MediaError, match='image'):
        letterbox(image, 192, 320)
