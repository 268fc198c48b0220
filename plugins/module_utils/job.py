# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job module: look at, wait for, or stop a detached job. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os

from ansible_collections.jeedom.fleet.plugins.module_utils import jobs
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

ARGUMENT_SPEC = dict(
    id=dict(type='str'),
    kind=dict(type='str'),
    state=dict(type='str', default='finished', choices=['info', 'finished', 'stopped']),
    wait_timeout=dict(type='int', default=14400),
    log_lines=dict(type='int', default=20),
)


def run(params, check_mode):
    """The state of one job. Waiting is the action plugin's part: it polls and reconnects, this only looks."""
    job_id = params['id'] or _newest(params['kind'])
    if job_id is None:
        return dict(changed=False, job=None, jobs=jobs.known())
    job = jobs.inspect(job_id)
    changed = False
    if params['state'] == 'stopped' and job['state'] == 'running':
        changed = True
        if not check_mode:
            job = jobs.stop(job_id)
    job['log_tail'] = _tail(os.path.join(job['dir'], 'log'), params['log_lines'])
    return dict(changed=changed, job=job)


def _newest(kind):
    for job_id in reversed(jobs.job_ids()):
        if kind is None or job_id.startswith(kind + '-'):
            return job_id
    if kind is None:
        return None
    raise BoxError('There is no %s job on the box.' % kind, 'no_such_job')


def _tail(path, count):
    try:
        with io.open(path, encoding='utf-8', errors='replace') as stream:
            return stream.read().splitlines()[-count:]
    except (IOError, OSError):
        return []
