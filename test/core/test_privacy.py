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

"""What still shows the picture is told from what learned weights have made of it."""

from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.model import capture
from dads_ros.profiles import planning
import pytest
import torch
from torch import nn


class Shrunken(nn.Module):
    """Shrinks the frame without weights, then by a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 3, stride=2, padding=1)

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        pixels = frame.permute(0, 3, 1, 2).float() / 255
        small = nn.functional.interpolate(pixels, scale_factor=0.5, mode='bilinear')
        return self.first(small).relu()


def test_a_picture_shrunk_by_interpolation_is_still_a_picture():
    frame = torch.zeros(1, 32, 32, 3, dtype=torch.uint8)
    graph = capture.capture(Shrunken().eval(), frame).graph
    ops = [layer.op for layer in graph.layers]
    assert 'upsample_bilinear2d' in ops
    exposed = planning.exposed_layers(graph)
    assert [graph[i].op for i in graph.index if i not in exposed] == ['conv2d', 'relu']


@pytest.mark.parametrize(
    ('op', 'before', 'after', 'hides'),
    [
        ('conv2d', (1, 3, 64, 64), (1, 8, 32, 32), True),
        ('conv2d', (1, 3, 65, 65), (1, 8, 33, 33), True),
        ('conv2d', (3, 64, 64), (8, 32, 32), True),
        ('convolution', (1, 3, 64, 64), (1, 8, 32, 32), True),
        ('conv1d', (1, 3, 4096), (1, 8, 1024), True),
        ('conv3d', (1, 3, 1, 64, 64), (1, 8, 1, 32, 32), True),
        # Fewer channels, or the border alone.
        ('conv2d', (1, 3, 64, 64), (1, 1, 64, 64), False),
        ('conv2d', (1, 3, 64, 64), (1, 8, 62, 62), False),
        ('conv_transpose2d', (1, 3, 64, 64), (1, 8, 32, 32), False),
        # The whole picture at once, or pixel by pixel.
        ('linear', (1, 12288), (1, 128), True),
        ('addmm', (1, 12288), (1, 128), True),
        ('linear', (1, 4096, 3), (1, 4096, 2), False),
        ('linear', (1, 64, 64, 3), (1, 64, 64, 2), False),
        ('matmul', (1, 3, 64, 64), (1, 3, 64, 32), False),
        ('linear', (1, 128), (1, 12288), False),
        # Names that only look like it.
        ('upsample_linear1d', (1, 3, 4096), (1, 3, 1024), False),
        ('linalg_norm', (1, 12288), (1, 128), False),
    ],
)
def test_only_weights_that_make_a_picture_smaller_hide_it(op, before, after, hides):
    layers = (
        Layer('frame', 'input', (), (1, 64, 64, 3), 'uint8'),
        Layer('shown', 'view', ('frame',), before, 'float32'),
        Layer('next', op, ('shown',), after, 'float32'),
    )
    graph = LayerGraph(layers, ('next',), 'a' * 32)
    assert ('next' not in planning.exposed_layers(graph)) == hides


def test_a_picture_multiplied_by_itself_is_not_hidden():
    layers = (
        Layer('frame', 'input', (), (1, 8, 8, 3), 'uint8'),
        Layer('row', 'view', ('frame',), (1, 192), 'float32'),
        Layer('table', 'view', ('frame',), (192, 1), 'float32'),
        Layer('product', 'matmul', ('row', 'table'), (1, 1), 'float32'),
    )
    graph = LayerGraph(layers, ('product',), 'a' * 32)
    assert planning.exposed_layers(graph) == set(graph.index)
