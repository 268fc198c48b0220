# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all sections of the facts share: one look at a box that notes what it cannot see instead of stopping.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import random
import re

from ansible_collections.jeedom.fleet.plugins.module_utils import redact, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# Items kept of a list that a box could make endless; the count is always whole.
CAP = 100
# Names of queries that may take minutes on a box with years of history.
SLOW = 'history.'
_CONTROL = re.compile(u'[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+')
_LINE = re.compile(r'^ERROR .*?at line (\d+)(?: in file: [^:]*)?: (.*)$')


class Unreadable(Exception):
    """A thing on the box cannot be told; str() is the reason."""


def clean(value, limit=200):
    """Text from the box without control characters, cut; None stays None."""
    if value is None:
        return None
    return _CONTROL.sub(u' ', u'%s' % system.to_text(value)).strip()[:limit]


def capped(items, limit=CAP):
    """{count, items}: the whole number, and the first of them."""
    items = list(items)
    return dict(count=len(items), items=items[:limit])


def number(value, default=None):
    """An int of whatever a box wrote there, or default."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return default


def flag(value):
    """Jeedom's idea of a switch: '1' is on; None stays None."""
    return None if value is None else clean(value) == '1'


def json_object(text):
    """The dict in a JSON text, {} for anything else (contract: columns may hold '', [] or garbage)."""
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RuntimeError):
        # RuntimeError: nested deeper than Python likes (RecursionError is one)
        return {}
    return value if isinstance(value, dict) else {}


class Batch:
    """Several SQL statements in one start of the client, which costs more than most statements.

    A statement that fails (a table that a half-migrated schema lacks) spoils only itself.
    """

    def __init__(self, database):
        self.database = database
        self.statements = []

    def add(self, name, sql):
        """Queue a statement; its text must be one line."""
        self.statements.append((name, ' '.join(sql.split())))

    def run(self, timeout=120):
        """{name: rows, or Unreadable}. Raises BoxError when the database does not answer at all."""
        # A box cannot forge the end of a statement's rows: it does not know this word.
        mark = '@@%032x' % random.SystemRandom().getrandbits(128)
        script = ''.join("SELECT '%s'; \n%s;\n" % (mark, sql) for dummy, sql in self.statements)
        with self.database._option_file() as options:
            argv = self.database._client(options, self.database.schema)
            done = system.run(argv + ['--force', '--unbuffered'], stdin=script.encode('utf-8'), timeout=timeout)
        parts = done.out.split(mark)[1:]
        if done.rc == 124:
            raise BoxError('MariaDB did not answer %d questions within %d s: look at its load.' % (len(self.statements), timeout),
                           'database_timeout')
        if len(parts) != len(self.statements):
            message = redact.redact(clean((done.err.strip() or 'no message').split('\n')[0], 300))
            raise BoxError('MariaDB cannot be asked on schema %s: %s. Check that mariadb runs and that the credentials in '
                           'core/config/common.config.php are right.' % (clean(self.database.schema, 64), message), 'database_error')
        found = {}
        for (name, dummy), part in zip(self.statements, parts):
            found[name] = [[_cell(cell) for cell in line.split('\t')] for line in part.split('\n')[1:] if line]
        for line in done.err.split('\n'):
            match = _LINE.match(line)
            if match:
                # Each statement stands on the second of two lines.
                at = (int(match.group(1)) - 1) // 2
                if at < len(self.statements):
                    found[self.statements[at][0]] = Unreadable('MariaDB: ' + clean(match.group(2), 160))
        return found


_ESCAPES = {'n': '\n', 't': '\t', '0': '\0'}
_ESCAPED = re.compile(r'\\(.)', re.S)


def _cell(cell):
    if cell == 'NULL':
        return None
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match.group(1), match.group(1)), cell) if '\\' in cell else cell


class Look:
    """One look at one box.

    installation: Installation. unreadable: {dotted key: reason}. Queries of all sections are sent together, at the first
    question; only those that count millions of rows go by themselves, so that a slow disk does not cost the rest.
    """

    def __init__(self, installation, params, statements=()):
        self.installation = installation
        self.params = params
        self.unreadable = {}
        self._statements = list(statements)
        self._rows = {}
        self._shared = {}
        self.database_error = None

    def note(self, key, reason):
        """Say why a key is null."""
        self.unreadable[key] = clean(reason, 300)

    def attempt(self, key, function, default=None):
        """function(), or default with a note when it cannot be told. Nothing that a box holds may end the look."""
        try:
            return function()
        except Unreadable as error:
            self.note(key, '%s' % error)
        except BoxError as error:
            self.note(key, redact.redact(error.msg))
        except Exception as error:  # pylint: disable=broad-except
            self.note(key, 'unexpected %s: %s' % (type(error).__name__, redact.redact(clean(error, 200) or '')))
        return default

    def shared(self, name, function):
        """What more than one section needs, made once. A failure is remembered and raised again."""
        if name not in self._shared:
            try:
                self._shared[name] = (function(), None)
            except (Unreadable, BoxError) as error:
                self._shared[name] = (None, error)
        value, error = self._shared[name]
        if error is not None:
            raise error
        return value

    def _ask(self, slow):
        """Rows of the quick questions, or of those that count every row of the history: {name: rows, or Unreadable}."""
        if slow not in self._rows:
            found = self._rows[slow] = {}
            try:
                batch = Batch(self.installation.database())
                for name, sql in self._statements:
                    if name.startswith(SLOW) == slow:
                        batch.add(name, sql)
                found.update(batch.run(timeout=900 if slow else 120))
            except BoxError as error:
                reason = redact.redact(error.msg)
                found.update((name, Unreadable(reason if slow else 'the database cannot be asked')) for name, dummy in self._statements)
                if not slow:
                    self.database_error = reason
        return self._rows[slow]

    def rows(self, name):
        """Rows of a named query of a section."""
        # Where the quick questions fail there is no use in asking the slow ones.
        quick = self._ask(False)
        rows = self._ask(True).get(name) if name.startswith(SLOW) and self.database_error is None else quick.get(name)
        if rows is None:
            raise Unreadable('it was not asked for')
        if isinstance(rows, Unreadable):
            raise rows
        return rows

    def cell(self, name):
        """The first cell of a named query, or None."""
        rows = self.rows(name)
        return rows[0][0] if rows and rows[0] else None

    def settings(self):
        """{plugin: {key: value}} of the config table (values cut; may hold secrets: pick, never hand on)."""
        def collect():
            found = {}
            for row in self.rows('config'):
                if len(row) == 3:
                    found.setdefault(row[0], {})[row[1]] = row[2]
            return found
        return self.shared('settings', collect)

    def setting(self, key, plugin='core'):
        """The row of a config key, or None when there is none."""
        return self.settings().get(plugin, {}).get(key)

    def defaults(self):
        """{key: value} of this core's own default.config.ini, section core."""
        def collect():
            text = system.read_text(self.installation.path('core/config/default.config.ini'))
            if text is None:
                raise Unreadable('core/config/default.config.ini cannot be read')
            found, section = {}, None
            for line in text.split('\n'):
                line = line.strip()
                if line.startswith('['):
                    section = line.strip('[]')
                elif section in (None, 'core') and '=' in line and not line.startswith(';'):
                    key, value = line.split('=', 1)
                    found[key.strip()] = value.strip().strip('"')
            return found
        return self.shared('defaults', collect)

    def effective(self, key, fallback=None):
        """The row of a core config key, else the default of this core, else fallback (contract 1.2: absence = default)."""
        value = self.setting(key)
        if value not in (None, ''):
            return value
        try:
            return self.defaults().get(key, fallback)
        except Unreadable:
            return fallback

    def units(self):
        """{unit: state} of the services that matter, in one call."""
        def collect():
            names = ['cron', 'apache2', 'mariadb', 'mysql', 'systemd-timesyncd', 'chrony', 'ntp', 'ntpsec', 'openntpd']
            done = system.run(['systemctl', 'is-active'] + names, timeout=15)
            states = done.out.split()
            if len(states) != len(names):
                raise Unreadable('systemctl gave no states: %s' % (clean(done.err) or 'no message'))
            return dict(zip(names, states))
        return self.shared('units', collect)

    def kernel_log(self):
        """Lines of the kernel's log."""
        def collect():
            done = system.run(['dmesg'], timeout=15)
            if done.rc:
                raise Unreadable('dmesg: %s' % (clean(done.err) or 'code %d' % done.rc))
            return done.out.split('\n')
        return self.shared('kernel_log', collect)

    def temporary(self):
        """Jeedom's temporary folder (contract 1.3)."""
        try:
            value = self.effective('folder::tmp', '/tmp/jeedom')
        except Unreadable:
            value = '/tmp/jeedom'
        return os.path.normpath('/' + (clean(value, 4000) or '/tmp/jeedom').strip('/'))

    def backup_folder(self):
        """Absolute folder of Jeedom's archives (contract 1.1)."""
        try:
            value = clean(self.effective('backup::path', 'backup'), 4000) or 'backup'
        except Unreadable:
            value = 'backup'
        return os.path.normpath(value if value.startswith('/') else self.installation.path(value))
