# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run is at work on a box, and whether it is still alive: the second of two controllers is told, and goes away."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_CONTROLLER = re.compile(r'^(?P<host>.+) \(pid (?P<pid>\d+)\)$')
# Seconds after its last look (follow.LONGEST_POLL) in which a controller on another machine counts as alive.
RECENT = 60


def name() -> str:
    """How this controller is known on the boxes; seen from a worker, whose parent is the playbook."""
    return f'{socket.gethostname()} (pid {os.getppid()})'


def alive(controller: str | None, proc: Path = Path('/proc')) -> bool | None:
    """Whether the playbook that calls itself so still runs; None when it is on another machine, where nobody here can look.

    A playbook is not alive for itself.
    """
    found = _CONTROLLER.match(controller or '')
    if not found or found['host'] != socket.gethostname():
        return None
    pid = int(found['pid'])
    if pid in (os.getpid(), os.getppid()):
        return False
    try:
        return b'ansible' in (proc / str(pid) / 'cmdline').read_bytes()
    except OSError:
        return False


def held_by(seen: dict, proc: Path = Path('/proc')) -> str:
    """Who holds the box, in words; empty when nobody does. seen: what rollback_point with state info returned.

    On this machine the process decides. A controller on another machine holds the box as long as it follows a job there.
    """
    job, opened = seen.get('live_job') or {}, seen.get('transaction') or {}
    followed = job.get('followed') or {}
    for controller, run_id in ((followed.get('by'), job.get('run_id')), (job.get('controller'), job.get('run_id')),
                               (opened.get('controller'), opened.get('run_id'))):
        living = alive(controller, proc)
        if living is None and controller and controller == followed.get('by'):
            living = float(followed.get('ago', RECENT)) < RECENT
        if living:
            doing = f', whose job {job["id"]} is running there' if job else ', which has a migration open there'
            return f'run {run_id} of the controller {controller}{doing}'
    return ''
