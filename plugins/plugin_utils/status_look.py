# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a box stands right now: one look by shell, compared with what the journal says."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from ansible_collections.jeedom.fleet.plugins.plugin_utils import follow, status
from ansible_collections.jeedom.fleet.plugins.plugin_utils.progress import clock, printable

_MARK = '@@jeedom-fleet-status@@'
_VERSION = re.compile(r'^[0-9][0-9A-Za-z.\-]{0,30}$')


def command(web_root: str) -> str:
    """One shell command: version of the files, our state, the newest job and all about it. Reads only."""
    version = shlex.quote(f'{web_root.rstrip("/")}/core/config/version')
    return (f'id -u; echo {_MARK}; cat {version} 2>/dev/null; echo; echo {_MARK}; cat /var/lib/jeedom-fleet/state.json 2>/dev/null; echo; '
            f'echo {_MARK}; j=$(ls -1 {follow.JOBS} 2>/dev/null | sed -n "s/^\\([a-z_]*\\)-\\([0-9T]*-[0-9a-f]*\\)$/\\2 \\1/p" | sort | tail -n 1); '
            f'[ -n "$j" ] && d="{follow.JOBS}/${{j#* }}-${{j%% *}}" && echo "${{d##*/}}" && echo {_MARK} && {follow.LOOK}; true')


def parse(stdout: str) -> dict:
    """{uid, version, transaction, job} of the output; a job is {id, kind, state, phase, step, percent, elapsed, line, msg}."""
    pieces = stdout.split(_MARK)
    uid, version, state, job_id = ([part.strip() for part in pieces] + [''] * 4)[:4]
    try:
        told = json.loads(state)
    except (ValueError, RecursionError):
        told = {}
    open_one = told.get('transaction') if isinstance(told, dict) else None
    said = uid.splitlines()[-1] if uid else ''
    found: dict[str, Any] = {'uid': int(said) if said.isascii() and said.isdigit() and len(said) < 20 else None,
                             'version': version if _VERSION.match(version) else None, 'transaction': None, 'job': None}
    if isinstance(open_one, dict):
        found['transaction'] = {key: printable(open_one.get(key) or '', 60) for key in ('step', 'from_version', 'run_id')}
    if job_id and len(pieces) > 4:
        found['job'] = _job(job_id, follow.parse(pieces[4]))
    return found


def _job(job_id: str, seen: dict) -> dict:
    now, result = seen['status'], seen['result'] or {}
    ended = seen['rc'] is not None
    state = ('failed' if seen['rc'] else 'finished') if ended else 'running' if seen['alive'] else 'died'
    elapsed = max(0.0, now.get('heartbeat', 0.0) - now.get('started', 0.0))
    return {'id': printable(job_id, 60), 'kind': printable(job_id.split('-', 1)[0], 30), 'state': state, 'phase': printable(now.get('phase') or '', 40),
            'step': printable(now.get('step') or '', 60), 'percent': min(100, max(0, int(now.get('percent', 0)))), 'elapsed': round(elapsed, 1),
            'line': printable(now.get('line') or '', 120), 'msg': printable(result.get('msg') or '', 300)}


def judge(entry: dict | None, seen: dict | None, error: str = '') -> dict:
    """{state, text, version}: where the box stands, in one word and one sentence.

    entry: its journal on this controller, or None. seen: what parse() gave, or None when the box cannot be reached; error says why.
    state: unreachable, running, interrupted (an open transaction and nothing that works on it), or the outcome, or C(new).
    """
    outcome = (entry or {}).get('outcome')
    said = status.WORDS.get(outcome, str(outcome)) if entry else 'no journal here'
    target = status.versions(entry)[1] if entry else ''
    if seen is None:
        return {'state': 'unreachable', 'version': '', 'text': f'cannot be reached; last known here: {said}' + (f'; {error}' if error else '')}
    version, job, open_one = seen['version'] or '', seen['job'], seen['transaction']
    if job and job['state'] == 'running':
        what = ': '.join(part for part in (job['step'], job['phase']) if part)
        return {'state': 'running', 'version': version, 'text': f'{job["kind"]} is running, {job["percent"]} %, {clock(job["elapsed"])}, {what}'}
    if open_one:
        return {'state': 'interrupted', 'version': version,
                'text': f'a migration from {open_one["from_version"] or "?"} is open (step {open_one["step"] or "unknown"}) and nothing works on it: '
                        'run the migration again, it finishes or takes the box back'}
    if outcome in (None, 'unknown', 'failed') and entry and target and version == target:
        return {'state': 'interrupted', 'version': version, 'text': f'is on {version} though the journal says "{said}": run the migration again, it verifies'}
    stood = _stood(entry, target) if outcome in status.DONE else ()
    if stood and version and version not in stood:
        return {'state': 'interrupted', 'version': version,
                'text': f'{"was migrated to" if outcome == "migrated" else "was on"} {stood[0]} and is on {version} now: somebody changed it since'}
    if entry is None:
        return {'state': 'new', 'version': version, 'text': 'not touched from this controller yet' if version else 'no Jeedom found in its web root'}
    return {'state': outcome or 'stopped', 'version': version, 'text': status.message(entry) or said}


def _stood(entry: dict | None, target: str) -> tuple[str, ...]:
    """Versions that a box that is done may be on: its target, and, where it was found done already, the one it was found on."""
    result = (((entry or {}).get('stages') or {}).get('assess') or {}).get('result')
    found = result.get('from_version') if isinstance(result, dict) and (entry or {}).get('outcome') == 'already_done' else None
    return tuple(str(version) for version in (found, target) if version)
