# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets stay on the box, SQL text stays text, commands end in time."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import database, redact, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


@pytest.mark.parametrize('text', [
    'https://m/core/php/downloadFile.php?id=3&version=stable&hwkey=abcdef123&username=me&password=0123abcd&password_type=sha1',
    "PDO->__construct('mysql:host=localhost', 'jeedom', 'abcdef123')",
    "'password' => 'abcdef123'",
    '"apikey":"abcdef123"',
    'mysqldump --password=abcdef123 jeedom',
    'hash 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567 abcdef123',
])
def test_what_looks_like_a_credential_is_hidden(text):
    shown = redact.redact(text, ['abcdef123'])
    assert 'abcdef123' not in shown and '0a1b2c3d4e5f6071' not in shown
    assert redact.HIDDEN in shown


def test_patterns_work_without_knowing_the_secret():
    shown = redact.redact('?hwkey=topsecret1&password=topsecret2&jeedomversion=3.3.60')
    assert 'topsecret' not in shown
    assert 'jeedomversion=3.3.60' in shown


def test_ordinary_lines_stay_readable():
    line = 'Update system into : 4.0.3...OK'
    assert redact.redact(line) == line
    # a sha256 that we print ourselves is no secret, but a core's commit or token is: hex runs are cut in logs only
    assert redact.redact('31 files moved') == '31 files moved'


@pytest.mark.parametrize('value, literal', [
    ("it's", "'it\\'s'"), ('a\\b', "'a\\\\b'"), (u'caf\xe9', u"'caf\xe9'"),
])
def test_sql_literals_are_quoted(value, literal):
    assert database.quote(value) == literal


@pytest.mark.parametrize('name', ['a`b', '', 'x' * 65, 'a/b', 'a.b'])
def test_a_name_that_breaks_out_is_no_identifier(name):
    with pytest.raises(BoxError) as caught:
        database.identifier(name)
    assert caught.value.code == 'bad_identifier'


@pytest.mark.parametrize('cell, value', [('NULL', None), ('a\\tb\\nc', 'a\tb\nc'), ('back\\\\slash', 'back\\slash'), ('plain', 'plain')])
def test_cells_of_the_client_are_decoded(cell, value):
    assert database._value(cell) == value


def test_a_command_that_hangs_is_ended_with_its_children():
    begin = time.time()
    done = system.run(['sh', '-c', 'sleep 30 & sleep 30'], timeout=1)
    assert done.rc == 124
    assert time.time() - begin < 25


def test_a_missing_command_is_127_as_in_a_shell():
    assert system.run(['/no/such/command']).rc == 127


def test_an_atomic_write_leaves_the_old_file_when_it_fails(tmp_path, monkeypatch):
    path = str(tmp_path / 'f')
    system.atomic_write(path, 'old')

    def full(*dummy):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError):
        system.atomic_write(path, 'new')
    assert open(path).read() == 'old'
    assert os.listdir(str(tmp_path)) == ['f']


def test_a_file_of_ours_is_private(tmp_path):
    path = str(tmp_path / 'f')
    system.write_json(path, {'a': 1})
    assert os.stat(path).st_mode & 0o077 == 0


def test_a_process_is_named_by_pid_and_start():
    assert system.start_time(os.getpid()) > 0
    assert system.start_time(4194305) is None


class Client(object):
    """A database that keeps what it is asked."""

    def __init__(self, rows=()):
        self.rows, self.asked = list(rows), []

    def query(self, sql):
        self.asked.append(sql)
        return self.rows


def test_rows_of_the_config_table_are_read_by_one_client():
    client = Client([['enableCron', '0']])
    assert database.config_rows(client, ('enableCron', "a'b")) == {'enableCron': '0', "a'b": None}
    assert client.asked == ["SELECT `key`, value FROM config WHERE plugin='core' AND `key` IN ('enableCron', 'a\\'b')"]


def test_rows_of_the_config_table_are_set_by_one_client():
    client = Client()
    database.set_config_rows(client, {'b': "it's; DROP", 'a': None, 'c': '', 'd': None}, 'virtual')
    assert client.asked == ["DELETE FROM config WHERE plugin='virtual' AND `key` IN ('a', 'd');\n"
                            "REPLACE INTO config (plugin, `key`, value) VALUES ('virtual', 'b', 'it\\'s; DROP'), ('virtual', 'c', '')"]


def test_without_rows_no_client_is_started():
    client = Client()
    database.set_config_rows(client, {})
    assert database.config_rows(client, ()) == {} and client.asked == []
