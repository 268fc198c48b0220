# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for a job on a box: cheap looks that wait there, live lines, reconnect with back-off, one dict at the end."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.jeedom.fleet.plugins.plugin_utils import holder, progress

JOBS = '/var/lib/jeedom-fleet/jobs'
# Seconds that a look waits on the box for the end of the job: little at first, for a line to show, then more each time.
FIRST_WAIT, GROWTH, LONGEST_WAIT = 0.5, 1.6, 5.0
# Between looks at a job without a process: its result may be on its way to the disk.
GONE_PAUSE = 1.0
_SEPARATOR = '@@jeedom-fleet@@'


class LinkLost(Exception):
    """The box cannot be reached for longer than is tolerated; what runs there goes on."""


def patiently(call: Callable, reset: Callable, patience: float, notify: Callable[[str], None] = lambda text: None):
    """Call until it does not end in a connection failure; raise LinkLost after C(patience) seconds without an answer."""
    lost_since, pause = None, 1.0
    while True:
        try:
            value = call()
        except AnsibleConnectionFailure as error:
            now = time.monotonic()
            if lost_since is None:
                lost_since = now
                notify('link lost, trying again')
            if now - lost_since >= patience:
                raise LinkLost(str(error).splitlines()[0] if str(error) else 'no answer') from error
            time.sleep(min(pause, patience))
            pause = min(pause * 2, 15.0)
            try:
                reset()
            except Exception:  # pylint: disable=broad-except
                # resetting a connection that is already gone may fail in any way; the next call tells
                continue
        else:
            if lost_since is not None:
                notify('link is back')
            return value


_PID = 'p=$(sed -n \'s/.*"pid": *\\([0-9]*\\).*/\\1/p\' "$d/status.json" 2>/dev/null); '
# Everything about the job in folder $d: status, whether its process lives, its result.
LOOK = (f'cat "$d/status.json" 2>/dev/null; echo; echo {_SEPARATOR}; '
        'cat /proc/sys/kernel/random/boot_id; '
        f'{_PID}'
        '[ -n "$p" ] && cut -d" " -f1-60 "/proc/$p/stat" 2>/dev/null; '
        f'echo; echo {_SEPARATOR}; [ -f "$d/rc" ] && cat "$d/rc" "$d/result.json" 2>/dev/null; '
        '[ -d "$d" ] || echo missing; true')


def command(job_id: str, follower: str = '', wait: float = 0) -> str:
    """One shell command that tells everything about a job: status, whether its process lives, its result.

    follower: holder.name(); leaves a note on the box that this controller is alive and waits for the job. wait: seconds
    that the command waits on the box for the end of the job's process, so that the end is known at once at the price of a slow poll.
    """
    note = f'[ -d "$d" ] && echo {shlex.quote(follower)} 2>/dev/null >"$d/followed"; ' if follower else ''
    until = f'{_PID}[ -n "$p" ] && timeout {wait:.1f} tail --pid="$p" -s 0.05 -f /dev/null; ' if wait else ''
    return f'd={shlex.quote(f"{JOBS}/{job_id}")}; {note}{until}{LOOK}'


def _record(text: str) -> dict | None:
    """What a file of a job says; None when it is damaged."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _countable(value: object) -> bool:
    """Whether it is a number as our jobs write them, neither endless nor none at all."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2 ** 53


def parse(stdout: str) -> dict:
    """{status, alive, rebooted, rc, result, missing} of the output of command()."""
    # On a terminal, which ssh gives where there is no pipelining, lines end in CR LF.
    parts = (stdout.replace('\r\n', '\n').split(_SEPARATOR) + ['', ''])[:3]
    status = _record(parts[0]) or {}
    for key in ('started', 'heartbeat', 'percent'):
        if key in status and not _countable(status[key]):
            del status[key]
    lines = [line for line in parts[1].splitlines() if line.strip()]
    boot = lines[0].strip() if lines else ''
    alive = False
    if len(lines) > 1 and boot == status.get('boot_id'):
        fields = lines[1].rsplit(')', 1)[-1].split()
        alive = len(fields) > 19 and fields[0] not in 'ZX' and fields[19] == str(status.get('start_time'))
    rc, _newline, rest = parts[2].strip().partition('\n')
    ended = rc.isascii() and rc.isdigit() and len(rc) < 10
    result = _record(rest) if ended else None
    return {'status': status, 'alive': alive, 'rebooted': bool(status) and bool(boot) and boot != status.get('boot_id'),
            'rc': int(rc) if ended else None, 'result': result, 'missing': rc == 'missing'}


def follow(job_id: str, execute: Callable[[str], dict], reset: Callable, host: str, stage: str, timeout: float,
           patience: float, display: Callable[[str], None]) -> dict:
    """Wait for the end of a job and return the module result.

    execute: runs a shell command on the box as root and gives C(stdout). timeout: seconds for the job; when it is over
    the job goes on, and the result says so. patience: seconds without a link before it counts as lost.
    A lost link is a *failed* result with C(connection_lost), never an unreachable host: rescue must run (anchors E12).
    """
    lines = progress.Lines(host, stage, display)
    begin, wait, longer, gone = time.monotonic(), FIRST_WAIT, FIRST_WAIT, 0
    while True:
        try:
            answer = patiently(lambda wait=wait: execute(command(job_id, holder.name(), wait)), reset, patience, lines.note)
        except LinkLost as lost:
            return {'failed': True, 'connection_lost': True, 'error_code': 'connection_lost', 'job': {'id': job_id},
                    'msg': f'{host} has not answered for {patience:.0f} s while job {job_id} was running there ({lost}): the job '
                           'goes on by itself; restore the link and run the playbook again, it will adopt the job.'}
        seen = parse(answer.get('stdout', ''))
        lines.update(seen['status'])
        if seen['rc'] is not None and seen['result'] is not None:
            result = dict(seen['result'])
            result.setdefault('changed', True)
            result['job'] = {'id': job_id, 'rc': seen['rc'], 'duration': _duration(seen['status'])}
            if seen['rc'] and not result.get('failed'):
                result.update(failed=True)
            lines.end(result)
            return result
        # One look may fall between the end of the process and its result file: only several in a row mean death.
        gone = 0 if seen['alive'] else gone + 1
        if gone >= 4 and (seen['status'] or seen['missing'] or gone >= 20):
            if seen['missing']:
                return {'failed': True, 'error_code': 'no_such_job', 'job': {'id': job_id}, 'msg': f'There is no job {job_id} on {host}.'}
            why = 'the box was rebooted' if seen['rebooted'] else 'its process is gone'
            return {'failed': True, 'error_code': 'job_died', 'rebooted': seen['rebooted'], 'job': {'id': job_id},
                    'msg': f'Job {job_id} on {host} ended without a result: {why} in phase '
                           f'{seen["status"].get("phase", "unknown")}; look at {JOBS}/{job_id}/log there.'}
        if time.monotonic() - begin > timeout:
            return {'failed': True, 'error_code': 'job_timeout', 'job': {'id': job_id},
                    'msg': f'Job {job_id} on {host} has not ended after {timeout:.0f} s (phase '
                           f'{seen["status"].get("phase", "unknown")}, {seen["status"].get("percent", 0)} %): it goes on; run the '
                           'playbook again to follow it, or stop it with the job module.'}
        if seen['alive']:
            wait = longer = min(longer * GROWTH, LONGEST_WAIT)
        else:
            wait = 0.0
            time.sleep(GONE_PAUSE)


def _duration(status: dict) -> float:
    return round(max(0.0, status.get('heartbeat', 0) - status.get('started', 0)), 1)
