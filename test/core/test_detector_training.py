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

from dataclasses import replace
import json

from dads_ros.detector.augment import Augmenter
from dads_ros.detector.data import Boxes
from dads_ros.detector.data import Sample
from dads_ros.detector.loss import assign
from dads_ros.detector.loss import Cells
from dads_ros.detector.loss import detection_loss
from dads_ros.detector.loss import flatten
from dads_ros.detector.loss import generalised_iou
from dads_ros.detector.loss import guide_loss
from dads_ros.detector.loss import Targets
from dads_ros.detector.shipped import load_network
from dads_ros.detector.training import JOINT_RATE
from dads_ros.detector.training import pad
from dads_ros.detector.training import Settings
from dads_ros.detector.training import train
from dads_ros.detector.training import Training
from dads_ros.errors import ConfigError
import numpy as np
import pytest
import torch

TINY = Settings(epochs=3, unrounded_epochs=1, batch=4, validate_every=1)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def samples(count=8):
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        image = rng.integers(0, 90, (180, 320, 3), dtype=np.uint8)
        x, y = rng.integers(10, 200), rng.integers(10, 100)
        image[y : y + 50, x : x + 80] = 230
        box = np.array([[x, y, x + 80, y + 50]], np.float32)
        made.append(Sample(image, Boxes(box, np.array([2]), np.array([False])), 'clip'))
    return made


def cells_of(boxes, logits, stride=8.0):
    table = torch.tensor(boxes, dtype=torch.float32)
    centres = (table[:, :2] + table[:, 2:]) / 2
    return Cells(
        torch.tensor(logits)[None], table[None], centres, torch.full((len(table),), stride)
    )


def targets_of(boxes, classes, kind):
    return Targets(torch.tensor([boxes]), torch.tensor([classes]), torch.tensor([kind]))


def test_generalised_iou_of_known_boxes():
    box = torch.tensor([0.0, 0.0, 10.0, 10.0])
    assert float(generalised_iou(box, box)) == pytest.approx(1.0, abs=1e-5)
    beside = torch.tensor([30.0, 0.0, 40.0, 10.0])
    assert float(generalised_iou(box, beside)) == pytest.approx(-0.5, abs=1e-5)


def test_the_cell_that_fits_best_answers_for_a_box():
    cells = cells_of([[0, 0, 40, 40], [2, 2, 40, 40], [100, 100, 120, 120]], [[0.0], [0.0], [0.0]])
    owner, quality = assign(cells, targets_of([[0.0, 0, 40, 40], [0, 0, 0, 0]], [0, 0], [1, 0]))
    assert owner.tolist() == [[0, 0, -1]]
    assert quality[0, 0] > quality[0, 1] > 0
    assert quality[0, 2] == 0


def test_a_small_box_between_cells_still_has_one():
    outputs = (torch.zeros(1, 5, 4, 4),)
    cells = flatten(outputs, (8,))
    owner, _ = assign(cells, targets_of([[6.0, 6, 10, 10]], [0], [1]))
    assert (owner >= 0).any()


def test_nothing_is_asked_in_ignored_regions():
    cells = cells_of([[0, 0, 40, 40], [100, 100, 140, 140]], [[5.0], [-9.0]])
    empty = targets_of([[0.0, 0, 0, 0]], [0], [0])
    ignored = targets_of([[0.0, 0, 40, 40]], [0], [-1])
    assert float(detection_loss(cells, empty)[0]) > 4
    assert float(detection_loss(cells, ignored)[0]) < 0.01


def test_a_guide_that_says_the_same_costs_nothing():
    cells = cells_of([[0, 0, 40, 40], [100, 100, 140, 140]], [[3.0], [-9.0]])
    other = cells_of([[0, 0, 40, 30], [100, 100, 140, 140]], [[-1.0], [-9.0]])
    assert float(guide_loss(cells, cells, 2.0)) == pytest.approx(0.0, abs=1e-5)
    assert float(guide_loss(other, cells, 2.0)) > 0.5


def test_pad_marks_objects_ignored_and_padding():
    one = Boxes(np.ones((1, 4), np.float32), np.array([3]), np.array([True]))
    two = Boxes(np.ones((2, 4), np.float32), np.array([1, 2]), np.array([False, False]))
    targets = pad([one, two], torch.device('cpu'))
    assert targets.kind.tolist() == [[-1, 0], [1, 1]]
    assert targets.classes.tolist() == [[3, 0], [1, 2]]


def test_a_resumed_run_is_the_run_without_a_stop(tmp_path):
    whole, stopped = tmp_path / 'whole', tmp_path / 'stopped'
    for folder in (whole, stopped):
        folder.mkdir()
    list(train(Training(TINY), samples(), samples(5), samples(2), whole))
    for epoch in range(2):  # stopped before the waist rounds, and after
        run = Training(TINY)
        if epoch:
            run.load(torch.load(stopped / 'checkpoint.pt', weights_only=True))
        assert run.epoch == epoch
        next(iter(train(run, samples(), samples(5), samples(2), stopped)))
    with (stopped / 'log.jsonl').open('a') as log:  # killed once more, before its checkpoint
        log.write('{"epoch": 3}\n')
    resumed = Training(TINY)
    resumed.load(torch.load(stopped / 'checkpoint.pt', weights_only=True))
    list(train(resumed, samples(), samples(5), samples(2), stopped))
    for name in ('carnet', 'twin'):
        first = load_network(whole / f'{name}.pt').state_dict()
        second = load_network(stopped / f'{name}.pt').state_dict()
        assert all(torch.equal(first[key], second[key]) for key in first)
    log = [json.loads(line) for line in (stopped / 'log.jsonl').read_text().splitlines()]
    assert [entry['epoch'] for entry in log] == [1, 2, 3]
    assert {'class', 'box', 'twin_ap50_vehicle'} <= set(log[0])
    assert not {'bytes', 'twin_class', 'ap50_vehicle'} & set(log[0])
    assert {'class', 'box', 'guide', 'likeness', 'bytes', 'price', 'ap50_vehicle'} <= set(log[1])
    assert {'twin_class', 'twin_box', 'twin_ap50_vehicle'} <= set(log[1])


def test_each_epoch_sees_other_drawn_frames(monkeypatch):
    seen = []

    class Watched(Augmenter):
        def batch(self, indices, rng):
            seen.append({id(sample) for sample in self.samples})
            return super().batch(indices, rng)

    monkeypatch.setattr('dads_ros.detector.training.Augmenter', Watched)
    run, real, drawn = Training(replace(TINY, scenes=0.5)), samples(), samples(40)
    for _ in range(2):
        run.run_epoch(real, drawn)
    assert len(seen) == 6  # steps, of 12 frames in fours
    first, second = seen[0], seen[-1]
    of_real, of_drawn = ({id(sample) for sample in some} for some in (real, drawn))
    assert first & second >= of_real
    assert len(first & of_drawn) == len(second & of_drawn) == 4
    assert first != second


def test_a_run_that_diverges_ends_and_keeps_the_epoch_before(tmp_path):
    run = Training(replace(TINY, unrounded_epochs=2))
    epochs = train(run, samples(), (), (), tmp_path)
    next(epochs)
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(kept) == {'twin.pt', 'log.jsonl', 'checkpoint.pt'}
    with torch.no_grad():
        run.carnet.network.heads[0][-1].bias.fill_(float('nan'))
    with pytest.raises(ConfigError, match=r'has diverged in epoch 2; .* lower --learning-rate'):
        next(epochs)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_a_run_that_diverges_while_it_rounds_says_so_too(tmp_path):
    run = Training(TINY)
    epochs = train(run, samples(), (), (), tmp_path)
    next(epochs)
    next(epochs)
    with torch.no_grad():
        run.carnet.network.waist.project.weight.fill_(float('nan'))
    with pytest.raises(ConfigError, match='has diverged in epoch 3'):
        next(epochs)


def test_a_resumed_run_leaves_out_what_it_left_out():
    left_out = replace(TINY, leave_out=('back', 'left'))
    state = Training(left_out).state()
    with pytest.raises(ConfigError, match=r"has leave_out \('back', 'left'\), not \(\)"):
        Training(TINY).load(state)
    Training(left_out).load(state)


def test_a_run_is_resumed_with_its_own_settings_only():
    state = Training(TINY).state()
    other = Training(Settings(epochs=3, unrounded_epochs=1, batch=8, validate_every=1))
    with pytest.raises(ConfigError, match='the run to resume has batch 4, not 8; give the same'):
        other.load(state)
    Training(Settings(epochs=4, unrounded_epochs=1, batch=4, validate_every=1)).load(state)


def test_each_phase_warms_up_and_ends_on_a_schedule_of_its_own():
    run = Training(Settings(epochs=30, unrounded_epochs=20, learning_rate=1.0, warm_up_epochs=2.0))
    rates = []
    for step in range(300):
        run.epoch, run.step = step // 10, step
        rates.append(run._rate(10))
    alone, joint = rates[:200], rates[200:]
    for rates, peak in ((alone, 1.0), (joint, JOINT_RATE)):
        assert rates[0] == 0.0
        assert rates.index(max(rates)) == pytest.approx(20, abs=1)
        assert 0.85 * peak < max(rates) <= peak
        assert 0 < rates[-1] < 0.03 * peak
