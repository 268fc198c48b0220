# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""At boot: a migration is open and nobody works on it any more. Python 2.7 and 3.5+, standard library only.

main() decides and starts a job, which whoever comes next can follow like any other; job() does it.
docs/explanation/transaction.md has the table of decisions.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import importlib
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    engine, jobs, point_away, restore_point, restore_unit, restore_web, transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import Installation

# Decisions.
NOTHING, FINISH, FORGET, ABORT, TAKE_BACK, GO_ON, LEAVE = 'nothing', 'finish', 'forget', 'abort', 'take_back', 'go_on', 'leave'


def decide(state, begun):
    """What to do with a box that is in this state and has no job. begun: steps of a restore from which it is finished."""
    if state['restore']:
        if state['restore']['step'] in begun:
            return FINISH
        if point_away.is_away(state['transaction']):
            return LEAVE
        return TAKE_BACK if state['transaction'] else FORGET
    if not state['transaction']:
        return NOTHING
    step = state['transaction']['step']
    if step == transaction.OPENING:
        return ABORT
    # A proved target version is not thrown away; everything else goes back, unless the operator wants to look at it first, or the
    # controller has what is needed for it.
    return GO_ON if step == transaction.UPGRADED else LEAVE if _left(state['transaction']) else TAKE_BACK


def _left(opened):
    return opened.get('on_failure') == 'leave' or point_away.is_away(opened)


def _restore():
    # restore imports this module, so that it is packed; on Python 2 two modules cannot import each other by name.
    return importlib.import_module(jobs.PACKAGE + '.restore')


def main():
    """The systemd unit's program; exit code 0 unless no job could be started."""
    restore = _restore()
    what = decide(transaction.state(), restore.BEGUN)
    if what == NOTHING:
        restore_unit.remove()
        return 0
    if jobs.running():
        return 0
    if what in (FINISH, TAKE_BACK) or (what == LEAVE and point_away.is_away(transaction.current())):
        # Nobody shall be served by a Jeedom that is half one version and half the other.
        restore_web.hold()
    if what == LEAVE:
        return 0
    jobs.start('recover', 'recover', dict(), 'boot', (transaction.current() or {}).get('run_id'), 'the box itself, at boot')
    return 0


def job(params, context):
    """Finish or take back."""
    restore = _restore()
    state = transaction.state()
    what = decide(state, restore.BEGUN)
    context.log('recovering at boot: %s' % what)
    if what in (NOTHING, LEAVE):
        return dict(changed=False, recovered=what)
    opened = state['transaction'] or {}
    installation = Installation((state['restore'] or opened)['web_root'])
    reason = ('the box was rebooted in the middle of the hop to %s' % opened.get('hop') if opened.get('step') == transaction.HOP
              else 'the box was rebooted while a migration was open')
    result = {}
    try:
        if what == FINISH:
            result = restore.job({}, context)
        elif what == FORGET:
            restore.forget(context)
        elif what == ABORT:
            restore_point.abort(installation, context)
        elif what == TAKE_BACK:
            result = restore.take_back(installation, context, reason)
        else:
            engine.start(installation, opened['engine'], context)
    except BoxError as error:
        transaction.note(recovered=what, recovered_at=time.time(), recovery_error=error.msg)
        raise
    transaction.note(recovered=what, recovered_at=time.time())
    return dict(result, changed=True, recovered=what)
