# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database half of a restore: scratch schema, proof, exchange by RENAME TABLE. Python 2.7 and 3.5+, stdlib only.

Tables move by rename. Triggers forbid that across schemas, views and routines know no rename: their definitions
are saved before, dropped for the exchange and created again after it. Foreign keys follow their tables by themselves.
Every step may be killed and done again, in either direction: where a table stands tells what is left to do. That MariaDB dies
with us is half_renamed.py's; what a crash inside an ALTER TABLE of a hop leaves is told from a table by nobody being able to read it.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import fault, half_renamed, system
from ansible_collections.jeedom.fleet.plugins.module_utils.database import Database, identifier, quote
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

NEW, OLD = '_fleet_new', '_fleet_old'
LOCAL = ('', 'localhost', '127.0.0.1', '::1')
# What MariaDB 10.5 said of tables whose files were taken away or exchanged; what is told otherwise is never dropped.
_BROKEN = re.compile(r'ERROR (?:130|1033|1034|1035|1146|1194|1195|1932) |ERROR (?:29|1017) .*(?:Errcode|errno): 2\b|ERROR 1030 .* error 194\b')
# Their rows are gone at every start of MariaDB and change by the second: nothing to compare.
MEMORY = 'MEMORY'


def server(credentials):
    """MariaDB with the rights a restore needs; starts it when it is down. Raises with what is missing.

    credentials: of common.config.php; only dbname, host and unix_socket matter.
    """
    host = credentials.get('host') or ''
    if not credentials.get('unix_socket') and host not in LOCAL and host != os.uname()[1]:
        raise BoxError('Jeedom uses the MariaDB server %s, not one on the box, so no scratch schema can be made there through the '
                       "socket: restore the database on that server by hand from the rollback point's dump.sql." % host,
                       'remote_database')
    root = Database(credentials).root()
    error = _try(root)
    if error is not None and not _server_runs():
        for unit in ('mariadb', 'mysql'):
            if system.run(['systemctl', 'start', unit], timeout=180).rc == 0:
                break
            system.run(['service', unit, 'start'], timeout=180)
        deadline = time.time() + 60
        while error is not None and time.time() < deadline:
            time.sleep(1)
            error = _try(root)
    if error is not None:
        raise BoxError('MariaDB does not let root in through its socket on the box (%s): a scratch schema needs that. Check that '
                       "mariadb runs, and that the account root@localhost may log in without password (IDENTIFIED VIA unix_socket)."
                       % error.msg.split(': ', 1)[-1].split('. Check')[0], 'no_database_root')
    return root


def _try(root):
    try:
        root.query('SELECT 1', schema=False)
    except BoxError as error:
        return error
    return None


def _server_runs():
    return any(os.path.basename(line.split(' ')[0]) in ('mysqld', 'mariadbd') for dummy, line in system.processes())


def exists(root, schema):
    """Whether there is a schema of that name."""
    return bool(root.query('SELECT 1 FROM information_schema.schemata WHERE schema_name=%s' % quote(schema), schema=False))


def _tables(root, schema):
    """{name: engine} of the base tables."""
    return dict(root.query("SELECT table_name, IFNULL(engine, '') FROM information_schema.tables WHERE table_type='BASE TABLE' "
                           'AND table_schema=%s' % quote(schema), schema=False))


def describe(root, schema):
    """What a schema holds, exactly: {charset, collation, bytes, tables: {name: {rows, checksum, engine}}, others: {...}}.

    checksum: CHECKSUM TABLE, None for MEMORY tables. others: number of views, triggers, routines and events.
    """
    rows = root.query('SELECT default_character_set_name, default_collation_name FROM information_schema.schemata '
                      'WHERE schema_name=%s' % quote(schema), schema=False)
    if not rows:
        raise BoxError('There is no schema %s in MariaDB on the box.' % schema, 'no_schema')
    engines = _tables(root, schema)
    names = sorted(engines)
    counts, sums = {}, {}
    if names:
        prefix = identifier(schema)
        counts = dict((name, int(count)) for name, count in root.query(
            ' UNION ALL '.join('SELECT %s, COUNT(*) FROM %s.%s' % (quote(name), prefix, identifier(name)) for name in names),
            timeout=1800, schema=False))
        lines = root.query('CHECKSUM TABLE ' + ', '.join('%s.%s' % (prefix, identifier(name)) for name in names), timeout=3600,
                           schema=False)
        sums = dict((name.split('.', 1)[1], value) for name, value in lines)
    size = root.query('SELECT IFNULL(SUM(data_length + index_length), 0) FROM information_schema.tables WHERE table_schema=%s'
                      % quote(schema), schema=False)[0][0]
    return dict(charset=rows[0][0], collation=rows[0][1], bytes=int(float(size)), others=others(root, schema),
                tables=dict((name, dict(rows=counts[name], engine=engines[name],
                                        checksum=None if engines[name] == MEMORY else sums.get(name))) for name in names))


def others(root, schema):
    """{views, triggers, routines, events: how many a schema has}."""
    kinds = (('views', 'table_schema'), ('triggers', 'trigger_schema'), ('routines', 'routine_schema'), ('events', 'event_schema'))
    return dict((kind, int(count)) for kind, count in root.query(
        ' UNION ALL '.join("SELECT '%s', COUNT(*) FROM information_schema.%s WHERE %s=%s" % (kind, kind, column, quote(schema))
                           for kind, column in kinds), schema=False))


def compare(found, wanted):
    """(problems, remarks) between two descriptions, as sentences; wanted may hold rows only, as an archive's manifest does.

    Another checksum is a remark: it is made of the stored bytes, which a table of an older MariaDB does not keep when it
    is created anew.
    """
    problems, remarks = [], []
    for name in sorted(set(found['tables']) | set(wanted['tables'])):
        have, need = found['tables'].get(name), wanted['tables'].get(name)
        if have is None:
            problems.append('table %s is missing' % name)
        elif need is None:
            problems.append('table %s was not there before' % name)
        elif need.get('engine') == MEMORY or have['engine'] == MEMORY:
            continue
        elif need.get('rows') is not None and have['rows'] != need['rows']:
            problems.append('table %s has %d rows instead of %d' % (name, have['rows'], need['rows']))
        elif need.get('checksum') is not None and have['checksum'] != need['checksum']:
            remarks.append('table %s has another checksum' % name)
    for kind, number in sorted((wanted.get('others') or {}).items()):
        if found['others'][kind] != number:
            problems.append('%d %s instead of %d' % (found['others'][kind], kind, number))
    return problems, remarks


class Exchange:
    """The live schema and its two neighbours, seen by root."""

    def __init__(self, root, schema, folder, log=None):
        """folder: where the definitions of triggers, views, routines and events are kept (root, 0700). log: takes a line of text."""
        self.root = root
        self.log = log or (lambda line: None)
        self.live, self.new, self.old = schema, schema + NEW, schema + OLD
        self.folder = folder
        if len(self.new) > 64:
            raise BoxError('The schema name %s is too long for a scratch schema beside it (64 characters with %s).' % (schema, NEW),
                           'schema_name_too_long')

    def create(self, schema, charset='utf8', collation='utf8_general_ci'):
        """Create a schema when it is missing."""
        self.root.query('CREATE DATABASE IF NOT EXISTS %s CHARACTER SET %s COLLATE %s'
                        % (identifier(schema), charset, collation), schema=False)

    def prepare(self, dump, wanted):
        """Import a dump into the scratch schema and raise unless it is as wanted; returns the description found.

        wanted: a description, of which rows and checksums may be missing.
        """
        self.drop(self.new)
        # A dump does not say how its schema was; an archive's tables go into one like that which they replace.
        here = [wanted['charset'], wanted['collation']] if wanted.get('charset') else self._charset(self.live)
        self.create(self.new, *(here or []))
        fault.point('scratch_created')
        self.root.load(dump, self.new)
        found = describe(self.root, self.new)
        problems, found['remarks'] = compare(found, wanted)
        if problems:
            raise BoxError('The dump does not give the database that its manifest describes: %s. Nothing has been changed; use '
                           'another archive.' % '; '.join(problems[:5]), 'dump_not_proved', problems=problems)
        return found

    def plan(self):
        """{tables_out, tables_in}, to be recorded before forward(); saves how to create what cannot be renamed."""
        system.make_dir(self.folder)
        if exists(self.root, self.old):
            # Only ever a leftover here: an exchange under way has its plan recorded and does not ask for one.
            self.drop(self.old)
        there = exists(self.root, self.live)
        for schema, name in ((self.live, 'live'), (self.new, 'new')):
            self._save(schema, os.path.join(self.folder, 'objects-%s.json' % name))
        return dict(tables_out=sorted(_tables(self.root, self.live)) if there else [],
                    tables_in=sorted(_tables(self.root, self.new)))

    def forward(self, steps):
        """Live tables to the old schema, scratch tables to live."""
        self.create(self.live)
        self.create(self.old)
        self._whole()
        self._bare(self.live)
        self._bare(self.new)
        fault.point('swap_tables_bare')
        self._move_out(steps)
        fault.point('swap_tables_out')
        self._move_in(steps)
        fault.point('swap_tables_renamed')
        self._same_charset(self.new, self.live)
        self._restore(os.path.join(self.folder, 'objects-new.json'), self.live)

    def _move_out(self, steps):
        """Live tables to the old schema; those that nobody can read are dropped, with all that a crash left in the live schema."""
        try:
            self._rename(self._out(steps))
        except BoxError as error:
            # MariaDB may have died and been started again in the middle of it.
            self._whole()
            moves = self._out(steps)
            unreadable = [move[1] for move in moves if not self._readable(self.live, move[1])]
            if not unreadable:
                raise
            self.log('MariaDB cannot read %s (%s)' % (', '.join(unreadable), error.msg))
            self._rename([move for move in moves if move[1] not in unreadable])
            self._anew()

    def _out(self, steps):
        live, new, old = (set(_tables(self.root, name)) for name in (self.live, self.new, self.old))
        # What came in already is in live under a name that new has no more; the one that went out may have been dropped.
        return [(self.live, name, self.old) for name in steps['tables_out']
                if name in live and name not in old and (name in new or name not in steps['tables_in'])]

    def _move_in(self, steps):
        """Scratch tables to the live schema."""
        new = set(_tables(self.root, self.new))
        moves = [(self.new, name, self.live) for name in steps['tables_in'] if name in new]
        try:
            self._rename(moves)
        except BoxError as error:
            # A name that InnoDB has in the live schema and nobody sees there; a connection that was lost is somebody else's.
            if _tables(self.root, self.live) or not self._readable(self.new, moves[0][1]):
                raise
            self.log('the live schema is not free although it has no table (%s)' % error.msg)
            self._anew()
            self._rename(moves)

    def _whole(self):
        for line in half_renamed.finish(self.root, [(self.live, self.old), (self.new, self.live)]):
            self.log(line)

    def _readable(self, schema, table):
        """Whether MariaDB can open a table. Raises when it cannot be said: a lock, no answer, no right to look."""
        try:
            self.root.query('SELECT 1 FROM %s.%s LIMIT 0' % (identifier(schema), identifier(table)), schema=False)
        except BoxError as error:
            if not _BROKEN.search(error.msg):
                raise
            return False
        return True

    def _anew(self):
        """The live schema without what is left in it: tables that nobody can read, and what only InnoDB knows of."""
        for name in sorted(_tables(self.root, self.live)):
            if self._readable(self.live, name):
                raise BoxError('The schema %s on the box still holds the table %s, which is neither from before nor from the rollback point, so '
                               'it cannot be made anew: move that table to another schema, then run again.' % (self.live, name), 'schema_not_free')
        self.log('making the schema %s anew' % self.live)
        self._drop(self.live)
        fault.point('swap_schema_dropped')
        self.create(self.live)

    def backward(self, steps):
        """The live schema as it was before forward(), wherever that stopped."""
        if not exists(self.root, self.old):
            if exists(self.root, self.live) and os.path.exists(os.path.join(self.folder, 'objects-live.json')):
                self._restore(os.path.join(self.folder, 'objects-live.json'), self.live)
            return
        self._whole()
        self._bare(self.live)
        live, new, old = (set(_tables(self.root, name)) for name in (self.live, self.new, self.old))
        moves = [(self.live, name, self.new) for name in steps['tables_in'] if name in live and name not in new]
        moves += [(self.old, name, self.live) for name in steps['tables_out'] if name in old]
        self._rename(moves)
        self._restore(os.path.join(self.folder, 'objects-live.json'), self.live)

    def finish(self):
        """Drop both neighbours."""
        self.drop(self.old)
        self.drop(self.new)

    def drop(self, schema):
        """Drop one of our own schemas; never the live one."""
        if schema not in (self.new, self.old):
            raise ValueError(schema)
        self._drop(schema)

    def _drop(self, schema):
        # In a client of its own, since the setting is its session's: InnoDB keeps a table that a foreign key leads to.
        sql = 'SET SESSION foreign_key_checks=0;\nDROP DATABASE IF EXISTS %s' % identifier(schema)
        try:
            self.root.query(sql, timeout=600, schema=False, own=True)
        except BoxError:
            removed = half_renamed.remove_strays(self.root, schema)
            if not removed:
                raise
            for line in removed:
                self.log(line)
            self.root.query(sql, timeout=600, schema=False, own=True)

    def _rename(self, moves):
        if moves:
            pairs = ('%s.%s TO %s.%s' % (identifier(source), identifier(name), identifier(target), identifier(name)) for source, name, target in moves)
            self.root.query('RENAME TABLE ' + ', '.join(pairs), timeout=600, schema=False)

    def _charset(self, schema):
        rows = self.root.query('SELECT default_character_set_name, default_collation_name FROM information_schema.schemata '
                               'WHERE schema_name=%s' % quote(schema), schema=False)
        return rows[0] if rows else None

    def _same_charset(self, model, schema):
        found = self._charset(model)
        if found:
            self.root.query('ALTER DATABASE %s CHARACTER SET %s COLLATE %s' % (identifier(schema), found[0], found[1]), schema=False)

    def _names(self, schema):
        """(kind, name) of everything that no rename carries along, in the order to drop it."""
        found = [('VIEW', row[0]) for row in self.root.query(
            'SELECT table_name FROM information_schema.views WHERE table_schema=%s' % quote(schema), schema=False)]
        # The trigger of a table that nobody can read can neither be shown nor dropped; it goes with its table.
        triggers = self.root.query('SELECT trigger_name, event_object_table FROM information_schema.triggers WHERE trigger_schema=%s'
                                   % quote(schema), schema=False)
        found += [('TRIGGER', name) for name, table in triggers if self._readable(schema, table)]
        found += [(row[0], row[1]) for row in self.root.query(
            'SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema=%s' % quote(schema), schema=False)]
        found += [('EVENT', row[0]) for row in self.root.query(
            'SELECT event_name FROM information_schema.events WHERE event_schema=%s' % quote(schema), schema=False)]
        return found

    def _bare(self, schema):
        names = self._names(schema)
        if names:
            self.root.query(''.join('DROP %s IF EXISTS %s.%s;\n' % (kind, identifier(schema), identifier(name)) for kind, name in names),
                            schema=False)

    def _save(self, schema, path):
        """Write how to create views, triggers, routines and events of a schema: [[kind, name, settings, SQL], ...]."""
        column = dict(VIEW=1, TRIGGER=2, PROCEDURE=2, FUNCTION=2, EVENT=3)
        found = []
        for kind, name in self._names(schema) if exists(self.root, schema) else []:
            row = self.at(schema).query('SHOW CREATE %s %s' % (kind, identifier(name)))[0]
            at = column[kind]
            settings = 'SET SESSION sql_mode=%s;\n' % quote('' if kind == 'VIEW' else row[1] or '')
            if row[at + 1].startswith('utf8'):
                # Part of the definition. Any other client charset would need the text in that charset, too.
                settings += 'SET character_set_client=%s, collation_connection=%s;\n' % (quote(row[at + 1]), quote(row[at + 2]))
            found.append([kind, name, settings, row[at]])
        system.write_json(path, found)

    def _restore(self, path, schema):
        """Create again what _save() wrote; what is there already is dropped first."""
        self._bare(schema)
        order = ['FUNCTION', 'PROCEDURE', 'VIEW', 'TRIGGER', 'EVENT']
        waiting = sorted(system.read_json(path, []), key=lambda item: order.index(item[0]))
        while waiting:
            failed, error = [], None
            for item in waiting:
                try:
                    self.at(schema).query('%sDELIMITER $$\n%s$$\n' % (item[2], item[3]), own=True)
                except BoxError as caught:
                    failed.append(item)
                    error = caught
            if len(failed) == len(waiting):
                raise error
            # Views may stand on views: those that failed are tried again after the others.
            waiting = failed

    def at(self, schema):
        """The Database of one of the schemas, as root."""
        return Database(dict(self.root.credentials, dbname=schema), as_root=True)
