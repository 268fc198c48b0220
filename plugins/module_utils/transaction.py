# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open transaction of a box: what has to be given back until commit or rollback.

It is one record in /var/lib/jeedom-fleet/state.json, {"transaction": {...} or null, "restore": {...} or null, "last": {...}},
written atomically. "restore" is the journal of a restore under way (restore.py).
Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# Values of "step", in order.
OPENING = 'opening'     # the rollback point is being taken: nothing on the box has changed but the engine
OPEN = 'open'           # the rollback point is proved; prepare may have changed settings and plugins
HOP = 'hop'             # a hop has begun and is not proved yet ("hop" names its version)
HOP_PROVED = 'hop_proved'   # the last hop is proved, further ones follow
UPGRADED = 'upgraded'   # every hop is proved: the box runs the target version
# Given up when the disk is full, so that the record can still be written then.
PAD = 'state.pad'
PAD_BYTES = 64 << 10
# Beside it: which run holds the open migration (hold.py).
HELD = 'held.json'


def _path():
    return os.path.join(system.STATE_DIR, 'state.json')


def state():
    """The whole record: {transaction, restore, last}. A file that cannot be read is an error, never "no transaction"."""
    path = _path()
    if not os.path.exists(path):
        return dict(transaction=None, restore=None, last=None)
    value = system.read_json(path)
    if not isinstance(value, dict):
        raise BoxError('%s on the box cannot be read as JSON, so it is unknown whether a migration is under way: look at '
                       '/var/lib/jeedom-fleet/rollback/manifest.json, then restore with the restore module or remove the file.'
                       % path, 'state_unreadable')
    for key in ('transaction', 'restore', 'last'):
        value.setdefault(key, None)
    return value


def current():
    """The open transaction as a dict, or None.

    Keys: id, opened (seconds since the epoch), boot_id, web_root, schema, step (constants above), hop, from_version,
    route, run_id, engine (what engine.record gave), settings (what prepare must give back).
    """
    return state()['transaction']


def told(opened):
    """What everybody may know of the open migration; None without one."""
    if not opened:
        return None
    keys = ('id', 'opened', 'step', 'hop', 'from_version', 'route', 'run_id', 'controller', 'web_root', 'on_failure', 'location', 'removed_plugins')
    return dict(((key, opened.get(key)) for key in keys), plugins_updated=(opened.get('upgrade') or {}).get('plugins_updated') or [])


def told_restore(begun):
    """What everybody may know of a restore that was cut; None without one."""
    return dict((key, begun.get(key)) for key in ('step', 'source', 'version', 'reason')) if begun else None


def last():
    """How the last transaction ended: {outcome, ended, ...}, or None."""
    return state()['last']


def open(web_root, schema, engine, from_version, **keys):  # pylint: disable=redefined-builtin
    """Open a transaction in step "opening". engine: what engine.record gave. Raises when one is open already."""
    before = state()
    if before['transaction']:
        raise BoxError('A migration of this box is open already since %s (run %s): finish it, or take it back with the rollback '
                       'playbook.' % (_when(before['transaction'].get('opened')), before['transaction'].get('run_id')),
                       'transaction_open')
    now = time.time()
    record = dict(id=time.strftime('%Y%m%dT%H%M%S', time.gmtime(now)), opened=now, boot_id=system.boot_id(),
                  web_root=web_root, schema=schema, engine=engine, from_version=from_version, step=OPENING, settings={})
    record.update(keys)
    system.state_dir()
    _keep_pad()
    _write(dict(before, transaction=record))
    return record


def update(**keys):
    """Set keys of the open transaction (None removes one) and return it. Written before the step it announces."""
    value = state()
    if not value['transaction']:
        raise BoxError('No migration is open on this box, so %s cannot be recorded: take the rollback point first '
                       '(rollback_point, state present).' % ', '.join(sorted(keys)), 'no_transaction')
    for key, content in keys.items():
        if content is None:
            value['transaction'].pop(key, None)
        else:
            value['transaction'][key] = content
    _write(value)
    return value['transaction']


def close(outcome, **facts):
    """End the open transaction and the restore under way, in one write.

    outcome: committed, rolled_back, restored or aborted; facts go into "last" beside it.
    """
    value = state()
    record = value['transaction'] or {}
    ended = dict(outcome=outcome, ended=time.time(), id=record.get('id'), run_id=record.get('run_id'),
                 from_version=record.get('from_version'))
    ended.update(facts)
    _write(dict(value, transaction=None, restore=None, last=ended))
    _drop(os.path.join(system.STATE_DIR, PAD))
    _drop(os.path.join(system.STATE_DIR, HELD))
    return ended


def journal():
    """The journal of a restore under way, or None."""
    return state()['restore']


def write_journal(record):
    """Set the journal of the restore under way; None when it has ended. Written before the step that it announces."""
    value = dict(state(), restore=record)
    if record or value['transaction']:
        system.state_dir()
        _keep_pad()
    _write(value)
    if not record and not value['transaction']:
        _drop(os.path.join(system.STATE_DIR, PAD))


def note(**facts):
    """Add to "last" what whoever comes next should know, such as what the recovery at boot did."""
    value = state()
    _write(dict(value, last=dict(value['last'] or {}, **facts)))


def _write(value):
    try:
        system.write_json(_path(), value)
    except (IOError, OSError) as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _drop(os.path.join(system.STATE_DIR, PAD))
        system.write_json(_path(), value)


def _keep_pad():
    path = os.path.join(system.STATE_DIR, PAD)
    if not os.path.exists(path):
        system.atomic_write(path, b'\0' * PAD_BYTES)


def _drop(path):
    try:
        os.unlink(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def _when(seconds):
    return time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(seconds)) if seconds else 'an unknown time'
