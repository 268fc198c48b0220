# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health module: does this Jeedom work? Looks only. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    core_route, cron_task, engine, facts, health_checks, settings, transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.database import config_rows, keeping_clients
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.health_checks import check
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    expect_version=dict(type='str'),
    baseline=dict(type='dict'),
    tick_timeout=dict(type='int', default=150),
    daemon_timeout=dict(type='int', default=0),
    gather_subset=dict(type='list', elements='str', default=[]),
    census_until=dict(type='str'),
)
# jeeCron writes its pid once a minute.
FRESH = 130


@keeping_clients
def run(params, check_mode):
    """Every check, and the worst of them as status; with gather_subset facts, too: a call less for each box of a fleet."""
    installation = Installation(params['web_root']).require()
    if params['gather_subset']:
        # A wrong name of a section is to be told before a minute of waiting.
        facts.subset(params['gather_subset'])
    result = _look(installation, params)
    if params['gather_subset']:
        result['ansible_facts'] = dict(jeedom=facts.collect(installation, dict(params, core_manifest={}, urls=[])))
    return result


def _look(installation, params):
    baseline = params['baseline'] if params['baseline'] is not None else recorded_baseline()
    try:
        database = installation.database()
        database.scalar('SELECT 1')
    except BoxError as error:
        return _result(installation, [check('database', False, error.msg)])
    checks = [check('database', True, 'MariaDB answers')]
    rows = config_rows(database, engine.ROWS + ('version', 'ignoreHourCheck'))
    checks.append(health_checks.versions(installation, rows['version'], _file_version(params['expect_version'], installation)))
    recorded_rows = (baseline.get('engine') or {}).get('rows') or {}
    checks.append(health_checks.rows_on(rows, recorded_rows))
    loads, told = health_checks.bootstrap(installation)
    checks.append(loads)
    checks.extend(health_checks.web(installation, told))
    checks.append(health_checks.same_counts(baseline.get('counts'), health_checks.counts(database)))
    checks.append(_engine(installation, database, recorded_rows, params['tick_timeout']))
    checks.append(_started(installation, database))
    checks.append(date_limit(installation, rows['ignoreHourCheck']))
    checks.append(purge(installation, database))
    checks.append(_daemons(installation, baseline.get('daemons'), params['daemon_timeout']))
    checks.append(health_checks.new_fatals(installation, baseline.get('logs')))
    checks.append(health_checks.permissions(installation))
    return _result(installation, checks)


def _result(installation, checks):
    states = set(item['status'] for item in checks)
    status = 'failed' if 'failed' in states else 'degraded' if 'warning' in states else 'ok'
    return dict(changed=False, health=dict(status=status, version=installation.version(), checks=checks))


def recorded_baseline():
    """What the open migration noted before it: {engine, daemons, counts, logs}; {} without one."""
    opened = transaction.current()
    if not opened:
        return {}
    upgrade = opened.get('upgrade') or {}
    recorded = opened.get('engine') or {}
    return dict(engine=recorded, daemons=recorded.get('daemons'), counts=upgrade.get('counts'), logs=upgrade.get('logs'))


def _file_version(expected, installation):
    """The text that core/config/version holds for a version; tag 4.0.63 says 4.0.62 (contract 1.1)."""
    if expected == '4.0.63' and installation.version() == '4.0.62':
        return '4.0.62'
    return expected


def _engine(installation, database, recorded_rows, timeout):
    """Cron files in place, cron alive, and Jeedom's minute task seen to run."""
    now = engine.state(installation, database)
    if '0' in recorded_rows.values():
        return dict(id='engine', status='skipped', message='crons or scenarios were switched off before the migration and are so again')
    if not now['running']:
        why = 'no cron daemon runs' if not now['cron_active'] else '/etc/cron.d/jeedom stands aside' if now['aside'] else \
            '/etc/cron.d/jeedom is missing' if 'jeedom' not in now['cron_files'] else 'a row switches it off'
        return check('engine', False, 'the engine does not run: %s' % why)
    marker = os.path.join(installation.temporary(database), 'jeeCron.pid')
    deadline = time.time() + timeout
    while True:
        try:
            age = time.time() - os.stat(marker).st_mtime
        except OSError:
            age = None
        if age is not None and age < FRESH:
            return check('engine', True, "Jeedom's minute task ran %d s ago" % age)
        if time.time() >= deadline:
            return check('engine', False, "Jeedom's minute task %s" % ('was never seen to run' if age is None else 'last ran %d s ago' % age))
        time.sleep(1)


def _started(installation, database):
    there = os.path.exists(os.path.join(installation.temporary(database), 'started'))
    return check('started', there, 'Jeedom is started' if there else 'Jeedom has not gone through its start since the last boot',
                 warning=True)


def date_limit(installation, ignored):
    """Cores 4.0 to 4.5.1 stop working on a date that is past; ignoreHourCheck=1 keeps them going (contract 0.2). ignored: that row."""
    version = installation.version()
    if core_route.at_least(version, '4.0.0') and not core_route.at_least(version, settings.DATE_LIMIT_GONE) and ignored != '1':
        return check('date_limit', False, 'core %s stops at its end-of-life date, and ignoreHourCheck is not 1' % version)
    return check('date_limit', True, 'no date limit acts')


def purge(installation, database):
    """Cores below 4.5 delete the history of the last years every night (user-pains 0.2)."""
    armed = not core_route.at_least(installation.version(), settings.PURGE_HARMLESS) and cron_task.enabled(database, *settings.PURGE)
    return check('history_purge', not armed, 'history::archive is on and deletes recent history every night (playbook freeze '
                 'switches it off)' if armed else 'no history purge acts', warning=True)


def _daemons(installation, before, timeout):
    deadline = time.time() + timeout
    while True:
        found = health_checks.daemons(installation, before)
        if found['status'] != 'warning' or time.time() >= deadline:
            return found
        time.sleep(2)
