# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files make tables whole that stand in two schemas; on a real MariaDB in test_database_faults.py."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import half_renamed, restore_schema
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

MOVES = [('live', 'old'), ('new', 'live')]
INNODB = {'.frm', '.ibd'}
MYISAM = {'.frm', '.MYD', '.MYI'}


def move(innodb=(), **files):
    """to_move() of one table t. files: what is in each folder; innodb: where InnoDB has it."""
    return half_renamed.to_move({name: dict(t=set(files[name])) if files.get(name) else {} for name in ('live', 'old', 'new')},
                                {name: {'t'} if name in innodb else set() for name in ('live', 'old', 'new')}, MOVES)


@pytest.mark.parametrize('version, atomic', [
    ('10.1.48-MariaDB-0+deb9u2', False), ('10.3.39-MariaDB-0+deb10u2', False), ('10.5.23-MariaDB-0+deb11u1', False),
    ('10.6.0-MariaDB', True), ('10.11.6-MariaDB-0+deb12u1', True), ('11.8.2-MariaDB', True), ('5.7.44', False), ('8.0.36', True)])
def test_which_servers_finish_their_renames_themselves(version, atomic):
    assert half_renamed.is_atomic(version) is atomic


def test_files_by_table():
    assert half_renamed.by_table(['t.frm', 't.ibd', 'p.par', 'p#P#p0.ibd', 'db.opt', '#sql-1_2.frm', 'README', 'x@002d1.MYI']) == {
        't': {'.frm', '.ibd'}, 'p': {'.par', '#P#p0.ibd'}, 'x@002d1': {'.MYI'}}


@pytest.mark.parametrize('files', [
    dict(live=INNODB, innodb=['live']), dict(old=INNODB, innodb=['old']), dict(live=INNODB, new=INNODB, innodb=['live', 'new']),
    dict(live=INNODB, old=INNODB, innodb=['live', 'old']), dict(live=MYISAM), dict(live=MYISAM, new=MYISAM), dict(live=MYISAM, old=MYISAM),
    dict(live=MYISAM, new=INNODB, innodb=['new']), dict(live=INNODB, old=MYISAM, innodb=['live'])])
def test_whole_tables_are_left_alone(files):
    assert move(**files) == []


@pytest.mark.parametrize('files', [
    # No .frm anywhere, no table anywhere, and a table of the same name that has all it needs.
    dict(live={'.ibd'}, innodb=['live']), dict(live={'.frm'}), dict(live={'.frm'}, new=INNODB, innodb=['new']),
    dict(live={'.ibd'}, new=INNODB, innodb=['live', 'new'])])
def test_what_cannot_be_made_whole_is_left_to_others(files):
    assert move(**files) == []


def test_an_frm_goes_to_where_innodb_has_the_table():
    assert move(live={'.frm'}, old={'.ibd'}, innodb=['old']) == [('live', 'old', 't.frm')]
    assert move(new={'.frm'}, live={'.ibd'}, innodb=['live']) == [('new', 'live', 't.frm')]
    # The one that came after it has taken its place in the list of live.
    assert move(new={'.frm'}, live={'.ibd'}, old=INNODB, innodb=['live', 'old']) == [('new', 'live', 't.frm')]
    # A power cut may lose what InnoDB had not written yet, and keep the .frm's new place.
    assert move(old={'.frm'}, live={'.ibd'}, innodb=['live']) == [('old', 'live', 't.frm')]


def test_files_of_myisam_go_on_to_where_the_first_of_them_went():
    assert move(live={'.frm', '.MYD'}, old={'.MYI'}) == [('live', 'old', 't.MYD'), ('live', 'old', 't.frm')]
    assert move(new={'.frm'}, live={'.MYD', '.MYI'}, old=MYISAM) == [('new', 'live', 't.frm')]


def test_the_parts_of_a_partitioned_table_count_as_it():
    assert half_renamed.to_move(
        dict(live={'p': {'.frm', '.par'}}, old=half_renamed.by_table(['p#P#p0.ibd', 'p#P#p1.ibd']), new={}),
        dict(live=set(), old={'p'}, new=set()), MOVES) == [('live', 'old', 'p.frm'), ('live', 'old', 'p.par')]


class Root:
    """Answers what finish() asks a MariaDB."""

    def __init__(self, version, data, innodb):
        self.version, self.data, self.innodb, self.asked = version, data, innodb, []

    def query(self, sql, schema=True):
        assert schema is False
        self.asked.append(sql)
        if 'datadir' in sql:
            return [[self.version, self.data]]
        if 'filename' in sql:
            return [[name, name.replace('-', '@002d')] for name in ('a-b', 'a-b_new', 'a-b_old')]
        return [[name] for name in self.innodb] if 'innodb' in sql else []


def test_files_are_moved_and_the_server_looks_again(tmp_path):
    for folder, name in (('a@002db', 't.frm'), ('a@002db_old', 't.ibd'), ('a@002db', 'u.frm'), ('a@002db', 'u.ibd')):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(u'x')
    innodb = ['a@002db_old/t', 'a@002db/u', 'a@002db/FTS_0000_CONFIG', 'SYS_DATAFILES', 'other/t']
    moves = [('a-b', 'a-b_old'), ('a-b_new', 'a-b')]
    root = Root('10.6.1-MariaDB', str(tmp_path), innodb)
    assert half_renamed.finish(root, moves) == [] and len(root.asked) == 1
    root = Root('10.5.23-MariaDB', str(tmp_path), innodb)
    line, = half_renamed.finish(root, moves)
    assert 't.frm' in line and root.asked[-1] == 'FLUSH TABLES'
    assert sorted(os.listdir(str(tmp_path / 'a@002db_old'))) == ['t.frm', 't.ibd']
    assert sorted(os.listdir(str(tmp_path / 'a@002db'))) == ['u.frm', 'u.ibd']
    assert half_renamed.finish(root, moves) == [] and root.asked[-1] != 'FLUSH TABLES'


class Server:
    """Two schemas, and a rename that dies with its first table half done; the server is there again before anybody asks."""

    credentials = {}

    def __init__(self):
        self.tables, self.half, self.asked = dict(j={'a', 'b'}, j_fleet_new={'a'}, j_fleet_old=set()), None, []

    def query(self, sql, timeout=60, schema=True, own=False):
        self.asked.append(sql)
        if 'information_schema.tables' in sql:
            return [[name, 'InnoDB'] for name in sorted(self.tables[sql.split("'")[-2]])]
        if sql.startswith('RENAME'):
            if self.half is None:
                self.half = 'a'
                raise BoxError('ERROR 2013 (HY000): Lost connection', 'database_error')
            for pair in sql[len('RENAME TABLE '):].split(', '):
                (source, table), (target, dummy) = [side.strip('`').split('`.`') for side in pair.split(' TO ')]
                assert table != self.half, 'errno: 155'
                self.tables[source].remove(table)
                self.tables[target].add(table)
        elif sql.startswith('SELECT 1 FROM') and '`%s`' % self.half in sql:
            raise BoxError('ERROR 1932 (42S02)', 'database_error')
        return []

    def whole(self, dummy, moves):
        """What half_renamed.finish() does."""
        if self.half:
            self.tables['j'].remove('a')
            self.tables['j_fleet_old'].add('a')
            self.half = ''
        return ['made whole']


def test_a_server_that_died_and_is_up_again_at_once_loses_no_table(tmp_path, monkeypatch):
    server, said = Server(), []
    monkeypatch.setattr(half_renamed, 'finish', server.whole)
    exchange = restore_schema.Exchange(server, 'j', str(tmp_path), said.append)
    steps = dict(tables_out=['a', 'b'], tables_in=['a'])
    with pytest.raises(BoxError):
        exchange._move_out(steps)
    # restore.py tries again.
    exchange._move_out(steps)
    assert server.tables == dict(j=set(), j_fleet_new={'a'}, j_fleet_old={'a', 'b'}) and said == ['made whole']
    assert not [sql for sql in server.asked if 'DROP' in sql]


def test_a_schema_with_a_table_that_can_be_read_is_never_dropped(tmp_path):
    server = Server()
    with pytest.raises(BoxError) as caught:
        restore_schema.Exchange(server, 'j', str(tmp_path))._anew()
    assert caught.value.code == 'schema_not_free' and not [sql for sql in server.asked if 'DROP' in sql]


class Saying:
    """A server that says one thing of every table."""

    credentials = {}

    def __init__(self, text):
        self.text = text

    def query(self, sql, timeout=60, schema=True, own=False):
        raise BoxError('MariaDB refused on schema j: %s. Check that mariadb runs.' % self.text, 'database_error')


# Seen on 10.5 with files taken away, exchanged or overwritten.
BROKEN = ["ERROR 1194 (HY000) at line 1: Table 'a' is marked as crashed and should be repaired",
          "ERROR 1932 (42S02) at line 1: Table 'j.a' doesn't exist in engine",
          'ERROR 1030 (HY000) at line 1: Got error 194 "Tablespace is missing for a table" from storage engine InnoDB',
          "ERROR 1146 (42S02) at line 1: Table 'j.a' doesn't exist", "ERROR 130 (HY000) at line 1: Incorrect file format 'a'",
          'ERROR 29 (HY000) at line 1: File \'./j/a.MYD\' not found (Errcode: 2 "No such file or directory")',
          'ERROR 1017 (HY000) at line 1: Can\'t find file: \'./j/a.MYI\' (errno: 2 "No such file or directory")',
          "ERROR 1033 (HY000) at line 1: Incorrect information in file: './j/a.frm'"]
UNSURE = ['ERROR 1205 (HY000) at line 1: Lock wait timeout exceeded; try restarting transaction', 'the statement did not end within 60 s',
          "ERROR 2002 (HY000): Can't connect to local MySQL server", 'ERROR 1142 (42000): SELECT command denied', 'ERROR 1040 (HY000): Too many connections',
          'ERROR 1017 (HY000) at line 1: Can\'t find file: \'./j/a.MYI\' (errno: 24 "Too many open files")',
          'ERROR 1030 (HY000) at line 1: Got error 28 "No space left on device" from storage engine Aria']


@pytest.mark.parametrize('text', BROKEN)
def test_a_table_that_mariadb_calls_broken_is_not_readable(tmp_path, text):
    assert restore_schema.Exchange(Saying(text), 'j', str(tmp_path))._readable('j', 'a') is False


@pytest.mark.parametrize('text', UNSURE)
def test_what_may_be_whole_is_never_called_unreadable(tmp_path, text):
    with pytest.raises(BoxError):
        restore_schema.Exchange(Saying(text), 'j', str(tmp_path))._readable('j', 'a')
