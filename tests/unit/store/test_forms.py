# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A download reaches the disk in its form and in no other, also when it was cut; and backup_fetch keeps it so."""

from __future__ import annotations

import hashlib
import os
import sys
from types import SimpleNamespace

import pytest

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.jeedom.fleet.plugins.action import backup_fetch, backup_push
from ansible_collections.jeedom.fleet.plugins.plugin_utils import forms, sealing, store, transfer

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
TURN = [sys.executable, '-c', 'import sys; sys.stdout.buffer.write(bytes(255 - b for b in sys.stdin.buffer.read()))']
FRAME = 1000
DATA = bytes(range(256)) * 14
SHA = hashlib.sha256(DATA).hexdigest()
NAME = 'backup-a-3.3.60-2026-11-23-10h26.tar.gz'


@pytest.fixture(autouse=True)
def small_frames(monkeypatch):
    monkeypatch.setattr(sealing, 'PLAIN', FRAME)
    monkeypatch.setattr(sealing, 'FRAME', FRAME + sealing.OVERHEAD)


class Source:
    """A file on a "box"; cut: bytes after which the link breaks, once. opened: offsets that were asked for."""

    def __init__(self, data=DATA, cut=None):
        self.data, self.cut, self.opened, self.path, self.version = data, cut, [], '/staging/x', 1
        self.action = SimpleNamespace(host='box1')

    def identity(self):
        return [len(self.data), self.version, 7]

    def open(self, offset):
        self.opened.append(offset)
        self.at = offset
        return self

    def read(self, size):
        size = min(size, 333)
        if self.cut is not None:
            if self.at >= self.cut:
                self.cut = None
                raise AnsibleConnectionFailure('the link broke')
            size = min(size, self.cut - self.at)
        data = self.data[self.at:self.at + size]
        self.at += len(data)
        return data

    def close(self):
        pass


def fetch(path, source, form, sha256=SHA):
    return transfer.Download(source, form.path(path), sink=form.sink).fetch(len(DATA), sha256)


def opened(form, path):
    with form.open(form.path(path), form.name) as stream:
        return b''.join(iter(lambda: stream.read(700), b''))


@pytest.mark.parametrize('cut, resumed', [(0, 0), (1, 0), (999, 0), (1000, 0), (1001, 1000), (2500, 2000), (3000, 2000), (3583, 3000)])
def test_a_sealed_download_goes_on_behind_its_last_whole_frame(tmp_path, cut, resumed):
    form, source = forms.Forms(keys=[KEY]), Source(cut=cut)
    with pytest.raises(AnsibleConnectionFailure):
        fetch(tmp_path / NAME, source, form)
    part = tmp_path / (NAME + '.sealed.part')
    assert DATA[:64] not in part.read_bytes()
    done = fetch(tmp_path / NAME, source, form)
    assert source.opened == [0, resumed] and done['resumed'] == resumed and opened(form, tmp_path / NAME) == DATA
    raw = (tmp_path / (NAME + '.sealed')).read_bytes()
    assert done['stored'] == {'form': 'sealed', 'sha256': hashlib.sha256(raw).hexdigest(), 'size': len(raw), 'key_id': sealing.key_id(KEY).hex()}
    assert done['sha256'] == SHA and sorted(os.listdir(tmp_path)) == [NAME + '.sealed'] and DATA[:64] not in raw


@pytest.mark.parametrize('size', [0, 1000, 2000, 2001])
def test_sizes_at_the_border_of_a_frame_come_whole(tmp_path, size):
    form, data = forms.Forms(keys=[KEY]), DATA[:size]
    for cut in (None, 1000, size):
        source = Source(data, cut)

        def call(source=source):
            return transfer.Download(source, form.path(tmp_path / NAME), sink=form.sink).fetch(size, hashlib.sha256(data).hexdigest())

        try:
            call()
        except AnsibleConnectionFailure:
            call()
        assert opened(form, tmp_path / NAME) == data
        form.path(tmp_path / NAME).unlink()


@pytest.mark.parametrize('spoil', ['frame', 'header', 'key', 'shorter', 'plain', 'longer', 'tail'])
def test_a_part_that_is_not_ours_is_fetched_again_from_where_it_is_wrong(tmp_path, spoil):
    form, source = forms.Forms(keys=[KEY]), Source(cut=3500)
    with pytest.raises(AnsibleConnectionFailure):
        fetch(tmp_path / NAME, source, form)
    part = tmp_path / (NAME + '.sealed.part')
    raw = bytearray(part.read_bytes())
    if spoil == 'frame':
        raw[sealing.HEADER + sealing.FRAME + 50] ^= 1
    elif spoil == 'header':
        raw[10] ^= 1
    elif spoil == 'shorter':
        raw = raw[:sealing.HEADER + sealing.FRAME + 5]
    elif spoil == 'plain':
        raw = DATA[:3000]
    elif spoil == 'tail':
        # more than the last frame will cover
        raw += os.urandom(sealing.FRAME - 1)
    elif spoil == 'longer':
        raw += os.urandom(9 * sealing.FRAME)
    else:
        form = forms.Forms(keys=[OTHER, KEY])
    part.write_bytes(raw)
    fetch(tmp_path / NAME, source, form)
    assert source.opened[1] == {'frame': 1000, 'header': 0, 'key': 0, 'shorter': 1000, 'plain': 0, 'longer': 0, 'tail': 3000}[spoil]
    assert opened(form, tmp_path / NAME) == DATA


def test_a_file_that_was_replaced_meanwhile_starts_over(tmp_path):
    form, source = forms.Forms(keys=[KEY]), Source(cut=2500)
    with pytest.raises(AnsibleConnectionFailure):
        fetch(tmp_path / NAME, source, form)
    source.version, source.data = 2, DATA[::-1]
    fetch(tmp_path / NAME, source, form, hashlib.sha256(DATA[::-1]).hexdigest())
    assert source.opened == [0, 0] and opened(form, tmp_path / NAME) == DATA[::-1]


@pytest.mark.parametrize('form', [forms.Forms(), forms.Forms(keys=[KEY]), forms.Forms(command=TURN, open_command=TURN)])
def test_the_hash_of_what_was_sent_decides_in_every_form(tmp_path, form):
    with pytest.raises(transfer.TransferError) as caught:
        fetch(tmp_path / NAME, Source(), form, 'f' * 64)
    assert caught.value.code == 'hash_differs' and os.listdir(tmp_path) == []


class TestCommand:
    FORM = forms.Forms(command=TURN, open_command=TURN, suffix='.turned')

    def test_it_gets_the_stream_and_a_cut_starts_over(self, tmp_path):
        source = Source(cut=2500)
        with pytest.raises(AnsibleConnectionFailure):
            fetch(tmp_path / NAME, source, self.FORM)
        done = fetch(tmp_path / NAME, source, self.FORM)
        raw = (tmp_path / (NAME + '.turned')).read_bytes()
        assert source.opened == [0, 0] and raw == bytes(255 - byte for byte in DATA) and opened(self.FORM, tmp_path / NAME) == DATA
        assert done['stored']['sha256'] == hashlib.sha256(raw).hexdigest() and done['resumed'] == 0

    def test_it_can_be_read_from_anywhere(self, tmp_path):
        fetch(tmp_path / NAME, Source(), self.FORM)
        with self.FORM.open(tmp_path / (NAME + '.turned'), 'command') as stream:
            for offset in (0, 1500, 100, len(DATA)):
                stream.seek(offset)
                assert b''.join(iter(lambda: stream.read(1 << 20), b'')) == DATA[offset:]

    @pytest.mark.parametrize('argv, words', [
        (['sh', '-c', 'cat >/dev/null; echo no recipient >&2; exit 3'], 'ended with code 3: no recipient'),
        (['sh', '-c', 'exec 0<&-; echo gone >&2; exit 4'], 'ended with code 4'),
        (['/nonexistent/age'], 'No such file'),
    ])
    def test_its_failure_is_one_sentence_and_nothing_gets_the_name(self, tmp_path, argv, words):
        # more than a pipe holds: a command that does not read is met while writing
        data = DATA * 100
        with pytest.raises(forms.FormError) as caught:
            transfer.Download(Source(data), tmp_path / NAME, sink=forms.Forms(command=argv).sink).fetch(len(data), hashlib.sha256(data).hexdigest())
        assert caught.value.code == 'command_failed' and words in str(caught.value) and argv[0] in str(caught.value)
        assert not [name for name in os.listdir(tmp_path) if not name.endswith(('.part', '.part.json'))]

    def test_a_failing_open_command_gives_no_short_file(self, tmp_path):
        fetch(tmp_path / NAME, Source(), self.FORM)
        form = forms.Forms(command=TURN, open_command=['sh', '-c', 'head -c 100; exit 2'], suffix='.turned')
        with pytest.raises(forms.FormError):
            opened(form, tmp_path / NAME)
        with pytest.raises(forms.FormError) as caught:
            forms.Forms().open(tmp_path / (NAME + '.turned'), 'command')
        assert caught.value.code == 'no_open_command'


class TestSettings:
    def test_where_the_key_comes_from(self, tmp_path, monkeypatch):
        monkeypatch.delenv(sealing.KEY_VARIABLE, raising=False)
        (tmp_path / 'k').write_text(OTHER.hex())
        (tmp_path / 'k').chmod(0o600)
        assert forms.from_variables({}).name == 'plain'
        monkeypatch.setenv(sealing.KEY_FILE_VARIABLE, str(tmp_path / 'k'))
        assert forms.from_variables({}).keys == [OTHER]
        monkeypatch.setenv(sealing.KEY_VARIABLE, KEY.hex())
        assert forms.from_variables({}).keys == [KEY]
        assert forms.from_variables({'jeedom_archive_key_file': str(tmp_path / 'k')}).keys == [OTHER]
        assert forms.from_variables({'jeedom_archive_key': f'{KEY.hex()}\n{OTHER.hex()}', 'jeedom_archive_key_file': '/none'}).keys == [KEY, OTHER]
        form = forms.from_variables({'jeedom_archive_command': TURN, 'jeedom_archive_suffix': '.age'})
        assert form.name == 'command' and str(form.path(tmp_path / 'x')).endswith('/x.age')

    @pytest.mark.parametrize('variables', [
        {'jeedom_archive_command': 'age -r x'}, {'jeedom_archive_command': ['age', 1]}, {'jeedom_archive_open_command': 'age'},
        {'jeedom_archive_command': TURN, 'jeedom_archive_key': KEY.hex()},
        *({'jeedom_archive_command': TURN, 'jeedom_archive_suffix': suffix} for suffix in ('/../x', 'age', '.part', '.json', '.sealed', '.a\n')),
    ])
    def test_settings_that_make_no_sense_are_refused(self, variables, monkeypatch):
        monkeypatch.delenv(sealing.KEY_VARIABLE, raising=False)
        with pytest.raises(forms.FormError) as caught:
            forms.from_variables(variables)
        assert caught.value.code == 'bad_settings'


class TestFetch:
    """backup_fetch as a whole, with a box that is a dict of files."""

    @pytest.fixture
    def box(self, tmp_path, monkeypatch, shelves):
        monkeypatch.delenv(sealing.KEY_VARIABLE, raising=False)
        data, second = shelves.tar_gz(os.urandom(3000)), os.urandom(1500)
        files = {'/s/' + NAME: Source(data), '/s/' + store.complement_name(NAME): Source(second)}
        action = object.__new__(backup_fetch.ActionModule)
        action.task_vars = {'inventory_hostname': 'box1', 'jeedom_artifacts': str(tmp_path), 'jeedom_progress': False}
        action._task, action._templar, action._display = SimpleNamespace(check_mode=False), None, None
        action.reset, action.patience = lambda: None, lambda default: 60
        action.setting = lambda name, default: action.task_vars.get(name, default)
        monkeypatch.setattr(backup_fetch.transfer, 'Source', lambda _action, path: files[path])
        monkeypatch.setattr(backup_fetch.follow.time, 'sleep', lambda seconds: None)
        complement = {'path': '/s/' + store.complement_name(NAME), 'name': store.complement_name(NAME), 'size': len(second),
                      'sha256': hashlib.sha256(second).hexdigest()}
        backup = {'proved': True, 'name': NAME, 'path': '/s/' + NAME, 'size': len(data), 'sha256': hashlib.sha256(data).hexdigest(), 'complement': complement,
                  'manifest': {'proved': True, 'name': NAME, 'size': len(data), 'sha256': hashlib.sha256(data).hexdigest(), 'core_version': '3.3.60',
                               'complement': complement}}
        action.folder, action.files, action.data = store.folder(tmp_path, 'box1'), files, data
        action.go = lambda: action._fetch(backup, {'dest': None, 'rate': None})
        action.list = lambda: sorted(name for name in os.listdir(action.folder) if name != '.lock')
        return action

    @pytest.mark.parametrize('variables, suffix', [({}, ''), ({'jeedom_archive_key': KEY.hex()}, '.sealed'),
                                                   ({'jeedom_archive_command': TURN, 'jeedom_archive_suffix': '.turned'}, '.turned')])
    def test_it_comes_once_in_its_form(self, box, variables, suffix):
        box.task_vars.update(variables)
        result = box.go()
        assert result['changed'] and result['archive']['path'] == str(box.folder / (NAME + suffix)) and len(result['archive']['transfers']) == 2
        assert box.list() == sorted([NAME + suffix, store.complement_name(NAME) + suffix, NAME + '.manifest.json'])
        assert {(box.folder / name).stat().st_mode & 0o777 for name in box.list()} == {0o600}
        copy = store.look(box.folder)[0]
        assert copy['proved'] and store.unchanged(copy)
        again = box.go()
        assert not again['changed'] and again['archive']['path'] == result['archive']['path'] and 'transfers' not in again['archive']
        raw = (box.folder / (NAME + suffix)).read_bytes()
        assert (box.data in raw) is (suffix == '')

    def test_with_a_new_key_the_plain_copy_is_replaced(self, box):
        box.go()
        (box.folder / (NAME + '.part')).write_bytes(b'plain rest')
        box.task_vars['jeedom_archive_key'] = KEY.hex()
        assert box.go()['changed']
        assert box.list() == sorted([NAME + '.sealed', store.complement_name(NAME) + '.sealed', NAME + '.manifest.json'])
        del box.task_vars['jeedom_archive_key']
        assert box.go()['archive']['form'] == 'plain'
        assert box.list() == sorted([NAME, store.complement_name(NAME), NAME + '.manifest.json'])

    @pytest.mark.parametrize('key', [{}, {'jeedom_archive_key': KEY.hex()}])
    def test_a_whole_archive_is_not_sent_again_for_a_missing_complement(self, box, key, monkeypatch):
        box.task_vars.update(key)
        second = box.files['/s/' + store.complement_name(NAME)]
        second.open = lambda offset: (_ for _ in ()).throw(transfer.TransferError('gone', 'no_such_file'))
        with pytest.raises(transfer.TransferError):
            box.go()
        assert not [name for name in box.list() if name.endswith('manifest.json')]
        del second.open
        result = box.go()
        assert [entry['name'] for entry in result['archive']['transfers']] == [store.complement_name(NAME)]
        assert box.files['/s/' + NAME].opened == [0] and store.prove(store.look(box.folder)[0], forms.from_variables(box.task_vars))['proved']

    @pytest.mark.parametrize('key', [{}, {'jeedom_archive_key': KEY.hex()}])
    def test_another_file_of_that_name_is_not_taken_for_it(self, box, key, shelves):
        box.task_vars.update(key)
        form = forms.from_variables(box.task_vars)
        box.folder.mkdir(parents=True)
        shelves.write(form, box.folder / NAME, bytes(len(box.data)))
        assert len(box.go()['archive']['transfers']) == 2
        with form.open(form.path(box.folder / NAME), form.name) as stream:
            assert b''.join(iter(lambda: stream.read(1 << 20), b'')) == box.data

    def test_check_mode_writes_nothing(self, box):
        box._task.check_mode = True
        assert box.go()['changed'] and box.list() == []

    def test_a_sealed_copy_goes_back_to_its_box_as_it_was(self, box, tmp_path, monkeypatch):
        import subprocess
        box.task_vars['jeedom_archive_key'] = KEY.hex()
        box.go()
        monkeypatch.setattr(backup_push, 'STAGING', str(tmp_path / 'box'))
        monkeypatch.setattr(backup_push, 'BLOCK', 1700)
        push = object.__new__(backup_push.ActionModule)
        push.task_vars, push._task, push._templar, push.interpreter = box.task_vars, box._task, None, dict
        push.reset, push.patience = box.reset, box.patience

        def shell(command, in_data=None):
            done = subprocess.run(['sh', '-c', command], input=in_data, capture_output=True, check=False)
            return {'rc': done.returncode, 'stdout': done.stdout.decode(), 'stderr': done.stderr.decode()}

        push.shell = shell
        for wanted in (None, str(box.folder / NAME), str(box.folder / (NAME + '.sealed'))):
            result = push._push(wanted)
            assert (tmp_path / 'box' / NAME).read_bytes() == box.data and result['archive']['archive'].endswith('/' + NAME)
        assert sorted(os.listdir(tmp_path / 'box')) == sorted([NAME, store.complement_name(NAME), NAME + '.manifest.json'])
        push.task_vars = dict(box.task_vars, jeedom_archive_key=OTHER.hex())
        with pytest.raises(sealing.SealError) as caught:
            push._push(None)
        assert caught.value.code == 'wrong_key'
