# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The box's MariaDB through its own client. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import errno
import fcntl
import functools
import os
import random
import re
import select
import subprocess
import tempfile
import threading
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

_ESCAPES = {'n': '\n', 't': '\t', '0': '\0', '\\': '\\'}
_ESCAPED = re.compile(r'\\(.)')
_SCHEMA = re.compile(r'^[^`\0/\\.]{1,64}$')
# What a client of before hears from a server that was restarted; after the second, the statement may have been carried out.
_GONE = re.compile(r'^ERROR (?:2006|1927) ')
_LOST = re.compile(r'^ERROR 2013 ')
# Seconds without a statement after which a kept client is not trusted: the server may be set to hang up on it.
IDLE = 20
# Boxes without a clock of their own set theirs by months when they get a link; Python 2 knows no other time.
_now = getattr(time, 'monotonic', time.time)
# Bytes of a script that both pipes of a kept client take without anybody waiting for the other.
_SHORT = 1 << 15
# Clients in use by kept_clients(), by how they connect; None outside of it.
_kept = None


def quote(value):
    """A value as an SQL string literal. Backslashes are escapes in MariaDB's default sql_mode."""
    return "'%s'" % system.to_text(value).replace('\\', '\\\\').replace("'", "\\'").replace('\0', '\\0')


def identifier(name):
    """A schema or table name between backquotes; raises for one that no MariaDB name can be."""
    if not _SCHEMA.match(name):
        raise BoxError('The name %r is no MariaDB identifier.' % name, 'bad_identifier')
    return '`%s`' % name


def config_rows(database, keys, plugin='core'):
    """{key: value, None when absent} of rows of Jeedom's config table, in one statement: each costs a client, a tenth of a second on a slow board."""
    found = dict.fromkeys(keys)
    if keys:
        found.update(database.query('SELECT `key`, value FROM config WHERE plugin=%s AND `key` IN (%s)'
                                    % (quote(plugin), ', '.join(quote(key) for key in keys))))
    return found


def set_config_rows(database, values, plugin='core'):
    """Set rows of Jeedom's config table, in one go; a value of None removes its row, which means the default."""
    absent = [quote(key) for key, value in sorted(values.items()) if value is None]
    present = ['(%s, %s, %s)' % (quote(plugin), quote(key), quote(value)) for key, value in sorted(values.items()) if value is not None]
    statements = []
    if absent:
        statements.append('DELETE FROM config WHERE plugin=%s AND `key` IN (%s)' % (quote(plugin), ', '.join(absent)))
    if present:
        statements.append('REPLACE INTO config (plugin, `key`, value) VALUES %s' % ', '.join(present))
    if statements:
        database.query(';\n'.join(statements))


def _in_memory():
    """Where a file that is nobody's business goes, also when the disk is full; None: wherever Python likes."""
    return '/run' if os.access('/run', os.W_OK) else None


def _option(value):
    """A value for an option file: quoted, so that #, spaces and quotes survive."""
    return '"%s"' % system.to_text(value).replace('\\', '\\\\').replace('"', '\\"')


@contextlib.contextmanager
def kept_clients():
    """Inside, all statements that connect in the same way go through one client; starting it costs more than most statements."""
    global _kept  # pylint: disable=global-statement
    if _kept is not None:
        yield
        return
    _kept = {}
    try:
        yield
    finally:
        clients, _kept = _kept, None
        for client in clients.values():
            client.end()


def keeping_clients(function):
    """A function that runs inside kept_clients()."""
    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        with kept_clients():
            return function(*args, **kwargs)
    return wrapped


class _Client:
    """A client that stays, and answers one script after the other. One that has met an error has ended, as it would by itself."""

    def __init__(self, argv):
        self.last = _now()
        self._errors = tempfile.TemporaryFile(dir=_in_memory())
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,  # pylint: disable=ansible-bad-function
                                         env=system.environment(), preexec_fn=os.setsid, close_fds=True)
        # Python 2 hands pipes on to every other child, and the client would outlive us with that.
        for stream in (self._process.stdin, self._process.stdout):
            fcntl.fcntl(stream, fcntl.F_SETFD, fcntl.FD_CLOEXEC)

    def ask(self, script, timeout):
        """system.Completed of a script (text); rc is None while the client goes on."""
        # Rows cannot forge the end of the answer: they do not know this word.
        mark = '@@%032x' % random.SystemRandom().getrandbits(128)
        try:
            self._process.stdin.write(("%s\n;\nSELECT '%s';\n" % (script.rstrip().rstrip(';'), mark)).encode('utf-8'))
            self._process.stdin.flush()
        except (IOError, OSError):
            # It has ended before it could read; why is among its errors.
            pass
        said, mark, until = b'', mark.encode('ascii') + b'\n', _now() + timeout
        descriptor = self._process.stdout.fileno()
        while not said.endswith(mark):
            try:
                ready = select.select([descriptor], [], [], max(0, until - _now()))[0]
            except select.error as error:
                # Python 2: somebody asks the job to stop
                if error.args[0] != errno.EINTR:
                    raise
                continue
            if not ready:
                self.end(kill=True)
                return system.Completed(124, '', 'the statement did not end within %s s' % timeout)
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                rc = self._process.wait()
                self._errors.seek(0)
                return system.Completed(rc or 1, '', system.to_text(self._errors.read(1 << 16)))
            said += piece
        self.last = _now()
        return system.Completed(None, system.to_text(said[:-len(mark)]), '')

    def end(self, kill=False):
        """Let it go; with kill at once, whatever it is doing."""
        if kill:
            system.kill_group(self._process.pid)
        for stream in (self._process.stdin, self._process.stdout):
            try:
                stream.close()
            except (IOError, OSError):
                # what was still to be written to a client that has ended
                pass
        self._process.wait()
        self._errors.close()


def _answer(key, sql, timeout):
    """What a kept client says; it goes unless it said all, since the rest would be taken for the answer to the next statement."""
    done = None
    try:
        done = _kept[key].ask(sql, timeout)
    finally:
        if done is None or done.rc is not None:
            _kept.pop(key).end(kill=done is None)
    return done


class Database:
    """One schema, reached with given credentials or as root through the socket.

    credentials: dict with host, port, dbname, username, password or unix_socket, as in Jeedom's
    common.config.php (contract 1.1). The password only ever stands in an option file (0600, in memory).
    """

    def __init__(self, credentials, as_root=False):
        self.credentials = credentials
        self.schema = credentials.get('dbname')
        self.as_root = as_root

    def root(self):
        """The same schema with root's rights, for what the jeedom user may not: another schema, RENAME TABLE."""
        return Database(self.credentials, as_root=True)

    @contextlib.contextmanager
    def _option_file(self):
        handle, path = tempfile.mkstemp(prefix='jeedom-fleet-', suffix='.cnf', dir=_in_memory())
        lines = ['[client]', 'default-character-set=utf8mb4']
        if self.as_root:
            lines.append('user=root')
            if self.credentials.get('unix_socket'):
                lines.append('socket=' + _option(self.credentials['unix_socket']))
        else:
            lines.append('user=' + _option(self.credentials.get('username') or ''))
            lines.append('password=' + _option(self.credentials.get('password') or ''))
            if self.credentials.get('unix_socket'):
                lines.append('socket=' + _option(self.credentials['unix_socket']))
            else:
                lines.append('host=' + _option(self.credentials.get('host') or 'localhost'))
                if self.credentials.get('port'):
                    lines.append('port=%d' % int(self.credentials['port']))
        try:
            with os.fdopen(handle, 'wb') as stream:
                stream.write(('\n'.join(lines) + '\n').encode('utf-8'))
            yield path
        finally:
            os.unlink(path)

    @staticmethod
    def _tool(*names):
        for name in names:
            path = system.which(name)
            if path:
                return path
        raise BoxError('No MariaDB tool named %s is on the box: install mariadb-client.' % ' or '.join(names),
                       'no_mysql_client')

    def _client(self, options, schema):
        return ([self._tool('mariadb', 'mysql'), '--defaults-file=' + options, '--batch', '--skip-column-names']
                + ([schema] if schema else []))

    def query(self, sql, timeout=60, schema=True, own=False):
        """Rows of a statement as lists of text; NULL is None (and so is the text "NULL": use IFNULL where it matters).

        schema: False to connect without choosing one. own: in a client of its own, for what would change the settings of a kept one.
        """
        if _kept is None or own or len(sql) > _SHORT:
            with self._option_file() as options:
                done = system.run(self._client(options, self.schema if schema else None), stdin=sql.encode('utf-8'), timeout=timeout)
        else:
            done = self._ask_kept(sql, timeout, self.schema if schema else None)
        if done.rc:
            raise BoxError('MariaDB refused on schema %s: %s. Check that mariadb runs and that the credentials in '
                           'core/config/common.config.php are right.' % (self.schema, _first_line(done.err)),
                           'database_error')
        return [[_value(cell) for cell in line.split('\t')] for line in done.out.split('\n') if line]

    def _ask_kept(self, sql, timeout, schema):
        """What query() needs to know, from a client that is kept: one per thread and schema."""
        key = (threading.current_thread().ident, self.as_root, schema, tuple(sorted(self.credentials.items())))
        client = _kept.get(key)
        if client is not None and not 0 <= _now() - client.last < IDLE:
            _kept.pop(key).end()
            client = None
        if client is not None:
            done = _answer(key, sql, timeout)
            again = _GONE.match(done.err) or (_LOST.match(done.err) and sql.lstrip().upper().startswith('SELECT'))
            if done.rc is None or not again:
                return done
        # An error of connecting ends the client before its first answer, which may still need the option file.
        with self._option_file() as options:
            _kept[key] = _Client(self._client(options, schema) + ['--unbuffered'])
            return _answer(key, sql, timeout)

    def scalar(self, sql, timeout=60):
        """The first cell of a statement, or None."""
        rows = self.query(sql, timeout)
        return rows[0][0] if rows else None

    def tables(self, schema=None):
        """Names of the base tables."""
        rows = self.query("SELECT table_name FROM information_schema.tables WHERE table_type='BASE TABLE' "
                          'AND table_schema=%s ORDER BY table_name' % quote(schema or self.schema))
        return [row[0] for row in rows]

    def columns(self, schema=None):
        """{table: [column, ...]} in the order of the schema."""
        found = {}
        for table, column in self.query('SELECT table_name, column_name FROM information_schema.columns WHERE table_schema=%s '
                                        'ORDER BY table_name, ordinal_position' % quote(schema or self.schema)):
            found.setdefault(table, []).append(column)
        return found

    def row_counts(self, tables=None, schema=None):
        """{table: rows}, counted, in one statement."""
        names = self.tables(schema) if tables is None else tables
        if not names:
            return {}
        prefix = identifier(schema or self.schema)
        sql = ' UNION ALL '.join('SELECT %s, COUNT(*) FROM %s.%s' % (quote(name), prefix, identifier(name)) for name in names)
        return dict((row[0], int(row[1])) for row in self.query(sql, timeout=900))

    def config(self, key, plugin='core'):
        """The value of a row of Jeedom's config table; None when absent, which means "the default" (contract 1.2)."""
        return self.scalar('SELECT value FROM config WHERE plugin=%s AND `key`=%s' % (quote(plugin), quote(key)))

    def dump(self, path, timeout=7200):
        """Dump the schema into a new file (0600), consistent for InnoDB, and prove that the dump is complete."""
        tool = self._tool('mariadb-dump', 'mysqldump')
        with self._option_file() as options:
            # mysqldump knows no "database" option, so the charset goes on the command line like the rest.
            argv = [tool, '--defaults-file=' + options, '--single-transaction', '--quick', '--routines', '--triggers',
                    '--events', '--hex-blob', '--default-character-set=utf8mb4', '--result-file=' + path, self.schema]
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
            done = system.run(argv, timeout=timeout)
        if done.rc:
            raise BoxError('The dump of schema %s ended with code %d: %s. Check free space and the database.'
                           % (self.schema, done.rc, _first_line(done.err)), 'dump_failed')
        with open(path, 'rb') as stream:
            stream.seek(max(0, os.path.getsize(path) - 200))
            if b'-- Dump completed' not in stream.read():
                raise BoxError('The dump of schema %s has no completion line: it is cut. Check free space, then run again.'
                               % self.schema, 'dump_incomplete')

    def load(self, path, schema, timeout=7200):
        """Import a dump file into a schema.

        A first line with MariaDB's sandbox mark is skipped: older clients reject the file (contract 2.3).
        """
        with open(path, 'rb') as stream:
            first = stream.readline(200)
            # The child shares the descriptor's offset, which Python's buffer has moved on: set it for real.
            os.lseek(stream.fileno(), len(first) if b'999999' in first else 0, os.SEEK_SET)
            with self._option_file() as options, tempfile.TemporaryFile() as err:
                process = subprocess.Popen(self._client(options, schema), stdin=stream, stdout=err, stderr=err,  # pylint: disable=ansible-bad-function
                                           env=system.environment(), preexec_fn=os.setsid, close_fds=True)
                rc = process.wait()
                err.seek(0)
                text = system.to_text(err.read(2000))
        if rc:
            raise BoxError('Importing %s into the scratch schema %s failed: %s. The live database is untouched.'
                           % (os.path.basename(path), schema, _first_line(text)), 'import_failed')


def _value(cell):
    if cell == 'NULL':
        return None
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match.group(1), match.group(1)), cell) if '\\' in cell else cell


def _first_line(text):
    lines = [line for line in text.strip().split('\n') if line]
    return lines[0] if lines else 'no message'
