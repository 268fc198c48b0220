# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of each archive on a box: proved, or why not."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import tarfile
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import archive, backup, backup_info, jobs, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

DUMP = b"CREATE TABLE `config` (\n);\nINSERT INTO `config` VALUES (1),(2);\n-- Dump completed on 2026-11-23\n"
NAME = 'backup-Jeedom-3.3.60-2026-11-23-10h26.tar.gz'


def tar_gz(dump=DUMP, version=b'3.3.60\n'):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:gz') as tar:
        for name, data in (('./DB_backup.sql', dump), ('./core/config/version', version), ('./plugins/virtual/plugin_info/info.json', b'{}')):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def write(path, data):
    with open(path, 'wb') as handle:
        handle.write(data)


class Database:
    def __init__(self, folder):
        self.folder = folder

    def config(self, key, plugin='core'):
        if self.folder is None:
            raise BoxError('The database does not answer.', 'database_error')
        return self.folder


class Installation:
    def __init__(self, root):
        self.web_root, self.backup, self.current = root, None, '3.3.60'

    def path(self, *parts):
        return os.path.join(self.web_root, *parts)

    def version(self):
        return self.current

    def require(self):
        if self.current is None:
            raise BoxError('No Jeedom.', 'no_jeedom')
        return self

    def database(self):
        return Database(self.backup)

    def secrets(self):
        return []


class Context:
    def __init__(self):
        self.percents = []

    def check_stop(self):
        pass

    def log(self, line):
        pass

    def phase(self, name, percent):
        self.percents.append(percent)

    def percent(self, value):
        self.percents.append(value)


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A box with a backup folder and our own one; box.prove() records a proof as the backup module does."""
    root = str(tmp_path / 'www')
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path / 'state'))
    installation = Installation(root)
    installation.theirs, installation.ours = os.path.join(root, 'backup'), system.state_dir('staging')
    installation.backup = 'backup'
    os.makedirs(installation.theirs)

    def record(name=NAME, data=None, complement=True):
        path = os.path.join(installation.theirs, name)
        write(path, data or tar_gz())
        with open(path, 'rb') as raw:
            proof = archive.prove(raw)
        kept = os.path.join(installation.ours, name)
        os.link(path, kept)
        second = None
        if complement:
            second = {'path': kept[:-7] + '.complement.tar.gz', 'name': name[:-7] + '.complement.tar.gz', 'size': 6,
                      'sha256': None}
            write(second['path'], b'second')
            second['sha256'] = backup_info._sha256(second['path'])
        system.state_dir('proofs')
        system.write_json(backup.proof_path(name), dict(
            path=kept, name=name, size=proof['size'], sha256=proof['sha256'], proved=True, complement=second, notes=[],
            manifest=dict(proof, created=time.time() - 3600), identity=backup._identity(kept)))
        return kept

    installation.record = record
    return installation


def one(box, context=None):
    found = backup_info.report(box, context)
    assert len(found['backups']) == 1 and found['changed'] is False
    return found['backups'][0]


def test_a_recorded_proof_of_the_same_file_counts_without_reading_it(box, monkeypatch):
    kept = box.record()
    monkeypatch.setattr(archive, 'prove', None)
    found = backup_info.report(box)
    entry = found['backups'][0]
    assert entry['proved'] and entry['problems'] == [] and entry['how'] == 'record' and found['newest_proved'] == kept
    assert entry['path'] == kept and entry['other_paths'] == [os.path.join(box.theirs, NAME)]
    assert (entry['core_version'], entry['plugins'], entry['tables'], entry['rows']) == ('3.3.60', ['virtual'], 1, 2)
    assert 0.9 < entry['age'] < 1.5 and entry['complement']['present'] is True
    assert found['msg'] == '1 archives, 1 of them proved.' and not [key for key in entry if key.startswith('_')]


def test_an_archive_of_jeedom_alone_is_not_proved_until_it_is_read(box):
    write(os.path.join(box.theirs, NAME), tar_gz())
    entry = one(box)
    assert not entry['proved'] and 'never proved' in entry['problems'][0] and entry['sha256'] is None
    context = Context()
    entry = one(box, context)
    assert entry['proved'] and entry['how'] == 'read' and entry['rows'] == 2 and len(entry['sha256']) == 64
    assert 'not compared' in entry['notes'][0] and context.percents


def test_a_replaced_file_is_not_the_proved_one(box):
    box.record()
    path = os.path.join(box.ours, NAME)
    os.unlink(path)
    os.unlink(os.path.join(box.theirs, NAME))
    write(path, tar_gz(version=b'3.3.59\n'))
    entry = one(box)
    assert not entry['proved'] and 'not the file that was proved' in entry['problems'][0]
    entry = one(box, Context())
    assert entry['proved'] and entry['core_version'] == '3.3.59' and 'it holds core 3.3.59, the box has 3.3.60 now' in entry['notes']


def test_reading_finds_what_the_disk_lost_behind_an_unchanged_size_and_date(box):
    kept = box.record()
    status = os.stat(kept)
    with open(kept, 'r+b') as handle:
        handle.seek(status.st_size // 2)
        byte = handle.read(1)
        handle.seek(-1, 1)
        handle.write(b'\0' if byte != b'\0' else b'\1')
    os.utime(kept, (int(status.st_mtime), int(status.st_mtime)))
    assert one(box)['proved'], 'the record cannot know'
    entry = one(box, Context())
    assert not entry['proved'] and 'not those that were proved' in entry['problems'][0] and entry['how'] == 'read'


@pytest.mark.parametrize('data, words', [
    (tar_gz()[:100], 'cannot be read to its end'),
    (b'', 'cannot be read to its end'),
    (tar_gz(dump=DUMP[:-20]), 'no completion line'),
], ids=['cut', 'empty', 'dump cut'])
def test_reading_tells_why_an_archive_is_none(box, data, words):
    write(os.path.join(box.theirs, NAME), data)
    entry = one(box, Context())
    assert not entry['proved'] and any(words in problem for problem in entry['problems'])


def test_a_missing_or_changed_complement_is_told(box):
    box.record()
    path = one(box)['complement']['path']
    write(path, b'SECOND')
    assert one(box)['proved'], 'same size'
    assert 'another sha256' in one(box, Context())['problems'][0]
    os.unlink(path)
    entry = one(box)
    assert not entry['proved'] and 'complement' in entry['problems'][0] and entry['complement']['present'] is False


def test_links_and_folders_of_the_web_user_are_left_out(box, tmp_path):
    secret = str(tmp_path / 'secret')
    write(secret, b'x')
    os.symlink(secret, os.path.join(box.theirs, NAME))
    os.mkdir(os.path.join(box.theirs, 'backup-a-4.0-2026-01-01-00h00.tar.gz'))
    os.mkfifo(os.path.join(box.theirs, 'pipe.tar.gz'))
    assert backup_info.report(box, Context())['backups'] == []


def test_a_foreign_name_is_listed_with_a_note(box):
    write(os.path.join(box.theirs, u'caf\xe9 $(x).tar.gz'), tar_gz())
    entry = one(box, Context())
    assert entry['proved'] and 'accepts this name' in entry['notes'][0]


def test_broken_records_are_no_proofs(box):
    box.record()
    for text in ('[]', '{"sha256": "x"}', 'nonsense', '{"manifest": 1, "sha256": "y"}'):
        system.atomic_write(backup.proof_path(NAME), text)
        assert 'never proved' in one(box)['problems'][0]


def test_it_works_without_database_and_without_core(box):
    box.record()
    box.backup = None
    found = backup_info.report(box)
    assert found['newest_proved'] and 'the database did not say' in found['notes'][0]
    box.current = None
    assert backup_info.report(box)['newest_proved']


def test_without_jeedom_and_without_archives_it_refuses(box):
    box.current = None
    with pytest.raises(BoxError) as caught:
        backup_info.report(box)
    assert caught.value.code == 'no_jeedom'


def test_the_newest_is_first_and_only_proved_ones_are_named_as_such(box):
    kept = box.record()
    late = os.path.join(box.theirs, 'backup-Jeedom-3.3.60-2026-11-24-10h26.tar.gz')
    write(late, tar_gz())
    found = backup_info.report(box)
    assert [entry['path'] for entry in found['backups']] == [late, kept] and found['newest_proved'] == kept


def test_proving_is_a_job_and_changes_nothing(box, monkeypatch):
    started = []
    monkeypatch.setattr(system, 'require_root', lambda: None)
    monkeypatch.setattr(backup_info, 'Installation', lambda root: box)
    monkeypatch.setattr(jobs, 'start', lambda *args, **kwargs: started.append(args) or {'id': 'j'})
    params = {'web_root': box.web_root, 'prove': True, 'run_id': None, 'controller': None}
    assert backup_info.run(params, False) == {'changed': False, 'job': {'id': 'j'}} and started[0][:2] == ('backup_info', 'backup_info')
    box.record()
    assert backup_info.run(dict(params, prove=False), False)['newest_proved'] and len(started) == 1
    assert backup_info.job(params, Context())['backups'][0]['how'] == 'read'
