# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run is at work on a box, and whether it is still alive: the second of two controllers is told, and goes away."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_CONTROLLER = re.compile(r'^(?P<host>.+) \(pid (?P<pid>\d+)\)$')
# Seconds after its last sign of life on a box in which a controller on another machine holds it: as long as a run may follow the job
# of one box of its wave (jeedom_upgrade_timeout) before a fork of it is free for the next.
SILENCE = 57600
# The process ids of a machine, as the kernel numbers that namespace; a container has others, also where it has the machine's name.
_OF_THE_MACHINE = 'pid:[4026531836]'


def _here() -> str:
    """Where process ids mean what they mean here."""
    try:
        numbers = os.readlink('/proc/self/ns/pid')
    except OSError:
        numbers = _OF_THE_MACHINE
    return socket.gethostname() + ('' if numbers == _OF_THE_MACHINE else f' {numbers}')


def name() -> str:
    """How this controller is known on the boxes; seen from a worker, whose parent is the playbook."""
    return f'{_here()} (pid {os.getppid()})'


def alive(controller: str | None, proc: Path = Path('/proc')) -> bool | None:
    """Whether the playbook that calls itself so still runs; None when it is on another machine, where nobody here can look.

    A playbook is not alive for itself.
    """
    found = _CONTROLLER.match(controller or '')
    if not found or found['host'] != _here():
        return None
    pid = int(found['pid'])
    if pid in (os.getpid(), os.getppid()):
        return False
    try:
        return b'ansible' in (proc / str(pid) / 'cmdline').read_bytes()
    except OSError:
        return False


def held_by(seen: dict, proc: Path = Path('/proc'), silence: float = SILENCE, take_over: bool = False) -> str:
    """Who holds the box and what is to be done, in words; empty when nobody does. seen: what rollback_point with state info returned.

    On this machine the process decides. A controller on another machine holds the box until its last sign of life there is older than
    silence (seconds, by the clock of the box), or the operator says that it is gone (take_over): between two of its looks lies
    what it has to do on the other boxes of its wave.
    """
    job, note = seen.get('live_job') or {}, seen.get('held') or {}
    followed = job.get('followed') or {}
    signs = [(followed.get('by'), job.get('run_id'), followed.get('ago')), (job.get('controller'), job.get('run_id'), job.get('ago'))]
    if note:
        # Who took the box, or let it go, knew what had been before.
        signs = [sign for sign in signs if (sign[2] or 0) <= note['since']] + [(note['by'], note['run_id'], note['ago'])]
    for controller, run_id, _ago in signs:
        ago = min(float(sign[2] or 0) for sign in signs if sign[0] == controller)
        living = alive(controller, proc)
        elsewhere = living is None and _CONTROLLER.match(controller or '') is not None
        if living or (elsewhere and ago < silence and not take_over):
            doing = f', whose job {job["id"]} is running there' if job else ', which has a migration open there'
            heard = f' and which gave its last sign of life {_duration(ago)} ago' if elsewhere else ''
            way = (f'or, when that controller is gone, take the box over with -e jeedom_take_over=true (after {_duration(silence)} of silence it is free '
                   'without that)') if elsewhere else 'then run the playbook again'
            return f'run {run_id} of the controller {controller}{doing}{heard}: wait for that run to end, {way}'
    return ''


def _duration(seconds: float) -> str:
    for size, unit in ((3600, 'h'), (60, 'min')):
        if seconds >= 2 * size:
            return f'{seconds / size:.0f} {unit}'
    return f'{seconds:.0f} s'
