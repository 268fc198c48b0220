# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of Jeedom that a migration must change for its hops, recorded once and given back at its end.

Why each (contract 0, 4.2, 7; user-pains 0.1, 0.2):
ignoreHourCheck=1          4.0.63 to 4.5.1 carry an end-of-life date, after which crons and scenarios fail
history::archive off       every core below 4.5 deletes the history of the last years at 05:00
update::allowCore=1        0 downloads nothing and still ends with SUCCESS
market::enable=0           a market that hangs costs 240 s a call or aborts the hop; core hops do not need it
core::repo::provider=url   the updater gets exactly the zip that was proved beforehand, from 127.0.0.1
Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.jeedom.fleet.plugins.module_utils import core_route, cron_task, recorded
from ansible_collections.jeedom.fleet.plugins.module_utils.database import config_rows, quote, set_config_rows

PURGE = ('history', 'archive')
KEYS = ('ignoreHourCheck', 'update::allowCore', 'market::enable', 'core::branch', 'core::repo::provider', 'url::enable',
        'url::core::url', 'url::core::version')
# The record of playbooks/freeze.yml: what it changed is given back to what it was before the freeze.
FREEZE = 'freeze'
DATE_LIMIT_GONE = '4.5.2'
PURGE_HARMLESS = '4.5.0'


def record(database):
    """What stands there now: {rows: {key: value or None}, purge: True, False or None, source: of the core's update row}.

    What prepare and freeze.yml changed counts as it was before that: the migration ends with a box that is not frozen.
    """
    rows = config_rows(database, KEYS)
    purge = cron_task.enabled(database, *PURGE)
    for earlier in (recorded.load(recorded.TRANSACTION), recorded.load(FREEZE)):
        rows.update((key, value) for key, value in earlier.get('config', {}).get('core', {}).items() if key in KEYS)
        purge = earlier.get('cron', {}).get('::'.join(PURGE), purge)
    source = database.scalar("SELECT source FROM `update` WHERE type='core' AND logicalId='jeedom'")
    return dict(rows=rows, purge=purge, source=source)


def forget_freeze():
    """After a commit: what freeze.yml recorded was given back already, and on the new core the old values would be wrong."""
    recorded.forget(FREEZE)


def disarm(database):
    """Date limit and purge, at once: they act whatever else happens. Returns names of what was changed."""
    changed = []
    if config_rows(database, ['ignoreHourCheck'])['ignoreHourCheck'] != '1':
        set_config_rows(database, dict(ignoreHourCheck='1'))
        changed.append('ignoreHourCheck')
    if purge_off(database):
        changed.append('history::archive')
    return changed


def purge_off(database):
    """Switch the history purge off; consistency.php of every core below 4.5 switches it on again."""
    if cron_task.enabled(database, *PURGE):
        cron_task.set_enabled(database, PURGE[0], PURGE[1], False)
        return True
    return False


def for_hop(database, url, branch):
    """Point the updater at our zip, and keep the market out. branch: written too, since 4.4 and later look at its form."""
    set_config_rows(database, {'update::allowCore': None, 'market::enable': '0', 'core::branch': branch, 'core::repo::provider': 'url',
                               'url::enable': '1', 'url::core::url': url, 'url::core::version': None})


def for_finish(database):
    """Let the updater run its scripts without downloading or deleting anything (contract 1.3)."""
    set_config_rows(database, {'update::allowCore': '0', 'market::enable': '0'})


def give_back(database, before, version, defaults, archive=True):
    """Give everything back that may be given back on this version.

    before: what record() returned. version: of the files now. defaults: {key: default} of this core. archive: False leaves the nightly
    archive of the history off, for give_back_archive().
    Returns the sentences about what has to stay changed.
    """
    kept, rows = [], {}
    for key in KEYS:
        value = before['rows'].get(key)
        if key == 'ignoreHourCheck' and not core_route.at_least(version, DATE_LIMIT_GONE):
            if value != '1':
                kept.append('ignoreHourCheck stays 1: cores before %s stop working after their end-of-life date.' % DATE_LIMIT_GONE)
            continue
        if key == 'core::branch' and value is not None and not _follows(value):
            kept.append('core::branch was %s, which leads to no current core: the row is removed, so that the default applies.' % value)
            value = None
        rows[key] = None if value == defaults.get(key) else value
    set_config_rows(database, rows)
    if not core_route.at_least(version, PURGE_HARMLESS):
        if before['purge'] is not False:
            kept.append('The task history::archive stays off: cores before %s delete recent history every night.' % PURGE_HARMLESS)
    elif archive:
        give_back_archive(database, before, version)
    else:
        purge_off(database)
    # The updater has noted its provider there; the core would correct it at its next check only.
    provider = config_rows(database, ['core::repo::provider'])['core::repo::provider'] or 'default'
    database.query("UPDATE `update` SET source=%s WHERE type='core' AND logicalId='jeedom'"
                   % quote(before.get('source') or provider))
    return kept


def give_back_archive(database, before, version):
    """Let the nightly archive of the history run again, if it did and may.

    Only after the census: at five in the morning it moves rows to historyArch, and averages them there (observed on 4.5.3), so a
    migration that ends then would look as if they were lost.
    """
    if before['purge'] is False or not core_route.at_least(version, PURGE_HARMLESS):
        purge_off(database)
    elif cron_task.enabled(database, *PURGE) is False:
        # Absent before means that the core has created it since, enabled.
        cron_task.set_enabled(database, PURGE[0], PURGE[1], True)


def _follows(branch):
    """Whether a branch name of before may stay. V3's own names end on the wrong core (user-pains 0.3, 0.4)."""
    return branch in ('master', 'beta', 'alpha', 'develop') or branch.startswith('tag::')
