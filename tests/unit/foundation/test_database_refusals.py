# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused when a MariaDB tool fails, lies or is absent; the tools are scripts."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import database, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

CREDENTIALS = dict(dbname='jeedom', username='jeedom', password='s3cr3t-word', host='localhost')


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """tool(script): every MariaDB tool is this shell script. tool(None): there is none."""
    monkeypatch.setattr(system, 'which', lambda name: None)

    def call(script):
        path = tmp_path / 'tool'
        path.write_text(u'#!/bin/sh\n' + script)
        os.chmod(str(path), 0o755)
        monkeypatch.setattr(system, 'which', lambda name: str(path))
        return str(path)

    return call


def refused(function, *arguments):
    with pytest.raises(BoxError) as caught:
        function(*arguments)
    assert CREDENTIALS['password'] not in caught.value.msg
    return caught.value


# the place of the result file is given as an argument, like mysqldump takes it
INTO = u'for word in "$@"; do case $word in --result-file=*) file=${word#--result-file=};; esac; done\n'


def test_without_a_tool_it_is_named(tool, tmp_path):
    error = refused(database.Database(CREDENTIALS).dump, str(tmp_path / 'dump.sql'))
    assert error.code == 'no_mysql_client' and 'mariadb-dump' in error.msg


def test_a_dump_that_ends_badly_is_none(tool, tmp_path):
    tool(INTO + u'echo "-- Dump completed" > "$file"; echo "disk is full" >&2; exit 3\n')
    error = refused(database.Database(CREDENTIALS).dump, str(tmp_path / 'dump.sql'))
    assert error.code == 'dump_failed' and 'code 3: disk is full' in error.msg


@pytest.mark.parametrize('text', ['', 'CREATE TABLE t (i int);\n', '-- Dump completed\n' + 'INSERT' * 100])
def test_a_dump_without_its_last_line_is_cut_whatever_the_tool_says(tool, tmp_path, text):
    (tmp_path / 'text').write_text(u'%s' % text)
    tool(INTO + u'cat %s > "$file"\n' % (tmp_path / 'text'))
    assert refused(database.Database(CREDENTIALS).dump, str(tmp_path / 'dump.sql')).code == 'dump_incomplete'


def test_a_complete_dump_is_taken_and_belongs_to_its_owner_alone(tool, tmp_path):
    tool(INTO + u'echo "-- Dump completed on 2026-11-25" > "$file"\n')
    path = str(tmp_path / 'dump.sql')
    database.Database(CREDENTIALS).dump(path)
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_an_import_that_fails_says_so_in_one_line(tool, tmp_path):
    (tmp_path / 'dump.sql').write_text(u'SELECT 1;\n')
    tool(u'cat > /dev/null; echo "ERROR 1064 at line 1" >&2; echo more >&2; exit 1\n')
    error = refused(database.Database(CREDENTIALS).load, str(tmp_path / 'dump.sql'), 'jeedom_new')
    assert error.code == 'import_failed' and 'jeedom_new failed: ERROR 1064 at line 1.' in error.msg and 'more' not in error.msg


@pytest.mark.parametrize('first, arrives', [
    ('/*!999999\\- enable the sandbox mode */ \n', 'SELECT 1;\n'), ('-- MariaDB dump\n', '-- MariaDB dump\nSELECT 1;\n')])
def test_an_import_leaves_out_the_mark_that_older_clients_reject(tool, tmp_path, first, arrives):
    (tmp_path / 'dump.sql').write_text(u'%sSELECT 1;\n' % first)
    tool(u'cat > %s\n' % (tmp_path / 'arrived'))
    database.Database(CREDENTIALS).load(str(tmp_path / 'dump.sql'), 'jeedom_new')
    assert (tmp_path / 'arrived').read_text() == arrives


def test_a_statement_that_is_refused_tells_the_reason_and_no_password(tool):
    tool(u'echo "ERROR 1045 (28000): Access denied" >&2; exit 1\n')
    error = refused(database.Database(CREDENTIALS).query, 'SELECT 1')
    assert error.code == 'database_error' and 'Access denied' in error.msg


def test_the_password_is_in_no_argument(tool, tmp_path):
    tool(u'echo "$@" > %s\n' % (tmp_path / 'arguments'))
    database.Database(CREDENTIALS).query('SELECT 1')
    assert CREDENTIALS['password'] not in (tmp_path / 'arguments').read_text()


@pytest.mark.parametrize('name', ['', 'a`b', 'a/b', 'a.b', 'a' * 65, 'a\0b'])
def test_a_name_that_would_leave_its_quotes_is_refused(name):
    assert refused(database.identifier, name).code == 'bad_identifier'
