# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the database and the history in it. docs/facts.md has every key.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.database import identifier
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import CAP, Unreadable, capped, clean, number

# restore.php gives the password to a shell without quotes up to 4.3 (contract 6.1)
_SAFE = re.compile(r'^[A-Za-z0-9_.-]*$')
VARIABLES = ('innodb_flush_log_at_trx_commit', 'max_allowed_packet', 'sql_mode', 'datadir', 'innodb_file_per_table',
             'lower_case_table_names', 'version_comment')
DATABASE_QUERIES = {
    'database.version': 'SELECT VERSION(), @@version_comment',
    'database.variables': 'SHOW VARIABLES WHERE Variable_name IN (%s)' % ', '.join("'%s'" % name for name in VARIABLES),
    'database.tables': 'SELECT table_name, engine, table_rows, IFNULL(data_length, 0) + IFNULL(index_length, 0), table_collation, '
                       'table_type, table_comment FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name LIMIT 1000',
    'database.columns': 'SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() '
                        'ORDER BY table_name, ordinal_position LIMIT 5000',
    'database.foreign_keys': "SELECT CONCAT(table_name, '.', constraint_name) FROM information_schema.table_constraints "
                             "WHERE constraint_schema = DATABASE() AND constraint_type = 'FOREIGN KEY' ORDER BY 1 LIMIT 1000",
    'database.triggers': 'SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()',
    'database.routines': 'SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE()',
    'database.long_keys': "SELECT CONCAT(plugin, '::', LEFT(`key`, 160)) FROM config WHERE CHAR_LENGTH(`key`) > 127 LIMIT 1000",
}
_SPAN = ("SELECT COUNT(*), MIN(`datetime`), MAX(`datetime`), SUM(`datetime` >= '2025-01-01'), SUM(`datetime` >= '2026-01-01'), "
         "MAX(IF(`datetime` < '2025-01-01', `datetime`, NULL)) FROM %s")
HISTORY_QUERIES = {
    'history.history': _SPAN % 'history',
    'history.historyArch': _SPAN % 'historyArch',
    'history.largest': 'SELECT h.cmd_id, h.n, o.name, e.name, c.name FROM (SELECT cmd_id, SUM(n) AS n FROM '
                       '(SELECT cmd_id, COUNT(*) AS n FROM history GROUP BY cmd_id UNION ALL '
                       'SELECT cmd_id, COUNT(*) FROM historyArch GROUP BY cmd_id) b GROUP BY cmd_id ORDER BY n DESC, cmd_id LIMIT 5) h '
                       'LEFT JOIN cmd c ON c.id = h.cmd_id LEFT JOIN eqLogic e ON e.id = c.eqLogic_id '
                       'LEFT JOIN object o ON o.id = e.object_id ORDER BY h.n DESC, h.cmd_id',
}


def human_name(*parts):
    """[object][equipment][command] as Jeedom writes it; what is missing is Aucun in Jeedom and - here."""
    return ''.join('[%s]' % (clean(part, 60) or '-') for part in parts)


def _credentials(look):
    home = look.installation
    values = home.credentials()
    password = values.get('password') or ''
    return dict(source=home.credentials_source, host=clean(values.get('host')), port=clean(values.get('port')),
                socket=clean(values.get('unix_socket')), name=clean(values.get('dbname')), user=clean(values.get('username')),
                password_set=bool(password), password_safe=bool(_SAFE.match(password)))


_NO_CREDENTIALS = dict.fromkeys(('source', 'host', 'port', 'socket', 'name', 'user', 'password_set', 'password_safe'))


def _root_socket(look):
    """Root gets in through the socket; asked of the server's own schema, so that a wrong name in the file does not matter."""
    try:
        credentials = look.installation.credentials()
    except BoxError:
        credentials = {}
    database = look.installation.database().root() if credentials else None
    if database is None:
        raise Unreadable('there are no credentials to start from')
    try:
        return database.query('SELECT 1', timeout=15, schema=False) == [['1']]
    except BoxError as error:
        if error.code == 'database_error':
            return False
        raise


def _tables(look):
    """({table: ...}, [view], [why a table cannot be read])."""
    tables, views, unreadable = {}, [], []
    for row in look.rows('database.tables'):
        if row[5] == 'VIEW':
            views.append(clean(row[0], 64))
        else:
            tables[clean(row[0], 64)] = dict(engine=clean(row[1]), rows=number(row[2]), size=number(row[3], 0), collation=clean(row[4]))
            if row[1] is None:
                # MariaDB could not open it, and says why in the place of its comment.
                unreadable.append(clean('%s: %s' % (row[0], row[6])))
    return tables, views, unreadable


def _columns(look):
    found = {}
    for table, column in look.rows('database.columns'):
        found.setdefault(clean(table, 64), []).append(clean(column, 64))
    return found


def collect_database(look):
    """Section database."""
    credentials = look.attempt('database.credentials', lambda: _credentials(look)) or dict(_NO_CREDENTIALS)
    version = look.attempt('database.version', lambda: look.rows('database.version')[0])
    # The question above made the connection, so from here on database_error says whether there is one.
    database = dict(
        reachable=version is not None and look.database_error is None, error=look.database_error, credentials=credentials,
        flavour=None, version=None, check=None, root_socket=look.attempt('database.root_socket', lambda: _root_socket(look)))
    if version:
        text = '%s %s' % (version[0], version[1])
        match = re.match(r'(?:5\.5\.5-)?(\d+(?:\.\d+)+)', version[0] or '')
        database.update(flavour='mariadb' if 'mariadb' in text.lower() else 'mysql',
                        version=match.group(1) if match else clean(version[0]))
    else:
        look.note('database.flavour', 'the database cannot be asked')
    tables = look.attempt('database.tables', lambda: _tables(look))
    database['tables'], database['views'], unreadable = tables if tables else (None, None, None)
    database['unreadable'] = None if unreadable is None else capped(unreadable)
    database['size'] = sum(table['size'] for table in tables[0].values()) if tables else None
    database['columns'] = look.attempt('database.columns', lambda: _columns(look))
    names = look.attempt('database.foreign_keys', lambda: [clean(row[0]) for row in look.rows('database.foreign_keys')])
    database['foreign_keys'] = None if names is None else len(names)
    database['foreign_key_names'] = None if names is None else capped(names)
    for key in ('triggers', 'routines'):
        database[key] = look.attempt('database.' + key, lambda key=key: number(look.cell('database.' + key)))
    database['long_config_keys'] = look.attempt('database.long_config_keys', lambda: capped(
        [clean(row[0]) for row in look.rows('database.long_keys')]))
    database['settings'] = look.attempt('database.settings', lambda: dict(
        (clean(row[0]), clean(row[1], 400)) for row in look.rows('database.variables')))
    database['client_version'] = look.attempt('database.client_version', _client_version)
    return database


def _client_version():
    for name in ('mariadb', 'mysql'):
        done = system.run([name, '--version'], timeout=15)
        match = re.search(r'(?:Distrib |from |Ver )(\d+\.\d+\.\d+)', done.out)
        if done.rc == 0 and match:
            return match.group(1)
    raise Unreadable('there is no MariaDB client on the box')


def check_tables(look):
    """{ok, problems}: CHECK TABLE of everything; reads every row, so only on request (PF19)."""
    database = look.installation.database()
    names = database.tables()
    if not names:
        return dict(ok=True, problems=capped([]))
    rows = database.query('CHECK TABLE ' + ', '.join(identifier(name) for name in names), timeout=3600)
    problems = [clean('%s: %s' % (row[0], row[3])) for row in rows
                if len(row) == 4 and row[2] in ('error', 'warning') or (row[2] == 'status' and row[3] not in (
                    'OK', 'Table is already up to date'))]
    # MEMORY tables of 4.4 cannot be checked, which is no fault
    problems = [text for text in problems if "doesn't support check" not in text]
    return dict(ok=not problems, problems=capped(problems, CAP))


def _span(look, name):
    row = (look.rows('history.' + name) or [[]])[0] + [None] * 6
    return dict(rows=number(row[0], 0), oldest=clean(row[1]), newest=clean(row[2]), since_2025=number(row[3], 0),
                since_2026=number(row[4], 0), newest_before_2025=clean(row[5]))


def collect_history(look):
    """Section history."""
    found = dict((name, look.attempt('history.' + name, lambda name=name: _span(look, name)))
                 for name in ('history', 'historyArch'))
    found['largest'] = look.attempt('history.largest', lambda: [
        dict(cmd_id=number(row[0]), rows=number(row[1], 0), name=human_name(*row[2:5])) for row in look.rows('history.largest')])
    return found
