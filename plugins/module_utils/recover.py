# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration is open and nobody works on it any more: at boot, or when its job was killed and no controller came.

Python 2.7 and 3.5+, standard library only.

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

# Seconds after the last sign of a killed job and of who followed it: a controller that is there takes the box back within seconds.
ALONE = 900


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


def abandoned(job, now):
    """Whether the newest job of the box was killed in this boot, and nobody has looked after it since. job: of jobs.inspect."""
    if job['state'] != 'died' or job['rebooted']:
        # A job with a result has a controller that decides, or a next run; a reboot is the other unit's.
        return False
    seen = [job['created'], job['status'].get('heartbeat') or 0]
    if job['followed']:
        seen.append(now - job['followed']['ago'])
    return now - max(seen) > ALONE


def watch():
    """The timer's program: what a reboot would do, once a killed job has been alone for long enough."""
    ids = jobs.job_ids()
    if not ids or not abandoned(jobs.inspect(ids[-1]), time.time()):
        return 0
    return main(alone=True)


def main(alone=False):
    """The systemd unit's program; exit code 0 unless no job could be started. alone: without a reboot."""
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
        if what == LEAVE and alone:
            # After a reboot Apache has not been started yet; here it runs.
            restore_web.stop()
    if what == LEAVE:
        return 0
    jobs.start('recover', 'recover', dict(alone=alone), 'boot', (transaction.current() or {}).get('run_id'),
               'the box itself, %s' % ('since its job was killed' if alone else 'at boot'))
    return 0


def job(params, context):
    """Finish or take back."""
    restore = _restore()
    state = transaction.state()
    what = decide(state, restore.BEGUN)
    alone = params.get('alone')
    context.log('recovering %s: %s' % ('a killed job' if alone else 'at boot', what))
    if what in (NOTHING, LEAVE):
        return dict(changed=False, recovered=what)
    opened = state['transaction'] or {}
    installation = Installation((state['restore'] or opened)['web_root'])
    cause = 'its job was killed and no controller came back' if alone else 'the box was rebooted'
    reason = cause + (' in the middle of the hop to %s' % opened.get('hop') if opened.get('step') == transaction.HOP
                      else ' while a migration was open')
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
