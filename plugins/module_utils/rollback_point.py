# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollback_point module: a proved rollback point is there, or gone. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

# restore is not called from here: the recovery at boot needs it among the code that is packed.
from ansible_collections.jeedom.fleet.plugins.module_utils import (  # noqa: F401, pylint: disable=unused-import
    core_zips, engine, fault, hold, jobs, point_away, restore, restore_point, restore_unit, settings, system, transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.database import keeping_clients
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    state=dict(type='str', default='present', choices=['present', 'absent', 'info', 'held', 'released']),
    route=dict(type='list', elements='str'),
    location=dict(type='str', default='auto', choices=['auto', 'box', 'controller']),
    fetched=dict(type='str'),
    on_failure=dict(type='str', default='restore', choices=['restore', 'leave']),
    stage=dict(type='dict', options=core_zips.SPEC),
    **jobs.JOB_SPEC
)
# Percent of the job that getting the zips is.
STAGED = 5


@keeping_clients
def run(params, check_mode):
    """present: take one unless there is a proved one of the open migration. absent: commit, drop it. info: look. held, released: whose it is."""
    system.require_root()
    if params['state'] == 'info':
        return _info()
    if params['state'] in ('held', 'released'):
        return _hold(params, check_mode)
    installation = Installation(params['web_root'])
    if transaction.journal():
        raise BoxError('A restore of this box was cut in step %s: finish it with the rollback playbook first.'
                       % transaction.journal().get('step'), 'restore_unfinished')
    if params['state'] == 'absent':
        return _absent(installation, check_mode)
    opened, record = transaction.current(), restore_point.manifest()
    if params['fetched'] and opened and point_away.is_away(record):
        return _confirm(opened, record, params['fetched'], check_mode)
    if params['fetched'] and not check_mode:
        # A reboot has given everything back meanwhile; taking another one now would let prepare begin without it.
        raise BoxError('The controller has fetched a rollback point, and no migration of the box waits for it any more: run the playbook '
                       'again.', 'not_waiting')
    if opened and opened['step'] != transaction.OPENING:
        if record is None:
            raise BoxError('The migration of this box is open since run %s, but its rollback point is gone: restore the archive on '
                           'the controller (jeedom_rollback_source: archive).' % opened.get('run_id'), 'rollback_point_missing')
        if opened['step'] == transaction.OPEN and not point_away.is_away(record):
            restore_point.prove(record)
        return dict(changed=False, rollback_point=_summary(record), transaction=transaction.told(opened), held=hold.told(transaction.state()))
    if not opened:
        _check(installation, params['location'])
    if check_mode:
        return dict(changed=True, rollback_point=None)
    given = dict((key, params[key]) for key in ('web_root', 'route', 'location', 'on_failure', 'stage', 'run_id', 'controller'))
    job = jobs.start('rollback_point', 'rollback_point', given, installation.web_root, params['run_id'], params['controller'])
    return dict(jobs.started(job), live_job=jobs.live() if job['adopted'] else None)


def job(params, context):
    """Take the rollback point. A failure leaves engine and web as they were, and no open transaction."""
    installation = Installation(params['web_root'])
    context.secrets = installation.secrets()
    context.phase('check', 1)
    if transaction.current() and transaction.current()['step'] == transaction.OPENING:
        context.log('note: an earlier attempt was cut; starting over')
        restore_point.abort(installation, context)
    if transaction.current():
        raise BoxError('A migration of this box is open already (run %s): finish it, or take it back with the rollback playbook.'
                       % transaction.current().get('run_id'), 'transaction_open')
    if params.get('stage'):
        # While the box still works: a download that fails costs no outage and changes nothing.
        core_zips.ensure(dict(params['stage'], web_root=installation.web_root), context, STAGED)
        context.phase('check', STAGED, step='')
    taking = restore_point.Taking(installation, context)
    # What a cut commit or an older attempt left may only go when nothing is open.
    restore_point.drop(installation.web_root, installation.credentials())
    found, location = _check(installation, params.get('location') or 'auto', taking)
    recorded = engine.record(installation, found['database'])
    transaction.open(installation.web_root, found['database'].schema, recorded, found['version'], route=params.get('route'),
                     run_id=params.get('run_id'), controller=params.get('controller'), on_failure=params.get('on_failure', 'restore'))
    fault.point('point_opened')
    try:
        restore_unit.install()
        if location == point_away.CONTROLLER:
            context.log('the rollback point goes to the controller')
            record = point_away.take(installation, context, found, recorded)
        else:
            record = taking.take(found, recorded)
    except Exception:
        context.log('the rollback point cannot be taken: giving everything back')
        restore_point.abort(installation, context)
        raise
    return dict(changed=True, rollback_point=_summary(record))


def _check(installation, location, taking=None):
    """(what was found, where the rollback point will be). Raises when there is room for it nowhere."""
    if location != point_away.CONTROLLER:
        try:
            return (taking or restore_point.Taking(installation, None)).check(), point_away.HERE
        except BoxError as error:
            if location == point_away.HERE or error.code not in ('no_room', 'no_inodes'):
                raise
    return point_away.check(installation), point_away.CONTROLLER


def _confirm(opened, record, sha256, check_mode):
    """The controller has fetched the rollback point."""
    waiting = opened['step'] == transaction.OPENING
    if waiting and not check_mode:
        point_away.confirm(record, sha256)
    return dict(changed=waiting, rollback_point=_summary(record))


def _summary(record):
    return point_away.summary(record) if point_away.is_away(record) else restore_point.summary(record)


def _info():
    """Where the box stands; says nothing that could not be shown to everybody."""
    state, record = transaction.state(), restore_point.manifest()
    return dict(changed=False, transaction=transaction.told(state['transaction']), restore=transaction.told_restore(state['restore']),
                last=state['last'], live_job=jobs.live(), held=hold.told(state), rollback_point=_summary(record) if record else None)


def _hold(params, check_mode):
    """The open migration is the calling run's, or nobody's any more."""
    if params['state'] == 'released':
        return dict(changed=hold.release(params['controller'], params['run_id'], check_mode))
    before = hold.told(transaction.state())
    changed = before is not None and before['by'] != params['controller']
    if before is not None and not check_mode:
        hold.take(params['controller'], params['run_id'])
    return dict(changed=changed)


def _absent(installation, check_mode):
    opened = transaction.current()
    if opened and opened['step'] in (transaction.HOP, transaction.HOP_PROVED):
        raise BoxError('The hop to %s has begun and the migration is not proved, so the rollback point stays: finish the migration, or '
                       'take it back with the rollback playbook.' % opened.get('hop'), 'not_upgraded', step=opened['step'])
    web_root = opened['web_root'] if opened else installation.web_root
    if not opened and not restore_point.traces(web_root):
        return dict(changed=False, rollback_point=None)
    if not check_mode:
        installation = Installation(web_root)
        if opened:
            engine.start(installation, opened['engine'])
            noted = (opened.get('upgrade') or {}).get('settings')
            if opened['step'] == transaction.UPGRADED and noted:
                settings.give_back_archive(installation.database(), noted, installation.version())
        record = restore_point.manifest()
        restore_point.drop(web_root, record['connection'] if record else _connection(installation))
        restore_unit.remove()
        if opened:
            fault.point('commit_dropped')
            if opened['step'] == transaction.UPGRADED:
                settings.forget_freeze()
            transaction.close('committed' if opened['step'] == transaction.UPGRADED else 'aborted',
                              version=installation.version())
    return dict(changed=True, rollback_point=None)


def _connection(installation):
    try:
        return installation.credentials()
    except BoxError:
        return None
