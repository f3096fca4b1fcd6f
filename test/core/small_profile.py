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

"""A profile of two small machines that nobody measured, for what plans and simulates."""

from __future__ import annotations

from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.profiles.profile import CodecCost
from dads_ros.profiles.profile import Profile

GRAPH = LayerGraph(
    (
        Layer('frame', 'input', (), (1, 192, 320, 3), 'uint8'),
        Layer('conv', 'conv2d', ('frame',), (1, 8, 96, 160), 'float32'),
        Layer('waist', 'quantize', ('conv',), (1, 4, 24, 40), 'uint8'),
        Layer('head', 'conv2d', ('waist',), (1, 6, 24, 40), 'float32'),
        Layer('detections', 'detections', ('head',), (), 'float32'),
    ),
    ('detections',),
    'b' * 32,
)


def make_profile() -> Profile:
    codecs = {}
    for layer in GRAPH.layers[:-1]:
        size = float(layer.output_bytes)
        codecs[layer.id] = {'raw': CodecCost(size, size, 1e-5, 1e-5)}
    codecs['frame']['jpeg75'] = CodecCost(7000.0, 8000.0, 5e-4, 5e-4)
    codecs['waist']['packed8'] = CodecCost(900.0, 1000.0, 1e-4, 1e-4)
    seconds = dict(zip(GRAPH.index, (0.0, 4e-3, 1e-4, 1e-2, 5e-4), strict=True))
    return Profile(
        graph=GRAPH, detector='net', side='both', machine='made up', device='cpu', threads=1,
        created='', versions={}, frames=1, fit_error=0.0, layer_s=seconds, call_s=0.0,
        codecs=codecs,
    )  # fmt: skip


def make_wasteful_profile() -> Profile:
    """Return one that also has a codec that loses against ``raw`` in every situation."""
    profile = make_profile()
    profile.codecs['conv']['raw+zstd'] = CodecCost(9e5, 9e5, 1e-3, 1e-3)
    return profile
