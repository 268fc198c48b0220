# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: per box, which stage ended how, with what inputs; what a second run resumes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts

SCHEMA = 1
# The order of a migration; a journal may hold other names (freeze, ...), they come after these.
STAGES = ('assess', 'backup', 'fetch', 'prepare', 'upgrade', 'verify', 'commit', 'rollback')
STATUSES = ('started', 'ok', 'skipped', 'blocked', 'failed', 'unknown', 'rolled_back')
OUTCOMES = ('migrated', 'rolled_back', 'blocked', 'failed', 'unknown', 'ready', 'stopped', 'already_done')
# These count against a wave: the box is not known to be on a whole V4, or to have been left alone on purpose.
BAD_OUTCOMES = ('failed', 'unknown', 'rolled_back')
KEEP_HISTORY = 20


def folder(root: Path) -> Path:
    """Where the journals are."""
    return Path(root) / 'journal'


def path(root: Path, host: str) -> Path:
    """The journal of one box."""
    return folder(root) / f'{artifacts.safe_name(host)}.json'


def _valid(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get('host'), str) and isinstance(value.get('stages'), dict)


def read(root: Path, host: str) -> dict | None:
    """The journal of one box, or None when there is none that can be read."""
    value = artifacts.read_json(path(root, host))
    return value if _valid(value) else None


def read_all(root: Path, most: int | None = None) -> list[dict]:
    """All journals, by host name, or so many of them; files that are no journals are left out."""
    found = []
    for name in sorted(folder(root).glob('*.json'))[:most]:
        value = artifacts.read_json(name)
        if _valid(value):
            found.append(value)
    return sorted(found, key=lambda entry: entry['host'])


def _update(root: Path, host: str, change: Callable[[dict], None], run_id: str) -> dict:
    with artifacts.locked(folder(root)):
        entry = read(root, host) or {'schema': SCHEMA, 'host': host, 'run_id': run_id, 'started': artifacts.now(),
                                     'outcome': None, 'stages': {}, 'history': []}
        change(entry)
        if entry['run_id'] == run_id:
            entry['updated'] = artifacts.now()
            # tells runs apart that were given the same id
            entry['process'] = artifacts.process_run_id()
        artifacts.write_json(path(root, host), entry)
    return entry


def of_run(entry: dict | None, run_id: str, process: str) -> dict | None:
    """A journal as a run of a process has left it; without its stages where another run has come since, None where it has no part in it."""
    if not entry:
        return None
    if entry.get('run_id') == run_id and entry.get('process') == process:
        return entry
    for run in reversed(entry.get('history') or []):
        if isinstance(run, dict) and run.get('run_id') == run_id and run.get('process') == process:
            # What had said nothing yet when another run came stays unknown.
            return dict(run, host=entry['host'], outcome=run.get('outcome') or 'unknown', stages={})
    return None


def enter(entry: dict, run_id: str, when: float) -> None:
    """Make a journal the one of this run: what earlier runs ended with goes to its history, stages stay."""
    if entry['run_id'] == run_id:
        return
    entry.setdefault('history', []).append({key: entry.get(key) for key in ('run_id', 'process', 'started', 'updated', 'outcome')})
    entry['history'] = entry['history'][-KEEP_HISTORY:]
    entry.update(run_id=run_id, started=when, outcome=None)


def apply(entry: dict, run_id: str, stage: str, status: str, when: float, message: str | None = None,
          inputs: Any = None, result: Any = None, outcome: str | None = None, beside: bool = False) -> dict:
    """Put one event into a journal; returns the stage's entry as it was before.

    beside: the run only adds to what is known of the box (a nightly backup): how its last migration ended stays.
    """
    if not beside:
        enter(entry, run_id, when)
    before = entry['stages'].get(stage) or {}
    same = before if before.get('run_id') == run_id and before.get('status') == 'started' else {}
    # A stage that has ended and is told of once more in the same run, by rescue for one, keeps what it said itself.
    mine = before if before.get('run_id') == run_id and status != 'started' else same
    now = {'status': status, 'run_id': run_id, 'started': mine.get('started', when),
           'ended': None if status == 'started' else when, 'message': message or '',
           'inputs': inputs if inputs is not None else mine.get('inputs'),
           'result': result if result is not None or same else mine.get('result')}
    done = before.get('done') or ({key: before.get(key) for key in ('started', 'ended', 'run_id')}
                                  if before.get('status') == 'ok' else None)
    if status in ('skipped', 'started') and done:
        # A stage that is skipped because it was done before keeps what is known of that; so does one that is looked at again.
        now['done'] = done
        now['inputs'] = before.get('inputs') if inputs is None else inputs
        now['result'] = before.get('result') if result is None else result
    entry['stages'][stage] = now
    if outcome is not None and not (beside and entry['run_id'] != run_id):
        entry['outcome'] = outcome
        prepare = entry['stages'].get('prepare') or {}
        if outcome in ('migrated', 'rolled_back') and prepare.get('run_id') == run_id and prepare.get('started'):
            # Kept from run to run: what a wave and a box are taken to need in a maintenance window (waves.expected).
            entry['took'] = {'whole': round(when - entry['started'], 3), 'changing': round(when - prepare['started'], 3)}
        # The run of this box is over: what was left open is what it broke off in.
        close(entry, run_id, 'unknown' if outcome == 'unknown' else 'failed', when, message or '')
    return before


def close(entry: dict, run_id: str, status: str, when: float, message: str) -> None:
    """End the stages that this run has begun and not ended."""
    for stage in entry['stages'].values():
        if stage.get('run_id') == run_id and stage.get('status') == 'started':
            stage.update(status=status, ended=when, message=stage.get('message') or message)


def record(root: Path, host: str, run_id: str, stage: str, status: str, message: str | None = None, inputs: Any = None,
           result: Any = None, outcome: str | None = None, beside: bool = False) -> dict:
    """Write one event to the journal of a box (see apply); returns the whole journal."""
    when = artifacts.now()

    def change(entry: dict) -> None:
        apply(entry, run_id, stage, status, when, message, inputs, result, outcome, beside)

    return _update(root, host, change, run_id)


def conclude(root: Path, host: str, run_id: str, outcome: str, message: str = '') -> dict | None:
    """End the run of a box that could not do so itself (unreachable, failed task): its open stage and its outcome.

    A box that has an outcome already keeps it: it was written by somebody who could still look.
    """
    if read(root, host) is None:
        return None

    def change(entry: dict) -> None:
        close(entry, run_id, 'unknown' if outcome == 'unknown' else 'failed', artifacts.now(), message)
        if entry['run_id'] == run_id and entry['outcome'] is None:
            entry['outcome'] = outcome

    return _update(root, host, change, run_id)


def beside(task_vars: dict, templar: Any) -> bool:
    """Whether the play only adds to what is known of its boxes (apply): its variable jeedom_beside_migration."""
    value = task_vars.get('jeedom_beside_migration')
    return boolean(templar.template(value), strict=False) if value is not None else False


def order(stages: dict) -> list[str]:
    """Names of stages as they come in a migration, unknown ones last."""
    known = [name for name in STAGES if name in stages]
    return known + sorted(name for name in stages if name not in STAGES)


def current(entry: dict, run_id: str) -> str:
    """The stage that this run has begun and not ended; else the one it got to; C(assess) when it has none yet."""
    if entry.get('run_id') != run_id:
        return STAGES[0]
    stages = entry.get('stages') or {}
    begun = [name for name in order(stages) if stages[name].get('run_id') == run_id and stages[name].get('status') == 'started']
    return begun[-1] if begun else reached(entry) or STAGES[0]


def reached(entry: dict) -> str:
    """The stage that the last run got to: the one with the latest event."""
    stages = entry.get('stages') or {}
    latest = [(stages[name].get('ended') or stages[name].get('started') or 0, index, name)
              for index, name in enumerate(order(stages)) if stages[name].get('run_id') == entry.get('run_id')]
    return max(latest)[2] if latest else ''
