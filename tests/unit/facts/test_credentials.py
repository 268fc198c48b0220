# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials are read by PHP, and without PHP from whatever people write in that file."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import credentials, installation, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

try:
    from hypothesis import given, strategies
except ImportError:
    given = None

FULL = {'host': 'localhost', 'port': '3306', 'dbname': 'jeedom', 'username': 'jeedom', 'password': 'pw'}


@pytest.mark.parametrize('source', [
    # as the installer writes it
    u"""<?php
/* This file is part of Jeedom. It's free */
define('DEBUG', 0);
global $CONFIG;
$CONFIG = array(
    //Base de données
    'db' => array(
        'host' => 'localhost',
        'port' => '3306',
        'dbname' => 'jeedom',
        'username' => 'jeedom',
        'password' => 'pw',
    ),
);""",
    u"<?php $CONFIG['db'] = ['host'=>'localhost',\"port\"=>3306,'dbname'=>'jee'.'dom','username'=>\"jee\\x64om\",'password'=>'pw'] ?>",
    u"""<?php
$CONFIG['db']['host'] = 'localhost';  # 'db' => array('host' => 'comment')
$CONFIG["db"]["port"] = 3306;
$CONFIG['db']['dbname'] = "jeedom";
$CONFIG['db']['username'] = 'jeedom' ;
$CONFIG['db']['password'] = 'p' . "w";
""",
    u"<?php $CONFIG = array('cache' => array('host' => 'redis', 'password' => 'no'), 'db' => array('host' => 'localhost', 'port' => '3306', "
    u"'dbname' => 'jeedom', 'username' => 'jeedom', 'password' => 'pw'), 'mail' => array('host' => 'smtp', 'password' => 'no'));",
])
def test_the_ways_in_which_people_write_it(source):
    assert credentials.parse(source) == FULL


@pytest.mark.parametrize('source, expected', [
    (u"<?php $CONFIG = array('db' => array('password' => getenv('PW'), 'host' => 'h'));", {'host': 'h'}),
    (u"<?php $CONFIG = array('db' => array('password' => \"a$b\", 'host' => \"a\\$b\"));", {'host': 'a$b'}),
    (u"<?php $CONFIG = array('db' => array('password' => 'a' . PASSWORD, 'host' => null));", {}),
    (u"<?php $CONFIG = array('db' => array('password' => 'it\\'s #1 // not \\\\ a comment'));", {'password': "it's #1 // not \\ a comment"}),
    (u"<?php $CONFIG = array('db' /* it's */ => // here\narray('host' # the server\n => 'h', // 'port' => 1\n));", {'host': 'h'}),
    (u'', {}), (u'garbage \' " ( [ {', {}), (u"'db' => array('host' => ", {}), (u"<?php 'db' =>", {}), (u"$CONFIG['db']['host'] =", {}),
])
def test_what_would_have_to_be_computed_is_left_out(source, expected):
    assert credentials.parse(source) == expected


if given is not None:
    TEXT = strategies.text(strategies.characters(blacklist_categories=('Cs',)), max_size=30)

    @given(strategies.dictionaries(strategies.sampled_from(credentials.KEYS), TEXT, min_size=1), strategies.booleans(), strategies.booleans())
    def test_every_literal_comes_back_as_it_was(values, double, short):
        def literal(text):
            text = text.replace('\\', '\\\\')
            return '"%s"' % text.replace('"', '\\"').replace('$', '\\$') if double else "'%s'" % text.replace("'", "\\'")

        pairs = ', '.join('%s => %s' % (literal(key), literal(value)) for key, value in sorted(values.items()))
        array = '[%s]' % pairs if short else 'array(%s)' % pairs
        assert credentials.parse("<?php $CONFIG = array('db' => %s);" % array) == values

    @given(strategies.text(alphabet=u"$CONFIGdbhost'\"\\=>[](),;.#/* \n", max_size=80))
    def test_no_text_makes_the_parser_raise(text):
        assert isinstance(credentials.parse(text), dict)


@pytest.fixture
def home(tmpdir, monkeypatch):
    """An installation whose PHP answers what the test says."""
    tmpdir.join('core', 'config').ensure(dir=True)
    tmpdir.join('core', 'config', 'common.config.php').write(u"<?php $CONFIG = array('db' => array('dbname' => 'parsed', 'password' => 'x'));")
    found = installation.Installation(str(tmpdir))
    found.answer = system.Completed(127, '', 'no php')
    monkeypatch.setattr(system, 'run', lambda *args, **options: found.answer)
    return found


def test_php_has_the_first_word(home):
    home.answer = system.Completed(0, 'noise\n@@' + json.dumps({'dbname': 'real', 'password': 'a\n@@b', 'port': 3306, 'unix_socket': None}), '')
    assert home.credentials() == {'dbname': 'real', 'password': 'a\n@@b', 'port': '3306'}
    assert home.credentials_source == 'php'


@pytest.mark.parametrize('out, rc', [('', 127), ('PHP Fatal error', 255), ('\n@@null', 0), ('\n@@[]', 0), ('\n@@{"dbname": ""}', 0)])
def test_without_an_answer_of_php_the_source_is_parsed(home, out, rc):
    home.answer = system.Completed(rc, out, '')
    assert home.credentials()['dbname'] == 'parsed'
    assert home.credentials_source == 'parsed'


def test_nothing_to_read_is_one_sentence(home, tmpdir):
    tmpdir.join('core', 'config', 'common.config.php').remove()
    with pytest.raises(BoxError) as caught:
        home.credentials()
    assert caught.value.code == 'credentials_unreadable'
