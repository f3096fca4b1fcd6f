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


"""Sealed messages: who lacks the key can neither make, alter, repeat nor read one."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
import os
from pathlib import Path
import time

from dads_ros.errors import BundleError
from dads_ros.errors import ConfigError
from dads_ros.security import keys
from dads_ros.security.keys import Keyring
from dads_ros.security.seal import Opener
from dads_ros.security.seal import Sealed
from dads_ros.security.seal import Sealer
from hypothesis import given
from hypothesis import strategies as st
import pytest

PLAIN = b'a car, 12 m ahead'
MakeKeys = Callable[..., Path]


@pytest.fixture
def key_file(tmp_path: Path) -> MakeKeys:
    """Return a function that writes secrets to a file as its owner alone can read them."""

    def write(*secrets: bytes, name: str = 'car.key', form: str = 'base64') -> Path:
        path = tmp_path / name
        lines = [base64.b64encode(s).decode() if form == 'base64' else s.hex() for s in secrets]
        path.write_text('# keys\n' + '\n'.join(lines) + '\n', encoding='ascii')
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, 'LOOK_PERIOD_S', 0.0)


def refusal(opener: Opener, sealed: Sealed, kind: str = 'result') -> str:
    with pytest.raises(BundleError) as caught:
        opener.open(kind, sealed)
    return str(caught.value)


@pytest.mark.parametrize('form', ['base64', 'hex'])
def test_what_is_sealed_opens_once(key_file: MakeKeys, form: str) -> None:
    ring = Keyring.of_vehicle(key_file(os.urandom(32), form=form))
    sealer, opener = Sealer(ring), Opener(ring)
    first, second = sealer.seal('result', PLAIN), sealer.seal('result', PLAIN)
    assert opener.open('result', first) == ('', PLAIN)
    assert opener.open('result', second) == ('', PLAIN)
    assert refusal(opener, first) == 'replayed'
    assert refusal(opener, second) == 'replayed'


def test_older_message_that_was_held_back_is_refused(key_file: MakeKeys) -> None:
    ring = Keyring.of_vehicle(key_file(os.urandom(32)))
    sealer, opener = Sealer(ring), Opener(ring)
    held, newer = sealer.seal('result', PLAIN), sealer.seal('result', PLAIN)
    opener.open('result', newer)
    assert refusal(opener, held) == 'replayed'


def test_sealed_text_shows_nothing_and_never_repeats(key_file: MakeKeys) -> None:
    ring = Keyring.of_vehicle(key_file(os.urandom(32)))
    sealers = Sealer(ring), Sealer(ring)
    texts = [sealer.seal('result', PLAIN).data for sealer in sealers for _ in range(100)]
    assert len(set(texts)) == len(texts)
    assert not any(PLAIN[:4] in text for text in texts)


def test_message_of_one_kind_opens_as_no_other(key_file: MakeKeys) -> None:
    ring = Keyring.of_vehicle(key_file(os.urandom(32)))
    assert refusal(Opener(ring), Sealer(ring).seal('probe', PLAIN), 'probe_reply') == 'forged'


def test_stranger_key_is_refused(key_file: MakeKeys) -> None:
    ours = Keyring.of_vehicle(key_file(os.urandom(32)))
    theirs = Keyring.of_vehicle(key_file(os.urandom(32), name='other.key'))
    sealed = Sealer(theirs).seal('result', PLAIN)
    opener = Opener(ours)
    assert refusal(opener, sealed) == 'unknown key'
    assert refusal(opener, replace(sealed, key_id=ours.sealing('').id)) == 'forged'


@given(data=st.data())
def test_no_changed_bit_is_accepted(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / 'bits.key'
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(os.urandom(32).hex())
    ring = Keyring.of_vehicle(path)
    sealed, opener = Sealer(ring).seal('plan', PLAIN), Opener(ring)
    part = data.draw(st.sampled_from(('key_id', 'session', 'counter', 'data')))
    if part == 'counter':
        other = data.draw(st.integers(0, 2**64 - 1).filter(lambda c: c != sealed.counter))
        altered = replace(sealed, counter=other)
    else:
        field = bytearray(getattr(sealed, part))
        bit = data.draw(st.integers(0, len(field) * 8 - 1))
        field[bit // 8] ^= 1 << bit % 8
        altered = replace(sealed, **{part: bytes(field)})
    assert refusal(opener, altered, 'plan') in ('forged', 'unknown key')
    assert opener.open('plan', sealed) == ('', PLAIN)  # a forgery spoils nothing


@given(
    key_id=st.binary(max_size=12),
    session=st.binary(max_size=20),
    counter=st.integers(0, 2**64 - 1),
    text=st.binary(max_size=64),
)
def test_nonsense_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
    key_id: bytes,
    session: bytes,
    counter: int,
    text: bytes,
) -> None:
    path = tmp_path_factory.getbasetemp() / 'nonsense.key'
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(os.urandom(32).hex())
    sealed = Sealed(key_id, session, counter, text)
    assert refusal(Opener(Keyring.of_vehicle(path)), sealed) in ('malformed', 'unknown key')


def test_restarted_sender_goes_on_and_its_earlier_messages_stay_refused(
    key_file: MakeKeys,
) -> None:
    ring = Keyring.of_vehicle(key_file(os.urandom(32)))
    opener = Opener(ring)
    before = Sealer(ring).seal('bundle', PLAIN)
    opener.open('bundle', before)
    opener.open('bundle', Sealer(ring).seal('bundle', PLAIN))
    assert refusal(opener, before, 'bundle') == 'replayed'


def test_clock_that_is_set_back_stops_no_running_sender(
    key_file: MakeKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Keyring.of_vehicle(key_file(os.urandom(32)))
    sealer, opener = Sealer(ring), Opener(ring)
    opener.open('bundle', sealer.seal('bundle', PLAIN))
    monkeypatch.setattr(time, 'time_ns', lambda: 0)
    opener.open('bundle', sealer.seal('bundle', PLAIN))


@pytest.mark.usefixtures('at_once')
def test_keys_change_without_losing_a_message(key_file: MakeKeys) -> None:
    old, new = os.urandom(32), os.urandom(32)
    car = Keyring.of_vehicle(key_file(old, name='on_car.key'))
    cloud = Keyring.of_vehicle(key_file(old, name='in_cloud.key'))
    sealer, opener = Sealer(car), Opener(cloud)
    first = sealer.seal('bundle', PLAIN)
    opener.open('bundle', first)
    key_file(old, new, name='in_cloud.key')
    opener.open('bundle', sealer.seal('bundle', PLAIN))
    key_file(new, old, name='on_car.key')
    changed = sealer.seal('bundle', PLAIN)
    assert changed.key_id != first.key_id
    opener.open('bundle', changed)
    key_file(new, name='in_cloud.key')
    opener.open('bundle', sealer.seal('bundle', PLAIN))
    assert refusal(opener, first, 'bundle') == 'unknown key'


@pytest.mark.usefixtures('at_once')
def test_spoiled_key_file_leaves_the_former_keys_in_force(key_file: MakeKeys) -> None:
    notes: list[str] = []
    path = key_file(os.urandom(32))
    ring = Keyring.of_vehicle(path, notes.append)
    key = ring.sealing('')
    path.write_text('half a k', encoding='ascii')
    assert ring.sealing('') == key
    assert ring.sealing('') == key
    assert len(notes) == 1
    assert 'the former keys stay in force' in notes[0]
    path.write_text(os.urandom(32).hex(), encoding='ascii')
    assert ring.sealing('') != key


@pytest.mark.parametrize('mode', [0o640, 0o604, 0o620, 0o602, 0o666])
def test_key_file_that_others_can_use_is_refused(key_file: MakeKeys, mode: int) -> None:
    path = key_file(os.urandom(32))
    path.chmod(mode)
    with pytest.raises(ConfigError, match='is open to others; run: chmod 600'):
        Keyring.of_vehicle(path)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'holds no key'),
        ('# none yet\n', 'holds no key'),
        ('c2hvcnQ=', 'line 1: a key is 32 bytes'),
        ('ab' * 31, 'line 1: a key is 32 bytes'),
        ('zz' * 32, 'line 1: a key is 32 bytes'),
        ('ab' * 32 + '\n' + 'ab' * 33, 'line 2: a key is 32 bytes'),
        ('\x00' * 40, 'line 1: a key is 32 bytes'),
        ('é', 'is not text'),
    ],
)
def test_key_file_without_a_proper_key_is_refused_and_not_quoted(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / 'bad.key'
    path.touch(mode=0o600)
    path.write_text(text, encoding='utf-8')
    with pytest.raises(ConfigError, match=words) as caught:
        Keyring.of_vehicle(path)
    assert '\n' not in str(caught.value)
    assert 'abab' not in str(caught.value)


def test_missing_key_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'none\.key.*No such file'):
        Keyring.of_vehicle(tmp_path / 'none.key')


def test_cloud_tells_vehicles_by_their_keys(key_file: MakeKeys, tmp_path: Path) -> None:
    cars = {
        name: Keyring.of_vehicle(key_file(os.urandom(32), name=f'{name}.key'))
        for name in ('car1', 'car2')
    }
    cloud = Keyring.of_folder(tmp_path)
    opener = Opener(cloud)
    for name, ring in cars.items():
        assert opener.open('bundle', Sealer(ring).seal('bundle', PLAIN)) == (name, PLAIN)
    answer = Sealer(cloud).seal('result', PLAIN, 'car1')
    assert refusal(Opener(cars['car2']), answer) == 'unknown key'
    assert Opener(cars['car1']).open('result', answer) == ('', PLAIN)


@pytest.mark.usefixtures('at_once')
def test_cloud_takes_a_new_vehicle_while_running(key_file: MakeKeys, tmp_path: Path) -> None:
    key_file(os.urandom(32), name='car1.key')
    cloud = Keyring.of_folder(tmp_path)
    with pytest.raises(ConfigError, match="'car2' has no key"):
        cloud.sealing('car2')
    key_file(os.urandom(32), name='car2.key')
    cloud.sealing('car2')
    (tmp_path / 'car1.key').unlink()
    with pytest.raises(ConfigError, match="'car1' has no key"):
        cloud.sealing('car1')


def test_vehicles_that_share_a_key_are_refused(key_file: MakeKeys, tmp_path: Path) -> None:
    secret = os.urandom(32)
    key_file(secret, name='car1.key')
    key_file(secret, name='car2.key')
    with pytest.raises(ConfigError, match="'car1' and 'car2' have the same key"):
        Keyring.of_folder(tmp_path)


def test_folder_without_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='holds no key'):
        Keyring.of_folder(tmp_path)


def test_keys_do_not_show_in_messages(key_file: MakeKeys) -> None:
    secret = os.urandom(32)
    key = Keyring.of_vehicle(key_file(secret)).sealing('')
    assert repr(secret) not in repr(key)
