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

"""What arrives is checked before any work: every single field, in every way it can be wrong."""

from dataclasses import fields
from dataclasses import replace

from dads_ros import codec
from dads_ros.bundle import Bundle
from dads_ros.bundle import check_bundle
from dads_ros.bundle import check_plan
from dads_ros.bundle import check_result
from dads_ros.bundle import EncodedTensor
from dads_ros.bundle import MAX_BOXES
from dads_ros.bundle import Result
from dads_ros.detections import Detections
from dads_ros.errors import BundleError
from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.plan import Mode
from dads_ros.plan import Plan
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

#   frame -> a -> b -> detections, and a -> c -> detections: two tensors cross behind a
GRAPH = LayerGraph(
    (
        Layer('frame', 'input', (), (1, 4, 4, 3), 'uint8'),
        Layer('a', 'conv2d', ('frame',), (1, 2, 4, 4), 'float32'),
        Layer('b', 'conv2d', ('a',), (1, 2, 2, 2), 'float32'),
        Layer('c', 'relu', ('a',), (1, 2, 4, 4), 'float32'),
        Layer('detections', 'detections', ('b', 'c'), (), 'float32'),
    ),
    ('detections',),
    'a' * 32,
)


def tensor(name: str, used: str = 'raw') -> EncodedTensor:
    layer = GRAPH[name]
    data = np.zeros(layer.shape, layer.dtype).tobytes()
    return EncodedTensor(name, layer.shape, layer.dtype, used, data)


def bundle(*names: str) -> Bundle:
    tensors = tuple(tensor(name) for name in names)
    return Bundle('car', GRAPH.model_hash, 1, 1, 5, 'camera', 640, 480, 7, tensors)


def check(received: Bundle, max_bytes: int = 10_000) -> tuple[str, ...]:
    return check_bundle(received, GRAPH, codec.supported, max_bytes)


@pytest.mark.parametrize(
    ('names', 'left'),
    [
        (('frame',), ('a', 'b', 'c', 'detections')),
        (('a',), ('b', 'c', 'detections')),
        (('a', 'b'), ('c', 'detections')),
        (('b', 'c'), ('detections',)),
    ],
)
def test_legal_cut_says_what_is_left_to_do(names, left):
    assert check(bundle(*names)) == left


@pytest.mark.parametrize('names', [(), ('b',), ('frame', 'a'), ('a', 'b', 'c'), ('detections',)])
def test_illegal_cut_is_refused(names):
    with pytest.raises(BundleError, match=r'not a legal cut|nothing left'):
        check(bundle(*names))


@pytest.mark.parametrize('names', [('a', 'a'), ('c', 'b'), ('frame', 'frame')])
def test_a_cut_has_one_spelling(names):
    with pytest.raises(BundleError, match='tensors repeated or out of order'):
        check(bundle(*names))


BAD_TENSOR = {
    'name': ('', 'x', 'a\0', 'A'),
    'shape': (
        (),
        (1,),
        (1, 2, 4, 5),
        (1, 2, 4, 4, 1),
        (0, 2, 4, 4),
        (-1, 2, 4, 4),
        (2**62, 2**62),
    ),
    'dtype': ('', 'float64', 'object', 'uint8', '>f4'),
    'codec': ('', 'pickle', 'raw ', 'jpeg75', 'jpeg0', 'zstd', '../../etc/passwd'),
    'data': (bytes(10_001),),
}
BAD_BUNDLE = {
    'vehicle': ('', 'x' * 257),
    'model_hash': ('', 'b' * 32, 'a' * 31),
    'frame_id': ('x' * 257,),
    'stamp_ns': (2**31 * 10**9, -(2**31) * 10**9 - 1),
    'image_width': (0, -1, 2**31),
    'image_height': (0, -1, 2**31),
    'tensors': ((), (tensor('a'),) * 99),
}


@pytest.mark.parametrize(('field', 'value'), [(f, v) for f, vs in BAD_TENSOR.items() for v in vs])
def test_bad_field_of_a_tensor_is_refused(field, value):
    with pytest.raises(BundleError):
        check(replace(bundle('a'), tensors=(replace(tensor('a'), **{field: value}),)))
    assert set(BAD_TENSOR) == {f.name for f in fields(EncodedTensor)}


@pytest.mark.parametrize(('field', 'value'), [(f, v) for f, vs in BAD_BUNDLE.items() for v in vs])
def test_bad_field_of_a_bundle_is_refused(field, value):
    with pytest.raises(BundleError):
        check(replace(bundle('a'), **{field: value}))


@given(st.integers(), st.integers(), st.integers())
def test_other_numbers_are_only_echoed(sequence, plan_id, sent_ns):
    numbers = {'sequence': sequence, 'plan_id': plan_id, 'sent_ns': sent_ns}
    assert check(replace(bundle('a'), **numbers))


def result(count: int = 2, **changes: object) -> Result:
    found = Detections(
        np.ones((count, 4), np.float32), np.full(count, 0.5, np.float32), np.zeros(count, np.int64)
    )
    good = Result('car', GRAPH.model_hash, 1, 1, 5, 'camera', 7, found, 0.0, 0.001, 0.01)
    parts = {k: v for k, v in changes.items() if k in ('boxes', 'scores', 'class_ids')}
    others = {k: v for k, v in changes.items() if k not in parts}
    return replace(good, detections=replace(found, **parts), **others)


@pytest.mark.parametrize('count', [0, 1, MAX_BOXES])
def test_good_result_passes(count):
    check_result(result(count), GRAPH.model_hash, 'car', 1)
    assert result().cloud_s == pytest.approx(0.011)


@pytest.mark.parametrize(
    'changes',
    [
        {'vehicle': 'truck'}, {'model_hash': 'x'}, {'count': MAX_BOXES + 1},
        {'boxes': np.ones((1, 4), np.float32)}, {'boxes': np.ones((2, 5), np.float32)},
        {'boxes': np.ones(8, np.float32)}, {'boxes': np.full((2, 4), np.nan, np.float32)},
        {'boxes': np.full((2, 4), np.inf, np.float32)}, {'scores': np.ones((2, 1), np.float32)},
        {'scores': np.full(2, np.nan, np.float32)}, {'scores': np.full(2, 1.5, np.float32)},
        {'scores': np.full(2, -0.5, np.float32)}, {'class_ids': np.ones(2, np.int64)},
        {'class_ids': np.full(2, -1, np.int64)}, {'class_ids': np.zeros(3, np.int64)},
        {'queue_s': -1.0}, {'decode_s': float('nan')}, {'compute_s': float('inf')},
        {'queue_s': 4000.0},
    ],
)  # fmt: skip
def test_bad_result_is_refused(changes):
    with pytest.raises(BundleError):
        check_result(result(**changes), GRAPH.model_hash, 'car', 1)


NUMBERS = ('edge_s', 'transfer_s', 'cloud_s', 'delay_s', 'max_rate_hz', 'deadline_s')


@pytest.mark.parametrize('boundary', [(), ('a',)])
@pytest.mark.parametrize('name', NUMBERS)
@pytest.mark.parametrize('value', [float('nan'), -1.0, float('-inf')])
def test_a_plan_whose_numbers_are_none_is_refused(boundary, name, value):
    numbers = dict.fromkeys(NUMBERS, 0.01) | {'max_rate_hz': 100.0}
    text = {'model_hash': GRAPH.model_hash, 'codec': 'raw', 'reason': ''}
    good = {'plan_id': 1, 'mode': Mode.LIGHT, 'boundary': boundary, **text}
    check_plan(Plan(**good, **numbers))
    with pytest.raises(BundleError, match='out of range'):
        check_plan(Plan(**good, **{**numbers, name: value}))
