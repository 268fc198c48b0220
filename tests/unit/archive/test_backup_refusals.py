# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When Jeedom's own backup is not believed, whatever it says of itself."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import archive, backup, jobs, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

NAME = 'backup-a-3.3.60-2026-11-23-10h26.tar.gz'
SUCCESS = '[END BACKUP SUCCESS]'


class Core(object):
    """An installation at 3.3.60."""
    web_root = '/web'

    def path(self, name):
        return '/web/' + name

    def as_web_user(self, argv):
        return argv

    def version(self):
        return '3.3.60'


class Job(object):
    """A job's context whose command ends as the test says."""

    def __init__(self, rc, lines):
        self.ends = rc, lines

    def run(self, *dummy, **dummies):
        return self.ends

    phase = percent = log = lambda self, *dummy: None


@pytest.mark.parametrize('rc, lines, words', [
    (1, ['#####', 'mysqldump: Got error: 1045', '#####', ''], 'code 1: mysqldump: Got error: 1045'),
    (1, [SUCCESS], 'code 1'),
    (0, ['Nothing was said'], 'code 0: Nothing was said'),
    (0, [SUCCESS, SUCCESS], 'code 0'),
])
def test_a_backup_is_good_only_when_it_ends_well_and_says_so_once(rc, lines, words):
    with pytest.raises(BoxError) as caught:
        backup._run_backup(Core(), Job(rc, lines), None)
    assert caught.value.code == 'backup_failed' and words in caught.value.msg


def test_a_name_that_no_restore_would_take_is_told_at_once(tmp_path):
    path = tmp_path / 'backup-a-3.3.60.tar.gz'
    path.write_bytes(b'x')
    with pytest.raises(BoxError) as caught:
        backup._path_of(['Backup name: %s' % path, SUCCESS], time.time(), {})
    assert caught.value.code == 'bad_archive_name' and 'config name' in caught.value.msg


def test_an_old_archive_is_not_taken_for_the_new_one(tmp_path):
    (tmp_path / NAME).write_bytes(b'x')
    lines = ['Backup name: %s' % (tmp_path / NAME), SUCCESS]
    now = time.time()
    assert backup._path_of(lines, now, {}) == str(tmp_path / NAME)
    with pytest.raises(BoxError) as caught:
        backup._path_of(lines, now + 3600, {})
    assert caught.value.code == 'archive_gone'


class Database(object):
    """A database whose rows do not change."""

    def row_counts(self):
        return {'cmd': 2}


class Keeper(object):
    """Nothing was kept aside."""

    def end(self):
        return {}


@pytest.mark.parametrize('present, compared, version, problem', [
    (True, ['table cmd: 1 rows'], '3.3.60', 'table cmd: 1 rows'),
    (True, [], '3.3.59', 'it holds core 3.3.59, the box has 3.3.60'),
    (False, ['not asked without a dump'], '3.3.60', None),
    (True, [], '3.3.60', None),
    (True, [], None, None),
])
def test_a_success_whose_archive_does_not_hold_the_box_is_a_failure(tmp_path, monkeypatch, present, compared, version, problem):
    (tmp_path / NAME).write_bytes(b'x')
    monkeypatch.setattr(archive, 'prove', lambda *dummy: dict(problems=[], dump=dict(present=present), core_version=version))
    monkeypatch.setattr(archive, 'compare', lambda *dummy: list(compared))
    monkeypatch.setattr(backup, 'plugin_folders', lambda installation: [])
    arguments = (Core(), Database(), Job(0, ['Backup name: %s' % (tmp_path / NAME), SUCCESS]), time.time(), {}, None, Keeper())
    if problem is None:
        assert backup._proved(*arguments)[0] == str(tmp_path / NAME)
        return
    with pytest.raises(BoxError) as caught:
        backup._proved(*arguments)
    assert caught.value.code == 'archive_not_proved' and caught.value.details['problems'] == [problem] and NAME in caught.value.msg


def test_what_a_failed_backup_left_goes_and_what_was_there_stays(tmp_path):
    for name in (NAME, 'backup-old-3.3.60-2026-01-01-10h00.tar.gz', 'notes.txt'):
        (tmp_path / name).write_bytes(b'x')
    backup._drop_new(str(tmp_path), {'backup-old-3.3.60-2026-01-01-10h00.tar.gz'}, Job(0, []))
    assert sorted(path.name for path in tmp_path.iterdir()) == ['backup-old-3.3.60-2026-01-01-10h00.tar.gz', 'notes.txt']


def test_a_job_that_is_not_there_and_one_that_does_not_stop_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path))
    monkeypatch.setattr(system, 'require_root', lambda: None)
    with pytest.raises(BoxError) as caught:
        jobs.inspect('upgrade-20261125T190000-00ff')
    assert caught.value.code == 'no_such_job'
    running = dict(state='running', status=dict(pid=4711, phase='swap'))
    clock = [0.0]
    monkeypatch.setattr(jobs, 'inspect', lambda job_id: running)
    monkeypatch.setattr(jobs.os, 'kill', lambda pid, number: None)
    monkeypatch.setattr(jobs.time, 'time', lambda: clock[0])
    monkeypatch.setattr(jobs.time, 'sleep', lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    with pytest.raises(BoxError) as caught:
        jobs.stop('x', timeout=3)
    assert caught.value.code == 'job_not_stopped' and '(swap)' in caught.value.msg
