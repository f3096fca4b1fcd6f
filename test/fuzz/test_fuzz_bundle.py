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


"""Broken bundles by the thousand: no crash, no hang, nothing answered that is not valid."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('dads_ros.msg', exc_type=ImportError)

from dads_ros.bench.faults import fuzzing
from dads_ros.bench.faults.fuzz_target import Target
from dads_ros.bench.faults.fuzzing import Mutator
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

pytestmark = pytest.mark.ros

CORPUS = Path(__file__).parent / 'corpus'


@pytest.fixture(scope='module')
def target() -> Target:
    return Target()


def test_valid_bundles_of_every_cut_and_codec_are_answered(target: Target) -> None:
    seeds = target.seeds()
    assert len(seeds) > 20
    assert all(target.feed(data) for data in seeds)


def test_mutated_bundles_do_no_harm() -> None:
    tally = fuzzing.run(3000)
    assert (tally.crashes, tally.hangs, tally.accepted_invalid) == (0, 0, 0)
    # The mutations reach every check, the decoders and the detector.
    assert tally.answered > 100
    assert len(tally.rejected) > 8
    assert tally.answered + sum(tally.rejected.values()) == tally.tried


def test_corpus_does_no_harm(target: Target) -> None:
    files = sorted(CORPUS.iterdir())
    assert len(files) > 20
    for file in files:
        target.feed(file.read_bytes())


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32), drop=st.integers(0, 64), tail=st.binary(max_size=64))
def test_bytes_that_hypothesis_likes_do_no_harm(
    target: Target, seed: int, drop: int, tail: bytes
) -> None:
    data = Mutator(target, seed).next()
    target.feed(data[: len(data) - drop] + tail)


def test_harm_would_be_noticed(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    # A cloud that checks nothing answers what the target then finds invalid.
    monkeypatch.setattr('dads_ros.pipeline.cloud.check_bundle', lambda *_: ())
    tally = fuzzing.run(300)
    assert tally.crashes + tally.accepted_invalid > 0
    assert target


def test_fuzzer_finds_nothing_in_a_short_run(tmp_path: Path) -> None:
    pytest.importorskip('atheris')
    script = Path(__file__).with_name('fuzz_bundle.py')
    done = subprocess.run(
        [sys.executable, script, '-atheris_runs=2000', '-max_len=4096', '-close_fd_mask=3',
         f'-artifact_prefix={tmp_path}/', tmp_path, CORPUS],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert not list(tmp_path.glob('crash-*'))
