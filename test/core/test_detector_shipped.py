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

from dads_ros.codec import decode
from dads_ros.codec import encode
from dads_ros.detector.api import load_detector
from dads_ros.detector.evaluate import average_precision
from dads_ros.detector.evaluate import vehicles
from dads_ros.detector.network import CarNet
from dads_ros.detector.network import LABELS
from dads_ros.detector.network import STRIDES
from dads_ros.detector.rate import RateModel
from dads_ros.detector.shipped import load_network
from dads_ros.detector.shipped import save_network
from dads_ros.detector.shipped import WEIGHTS
from dads_ros.detector.validate import detect
from dads_ros.detector.validate import input_truth
from dads_ros.detector.validate import letterbox_sample
from dads_ros.detector.waist import draw_steps
from dads_ros.detector.waist import LEVELS
from dads_ros.detector.waist import REST
from dads_ros.detector.waist import STEP_SHARES
from dads_ros.detector.waist import STEPS
from dads_ros.detector.waist import straight_through
from dads_ros.detector.waist import Waist
from dads_ros.errors import ConfigError
from dads_ros.media.drawn import samples_of
from dads_ros.model.capture import capture_detector
from dads_ros.model.surgery import head
from dads_ros.model.surgery import tail
import numpy as np
import pytest
import torch


@pytest.fixture(scope='module')
def detector():
    return load_detector('dads_ros.detector.shipped:detector')


@pytest.fixture(scope='module')
def model(detector):
    return capture_detector(detector)


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 255, (1, 192, 320, 3), dtype=np.uint8)


@pytest.mark.parametrize('step', STEPS)
def test_training_coarsens_as_the_codecs_do(step):
    codes = np.random.default_rng(step).integers(0, LEVELS, (1, 2, 6, 8), dtype=np.uint8)
    name = 'packed' if step == 1 else f'packed{step}'
    sent = decode(encode(codes, name), name, codes.shape, 'uint8')
    values = torch.from_numpy(codes.astype(np.float32) - REST)
    trained = straight_through((values + 0.2).clamp(max=LEVELS - 1 - REST), [step]) + REST
    np.testing.assert_allclose(trained.numpy(), sent, atol=1e-5)


def test_each_frame_of_a_batch_has_a_step_of_its_own():
    values = (torch.randn(2, 3, 6, 8) * 3).clamp(-REST, LEVELS - 1 - REST)
    both = straight_through(values, [1, 4])
    torch.testing.assert_close(both[:1], straight_through(values[:1], [1]))
    torch.testing.assert_close(both[1:], straight_through(values[1:], [4]))
    torch.manual_seed(0)
    drawn = draw_steps(2000)
    shares = [float((drawn == step).float().mean()) for step in STEPS]
    np.testing.assert_allclose(shares, STEP_SHARES, atol=0.04)


def test_gradients_pass_the_rounding_untouched():
    values = torch.linspace(-8, 7, 24).reshape(1, 1, 4, 6).requires_grad_()
    straight_through(values, [4]).sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, torch.ones_like(values))


def test_what_is_cut_off_pulls_no_further_and_is_charged_as_it_is_sent():
    waist = Waist(1, 1).train()
    with torch.no_grad():
        waist.project.weight.fill_(1.0)
        waist.project.bias.zero_()
    features = torch.tensor([-90.0, -8.4, 3.2, 7.4, 40.0]).reshape(1, 1, 1, 5).requires_grad_()
    waist(features).sum().backward()
    assert features.grad.flatten().tolist() == [0, 0, 1, 0, 0]
    assert waist.values.flatten().tolist() == pytest.approx([-8, -8, 3.2, 7, 7])


@pytest.mark.parametrize('step', (1, 2, 4, 6, 8))
def test_rest_survives_every_step(step):
    resting = np.full((1, 1, 2, 2), REST, np.uint8)
    name = f'packed{step}' if step > 1 else 'packed'
    assert np.array_equal(decode(encode(resting, name), name, resting.shape, 'uint8'), resting)


def test_rate_model_tells_smooth_values_from_noise():
    torch.manual_seed(0)
    smooth = torch.linspace(-6, 6, 40).expand(2, 3, 24, 40)
    noise = torch.rand(2, 3, 24, 40) * 12 - 6
    model = RateModel()
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    start = float(model(smooth).detach())
    for _ in range(60):
        optimiser.zero_grad()
        (model(smooth) + model(noise)).backward()
        optimiser.step()
    low, high = float(model(smooth).detach()), float(model(noise).detach())
    assert low < start
    assert low < 0.6 * high


def test_the_waist_is_a_uint8_boundary_of_a_lossless_cut(model, frame):
    name = [layer.id for layer in model.graph.layers if layer.dtype == 'uint8'][-1]
    codes = head(model, (name,))(frame)[0]
    assert codes.dtype == np.uint8
    assert codes.max() < LEVELS
    received = decode(encode(codes, 'packed'), 'packed', codes.shape, 'uint8')
    behind = tail(model, (name,))(received)
    whole = tail(model, model.graph.inputs)(frame)
    assert all(np.array_equal(a, b) for a, b in zip(behind, whole, strict=True))


def test_the_waist_is_a_fraction_of_a_jpeg_and_coarser_levels_are_less(model):
    name = [layer.id for layer in model.graph.layers if layer.dtype == 'uint8'][-1]
    front, detector = head(model, (name,)), load_detector('dads_ros.detector.shipped:detector')
    sizes = dict.fromkeys(('jpeg75', 'packed', 'packed2', 'packed4', 'packed6', 'packed8'), 0)
    for sample in samples_of(0, 5, rate_hz=0.2):
        frame = letterbox_sample(sample, detector).numpy()
        for codec in sizes:
            tensor = frame if codec == 'jpeg75' else front(frame)[0]
            sizes[codec] += len(encode(tensor, codec))
    jpeg, *waist = sizes.values()
    assert waist[0] < 0.5 * jpeg
    assert waist == sorted(waist, reverse=True)
    assert waist[-1] < 0.4 * waist[0]


def test_outputs_are_one_tensor_per_stride(detector, frame):
    outputs = detector.module(torch.from_numpy(frame))
    assert [tuple(o.shape) for o in outputs] == [
        (1, 4 + len(LABELS), 192 // s, 320 // s) for s in STRIDES
    ]


def test_shipped_weights_are_small():
    assert WEIGHTS.stat().st_size <= 8_000_000


def test_weights_survive_a_round_trip(tmp_path, frame):
    torch.manual_seed(0)
    network = CarNet(waist=False)
    save_network(network, tmp_path / 'w.pt')
    again = load_network(tmp_path / 'w.pt')
    assert again.waist is None
    first, second = network.eval()(torch.from_numpy(frame)), again(torch.from_numpy(frame))
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=0.02, atol=0.02)
    assert [f.name for f in tmp_path.iterdir()] == ['w.pt']


def test_a_file_that_is_no_weights_is_refused_in_one_line(tmp_path):
    path = tmp_path / 'bad.pt'
    path.write_text('not weights')
    with pytest.raises(ConfigError, match=r"bad\.pt' is not one that `dads train` wrote") as error:
        load_detector('dads_ros.detector.shipped:detector', path)
    assert '\n' not in str(error.value)


def test_half_of_the_demos_drawn_clip_is_found_by_class_and_as_vehicles(detector):
    samples = list(samples_of(0, 10, rate_hz=1 / 3))  # all of its half minute
    found = [detect(detector, letterbox_sample(sample, detector)) for sample in samples]
    truth = [input_truth(sample, detector) for sample in samples]
    assert average_precision(*vehicles(found, truth, LABELS)).ap50 > 0.5
    assert average_precision(found, truth, LABELS).ap50 > 0.5
