# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file comes to the controller whole and proved, or not at all; a cut goes on where it was; old copies stay."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.jeedom.fleet.plugins.module_utils import archive
from ansible_collections.jeedom.fleet.plugins.plugin_utils import forms, transfer

DATA = bytes(range(256)) * 30
NAMES = ['a b.tar.gz', 'été.tar.gz', "it's.tar.gz", 'say "x".tar.gz', 'two\nlines.tar.gz', '$(touch pwned).tar.gz', '-rf.tar.gz', '`id`;x&.tar.gz']


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Box:
    """A file on a box. cuts: offsets at which the link breaks, one after the other."""

    def __init__(self, data: bytes = DATA, cuts: tuple[int, ...] = ()):
        self.data, self.cuts, self.opened, self.mtime = data, list(cuts), [], 1
        self.path, self.action = '/staging/x', SimpleNamespace(host='box1')

    def identity(self):
        return [len(self.data), self.mtime, 7]

    def open(self, offset):
        self.opened.append(offset)
        self.at = offset
        return self

    def read(self, size):
        if self.cuts and self.at + min(size, 100) > self.cuts[0]:
            rest = self.data[self.at:self.cuts[0]]
            self.at = self.cuts[0]
            if not rest:
                self.cuts.pop(0)
                raise AnsibleConnectionFailure('the link broke')
            return rest
        data = self.data[self.at:self.at + min(size, 100)]
        self.at += len(data)
        return data

    def close(self):
        """Nothing is held."""


@pytest.fixture
def target(tmp_path):
    return tmp_path / 'box1' / 'archive' / 'x.tar.gz'


def fetch(box, target, data=None, consume=None, **options):
    data = box.data if data is None else data
    return transfer.Download(box, target, **options).fetch(len(data), sha(data), consume)


def refused(box, target, code, data=None, **options):
    """The code, in one sentence, and nothing under the final name."""
    with pytest.raises(transfer.TransferError) as caught:
        fetch(box, target, data, **options)
    assert caught.value.code == code and '\n' not in str(caught.value) and str(caught.value).endswith('.')
    assert not target.exists()
    return str(caught.value)


def test_it_arrives_for_its_owner_only(target):
    result = fetch(Box(), target)
    assert target.read_bytes() == DATA and target.stat().st_mode & 0o777 == 0o600
    assert result['sha256'] == sha(DATA) and result['size'] == len(DATA) and result['resumed'] == 0
    assert sorted(path.name for path in target.parent.iterdir()) == ['x.tar.gz']


@pytest.mark.parametrize('cut', [0, 1, len(DATA) // 2, len(DATA) - 1])
def test_a_cut_goes_on_from_the_last_byte(target, cut):
    box = Box(cuts=(cut,))
    with pytest.raises(AnsibleConnectionFailure):
        fetch(box, target)
    assert not target.exists() and target.with_name('x.tar.gz.part').stat().st_size == cut
    result = fetch(box, target)
    assert box.opened == [0, cut] and result['resumed'] == cut and target.read_bytes() == DATA
    assert result['sha256'] == sha(DATA)


def test_many_cuts_are_many_tries(target):
    box = Box(cuts=(10, 10, 500, 7000))
    for _try in range(4):
        with pytest.raises(AnsibleConnectionFailure):
            fetch(box, target)
    assert fetch(box, target)['resumed'] == 7000 and target.read_bytes() == DATA


def test_all_was_here_but_its_name(target):
    box = Box(cuts=(len(DATA) - 1,))
    with pytest.raises(AnsibleConnectionFailure):
        fetch(box, target)
    part = target.with_name('x.tar.gz.part')
    part.write_bytes(DATA)
    fetch(box, target)
    assert box.opened == [0] and target.read_bytes() == DATA


def test_a_link_that_ends_without_an_error_is_a_cut(target):
    box = Box()
    box.data = DATA[:5000]
    box.identity = lambda: [len(DATA), 1, 7]
    with pytest.raises(AnsibleConnectionFailure, match='5000 of 7680'):
        fetch(box, target, DATA)


def test_what_is_here_of_another_file_is_not_built_upon(target):
    box = Box(cuts=(4000,))
    with pytest.raises(AnsibleConnectionFailure):
        fetch(box, target)
    other = Box(DATA[::-1])
    fetch(other, target)
    assert other.opened == [0] and target.read_bytes() == DATA[::-1]


def test_the_same_file_touched_meanwhile_is_read_anew(target):
    box = Box(cuts=(4000,))
    with pytest.raises(AnsibleConnectionFailure):
        fetch(box, target)
    box.mtime = 2
    fetch(box, target)
    assert box.opened == [0, 0] and target.read_bytes() == DATA


@pytest.mark.parametrize('damage', [b'', b'x' * 9000, b'\0' * 4000])
def test_a_part_that_was_damaged_here_is_thrown_away(target, damage):
    box = Box(cuts=(4000,))
    with pytest.raises(AnsibleConnectionFailure):
        fetch(box, target)
    target.with_name('x.tar.gz.part').write_bytes(damage)
    if damage == b'\0' * 4000:
        refused(box, target, 'hash_differs')
        assert not target.with_name('x.tar.gz.part').exists()
    fetch(box, target)
    assert target.read_bytes() == DATA


def test_a_file_that_is_not_the_proved_one_is_not_read(target):
    box = Box()
    assert 'make a new backup' in refused(box, target, 'file_changed', DATA + b'1')
    assert box.opened == []


def test_a_file_that_is_replaced_while_it_is_read(target):
    box = Box()
    identities = iter([[len(DATA), 1, 7], [len(DATA), 1, 8]])
    box.identity = lambda: next(identities)
    assert 'changed while it was read' in refused(box, target, 'file_changed')
    assert not list(target.parent.iterdir())


def test_other_bytes_than_those_that_were_proved(target):
    said = refused(Box(DATA[::-1]), target, 'hash_differs', DATA)
    assert sha(DATA)[:12] in said and sha(DATA[::-1])[:12] in said and not list(target.parent.iterdir())


def test_an_old_copy_stays_until_the_new_one_is_proved(target):
    fetch(Box(b'old'), target)
    for data, code in ((DATA[::-1], 'hash_differs'), (DATA + b'1', 'file_changed')):
        with pytest.raises(transfer.TransferError) as caught:
            fetch(Box(data), target, DATA)
        assert caught.value.code == code and target.read_bytes() == b'old'
    with pytest.raises(AnsibleConnectionFailure):
        fetch(Box(cuts=(9,)), target)
    assert target.read_bytes() == b'old'


def test_a_copy_that_does_not_read_to_its_end(target):
    refused(Box(), target, 'copy_not_proved', consume=archive.prove)
    assert not list(target.parent.iterdir())


def test_a_controller_without_room_is_told_before_a_byte_is_read(target, monkeypatch):
    box = Box()
    monkeypatch.setattr(transfer.os, 'statvfs', lambda path: SimpleNamespace(f_bavail=100, f_frsize=4096))
    assert 'needs 0 MB and 0 MB are free' in refused(box, target, 'controller_full') and box.opened == []


def test_a_controller_that_fills_up_meanwhile(target):
    """The limit of the process on the size of a file is a full disk to it."""
    code = ('import resource, signal, sys; sys.path.insert(0, {here!r}); signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n'
            'resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n'
            'import test_download as t; from pathlib import Path\n'
            't.refused(t.Box(), Path({target!r}), "controller_full"); print("told")\n')
    # -B: it would leave cut bytecode of this file, which the next test cannot read
    done = subprocess.run([sys.executable, '-B', '-c', code.format(here=str(Path(__file__).parent), target=str(target))], capture_output=True, text=True,
                          check=False, env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))
    assert done.stdout.strip() == 'told', done.stderr
    # what came is kept for the next try
    assert fetch(Box(), target)['resumed'] == 4096 and target.read_bytes() == DATA


@pytest.mark.parametrize('number, code', [(errno.ENOSPC, 'controller_full'), (errno.EDQUOT, 'controller_full'), (errno.EROFS, 'controller_failed'),
                                          (errno.EIO, 'controller_failed')])
def test_what_the_disk_says_is_passed_on(target, number, code):
    class Sink(forms.PlainSink):
        def write(self, data):
            raise OSError(number, os.strerror(number))

    assert os.strerror(number) in refused(Box(), target, code, sink=Sink)


def test_an_error_of_the_disk_that_comes_later_is_passed_on(target, monkeypatch):
    """The disk is written to beside the download, and the kernel tells its error to that call only."""
    def broken(handle):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(forms, '_BESIDE', 1000)
    monkeypatch.setattr(forms.os, 'fdatasync', broken)
    assert os.strerror(errno.EIO) in refused(Box(), target, 'controller_failed')
    assert not target.exists()


def test_what_comes_is_brought_to_the_disk_on_its_way(target, monkeypatch):
    synced = threading.Event()

    class Waiting(Box):
        """Gives its second half when the first has been asked to the disk."""

        def read(self, size):
            assert self.at < len(self.data) / 2 or synced.wait(60)
            return super().read(size)

    monkeypatch.setattr(forms, '_BESIDE', 1000)
    monkeypatch.setattr(forms.os, 'fdatasync', lambda handle: synced.set())
    fetch(Waiting(), target)
    assert target.read_bytes() == DATA


def test_a_link_in_the_place_of_the_part_is_not_followed(target, tmp_path):
    target.parent.mkdir(parents=True)
    (tmp_path / 'elsewhere').write_bytes(b'mine')
    target.with_name('x.tar.gz.part').symlink_to(tmp_path / 'elsewhere')
    fetch(Box(), target)
    assert (tmp_path / 'elsewhere').read_bytes() == b'mine' and target.read_bytes() == DATA


class Clock:
    """Time that passes by sleeping only, and by a given step at each read of the box."""

    def __init__(self, monkeypatch):
        self.now, self.longest = 1000.0, 0.0
        monkeypatch.setattr(transfer.time, 'monotonic', lambda: self.now)
        monkeypatch.setattr(transfer.time, 'sleep', self.sleep)

    def sleep(self, seconds):
        self.longest = max(self.longest, seconds)
        self.now += seconds


@pytest.mark.parametrize('rate', [1, 50, 1000, 1e9])
def test_a_limit_is_kept_however_low(target, monkeypatch, rate):
    clock = Clock(monkeypatch)
    begin = clock.now
    fetch(Box(), target, rate=rate)
    assert clock.now - begin == pytest.approx(len(DATA) / rate)
    # never so still that somebody could take it for dead
    assert clock.longest <= 1


def test_no_limit_does_not_sleep(target, monkeypatch):
    clock = Clock(monkeypatch)
    for rate in (None, 0, -5):
        fetch(Box(), target, rate=rate)
        target.unlink()
    assert clock.longest == 0


def test_speed_and_what_is_left_count_what_came_over_the_link(target, monkeypatch):
    clock, told = Clock(monkeypatch), []
    box = Box(cuts=(4000,))
    with pytest.raises(AnsibleConnectionFailure):
        fetch(box, target)
    clock.now += 3600
    fetch(box, target, rate=1000, progress=lambda *given: told.append(given))
    assert told[-1][:2] == (len(DATA), len(DATA)) and all(done > 4000 for done, _size, _speed in told)
    assert all(speed == pytest.approx(1000) for _done, _size, speed in told)


# -- through a shell, as with the connection plugins that are not ssh


class Shell:
    """An action whose box is this machine."""

    host = 'box1'

    def __init__(self, become='sh'):
        self._connection = SimpleNamespace(transport='local', become=None)
        self.commands, self.become = [], become

    def shell(self, command):
        self.commands.append(command)
        done = subprocess.run([self.become, '-c', command], capture_output=True, text=True, check=False)
        return {'rc': done.returncode, 'stdout': done.stdout, 'stderr': done.stderr}


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('block', [1000, 1 << 20])
def test_any_name_block_by_block(tmp_path, monkeypatch, name, block):
    monkeypatch.setattr(transfer, 'BLOCK', block)
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'box').mkdir()
    (tmp_path / 'box' / name).write_bytes(DATA)
    source = transfer.Source(Shell(), str(tmp_path / 'box' / name))
    target = tmp_path / 'store' / 'x.tar.gz'
    result = transfer.Download(source, target).fetch(len(DATA), sha(DATA))
    assert target.read_bytes() == DATA and result['size'] == len(DATA)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['box', 'store']


def test_a_file_that_is_gone(tmp_path):
    source = transfer.Source(Shell(), str(tmp_path / 'gone'))
    with pytest.raises(transfer.TransferError) as caught:
        transfer.Download(source, tmp_path / 'x').fetch(5, sha(b'12345'))
    assert caught.value.code == 'no_such_file' and 'make a backup first' in str(caught.value)


def test_a_file_that_goes_away_while_it_is_read_is_told_with_the_words_of_the_box(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, 'BLOCK', 1000)
    (tmp_path / 'f').write_bytes(DATA)
    stream = transfer.Source(Shell(), str(tmp_path / 'f')).open(0)
    assert stream.read(1000) == DATA[:1000]
    (tmp_path / 'f').unlink()
    with pytest.raises(AnsibleConnectionFailure, match='cannot be read'):
        stream.read(1000)


# -- through ssh: a program in its place, that behaves as ssh does


class Ssh(Shell):
    """An action whose connection is ssh; the program that is started runs the command here."""

    def __init__(self, folder: Path, script: str, **options):
        super().__init__()
        program = folder / 'ssh'
        program.write_text(f'#!/bin/sh\n{script}\n')
        program.chmod(0o755)
        become = SimpleNamespace(get_option=lambda name, playcontext=None: None, success='BECOME-SUCCESS-abc',
                                 build_become_command=lambda command, _shell: f'echo BECOME-SUCCESS-abc; {command}')
        self._connection = SimpleNamespace(
            transport='ssh', become=become, _shell=None, host='box1', get_option={**options, 'ssh_executable': str(program)}.get,
            _build_command=lambda executable, kind, *words: [executable, *words[-1:], *words[:-1]])
        self._play_context = None


def over_ssh(tmp_path, script, data=DATA):
    (tmp_path / 'a b').write_bytes(data)
    source = transfer.Source(Ssh(tmp_path, script), str(tmp_path / 'a b'))
    return transfer.Download(source, tmp_path / 'store' / 'x').fetch(len(data), sha(data))


def test_the_stream_of_ssh_begins_behind_the_word_of_become(tmp_path):
    assert over_ssh(tmp_path, 'echo "motd: hello"; exec sh -c "$1"', b'BECOME-SUCCESS-abc\n' + DATA)['sha256'] == sha(b'BECOME-SUCCESS-abc\n' + DATA)


@pytest.mark.parametrize('offset', [0, 1, 3000])
def test_the_stream_of_ssh_begins_where_it_is_asked_to(tmp_path, offset):
    (tmp_path / 'a b').write_bytes(DATA)
    stream = transfer.Source(Ssh(tmp_path, 'exec sh -c "$1"'), str(tmp_path / 'a b')).open(offset)
    assert b''.join(iter(lambda: stream.read(700), b'')) == DATA[offset:]
    stream.close()


@pytest.mark.parametrize('shared, password, kind', [
    (True, 'p', '_SshStream'), (False, 'p', '_BlockStream'), (False, None, '_SshStream')])
def test_a_login_password_goes_ansibles_way_unless_there_is_its_shared_connection(tmp_path, shared, password, kind):
    """ssh asks for it on a terminal, or through a helper that only Ansible gives it."""
    (tmp_path / 'f').write_bytes(DATA)
    action = Ssh(tmp_path, f'[ "$2" = -O ] && exit {0 if shared else 255}; exec sh -c "$1"', password=password)
    stream = transfer.Source(action, str(tmp_path / 'f')).open(0)
    assert type(stream).__name__ == kind
    assert b''.join(iter(lambda: stream.read(700), b'')) == DATA
    stream.close()


def test_a_password_that_was_asked_for_at_the_start_counts(tmp_path):
    (tmp_path / 'f').write_bytes(DATA)
    action = Ssh(tmp_path, 'exit 255')
    action._play_context = SimpleNamespace(password='p')
    assert transfer.Source(action, str(tmp_path / 'f')).open(0).read(700) == DATA[:700]


@pytest.mark.parametrize('script, words', [
    ('sh -c "$1" | head -c 3000; echo "Connection to box1 closed" >&2; exit 255', 'Connection to box1 closed'),
    ('echo "Permission denied (publickey)" >&2; exit 255', 'Permission denied'),
    ('echo "sudo: a password is required" >&2; exit 1', 'password is required'),
    ('exit 255', 'the connection closed'),
    ('yes no-marker | head -c 100000', 'the connection closed')])
def test_an_ssh_that_ends_is_a_cut_link_in_its_own_words(tmp_path, script, words):
    with pytest.raises(AnsibleConnectionFailure, match=words.replace('(', r'\(').replace(')', r'\)')):
        over_ssh(tmp_path, script)
    assert not (tmp_path / 'store' / 'x').exists()


def test_an_ssh_that_closes_and_does_not_end_is_a_cut_link(tmp_path, monkeypatch):
    wait = subprocess.Popen.wait
    monkeypatch.setattr(subprocess.Popen, 'wait', lambda self, timeout=None: wait(self, timeout=0.2 if timeout else None))
    with pytest.raises(AnsibleConnectionFailure):
        over_ssh(tmp_path, 'sh -c "$1" | head -c 3000; exec >&-; exec sleep 60')


def test_an_ssh_that_says_nothing_any_more_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, 'STALL', 0.0)
    monkeypatch.setattr(transfer.threading.Event, 'wait', lambda self, seconds=None, _wait=transfer.threading.Event.wait: _wait(self, 0.2))
    with pytest.raises(AnsibleConnectionFailure):
        over_ssh(tmp_path, 'sh -c "$1" | head -c 3000; exec sleep 60')


def test_a_large_file_takes_a_buffer_of_memory(tmp_path):
    """400 MB come through under a limit of 300 MB for all the memory of a process."""
    size = 400 << 20
    (tmp_path / 'large').touch()
    os.truncate(tmp_path / 'large', size)
    wanted = hashlib.sha256()
    for _block in range(size >> 20):
        wanted.update(bytes(1 << 20))
    code = ('import resource, sys; sys.path.insert(0, {here!r})\n'
            'import test_download as t; from pathlib import Path\n'
            'used = int(open("/proc/self/statm").read().split()[0]) * 4096\n'
            'resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)\n'
            'folder = Path({folder!r})\n'
            'source = t.transfer.Source(t.Ssh(folder, \'exec sh -c "$1"\'), str(folder / "large"))\n'
            'print(t.transfer.Download(source, folder / "x").fetch({size}, {sha!r})["size"])\n')
    done = subprocess.run([sys.executable, '-c', code.format(here=str(Path(__file__).parent), folder=str(tmp_path), size=size, sha=wanted.hexdigest())],
                          capture_output=True, text=True, check=False, env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))
    assert done.stdout.strip() == str(size), done.stderr[-2000:]
