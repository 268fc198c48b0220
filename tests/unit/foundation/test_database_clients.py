# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client for many statements; the client is a script that answers like MariaDB's own."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import signal
import sys
import tempfile
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import database, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

CREDENTIALS = dict(dbname='jeedom', username='jeedom', password='s3cr3t-word', host='localhost')
# Answers SELECT 'word' and SELECT <number>; notes its start, its option file and each statement.
CLIENT = u'''#!%s
import os, sys, time
folder = os.path.dirname(os.path.abspath(__file__))
def note(word):
    with open(os.path.join(folder, 'notes'), 'a') as stream:
        stream.write(word + chr(10))
note('START %%d %%s' %% (os.getpid(), ' '.join(sys.argv[1:])))
with open(sys.argv[1].split('=', 1)[1]) as stream:
    assert 's3cr3t-word' in stream.read()
buffer = ''
for line in iter(sys.stdin.readline, ''):
    line = line.rstrip(chr(10)).rstrip(';')
    if not line:
        continue
    if not line.startswith("SELECT '@@"):
        note(line)
    if line.startswith('FAIL '):
        sys.stderr.write(line[5:] + chr(10))
        sys.exit(1)
    restarted = os.path.join(folder, 'restarted')
    if os.path.exists(restarted):
        with open(restarted) as stream:
            sys.stderr.write(stream.read())
        os.unlink(restarted)
        sys.exit(1)
    if line in ('SLEEP', 'NAP'):
        time.sleep(60 if line == 'SLEEP' else 0.5)
    elif line.startswith('SELECT'):
        sys.stdout.write(line.split(None, 1)[1].strip("'") + chr(10))
    sys.stdout.flush()
'''


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """notes(): what the clients have noted."""
    path = tmp_path / 'client'
    path.write_text(CLIENT % sys.executable)
    os.chmod(str(path), 0o755)
    monkeypatch.setattr(system, 'which', lambda name: str(path))
    return lambda: (tmp_path / 'notes').read_text().splitlines()


@pytest.fixture
def jeedom():
    return database.Database(CREDENTIALS)


def starts(notes):
    return [line for line in notes() if line.startswith('START')]


def test_all_statements_go_through_one_client_that_ends_with_the_block(notes, jeedom):
    with database.kept_clients():
        assert [jeedom.query('SELECT %d' % number) for number in (1, 2, 3)] == [[['1']], [['2']], [['3']]]
        assert jeedom.query('UPDATE cron SET enable=0;\n') == []
        with database.kept_clients():
            assert jeedom.scalar('SELECT 4') == '4'
        assert jeedom.scalar('SELECT 5') == '5', 'the inner block has ended the client of the outer one'
    assert len(starts(notes)) == 1
    pid, arguments = starts(notes)[0].split(' ', 2)[1:]
    assert 'jeedom' in arguments.split() and CREDENTIALS['password'] not in arguments
    assert not os.path.exists('/proc/%s' % pid), 'the client outlives its block'
    assert not os.path.exists(arguments.split()[0].split('=', 1)[1]), 'the option file with the password is left'


def test_outside_of_a_block_each_statement_has_a_client_of_its_own(notes, jeedom):
    assert [jeedom.scalar('SELECT %d' % number) for number in (1, 2)] == ['1', '2']
    assert len(starts(notes)) == 2


def test_one_client_for_each_way_to_connect(notes, jeedom):
    other = database.Database(dict(CREDENTIALS, dbname='other'))
    with database.kept_clients():
        for each in (jeedom, other):
            assert each.scalar('SELECT 1') == '1'
        jeedom.query('SELECT 1', schema=False)
        jeedom.query('SELECT 2', schema=False)
    assert [line.split()[-2] for line in starts(notes)] == ['jeedom', 'other', '--skip-column-names']


@pytest.mark.parametrize('passed, clients', [(database.IDLE - 1, 1), (database.IDLE + 1, 2), (-3600, 2)])
def test_a_client_that_was_idle_for_long_is_not_trusted(notes, jeedom, monkeypatch, passed, clients):
    clock = [1000.0]
    monkeypatch.setattr(database, '_now', lambda: clock[0])
    with database.kept_clients():
        jeedom.query('SELECT 1')
        clock[0] += passed
        assert jeedom.scalar('SELECT 2') == '2'
        clock[0] += 1
        assert jeedom.scalar('SELECT 3') == '3'
    assert len(starts(notes)) == clients


def test_what_changes_the_settings_of_a_client_has_one_of_its_own(notes, jeedom):
    with database.kept_clients():
        jeedom.query('SELECT 1')
        jeedom.query('DELIMITER $$\n', own=True)
        jeedom.query('SELECT 2')
    assert [line.split()[0] for line in notes()] == ['START', 'SELECT', 'START', 'DELIMITER', 'SELECT']


def test_a_long_script_cannot_block_both_pipes(notes, jeedom):
    with database.kept_clients():
        found = jeedom.query('\n'.join("SELECT '%s';" % ('x' * 1000) for dummy in range(200)))
    assert len(found) == 200


def test_an_error_is_told_and_the_next_statement_has_a_new_client(notes, jeedom):
    with database.kept_clients():
        assert jeedom.scalar('SELECT 1') == '1'
        with pytest.raises(BoxError) as caught:
            jeedom.query('FAIL ERROR 1146 (42S02) at line 3: no such table\nSELECT 7')
        assert jeedom.scalar('SELECT 2') == '2'
    assert caught.value.code == 'database_error' and 'no such table' in caught.value.msg
    assert 'SELECT 7' not in notes(), 'what follows a statement that failed was carried out'
    assert len(starts(notes)) == 2


def test_a_statement_without_an_end_is_killed(notes, jeedom):
    begin = time.time()
    with database.kept_clients():
        with pytest.raises(BoxError) as caught:
            jeedom.query('SLEEP', timeout=0.5)
        assert jeedom.scalar('SELECT 1') == '1'
    assert not any(os.path.exists('/proc/%s' % line.split()[1]) for line in starts(notes)), 'a client goes on'
    assert time.time() - begin < 30 and 'did not end within 0.5 s' in caught.value.msg


def test_a_job_that_is_asked_to_stop_gets_its_answer_first(notes, jeedom):
    asked = []
    before = signal.signal(signal.SIGALRM, lambda number, dummy_frame: asked.append(number))
    try:
        with database.kept_clients():
            jeedom.query('SELECT 1')
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            assert jeedom.query('NAP') == [] and asked
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_full_disk_keeps_no_client_from_starting(notes, jeedom, tmp_path, monkeypatch):
    def full(*dummy):
        raise OSError('No usable temporary directory found')

    monkeypatch.setattr(tempfile, 'gettempdir', full)
    monkeypatch.setattr(database, '_in_memory', lambda: str(tmp_path))
    with database.kept_clients():
        assert jeedom.scalar('SELECT 1') == '1'


def test_rows_that_were_not_waited_for_are_no_answer_to_the_next_statement(notes, jeedom, monkeypatch):
    with database.kept_clients():
        jeedom.query('SELECT 1')
        with monkeypatch.context() as patch:
            patch.setattr(database.select, 'select', lambda *dummy: {}['cut'])
            with pytest.raises(KeyError):
                jeedom.query('SELECT 2')
        assert jeedom.scalar('SELECT 3') == '3'
    assert not any(os.path.exists('/proc/%s' % line.split()[1]) for line in starts(notes))


@pytest.mark.parametrize('said, sql, again', [
    ('ERROR 2006 (HY000) at line 3: MySQL server has gone away', 'UPDATE cron SET enable=0', True),
    ('ERROR 1927 (70100) at line 3: Connection was killed', 'UPDATE cron SET enable=0', True),
    ('ERROR 2013 (HY000) at line 3: Lost connection to MySQL server during query', 'SELECT 8', True),
    ('ERROR 2013 (HY000) at line 3: Lost connection to MySQL server during query', 'UPDATE cron SET enable=0', False),
    ('ERROR 1142 (42000) at line 3: UPDATE command denied', 'UPDATE cron SET enable=0', False)])
def test_a_server_that_was_restarted_is_asked_again_where_that_does_no_harm(notes, jeedom, tmp_path, said, sql, again):
    with database.kept_clients():
        jeedom.query('SELECT 1')
        (tmp_path / 'restarted').write_text(u'%s\n' % said)
        if again:
            jeedom.query(sql)
        else:
            with pytest.raises(BoxError):
                jeedom.query(sql)
    assert notes().count(sql) == (2 if again else 1)


def test_a_server_that_refuses_a_new_client_is_not_asked_for_ever(notes, jeedom, tmp_path):
    (tmp_path / 'restarted').write_text(u'ERROR 2006 (HY000): MySQL server has gone away\n')
    with database.kept_clients(), pytest.raises(BoxError):
        jeedom.query('SELECT 1')
    assert len(starts(notes)) == 1
