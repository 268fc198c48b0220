# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The census: counts and digests of what the user owns, so that "nothing is lost" can be proved.

stable() holds what must be the same on V3 and after the way to V4; docs/facts.md says which columns and why.
exact() holds every row and every file: what a rollback has to give back.
Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import json
import os
import re
import stat
import time

from ansible_collections.jeedom.fleet.plugins.module_utils.database import identifier, quote
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import Batch, Unreadable, clean, number

SCHEMA = 1
# Items kept one by one, to name what changed; above this only count and digest are told.
MOST_ITEMS = 5000
# User files hashed up to this many bytes in all; beyond, only their size counts.
MOST_HASHED = 64 << 20


class Kind:
    """What is counted of one table.

    columns: what makes the thing, compared as text. name: SQL for its human name. settings: JSON columns, normalised.
    ignore: keys of those that V4 or Jeedom itself rewrites. where: SQL condition. owner: SQL for the
    plugin that it belongs to, whose update may rightly change it. volatile: a running engine changes it.
    """

    def __init__(self, table, columns, name, settings=(), ignore=(), where=None, join='', key='t.id', volatile=False,
                 owner="''"):
        self.table, self.columns, self.name, self.settings = table, columns, name, settings
        self.ignore, self.where, self.join, self.key, self.volatile = frozenset(ignore), where, join, key, volatile
        self.owner = owner

    def sql(self):
        """One row per thing: key, name, owner, columns, JSON columns."""
        cells = ["IFNULL(%s, '')" % cell for cell in [self.key, self.name, self.owner] + [_column(name) for name in self.columns + self.settings]]
        return 'SELECT %s FROM `%s` t %s%s' % (', '.join(cells), self.table, self.join, ' WHERE ' + self.where if self.where else '')


def _column(name):
    return name if '(' in name or '.' in name else 't.`%s`' % name


_OBJECT = "LEFT JOIN object o ON o.id = t.object_id"
# Crons of the core: consistency deletes and makes them anew, at random times.
_OWN_CRONS = "t.class NOT IN ('jeedom', 'plugin', 'cache', 'history', 'scenario', 'cmd', 'DB', 'user', 'queue', 'update', 'network')"
# cmd::save moves this out of the column display, and switches the history of actions off.
_GENERIC_TYPE = ("IF(IFNULL(t.generic_type, '') = '' AND t.display LIKE '%\"generic_type\":\"%', SUBSTRING_INDEX(SUBSTRING_INDEX("
                 "t.display, '\"generic_type\":\"', -1), '\"', 1), t.generic_type)")
KINDS = {
    'objects': Kind('object', ('name', 'father_id', 'isVisible'), 't.name'),
    'equipments': Kind(
        'eqLogic', ('name', 'generic_type', 'logicalId', 'object_id', 'eqType_name', 'isVisible', 'isEnable', 'timeout', 'comment',
                    'tags'), "CONCAT('[', IFNULL(o.name, '-'), '][', t.name, ']')",
        ('configuration', 'category'), ('createtime', 'updatetime', 'previousIsEnable', 'previousIsVisible'), join=_OBJECT,
        owner='t.eqType_name'),
    'commands': Kind(
        'cmd', ('eqLogic_id', 'logicalId', _GENERIC_TYPE, 'name', 'type', 'subType', 'unite',
                "IF(t.type = 'action', '0', t.isHistorized)", 'isVisible', 'value'),
        "CONCAT('[', IFNULL(o.name, '-'), '][', IFNULL(e.name, '-'), '][', IFNULL(t.name, '-'), ']')",
        ('configuration', 'template', 'alert'), ('jeedomCheckCmdCmdActionId',),
        join='LEFT JOIN eqLogic e ON e.id = t.eqLogic_id LEFT JOIN object o ON o.id = e.object_id', owner='e.eqType_name'),
    'scenarios': Kind(
        'scenario', ('name', 'group', 'isActive', 'mode', 'isVisible', 'IF(t.object_id = -1, NULL, t.object_id)', 'description',
                     'timeout'), "CONCAT('[', IFNULL(t.`group`, '-'), '][', IFNULL(t.name, '-'), ']')",
        ('schedule', 'scenarioElement', 'trigger', 'configuration'), ('lastLaunch', 'state'), join=_OBJECT),
    'scenario_elements': Kind('scenarioElement', ('order', 'type', 'name'), 't.id', ('options',)),
    'scenario_subelements': Kind('scenarioSubElement', ('order', 'scenarioElement_id', 'type', 'subtype', 'name'), 't.id', ('options',)),
    'scenario_expressions': Kind('scenarioExpression', ('order', 'scenarioSubElement_id', 'type', 'subtype'), 't.id',
                                 ('expression', 'options')),
    # neither password nor API key: a digest of them would let a reader of the report try guesses
    'users': Kind('user', ('login', 'profils', 'enable', "IFNULL(t.password, '') <> ''"), 't.login', ('rights',)),
    'views': Kind('view', ('name', 'order'), 't.name', ('configuration',)),
    'view_zones': Kind('viewZone', ('view_id', 'type', 'name', 'position'), 't.name', ('configuration',)),
    'view_data': Kind('viewData', ('order', 'viewZone_id', 'type', 'link_id'), 't.id', ('configuration',)),
    'designs': Kind('planHeader', ('name',), 't.name', ('configuration',)),
    # positions and colours are converted by 4.0.5 and 4.1.15
    'design_elements': Kind('plan', ('planHeader_id', 'link_type', 'link_id'), "CONCAT(IFNULL(t.link_type, '-'), ' ', t.id)"),
    'designs_3d': Kind('plan3dHeader', ('name',), 't.name', ('configuration',)),
    'design_3d_elements': Kind('plan3d', ('name', 'plan3dHeader_id', 'link_type', 'link_id'), 't.name', ('position', 'configuration')),
    'interactions': Kind('interactDef', ('name', 'enable', 'query', 'reply', 'person', 'group'), 't.name',
                         ('options', 'filtres', 'actions')),
    'variables': Kind('dataStore', ('type', 'link_id', 'key'), 't.`key`', ('value',), volatile=True),
    'crons': Kind('cron', ('class', 'function', 'enable', 'schedule'), "CONCAT(t.class, '::', t.`function`)", where=_OWN_CRONS,
                  key="CONCAT(t.class, '::', t.`function`, ' ', IFNULL(MD5(t.`option`), ''))", volatile=True),
    'listeners': Kind('listener', ('class', 'function', 'event'), "CONCAT(t.class, '::', t.`function`)",
                      key="CONCAT(t.class, '::', t.`function`, ' ', MD5(CONCAT_WS('|', t.event, t.`option`)))", volatile=True),
    'plugin_rows': Kind('update', ('source',), 't.logicalId', where="t.type = 'plugin'", key='t.logicalId'),
    'active_plugins': Kind('config', (), 't.plugin', where="t.`key` = 'active' AND t.value = '1'", key='t.plugin'),
    # names only: values hold passwords, and V4 encrypts some of them
    'plugin_settings': Kind('config', (), "CONCAT(t.plugin, '::', t.`key`)", key="CONCAT(t.plugin, '::', t.`key`)", volatile=True,
                            where="t.plugin <> 'core' AND t.`key` NOT IN ('active', 'lastDependancyInstallTime', "
                                  "'lastDeamonLaunchTime', 'deamonAutoMode') AND t.`key` NOT LIKE 'functionality::%' "
                                  "AND t.`key` NOT LIKE 'heartbeat::%'"),
}
COUNTED = {'messages': 'message', 'interaction_queries': 'interactQuery'}
HISTORIES = ('history', 'historyArch')
# Folders of user files that updates leave alone.
USER_FILES = ('data', 'desktop/custom', 'mobile/custom')
# left out of them: what Jeedom itself writes there
_OWN_FILES = re.compile(r'^data/(timeline\.json|jeedom_encryption\.key|remove_history\.json|report/|backup/|imgOs/)|(^|/)\.htaccess$')

_ICON = re.compile(r'(<i class=(?:\\?["\']))fa ')
_OUTLINE = re.compile(r'-o(\\?["\']?>)')
_PREFIX = re.compile(r'^(core|customtemp)::')


def canonical_name(text):
    """A name as V4 saves it: cleanComponanteName() of 4.0 and later strips more than V3's."""
    # strip_tags runs after the characters are gone, so a quoted attribute is no obstacle
    text = re.sub(r'[&#\]\[%\\/\'"*]', '', text)
    return re.sub(r'[ \t\r\n\f\v]+', ' ', re.sub(r'<[^\s>][^>]*(?:>|$)', '', text)).strip()


def canonical(text):
    """Text as 4.0.2 would have left it: its replacement of Font Awesome 4 names, on either side of it the same."""
    text = _ICON.sub(r'\1fas ', text)
    return _OUTLINE.sub(r'\1', text).replace('fa-video-camera', 'fa-video')


def normal(value, ignore=frozenset()):
    """A value of a JSON column reduced to what it means: empty members gone, scalars as text, icons canonical."""
    if isinstance(value, dict):
        found = dict((key, normal(item, ignore)) for key, item in value.items() if key not in ignore)
        return dict((key, item) for key, item in found.items() if item not in ('', {}, []))
    if isinstance(value, list):
        # PHP writes an empty object as [] and a list with a hole as an object
        return normal(dict(('%d' % at, item) for at, item in enumerate(value)), ignore)
    if value is None or value is False:
        return ''
    if value is True:
        return '1'
    return canonical('%s' % value)


def _settings(name, text, ignore):
    """Canonical text of one JSON column."""
    if not text:
        return ''
    try:
        value = json.loads(text)
    except (ValueError, RuntimeError):
        value = text
    if name == 'template' and isinstance(value, dict):
        # 4.0.4 and consistency put core:: before names and write "default" where there was nothing
        value = dict((key, _PREFIX.sub('', '%s' % item)) for key, item in value.items() if item not in ('default', 'core::default'))
    value = normal(value, ignore)
    return json.dumps(value, sort_keys=True) if value not in ('', {}) else ''


def _short(parts):
    return hashlib.sha256('\0'.join(parts).encode('utf-8', 'replace')).hexdigest()[:12]


def _join(items):
    return hashlib.sha256('\n'.join(sorted(items)).encode('utf-8', 'replace')).hexdigest()[:32]


def tally(kind, rows):
    """{count, digest, items: {key: [name, digest, digest of settings, owner]} or null when there are too many, volatile}."""
    items = {}
    for row in rows:
        if len(row) != 3 + len(kind.columns) + len(kind.settings):
            continue
        cells = [cell or '' for cell in row]
        settings = [_settings(name, cell, kind.ignore) for name, cell in zip(kind.settings, cells[3 + len(kind.columns):])]
        key = clean(cells[0])
        # Two rows may have one key where the key is no id; both count.
        while key in items:
            key += '+'
        columns = [canonical_name(cell) if name in ('name', 'group') else cell
                   for name, cell in zip(kind.columns, cells[3:3 + len(kind.columns)])]
        items[key] = [clean(cells[1], 160), _short(columns), _short(settings) if any(settings) else ''] + (
            [clean(cells[2], 127)] if cells[2] else [])
    digest = _join('%s %s %s' % (key, item[1], item[2]) for key, item in items.items())
    return dict(count=len(items), digest=digest, items=items if len(items) <= MOST_ITEMS else None, volatile=kind.volatile)


def _history_sql(table, until):
    # Order-independent, and computed where the rows are: XOR would not see a pair of equal changes, the sum does.
    row = "CRC32(CONCAT_WS('|', cmd_id, `datetime`, IFNULL(value, '\\\\N')))"
    return ('SELECT cmd_id, COUNT(*), BIT_XOR(%s), SUM(%s), MAX(`datetime`) FROM `%s` WHERE `datetime` <= %s GROUP BY cmd_id'
            % (row, row, table, quote(until)))


def _history(rows):
    commands, total, xored, summed, newest = {}, 0, 0, 0, None
    for row in rows:
        if len(row) != 5:
            continue
        count, xor, added = number(row[1], 0), int(row[2] or 0), int((row[3] or '0').split('.')[0])
        total, xored, summed = total + count, xored ^ xor, summed + added
        newest = max(newest or '', row[4] or '') or None
        commands[clean(row[0])] = [count, '%08x%x' % (xor, added)]
    return dict(rows=total, digest='%08x%x' % (xored, summed), newest=newest,
                commands=commands if len(commands) <= MOST_ITEMS else None)


def _user_files(installation):
    """{path: [size, digest]} of the user's own files."""
    found, hashed = {}, 0
    for top in USER_FILES:
        for base, folders, files in os.walk(installation.path(top)):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(base, name)
                inside = os.path.relpath(path, installation.web_root)
                if _OWN_FILES.search(inside) or os.path.islink(path):
                    continue
                try:
                    size = os.path.getsize(path)
                    digest = ''
                    if hashed + size <= MOST_HASHED:
                        hashed += size
                        digest = _file_digest(path)[:12]
                except (IOError, OSError):
                    continue
                found[clean(inside, 400)] = [size, digest]
    digest = _join('%s %d %s' % (path, entry[0], entry[1]) for path, entry in found.items())
    return dict(count=len(found), digest=digest, items=found if len(found) <= MOST_ITEMS else None)


def _file_digest(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as stream:
        for block in iter(lambda: stream.read(1 << 18), b''):
            digest.update(block)
    return digest.hexdigest()


def _plugin_folders(installation):
    try:
        names = os.listdir(installation.path('plugins'))
    except OSError:
        return None
    return sorted(clean(name) for name in names if name != 'core' and os.path.isfile(
        installation.path('plugins', name, 'plugin_info/info.json')))


def stable(installation, until=None):
    """The census that V3 and V4 must agree on.

    until: count history up to this moment only ("YYYY-MM-DD HH:MM:SS", as the census before has it in history_until):
    a running box goes on recording. Raises BoxError when the database does not answer.
    """
    database = installation.database()
    if until is None:
        until = database.scalar("SELECT GREATEST(IFNULL((SELECT MAX(`datetime`) FROM history), ''), "
                                "IFNULL((SELECT MAX(`datetime`) FROM historyArch), ''))") or '9999-12-31 23:59:59'
    if not re.match(r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$', until):
        raise BoxError('census_until is %r and has to be a moment as YYYY-MM-DD HH:MM:SS.' % until, 'bad_moment')
    batch = Batch(database)
    for name, kind in sorted(KINDS.items()):
        batch.add(name, kind.sql())
    for name, table in sorted(COUNTED.items()):
        batch.add(name, 'SELECT COUNT(*) FROM `%s`' % table)
    for name in HISTORIES:
        batch.add(name, _history_sql(name, until))
    answers = batch.run(timeout=900)
    unreadable = dict((name, '%s' % rows) for name, rows in answers.items() if isinstance(rows, Unreadable))

    def rows(name):
        return None if name in unreadable else answers.pop(name)

    entities = {}
    for name, kind in KINDS.items():
        found = rows(name)
        entities[name] = None if found is None else tally(kind, found)
    for name in COUNTED:
        found = rows(name)
        entities[name] = None if found is None else dict(count=number(found[0][0], 0), digest=None, items=None, volatile=True)
    history = {}
    for name in HISTORIES:
        found = rows(name)
        history[name] = None if found is None else _history(found)
    return dict(schema=SCHEMA, taken=time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()), version=clean(installation.version(), 40),
                history_until=until, entities=entities, history=history, plugin_folders=_plugin_folders(installation),
                files=_user_files(installation), unreadable=unreadable)


# Tables that are no one's property: caches and queues of V4, in memory or emptied at every start.
PASSING_TABLES = frozenset(['cache', 'event', 'queue'])
# Parts of the web root that change by themselves or are no part of the installation: logs, caches, the dump and the
# archives that each backup leaves (contract 1.1, 2.3).
PASSING_PATHS = ('log', 'cache.tar.gz', 'DB_backup.sql', 'backup', 'tmp', 'core/config/common.config.php.bak')


def exact(installation, passing=PASSING_PATHS):
    """Every table and every file: {tables: {name: {rows, checksum}}, folders: {folder: [files, bytes, digest]}}.

    Take it with the engine stopped. The digests cover names, types, modes, owners, contents and link targets.
    """
    database = installation.database()
    names = [name for name in database.tables() if name not in PASSING_TABLES]
    counts = database.row_counts(names)
    sums = {}
    if names:
        for row in database.query('CHECKSUM TABLE ' + ', '.join(identifier(name) for name in names), timeout=3600):
            sums[row[0].split('.', 1)[-1]] = row[1]
    tables = dict((name, dict(rows=counts.get(name), checksum=sums.get(name))) for name in names)
    return dict(tables=tables, folders=_folders(installation.web_root, passing))


def _folders(root, passing):
    found = {}
    for base, folders, files in os.walk(root):
        inside = os.path.relpath(base, root)
        inside = '' if inside == '.' else inside
        folders[:] = sorted(name for name in folders if _inside(inside, name) not in passing)
        lines, size = [], 0
        for name in sorted(files) + folders:
            if _inside(inside, name) in passing:
                continue
            path = os.path.join(base, name)
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                size += info.st_size
                content = _file_digest(path)
            else:
                content = ''
            lines.append('%r %o %d %d %r' % (name, info.st_mode, info.st_uid, info.st_gid, content))
        found[clean(inside, 400)] = [len(lines), size, _join(lines)[:16]]
    return found


def _inside(folder, name):
    return folder + '/' + name if folder else name
