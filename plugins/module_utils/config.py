# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of Jeedom's config table, by SQL: no PHP of Jeedom runs (contract 0.11, 0.12). Python 2.7 and 3.5+, stdlib only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.jeedom.fleet.plugins.module_utils import recorded, system
from ansible_collections.jeedom.fleet.plugins.module_utils.database import config_rows, set_config_rows
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation
from ansible_collections.jeedom.fleet.plugins.module_utils.redact import HIDDEN

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    values=dict(type='dict', default={}),
    plugin=dict(type='str', default='core'),
    state=dict(type='str', default='present', choices=['present', 'as_recorded']),
    record=dict(type='str'),
)
_PLUGIN = re.compile(r'^[A-Za-z0-9_-]{1,127}$')
_SECRET = re.compile(r'(?i)password|passwd|token|secret|api|hwkey|username|login|(^|[:_-])key($|[:_-])')


def defaults(installation, plugin='core'):
    """{key: value} that Jeedom takes for rows that are absent, from its ini file; {} when there is none.

    PHP's API deletes a row whose value equals the default (contract 1.2), so absent and "the default" are the same.
    """
    if not _PLUGIN.match(plugin):
        return {}
    path = installation.path('core/config/default.config.ini') if plugin == 'core' else \
        installation.path('plugins', plugin, 'core/config', plugin + '.config.ini')
    found, section = {}, None
    for line in (system.read_text(path) or '').splitlines():
        line = line.strip()
        if line.startswith('[') and line.endswith(']'):
            section = line[1:-1].strip()
        elif '=' in line and not line.startswith(';') and section == plugin:
            key, value = [part.strip() for part in line.split('=', 1)]
            if len(value) > 1 and value[0] == value[-1] and value[0] in '"\'':
                value = value[1:-1]
            found[key] = value
    return found


def text(value):
    """A value as the table holds it; None stays None. PHP writes true as 1 and false as 0 here."""
    if value is None or value == '':
        return None
    if isinstance(value, bool):
        return '1' if value else '0'
    return system.to_text(value) if isinstance(value, bytes) else u'%s' % value


def effective(value, default):
    """What a row means: an empty or absent one means the default."""
    value = text(value)
    return text(default) if value is None else value


def shown(key, value):
    """A value as it may leave the box."""
    if value and (_SECRET.search(key) or value.startswith('crypt:')):
        return HIDDEN
    return value


def run(params, check_mode):
    """The config module."""
    installation = Installation(params['web_root']).require()
    plugin = params['plugin']
    database = installation.database()
    known = defaults(installation, plugin)
    kept = recorded.load(params['record']) if params['record'] else {}
    if params['state'] == 'as_recorded':
        if not params['record']:
            raise BoxError('state as_recorded needs record, the name under which an earlier task kept the values.', 'bad_arguments')
        wanted = dict(kept.get('config', {}).get(plugin, {}))
    else:
        wanted = params['values']
    current = config_rows(database, sorted(wanted), plugin)
    changes = {}
    for key, value in sorted(wanted.items()):
        value = text(value)
        if effective(current[key], known.get(key)) != effective(value, known.get(key)):
            changes[key] = None if value == text(known.get(key)) else value
    if not check_mode:
        if params['record']:
            _record(params, kept, plugin, changes, current)
        set_config_rows(database, changes, plugin)
    after = dict(current, **changes)
    result = dict(changed=bool(changes), before=dict((key, shown(key, value)) for key, value in current.items()),
                  after=dict((key, shown(key, value)) for key, value in after.items()))
    result['diff'] = dict(before=_lines(result['before']), after=_lines(result['after']))
    return result


def _record(params, kept, plugin, changes, current):
    """Keep what stood there before, for state as_recorded; a key that is not changed keeps what was recorded earlier."""
    section = kept.setdefault('config', {}).setdefault(plugin, {})
    if params['state'] == 'as_recorded':
        kept['config'][plugin] = {}
    else:
        section.update((key, current[key]) for key in changes)
    recorded.save(params['record'], kept)


def _lines(values):
    return ''.join('%s = %s\n' % (key, '(absent)' if value is None else value) for key, value in sorted(values.items()))
