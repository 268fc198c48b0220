# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note on the box that says which run its open migration belongs to; in a file of its own, since jobs write state.json.

What it means is the controller's to decide (plugin_utils/holder.py). Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import jobs, system, transaction


def _path():
    return os.path.join(system.STATE_DIR, transaction.HELD)


def take(controller, run_id):
    """From now on the open migration is this run's; what an earlier one did counts no more. Whoever opened it needs no note."""
    system.state_dir()
    system.write_json(_path(), dict(by=controller or '', run_id=run_id, since=time.time()))


def release(controller, run_id, check_mode=False):
    """The run ends and leaves the migration open: whoever comes next need not wait. Returns whether the hold was this controller's."""
    held = told(transaction.state())
    ours = bool(controller) and held is not None and held['by'] == controller
    if ours and not check_mode:
        take('', run_id)
    return ours


def told(state):
    """{by, run_id, since, ago} of what transaction.state() gave, or None where nothing is open. An empty C(by) has let go.

    since: seconds since the run took the box. ago: seconds since its last sign of life: it took the box, or started or followed a job.
    """
    opened = state['transaction'] or {}
    if not opened and not state['restore']:
        return None
    now = time.time()
    # Without a note, whoever opened the migration.
    note = system.read_json(_path()) or dict(by=opened.get('controller'), run_id=opened.get('run_id'), since=opened.get('opened') or now)
    since = now - note['since']
    signs = [since]
    for job in jobs.known() if note['by'] else []:
        if job['controller'] == note['by']:
            signs.append(now - job['created'])
        if job['followed'] and job['followed']['by'] == note['by']:
            signs.append(job['followed']['ago'])
    return dict(by=note['by'] or '', run_id=note['run_id'], since=max(0.0, since), ago=max(0.0, min(signs)))
