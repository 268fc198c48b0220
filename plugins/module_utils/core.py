# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core module: the box runs this version of Jeedom's core, hop by hop, each proved, or is as it was before.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.jeedom.fleet.plugins.module_utils import core_route, core_upgrade, core_zips, jobs, transaction
from ansible_collections.jeedom.fleet.plugins.module_utils.database import keeping_clients
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

ARGUMENT_SPEC = dict(
    dict(COMMON_SPEC, **core_zips.SPEC),
    state=dict(type='str', default='present', choices=['present', 'staged']),
    on_failure=dict(type='str', default='restore', choices=['restore', 'leave']),
    plugins=dict(type='bool', default=True),
    hop_timeout=dict(type='int', default=14400),
    stall_timeout=dict(type='int', default=3600),
    tick_timeout=dict(type='int', default=180),
    **jobs.JOB_SPEC
)


@keeping_clients
def run(params, check_mode):
    """The core module: nothing to do, or start (adopt) the job that does it."""
    installation = Installation(params['web_root']).require()
    hops = core_route.parse(params['version'], params['route'])
    files = installation.version()
    in_database = installation.database().config('version')
    opened = transaction.current()
    step = (opened or {}).get('step')
    under_way = step in (transaction.HOP, transaction.HOP_PROVED)
    result = dict(from_version=files, version=hops[-1]['version'], hops=[])
    if files == in_database == hops[-1]['file_version'] and not under_way:
        return dict(result, changed=False, outcome='already_done', msg='The box runs version %s already.' % files)
    todo = core_route.remaining(hops, files)
    if not todo and not under_way:
        if not core_route.at_least(hops[-1]['file_version'], files):
            raise BoxError('The core is %s, newer than the wanted %s: an update cannot go back, only a restore can.'
                           % (files, params['version']), 'newer_core')
        raise BoxError('The files of the core are %s, its database is %s: an update broke off there; take the box back or finish it with '
                       "Jeedom's own updater before migrating it." % (files, in_database), 'half_migrated')
    if params['state'] == 'staged':
        return _staged(params, check_mode, todo, result)
    if params['on_failure'] == 'restore':
        _require_rollback_point(opened, installation, check_mode)
    if check_mode:
        return dict(result, changed=True, hops=[dict(version=hop['version']) for hop in todo],
                    msg='Version %s would become %s in %d hops.' % (files, params['version'], len(todo)))
    return _start(params, 'core', '%s to %s' % (installation.web_root, hops[-1]['version']))


def _staged(params, check_mode, todo, result):
    there = core_zips.staged(todo, params['zips'] or {})
    missing = [hop['version'] for hop in todo if hop['version'] not in there]
    if not missing or check_mode:
        return dict(result, changed=bool(missing), zips=there, outcome='staged',
                    msg='%d of %d core zips stand on the box.' % (len(there), len(todo)))
    return _start(params, 'stage', ' '.join(missing))


def _start(params, kind, key):
    given = dict((name, value) for name, value in params.items() if name not in jobs.JOB_SPEC)
    return jobs.started(jobs.start(kind, 'core', given, key, params['run_id'], params['controller']))


def _require_rollback_point(opened, installation, check_mode):
    if check_mode and not opened:
        # A check run has not taken the rollback point that the real one will have.
        return
    if not opened or opened.get('step') == transaction.OPENING:
        raise BoxError('No proved rollback point is on the box: take it first (rollback_point, state present), or set on_failure to leave.',
                       'no_transaction')
    if opened['web_root'] != installation.web_root:
        raise BoxError('The open migration is of %s, not of %s.' % (opened['web_root'], installation.web_root), 'other_transaction')


def job(params, context):
    """The upgrade itself, or the zips alone."""
    if params['state'] == 'staged':
        return core_zips.stage(params, context)
    return core_upgrade.Upgrade(params, context).perform()
