# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on around Jeedom's own backup: its minute, its pruning, its compression. tests/integration has the same on a box."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import backup, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

NAME = 'backup-a-3.3.60-2026-11-23-10h26.tar.gz'


class Context(object):
    def __init__(self):
        self.asked = 0

    def check_stop(self):
        self.asked += 1


@pytest.fixture
def staging(tmp_path, monkeypatch):
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path / 'state'))
    return system.state_dir('staging')


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'backup').mkdir()
    return tmp_path / 'backup'


@pytest.mark.parametrize('name, age, waits', [
    (NAME, 20, True), (NAME, 0, True), (NAME, 49.5, False), (NAME, 3600, False), (NAME, -500, False), ('notes.txt', 1, False)])
def test_an_archive_of_this_minute_is_not_written_over(folder, monkeypatch, name, age, waits):
    # half past a minute
    clock = [1200000000.0 + 30]
    start = clock[0]
    (folder / name).write_bytes(b'x')
    os.utime(str(folder / name), (start - age, start - age))
    monkeypatch.setattr(backup.time, 'time', lambda: clock[0])
    monkeypatch.setattr(backup.time, 'sleep', lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    context = Context()
    backup.own_minute(str(folder), context)
    waited = clock[0] - start
    assert context.asked == waited
    assert waited == (30 if waits else 0)


def test_without_a_folder_nothing_is_waited_for(tmp_path):
    backup.own_minute(str(tmp_path / 'none'), Context())


def until(test):
    deadline = time.time() + 60
    while not test():
        assert time.time() < deadline
        time.sleep(0.01)


def test_a_fresh_archive_is_kept_from_its_first_byte(folder, staging):
    (folder / 'backup-old-3.3.60-2026-01-01-10h00.tar.gz').write_bytes(b'old')
    keeper = backup._Keeper(str(folder), set(os.listdir(str(folder))))
    keeper.start()
    with open(str(folder / NAME), 'wb') as archive:
        archive.write(b'first ')
        archive.flush()
        until(lambda: os.path.exists(os.path.join(staging, NAME)))
        archive.write(b'last')
    for name in os.listdir(str(folder)):
        os.unlink(str(folder / name))
    os.rmdir(str(folder))
    kept = keeper.end()
    assert kept == {NAME: os.path.join(staging, NAME)}
    with open(kept[NAME], 'rb') as archive:
        assert archive.read() == b'first last'
    lines = ['Nom de la sauvegarde : %s/../backup/%s' % (folder, NAME), '[END BACKUP SUCCESS]']
    assert backup._path_of(lines, time.time(), kept) == kept[NAME]
    assert backup.keep_aside(kept[NAME]) == kept[NAME]


def test_what_is_no_archive_is_not_kept(folder, staging):
    keeper = backup._Keeper(str(folder), set())
    keeper.start()
    (folder / 'DB_backup.sql').write_bytes(b'x')
    (folder / NAME).write_bytes(b'x')
    until(lambda: keeper.kept)
    assert list(keeper.end()) == [NAME] and os.listdir(staging) == [NAME]


@pytest.mark.parametrize('lines', [['[END BACKUP SUCCESS]'], ['Backup name: /nowhere/%s' % NAME]])
def test_an_archive_that_is_nowhere_is_told(lines):
    with pytest.raises(BoxError) as caught:
        backup._path_of(lines, time.time(), {})
    assert caught.value.code == 'archive_gone'


@pytest.mark.parametrize('level, begins', [(None, ['sudo']), (6, ['sudo']), (1, ['sudo', '-n', '-u', 'www-data', '--', 'env', 'GZIP=-1', 'php'])])
def test_gzip_is_told_a_level_only_when_it_is_not_its_own(level, begins):
    class Core(object):
        def path(self, name):
            return '/web/' + name

        def as_web_user(self, argv):
            return system.as_user('www-data', argv)

    seen = []

    class Job(object):
        def run(self, argv, *_arguments, **_options):
            seen.append(argv)
            return 0, ['gzip: warning: GZIP environment variable is deprecated; use an alias or script', '[END BACKUP SUCCESS]']

    backup._run_backup(Core(), Job(), level)
    assert seen[0][:len(begins)] == begins and ('env' in seen[0]) == (level == 1)


def test_a_complaint_of_gzip_is_no_success():
    class Job(object):
        def run(self, *_arguments, **_options):
            return 0, ['gzip: stdout: No space left on device', '[END BACKUP SUCCESS]']

    class Core(object):
        path = as_web_user = staticmethod(lambda given: given)

    with pytest.raises(BoxError) as caught:
        backup._run_backup(Core(), Job(), None)
    assert caught.value.code == 'backup_incomplete'
