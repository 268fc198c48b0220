# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore in scratch places finds what a hash cannot, and leaves nothing. The database is a fake; tests/integration/test_nightly.py has a real one."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import io
import json
import os
import tarfile

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import restore_point, restore_schema, scratch_restore, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

NAME = 'backup-a-3.3.60-2026-11-23-10h26.tar.gz'
TREE = {'DB_backup.sql': b'CREATE TABLE `config` (\n);\n-- Dump completed on 2026-11-23\n', 'core/config/version': b'3.3.60\n',
        'core/php/core.inc.php': b'<?php echo 1;\n', 'plugins/virtual/plugin_info/info.json': b'{}', 'vendor/autoload.php': b'<?php\n'}
SECOND = {'vendor/psr/log/x.php': b'<?php\n', 'core/config/common.config.php': b"<?php\nglobal $CONFIG;\n$CONFIG = array('db' => array('host' => 'localhost', "
          b"'port' => '3306', 'dbname' => 'jeedom', 'username' => 'jeedom', 'password' => 'x'));\n"}


class Root(object):
    """MariaDB that imports everything, with the rows that it is told."""

    def __init__(self, rows):
        self.rows, self.schemas, self.said = rows, {scratch_restore.SCHEMA, 'jeedom'}, []

    def query(self, sql, **_options):
        self.said.append(sql)
        if sql.startswith('DROP DATABASE'):
            self.schemas.discard(sql.split('`')[1])
        elif sql.startswith('CREATE DATABASE'):
            self.schemas.add(sql.split('`')[1])
        return [['/var/lib/mysql']]

    def load(self, path, schema):
        assert schema == scratch_restore.SCHEMA and os.path.isfile(path)


class Context(object):
    def phase(self, *_what):
        """Nobody looks."""


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """make(...) puts an archive with its complement and manifest where backup_push leaves them; go() restores it."""
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path / 'state'))
    monkeypatch.setattr(restore_point, 'require_room', lambda needs, what: None)
    monkeypatch.setattr(scratch_restore.pwd, 'getpwnam', lambda name: type('owner', (), {'pw_uid': os.getuid(), 'pw_gid': os.getgid()}))
    monkeypatch.setattr(scratch_restore.restore_source, 'require_php', lambda version: None)
    found = type('sent', (), {})()
    found.folder, found.root, found.bad = tmp_path, Root({'config': 2}), None
    monkeypatch.setattr(restore_schema, 'server', lambda credentials: found.root)
    monkeypatch.setattr(restore_schema, 'describe', lambda root, schema: {'tables': dict((name, {'rows': rows, 'engine': 'InnoDB', 'checksum': None})
                                                                                         for name, rows in root.rows.items()), 'others': {}})
    monkeypatch.setattr(system, 'run', lambda argv, **_options: system.Completed(
        255 if found.bad and argv[-1].endswith(found.bad) else 0, '', 'PHP Parse error: x\nmore'))

    def write(name, members):
        path = str(tmp_path / name)
        with tarfile.open(path, 'w:gz') as tar:
            for member in sorted(members):
                info = tarfile.TarInfo('./' + member)
                info.size = len(members[member])
                tar.addfile(info, io.BytesIO(members[member]))
        with open(path, 'rb') as stream:
            return path, hashlib.sha256(stream.read()).hexdigest()

    def make(tree=None, second=None, **changes):
        members = dict((name, data) for name, data in dict(TREE, **(tree or {})).items() if data is not None)
        archive, digest = write(NAME, members)
        manifest = dict(sha256=digest, core_version='3.3.60', plugins=['virtual'], dump={'tables': {'config': 2}, 'size': 10})
        complement = None
        if second is not False:
            complement, other = write(NAME[:-7] + '.complement.tar.gz', SECOND if second is None else second)
            manifest['complement'] = {'sha256': other}
        manifest.update(changes)
        path = str(tmp_path / (NAME + '.manifest.json'))
        with open(path, 'w') as stream:
            json.dump(manifest, stream)
        found.params = dict(archive=archive, complement=complement, manifest=path)
        return found

    found.make = make
    found.go = lambda: scratch_restore.job(found.params, Context())
    return found


def assert_clean(sent):
    assert not os.path.exists(scratch_restore.scratch()) and sent.root.schemas == {'jeedom'}
    assert not [path for path in sent.params.values() if path and os.path.exists(path)]


def test_what_is_whole_is_told_in_figures_and_nothing_stays(sent):
    result = sent.make().go()
    assert result['changed'] is False and 'core 3.3.60' in result['msg']
    found = result['restored']
    assert (found['version'], found['tables'], found['rows'], found['plugins'], found['php']) == ('3.3.60', 1, 2, ['virtual'], 1)
    assert found['files'] == len(TREE) + len(SECOND) and found['notes'] == []
    assert_clean(sent)


@pytest.mark.parametrize('tree, changes, code', [
    ({'DB_backup.sql': None}, {}, 'not_proved'), ({'DB_backup.sql': b'CREATE TABLE'}, {}, 'dump_cut'), ({}, {'sha256': '0' * 64}, 'not_proved'),
    ({}, {'complement': {'sha256': '0' * 64}}, 'not_proved'), ({}, {'core_version': '4.0.63'}, 'not_proved'),
    ({}, {'plugins': ['virtual', 'zwave']}, 'not_proved'), ({}, {'dump': {'tables': {'config': 3}}}, 'dump_not_proved'),
    ({}, {'dump': {'tables': {'config': 2, 'history': 0}}}, 'dump_not_proved'), ({}, {'dump': {}}, 'not_proved'), ({'../x': b'1'}, {}, 'archive_hostile'),
    ({'core/php/core.inc.php': None}, {}, 'not_proved')])
def test_what_is_not_whole_is_told_and_nothing_stays(sent, tree, changes, code):
    sent.make(tree, **changes)
    with pytest.raises(BoxError) as caught:
        sent.go()
    assert caught.value.code == code
    assert '\n' not in str(caught.value)
    assert_clean(sent)


def test_code_that_php_cannot_read(sent):
    sent.bad = 'core.inc.php'
    with pytest.raises(BoxError) as caught:
        sent.make().go()
    assert caught.value.code == 'code_damaged' and 'core/php/core.inc.php' in str(caught.value) and 'more' not in str(caught.value)
    assert_clean(sent)


def test_php_that_is_too_new_is_a_note(sent, monkeypatch):
    def refuse(version):
        raise BoxError('Jeedom %s needs PHP below 8.' % version, 'core_cannot_run')

    monkeypatch.setattr(scratch_restore.restore_source, 'require_php', refuse)
    found = sent.make().go()['restored']
    assert found['php'] == 0 and 'was not read by PHP' in found['notes'][0]


def test_without_a_complement_it_is_said_what_is_not_in_it(sent):
    found = sent.make(second=False).go()['restored']
    assert len(found['notes']) == 2 and 'credentials' in found['notes'][0] and 'psr/log' in found['notes'][1]


@pytest.mark.parametrize('lacks, code', [('core', 'credentials_unreadable'), ('vendor', 'incomplete_archive')])
def test_a_complement_has_to_be_one(sent, lacks, code):
    sent.make(second=dict((name, SECOND[name]) for name in SECOND if not name.startswith(lacks)))
    with pytest.raises(BoxError) as caught:
        sent.go()
    assert caught.value.code == code
    assert_clean(sent)


def test_what_a_killed_test_has_left_is_removed_first(sent):
    os.makedirs(os.path.join(scratch_restore.scratch(), 'html', 'old'))
    sent.make().go()
    assert_clean(sent)
    assert sent.root.said[0].startswith('DROP DATABASE IF EXISTS `jeedom_fleet_restore_test`')


def test_without_a_database_server_nothing_is_unpacked(sent, monkeypatch):
    def refuse(credentials):
        raise BoxError('MariaDB does not let root in.', 'no_database_root')

    monkeypatch.setattr(restore_schema, 'server', refuse)
    sent.make()
    with pytest.raises(BoxError):
        sent.go()
    assert not os.path.exists(scratch_restore.scratch()) and not os.path.exists(sent.params['archive'])
