# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller: names cannot lead elsewhere, writes are whole, modes are private."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import shutil
import stat
import subprocess
import sys

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts

HOSTILE = ['..', '.', '../x', '/etc/passwd', 'a/b', 'a\\b', '-rf', '.hidden', 'a\0b', 'a\nb', 'a\x1b[2Jb', 'a b', 'é', 'a%2Fb', '::1',
           '\u202egnp', 'x' * 500, '\udcff']


@pytest.mark.parametrize('name', ['box1', 'box-1.example.org', '192.0.2.7', 'backup-Maison-3.3.60-2026-11-23-08h02.tar.gz'])
def test_ordinary_names_stay_readable(name):
    assert artifacts.safe_name(name) == name == artifacts.checked_name(name)


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_names_become_one_harmless_component(name, tmp_path):
    safe = artifacts.safe_name(name)
    path = tmp_path / safe
    assert path.parent == tmp_path and os.path.normpath(path) == str(path)
    assert safe.isascii() and safe.isprintable() and '/' not in safe and safe[0] not in '.-' and len(safe) <= 180
    path.write_text('x', encoding='utf-8')
    with pytest.raises(artifacts.ArtifactError) as caught:
        artifacts.checked_name(name)
    assert caught.value.code == 'bad_name'


def test_different_names_never_share_a_file():
    names = [*HOSTILE, '%2E.', 'x' * 501, 'a%2fb', 'a_b', 'a%b', '%2E%2E']
    assert len({artifacts.safe_name(name) for name in names}) == len(names)


def test_an_empty_name_is_refused():
    with pytest.raises(artifacts.ArtifactError, match='empty name'):
        artifacts.safe_name('')


@pytest.mark.parametrize('name', ['../x', 'A', 'a.b', '', 'a/b', '-a'])
def test_names_of_records_are_plain(name):
    with pytest.raises(artifacts.ArtifactError):
        artifacts.file_key(name)


def test_everything_written_is_private(tmp_path):
    old = os.umask(0)
    try:
        artifacts.write_json(artifacts.run_dir(tmp_path / 'a', 'run', 'box') / 'x.json', {'a': 1})
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / 'a', *(tmp_path / 'a').rglob('*')]}
    assert modes == {'a': 0o700, 'run': 0o700, 'box': 0o700, 'x.json': 0o600}


def test_a_folder_that_was_there_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    artifacts.make_dir(tmp_path / 'x')
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_write_that_breaks_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / 'x.json'
    artifacts.write_json(path, {'old': True})

    def full(*_args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(artifacts.ArtifactError, match='No space left on device.*make room') as caught:
        artifacts.write_json(path, {'new': True})
    assert caught.value.code == 'artifacts_not_writable'
    assert artifacts.read_json(path) == {'old': True} and [name.name for name in tmp_path.iterdir()] == ['x.json']


def test_what_json_does_not_know_is_named_and_never_shown():
    class Secret:
        def __str__(self):
            return 'hunter2'

    text = artifacts.to_json({'a': Secret(), 'b': artifacts.Path('/x')})
    assert 'hunter2' not in text and '<Secret>' in text and '"/x"' in text


def test_a_damaged_file_is_the_default(tmp_path):
    (tmp_path / 'x').write_text('{"a":', encoding='utf-8')
    assert artifacts.read_json(tmp_path / 'x', 7) == 7 and artifacts.read_json(tmp_path / 'none', 8) == 8


def _tell(queue):
    queue.put(artifacts.process_run_id())


def test_workers_and_main_process_agree_on_the_run_id():
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    worker = context.Process(target=_tell, args=(queue,))
    worker.start()
    told = queue.get(timeout=10)
    worker.join()
    assert told == artifacts.process_run_id() and told.split('-')[1] == str(os.getpid()) and artifacts.checked_name(told)


@pytest.mark.skipif(not shutil.which('unshare'), reason='no namespaces here')
def test_containers_that_begin_in_the_same_second_have_runs_of_their_own(monkeypatch):
    """Slices of a job of AWX write to one folder; each begins with the same ids of processes."""
    code = f'import sys; sys.path[:] = {sys.path!r}; from {artifacts.__name__} import process_run_id as tell; print(tell())'
    inside = ['unshare', *([] if os.getuid() == 0 else ['--user', '--map-root-user']), '--pid', '--fork', '--mount-proc', sys.executable, '-c', code]
    both = [subprocess.Popen(inside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=60) for process in both]
    if any(process.returncode for process in both):
        pytest.skip(f'no namespaces here: {told[0][1].strip()}')
    names = [out.strip() for out, _err in told]
    assert len(set(names)) == 2 and all(name.split('-')[1] == '1' for name in names)
    # even when the clocks of two machines and the ids of two processes are the same
    monkeypatch.setattr(artifacts, '_process_start', lambda pid: (0.0, '77'))
    here = artifacts.process_run_id()
    monkeypatch.setattr(artifacts, '_here', lambda: 'another machine')
    assert here != artifacts.process_run_id() and here.rpartition('-')[0] == artifacts.process_run_id().rpartition('-')[0]


@pytest.mark.parametrize('call, code', [('fcntl.flock', errno.ENOLCK), ('open', errno.EACCES), ('open', errno.EROFS)])
def test_a_folder_that_cannot_be_locked_is_told_in_one_sentence(tmp_path, monkeypatch, call, code):
    """A lock that another user has left, a share that knows none."""
    def refuse(*_args, **_rest):
        raise OSError(code, os.strerror(code))

    if call == 'open':
        monkeypatch.setattr(artifacts, 'open', refuse, raising=False)
    else:
        monkeypatch.setattr(artifacts.fcntl, 'flock', refuse)
    with pytest.raises(artifacts.ArtifactError) as caught, artifacts.locked(tmp_path):
        pytest.fail('it was not held')
    assert caught.value.code == 'artifacts_not_writable' and str(caught.value) == (
        f'{tmp_path}/.lock cannot be locked on the controller ({os.strerror(code)}): let the user that runs ansible-playbook write it, or set '
        'jeedom_artifacts to another folder.')


def test_a_lock_that_is_not_ours_but_can_be_written_holds(tmp_path, monkeypatch):
    def refuse(*_args, **_rest):
        raise PermissionError(errno.EPERM, 'Operation not permitted')

    monkeypatch.setattr(artifacts.os, 'chmod', refuse)
    with artifacts.locked(tmp_path), open(tmp_path / '.lock', 'a', encoding='utf-8') as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with pytest.raises(OSError, match='of the caller'), artifacts.locked(tmp_path):
        raise OSError('of the caller')


def test_the_run_id_of_the_operator_counts_and_is_checked():
    assert artifacts.run_id({'jeedom_run_id': 'monday'}) == 'monday'
    assert artifacts.run_id({'jeedom_run_id': ''}) == artifacts.process_run_id()
    for bad in ('../x', 'journal', 'archives', 'report'):
        with pytest.raises(artifacts.ArtifactError):
            artifacts.run_id({'jeedom_run_id': bad})


def test_the_artifacts_folder_is_where_ansible_was_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert artifacts.root({}) == tmp_path / 'artifacts'
    assert artifacts.root({'jeedom_artifacts': '/srv/x/../y'}).as_posix() == '/srv/y'
