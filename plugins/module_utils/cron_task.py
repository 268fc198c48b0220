# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A row of Jeedom's cron table, switched on or off by SQL. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.jeedom.fleet.plugins.module_utils import recorded
from ansible_collections.jeedom.fleet.plugins.module_utils.database import quote
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    class_name=dict(type='str', required=True),
    function=dict(type='str', required=True),
    enabled=dict(type='bool'),
    state=dict(type='str', default='present', choices=['present', 'as_recorded']),
    record=dict(type='str'),
)


def enabled(database, class_name, function):
    """True or False as the rows of this task say, None when there is none. One enabled row of several counts as enabled."""
    found = database.query('SELECT enable FROM cron WHERE class=%s AND `function`=%s' % (quote(class_name), quote(function)))
    return any(row[0] == '1' for row in found) if found else None


def set_enabled(database, class_name, function, value):
    """Switch every row of this task."""
    database.query('UPDATE cron SET enable=%d WHERE class=%s AND `function`=%s'
                   % (1 if value else 0, quote(class_name), quote(function)))


def run(params, check_mode):
    """The cron_task module."""
    database = Installation(params['web_root']).require().database()
    names = (params['class_name'], params['function'])
    key = '::'.join(names)
    kept = recorded.load(params['record']) if params['record'] else {}
    before = enabled(database, *names)
    if params['state'] == 'as_recorded':
        if not params['record']:
            raise BoxError('state as_recorded needs record, the name under which an earlier task kept the value.', 'bad_arguments')
        wanted = kept.get('cron', {}).get(key, before)
    else:
        wanted = params['enabled']
        if wanted is None:
            raise BoxError('enabled must be true or false for task %s.' % key, 'bad_arguments')
    if before is None and wanted:
        raise BoxError("Jeedom's cron table has no task %s, so it cannot be enabled: run Jeedom's install/consistency.php as the "
                       'web user, which creates its own tasks.' % key, 'no_such_cron')
    changed = before is not None and before != wanted
    if not check_mode:
        if params['record']:
            tasks = kept.setdefault('cron', {})
            if params['state'] == 'as_recorded':
                tasks.pop(key, None)
            elif changed:
                tasks[key] = before
            recorded.save(params['record'], kept)
        if changed:
            set_enabled(database, names[0], names[1], wanted)
    after = wanted if changed else before
    return dict(changed=changed, before=before, after=after, diff=dict(before=_line(key, before), after=_line(key, after)))


def _line(key, value):
    return '%s: %s\n' % (key, 'absent' if value is None else 'enabled' if value else 'disabled')
