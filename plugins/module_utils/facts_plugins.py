# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about plugins, told from their files and from SQL: asking Jeedom about plugins may write (contract 0.11).

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import os
import re

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import clean, json_object, number
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_tree import tree

MOST_PLUGINS = 300
# Bytes of source read over all plugins, so that one of them with a huge library does not eat the time of the rest.
MOST_SOURCE = 24 << 20
MOST_FILE = 512 << 10

PLUGIN_QUERIES = {
    'plugins.rows': "SELECT logicalId, name, source, status, localVersion, remoteVersion, LEFT(configuration, 20000) FROM `update` "
                    "WHERE type <> 'core' ORDER BY logicalId, id LIMIT 2000",
    'plugins.equipments': 'SELECT eqType_name, COUNT(*) FROM eqLogic GROUP BY eqType_name',
    'plugins.commands': 'SELECT e.eqType_name, COUNT(*) FROM cmd c JOIN eqLogic e ON e.id = c.eqLogic_id GROUP BY e.eqType_name',
}

# user-pains B20, B22: calls that V4 removed or changed, by the name that the facts use.
PATTERNS = (
    ('getBackgroundColor', r'getBackgroundColor\s*\('),
    ('getType_setType', r'\$scenario\w*\s*->\s*[gs]etType\s*\('),
    ('utils_crypt', r'utils::(?:en|de)crypt\s*\('),
    ('class_object', r'(?<![\w:>$\\])object::\w+\s*\(|new\s+object\s*\('),
    ('setEventOnly', r'setEventOnly\s*\('),
    ('eqReal', r'eqReal(?:_id)?\b'),
    ('clearCacheWidget', r'clearCacheWidget\s*\('),
    ('addTimelineEvent', r'addTimelineEvent\s*\('),
    ('getRealTrigger', r'getRealTrigger\s*\('),
    ('displayExeption', r'displayExeption\s*\('),
    ('convertDayEnToFr', r'convertDayEnToFr\s*\('),
    ('getInterface', r'getInterface(?:Ip|Mac|s)\s*\('),
    ('ajax_init', r'ajax::init\s*\(\s*(?:true|false|[01])\s*\)'),
)
_REMOVED = re.compile('|'.join('(?P<%s>%s)' % pattern for pattern in PATTERNS))
_PYTHON2 = re.compile(r'python-(?:pip|dev|serial|requests|setuptools|crypto|yaml|lxml|imaging)\b|\bpython2(?:\.7)?\b|\bpip2\b'
                      r'|\A#!.*\bpython\s*$', re.M)
_THEIRS = frozenset(['3rdparty', 'vendor', 'node_modules', 'venv', 'python_venv', '.git', 'docs', 'doc', 'desktop'])
_PLUGIN_ID = re.compile(r'^[A-Za-z0-9_.-]{1,127}$')


def removed_calls(text):
    """Names out of PATTERNS that a text holds, sorted."""
    return sorted(set(match.lastgroup for match in _REMOVED.finditer(text)))


def _folders(root):
    """Names under plugins/ that are plugins: folders with plugin_info, or at least not core and not hidden (contract 1.1)."""
    try:
        names = os.listdir(root)
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith('.') and name != 'core'
                  and os.path.isdir(os.path.join(root, name)))


def _info(folder):
    """(state, dict) of a plugin's description."""
    path = os.path.join(folder, 'plugin_info/info.json')
    if os.path.isfile(path):
        info = system.read_json(path)
        if isinstance(info, dict):
            return 'json', info
        return 'broken', {}
    return ('xml' if os.path.isfile(os.path.join(folder, 'plugin_info/info.xml')) else None), {}


def _sources(folder, suffixes):
    """Paths of the plugin's own files with one of the suffixes."""
    for base, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _THEIRS)
        for name in sorted(files):
            if name.endswith(suffixes):
                yield os.path.join(base, name)


class _Reader:
    """Reads sources as long as the budget lasts."""

    def __init__(self, budget):
        self.left = budget

    def text(self, path):
        if self.left <= 0:
            return ''
        text = system.read_text(path, '', MOST_FILE)
        self.left -= len(text)
        return text


def scan(folder, reader):
    """(python2, removed_api) of a plugin's own sources."""
    python2, removed = [], []
    for path in _sources(folder, ('.sh', '.py', '.php', 'packages.json')):
        inside = clean(os.path.relpath(path, folder))
        text = reader.text(path)
        if path.endswith('.php'):
            removed.extend(dict(name=name, file=inside) for name in removed_calls(text))
        if len(python2) < 5 and _PYTHON2.search(text):
            python2.append(inside)
    return python2, removed[:10]


def daemon(temporary, plugin):
    """State of a plugin's daemon by the pid file that Jeedom's plugins keep in the temporary folder."""
    files = sorted(glob.glob(os.path.join(temporary, plugin, '*.pid')))
    for path in files:
        pid = number(system.read_text(path, limit=40))
        if pid:
            return dict(pid=pid, alive=system.start_time(pid) is not None, file=clean(path))
    return dict(pid=None, alive=None, file=clean(files[0]) if files else None)


def _wanted(info, *names):
    """A switch of info.json: 1, "1" and true are on."""
    return any('%s' % info.get(name) in ('1', 'True', 'true') for name in names)


def collect_plugins(look):
    """Section plugins."""
    root = look.installation.path('plugins')
    rows = look.attempt('plugins.rows', lambda: look.rows('plugins.rows'))
    by_id = dict((clean(row[0], 127), row) for row in rows or [] if len(row) == 7 and row[0])
    counts = dict((name, look.attempt('plugins.' + name, lambda name=name: dict(
        (row[0], number(row[1], 0)) for row in look.rows('plugins.' + name)))) for name in ('equipments', 'commands'))
    settings = look.attempt('plugins.settings', look.settings)
    sizes = look.attempt('plugins.sizes', lambda: tree(look).plugins, {})
    folders = [clean(name, 127) for name in _folders(root)]
    reader = _Reader(MOST_SOURCE)
    items = [_plugin(look, name, name in folders, by_id.get(name) if rows is not None else None, rows is not None, counts, settings,
                     sizes, reader)
             for name in sorted(set(folders) | set(by_id))[:MOST_PLUGINS]]
    if reader.left <= 0:
        look.note('plugins.items.removed_api', 'only the first %d MiB of plugin sources were read' % (MOST_SOURCE >> 20))
    return dict(count=len(set(folders) | set(by_id)), items=items)


def _plugin(look, name, has_folder, row, rows_known, counts, settings, sizes, reader):
    folder = look.installation.path('plugins', name)
    state, info = _info(folder) if has_folder and _PLUGIN_ID.match(name) else (None, {})
    row = row or [None] * 7
    configuration = json_object(row[6])
    own = (settings or {}).get(name, {})
    compatibility = info.get('compatibility')
    compatibility = [clean(item, 40) for item in compatibility][:20] if isinstance(compatibility, list) else None
    python2, removed = scan(folder, reader) if state else ([], [])
    alive = daemon(look.temporary(), name) if _PLUGIN_ID.match(name) else dict(pid=None, alive=None, file=None)
    alive['auto'] = None if settings is None else own.get('deamonAutoMode', '1') == '1'
    version = info.get('pluginVersion', info.get('version'))
    return dict(
        id=name, name=clean(info.get('name') if state == 'json' else row[1]), author=clean(info.get('author')),
        category=clean(info.get('category')), folder=has_folder, row=row[0] is not None if rows_known else None, info=state,
        source=clean(row[2]), status=clean(row[3]), local_version=clean(row[4]), remote_version=clean(row[5]),
        channel=clean(configuration.get('version')),
        do_not_update='%s' % configuration.get('doNotUpdate', '0') == '1' if rows_known else None,
        active=None if settings is None else own.get('active') == '1', require=clean(info.get('require'), 40),
        compatibility=compatibility, v4=None if compatibility is None else 'v4' in compatibility,
        version=clean(version, 60), equipments=None if counts['equipments'] is None else counts['equipments'].get(name, 0),
        commands=None if counts['commands'] is None else counts['commands'].get(name, 0),
        has_dependency=_wanted(info, 'hasDependency', 'hasDependancy'), has_daemon=_wanted(info, 'hasOwnDeamon', 'hasOwnDaemon'),
        daemon=alive, ports=[dict(key=clean(key), value=clean(value)) for key, value in sorted(own.items())
                             if value and (value.startswith('/dev/') or key == 'port')][:10],
        python2=python2, removed_api=removed, size=sizes.get(name))
