# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sealed file opens with its key, whole and in its order, or not at all."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.jeedom.fleet.plugins.plugin_utils import sealing

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
SIZES = (0, 1, 99, 100, 101, 200, 250)


@pytest.fixture(autouse=True)
def small_frames(monkeypatch):
    monkeypatch.setattr(sealing, 'PLAIN', 100)
    monkeypatch.setattr(sealing, 'FRAME', 100 + sealing.OVERHEAD)


def seal(data: bytes, key: bytes = KEY, step: int = 70) -> bytes:
    out = io.BytesIO()
    header = sealing.new_header(key)
    writer = sealing.Writer(out, sealing.frames_for(header, [key], 'x'))
    writer.put_raw(header)
    for start in range(0, len(data), step):
        writer.write(data[start:start + step])
    writer.finish()
    import hashlib
    assert writer.hasher.hexdigest() == hashlib.sha256(out.getvalue()).hexdigest()
    return out.getvalue()


def opened(folder, raw: bytes, keys=(KEY,)) -> bytes:
    path = folder / 'x.sealed'
    path.write_bytes(raw)
    with sealing.Reader(path, list(keys)) as reader:
        return b''.join(iter(lambda: reader.read(33), b''))


def frames(raw: bytes) -> list[bytes]:
    body = raw[sealing.HEADER:]
    return [raw[:sealing.HEADER]] + [body[start:start + sealing.FRAME] for start in range(0, len(body), sealing.FRAME)]


def refused(folder, raw: bytes, code: str = 'seal_broken', keys=(KEY,)) -> str:
    with pytest.raises(sealing.SealError) as caught:
        opened(folder, raw, keys)
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('step', [1, 70, 100, 300])
def test_what_was_sealed_comes_back(tmp_path, size, step):
    data = os.urandom(size)
    raw = seal(data, step=step)
    assert opened(tmp_path, raw) == data
    assert size < 99 or data[:20] not in raw
    with sealing.Reader(tmp_path / 'x.sealed', [OTHER, KEY]) as reader:
        assert reader.size == size


@pytest.mark.parametrize('size', SIZES)
def test_reading_starts_anywhere(tmp_path, size):
    data = os.urandom(size)
    (tmp_path / 'x').write_bytes(seal(data))
    with sealing.Reader(tmp_path / 'x', [KEY]) as reader:
        for offset in [*range(0, size + 1, 13), size, 0]:
            reader.seek(offset)
            assert b''.join(iter(lambda: reader.read(1000), b'')) == data[offset:]


@pytest.mark.parametrize('size', SIZES)
def test_cut_at_any_byte_is_refused(tmp_path, size):
    raw = seal(os.urandom(size))
    for end in range(len(raw)):
        refused(tmp_path, raw[:end], 'not_sealed' if end < sealing.HEADER else 'seal_broken')


def test_a_missing_last_frame_is_named(tmp_path):
    parts = frames(seal(os.urandom(250)))
    assert 'its last frame is missing' in refused(tmp_path, b''.join(parts[:-1]))


def test_any_flipped_bit_is_refused(tmp_path):
    raw = seal(os.urandom(250))
    for at in range(len(raw)):
        broken = bytearray(raw)
        broken[at] ^= 1 << (at % 8)
        with pytest.raises(sealing.SealError):
            opened(tmp_path, bytes(broken))


def test_swapped_repeated_dropped_added_and_foreign_frames_are_refused(tmp_path):
    raw, other = seal(os.urandom(350)), seal(os.urandom(350))
    head, first, second, third, last = frames(raw)
    for parts in ([head, second, first, third, last], [head, first, first, third, last], [head, first, third, last], [head, first, second, last],
                  [head, first, second, third, last, last], [head, first, second, third, last, first], [head, last],
                  [head, frames(other)[1], second, third, last], [frames(other)[0], first, second, third, last]):
        refused(tmp_path, b''.join(parts))
    refused(tmp_path, raw + b'x')
    refused(tmp_path, raw + raw)
    assert len(opened(tmp_path, raw)) == 350


def test_another_key_is_refused_by_name_and_several_keys_open(tmp_path):
    raw = seal(b'secret')
    words = refused(tmp_path, raw, 'wrong_key', (OTHER,))
    assert sealing.key_id(KEY).hex() in words and sealing.key_id(OTHER).hex() in words and KEY.hex() not in words
    assert 'jeedom_archive_key' in refused(tmp_path, raw, 'no_key', ())
    assert opened(tmp_path, raw, (OTHER, KEY)) == b'secret'
    # the name of the key alone opens nothing
    forged = raw[:24] + sealing.key_id(OTHER) + raw[32:]
    refused(tmp_path, forged, 'seal_broken', (OTHER,))


def test_no_nonce_comes_twice_and_two_files_share_nothing():
    one, two = frames(seal(b'\0' * 350)), frames(seal(b'\0' * 350))
    nonces = [frame[:12] for frame in one[1:] + two[1:]]
    assert len(set(nonces)) == len(nonces) == 8 and one[0] != two[0]


@given(st.lists(st.binary(max_size=260), max_size=6))
def test_any_pieces_come_back_as_one(tmp_path_factory, pieces):
    out = io.BytesIO()
    header = sealing.new_header(KEY)
    writer = sealing.Writer(out, sealing.frames_for(header, [KEY], 'x'))
    writer.put_raw(header)
    for piece in pieces:
        assert writer.write(piece) == len(piece)
    writer.finish()
    assert opened(tmp_path_factory.mktemp('s'), out.getvalue()) == b''.join(pieces)


def test_keys_are_32_bytes_as_base64_or_hex():
    text = sealing.new_key()
    assert len(sealing.parse_keys(text, 'it')[0]) == 32 and sealing.new_key() != text
    assert sealing.parse_keys(f'# old\n{KEY.hex()}\n\n {text}\n', 'it')[0] == KEY
    for bad in ('', '# nothing\n', 'hunter2', KEY.hex()[:-2], text[:-4], f'{text}\nhunter2'):
        with pytest.raises(sealing.SealError) as caught:
            sealing.parse_keys(bad, 'The variable')
        assert caught.value.code == 'bad_key' and str(caught.value).startswith('The variable') and 'hunter2' not in str(caught.value)


def test_a_key_file_of_all_the_world_is_refused(tmp_path):
    path = tmp_path / 'key'
    path.write_text(KEY.hex())
    path.chmod(0o600)
    assert sealing.read_key_file(path) == [KEY]
    path.chmod(0o440)
    assert sealing.read_key_file(path) == [KEY]
    for mode in (0o604, 0o660, 0o602):
        path.chmod(mode)
        with pytest.raises(sealing.SealError) as caught:
            sealing.read_key_file(path)
        assert caught.value.code == 'key_exposed' and 'chmod 600' in str(caught.value)
    with pytest.raises(sealing.SealError) as caught:
        sealing.read_key_file(tmp_path / 'none')
    assert caught.value.code == 'no_key'
    path.chmod(0o600)
    path.write_bytes(bytes(range(200, 232)))
    with pytest.raises(sealing.SealError) as caught:
        sealing.read_key_file(path)
    assert caught.value.code == 'bad_key'


def test_without_the_library_one_sentence_says_so(monkeypatch):
    for name in [name for name in sys.modules if name.split('.')[0] == 'cryptography']:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'cryptography', None)
    with pytest.raises(sealing.SealError) as caught:
        sealing.new_header(KEY)
    assert caught.value.code == 'no_cryptography' and 'pip install cryptography' in str(caught.value)


class TestCommand:
    """sealing.py as a command: a file of its own, without Ansible and without the collection on the path."""

    @pytest.fixture
    def call(self, tmp_path):
        (tmp_path / 'key').write_text(KEY.hex())
        (tmp_path / 'key').chmod(0o600)

        def run(*argv, **environment):
            return subprocess.run([sys.executable, '-I', sealing.__file__, *map(str, argv)], capture_output=True, timeout=120, cwd=tmp_path, check=False,
                                  env={'PATH': os.environ['PATH'], **environment})
        return run

    @pytest.fixture
    def sealed(self, tmp_path, monkeypatch):
        monkeypatch.undo()
        path = tmp_path / 'backup-a.tar.gz.sealed'
        self.data = os.urandom(sealing.PLAIN + 5)
        path.write_bytes(seal(self.data, step=1 << 19))
        return path

    def test_open_writes_what_was_sealed_for_its_owner_only_and_over_nothing(self, call, sealed, tmp_path):
        done = call('open', sealed, '--key-file', 'key')
        target = sealed.with_suffix('')
        assert done.returncode == 0 and target.read_bytes() == self.data and target.stat().st_mode & 0o777 == 0o600
        target.write_bytes(b'mine')
        again = call('open', sealed, '--key-file', 'key')
        assert again.returncode == 1 and b'is there already' in again.stderr and target.read_bytes() == b'mine'
        with pytest.raises(sealing.SealError) as caught:
            sealing._open(SimpleNamespace(file=sealed, key_file=str(tmp_path / 'key'), to=None))
        assert caught.value.code == 'target_exists'

    def test_check_and_standard_output_with_a_key_from_the_environment(self, call, sealed):
        assert call('open', sealed, '--to', '-', JEEDOM_FLEET_ARCHIVE_KEY=KEY.hex()).stdout == self.data
        done = call('check', sealed, JEEDOM_FLEET_ARCHIVE_KEY_FILE='key')
        assert done.returncode == 0 and b'whole, %d bytes' % len(self.data) in done.stdout

    def test_refusals_leave_nothing_and_end_with_1(self, call, sealed, tmp_path):
        before = sorted(path.name for path in tmp_path.iterdir())
        assert call('open', sealed).returncode == 1
        assert b'given is' in call('open', sealed, JEEDOM_FLEET_ARCHIVE_KEY=OTHER.hex()).stderr
        sealed.write_bytes(sealed.read_bytes()[:-1])
        done = call('open', sealed, '--key-file', 'key')
        assert done.returncode == 1 and b'damaged' in done.stderr and b'Traceback' not in done.stderr
        assert call('check', 'missing', '--key-file', 'key').returncode == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == before

    def test_a_new_key_is_a_key(self, call):
        assert len(sealing.parse_keys(call('new-key').stdout.decode(), 'it')[0]) == 32
