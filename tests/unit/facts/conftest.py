# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A box that is only a folder, a table of command outputs, and a table of query results."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import json
import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import facts, facts_look, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

CREDENTIALS = {'host': 'localhost', 'port': '3306', 'dbname': 'jeedom', 'username': 'jeedom', 'password': 'dbs3cr3t'}
DEFAULTS = u'''[core]
;General
core::branch = master
core::repo::provider = default
update::allowCore = 1
enableCron = 1
enableScenario = 1
backup::keepDays = 3
backup::path = backup
backup::maxSize = 500
folder::tmp = %s
'''
PHP_FILE = u"<?php\n$CONFIG = array('db' => array(%s));\n"


class Box:
    """What the tests set up; run() and rows are looked up at the moment of the call."""

    def __init__(self, base):
        self.base = base
        self.root = os.path.join(base, 'html')
        self.temporary = os.path.join(base, 'jeedom')
        self.commands = {}
        self.rows = {}
        self.database_down = False
        self.asked = []
        self.params = dict(web_root=self.root, gather_subset=['all'], core_manifest={}, census_until=None, urls=[])
        self.write('core/config/version', u'3.3.60\n')
        self.write('core/php/core.inc.php', u'<?php')
        self.write('core/config/default.config.ini', DEFAULTS % self.temporary)
        self.write('core/config/common.config.php', PHP_FILE % ', '.join(
            u"'%s' => '%s'" % item for item in sorted(CREDENTIALS.items())))
        self.settings(('core', 'version', '3.3.60'))

    def write(self, path, text):
        """A file in the web root."""
        path = os.path.join(self.root, path)
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        with io.open(path, 'w', encoding='utf-8') as stream:
            stream.write(text)
        return path

    def settings(self, *rows):
        """More rows of the table config."""
        self.rows.setdefault('config', []).extend(list(row) for row in rows)

    def run(self, argv, stdin=None, timeout=60, cwd=None, env=None):
        """Stands in for system.run."""
        self.asked.append((list(argv), stdin))
        for name, answer in self.commands.items():
            if name in ' '.join(argv):
                return answer(argv, stdin) if callable(answer) else answer
        return system.Completed(127, '', 'no such command')

    def batch(self, statements):
        """Stands in for Batch.run."""
        if self.database_down:
            raise BoxError("MariaDB cannot be asked on schema jeedom: ERROR 2002 (HY000): Can't connect.", 'database_error')
        return dict((name, self.rows.get(name, [])) for name, dummy in statements)

    def facts(self, *subset, **params):
        """The facts of the box."""
        values = dict(self.params, gather_subset=list(subset) or ['all'], **params)
        found = facts.run(values, False)['ansible_facts']['jeedom']
        # what cannot become JSON cannot leave the box
        return json.loads(json.dumps(found))


def _php(argv, dummy):
    code = argv[-1]
    if 'PHP_VERSION' in code:
        return system.Completed(0, '\n@@' + json.dumps(['7.4.33', [
            'Core', 'curl', 'gd', 'xml', 'zip', 'mbstring', 'soap', 'mysqli', 'pdo_mysql', 'json', 'Zend OPcache']]), '')
    if 'common.config.php' in code:
        return system.Completed(0, '\n@@' + json.dumps(CREDENTIALS), '')
    return system.Completed(255, '', 'PHP Fatal error: unknown')


@pytest.fixture
def box(tmpdir, monkeypatch):
    """A healthy 3.3.60 box without plugins or data."""
    found = Box(str(tmpdir))
    found.commands['php -r'] = _php
    found.commands['systemctl is-active'] = system.Completed(3, 'active\nactive\nactive\ninactive\nactive\n' + 'inactive\n' * 4, '')
    found.commands['systemctl show apache2'] = system.Completed(0, 'PrivateTmp=no\nLoadState=loaded\n', '')
    found.commands['dpkg --audit'] = system.Completed(0, '', '')
    found.commands['dpkg --print-architecture'] = system.Completed(0, 'arm64\n', '')
    found.commands['sudo -n true'] = system.Completed(0, '', '')
    found.commands['dmesg'] = system.Completed(0, '[1.0] all is well\n', '')
    found.rows['database.version'] = [['10.5.23-MariaDB-0+deb11u1', 'Debian 11']]
    monkeypatch.setattr(system, 'run', found.run)
    # what runs on the machine of the tests is nobody's business here
    monkeypatch.setattr(system, 'processes', lambda: [])
    monkeypatch.setattr(system, 'STATE_DIR', str(tmpdir.join('state')))
    monkeypatch.setattr(system, 'which', lambda name: '/usr/bin/php' if name == 'php' else (
        '/usr/bin/' + name if name in ('mysql', 'sudo', 'wget') else None))
    monkeypatch.setattr(facts_look.Batch, 'run', lambda self, timeout=120: found.batch(self.statements))
    # the rows of the census are tested in test_census.py
    monkeypatch.setattr(facts.census, 'stable', lambda installation, until=None: dict(schema=1))
    return found


@pytest.fixture
def strings():
    """A function: every text inside a value, keys included."""
    return _strings


def _strings(value):
    """Every text inside a value, keys included."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            for text in _strings(item):  # pylint: disable=use-yield-from
                yield text
    elif isinstance(value, list):
        for item in value:
            for text in _strings(item):  # pylint: disable=use-yield-from
                yield text
    elif isinstance(value, type(u'')):
        yield value
