# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a box stands, out of its journal: versions, stage, what is left, what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from ansible_collections.jeedom.fleet.plugins.plugin_utils import again, journal

# The stages that a migration has to go through, in order.
WAY = ('assess', 'backup', 'fetch', 'prepare', 'upgrade', 'verify', 'commit')
DONE = ('migrated', 'already_done')
OTHER_PLAYBOOKS = ('assess', 'freeze', 'backup', 'verify', 'rollback', 'status', 'report')
_TARGET = 'jeedom_target'
# A playbook's path or collection name, its own name, and perhaps its suffix.
_NAME = re.compile(r'^(.*/|[a-z0-9_]+\.[a-z0-9_]+\.|)([^/.]*)', re.DOTALL)
# Shown first where only some can be shown: what somebody has to look at.
URGENCY = ('unknown', 'failed', 'rolled_back', 'blocked', 'stopped', 'ready', None, 'migrated', 'already_done')
WORDS = {'migrated': 'migrated', 'rolled_back': 'rolled back', 'blocked': 'blocked', 'failed': 'failed', 'unknown': 'unknown',
         'ready': 'ready', 'stopped': 'stopped', 'already_done': 'already on V4', None: '-'}
# How a migration ended, worst first, as an exit code. 2 and 4 mean to Ansible what they mean here: failed, not to be reached.
EXIT_CODES = {'unknown': 4, 'failed': 2, 'rolled_back': 10, 'blocked': 11, 'stopped': 12}


def exit_code(outcomes: Iterable[str | None]) -> int:
    """The code of the worst of some outcomes; 0 when all boxes are where they should be, or wait for a word."""
    found = set(outcomes)
    return next((code for outcome, code in EXIT_CODES.items() if outcome in found), 0)


def natural(host: str) -> tuple:
    """Sort key: box2 comes before box10."""
    return tuple((0, int(part), '') if part.isdigit() and part.isascii() else (1, 0, part) for part in re.split(r'([0-9]+)', host) if part)


def _part(value: Any, *keys: str) -> Any:
    """The first of some keys that a dict has a value for."""
    if isinstance(value, dict):
        for key in keys:
            if value.get(key):
                return value[key]
    return None


def versions(entry: dict, facts: dict | None = None) -> tuple[str, str, str]:
    """(from, target, now) as text, each empty when not known."""
    stages = entry.get('stages') or {}
    assess, upgrade = stages.get('assess') or {}, stages.get('upgrade') or {}
    route = _part(assess.get('result'), 'route')
    begin = (_part(upgrade.get('result'), 'from_version') or _part(assess.get('result'), 'from_version', 'version', 'current_version')
             or _part(_part(facts, 'core'), 'version_file', 'version_db'))
    target = (_part(assess.get('result'), 'target_version', 'target', 'to_version') or _part(assess.get('inputs'), 'target_version', 'target')
              or (route[-1] if isinstance(route, list) and route else None))
    now = begin
    if entry.get('outcome') == 'migrated':
        now = _part(upgrade.get('result'), 'version') or target
    elif entry.get('outcome') in ('unknown', 'failed') and (upgrade.get('status') not in (None, 'blocked')):
        # Nobody has looked since the first hop began.
        now = None
    return tuple(str(value) if isinstance(value, (str, int, float)) else '' for value in (begin, target, now))  # type: ignore[return-value]


def message(entry: dict) -> str:
    """The sentence that explains where the box stands: that of the stage that went wrong, else the last one."""
    stages = entry.get('stages') or {}
    mine = [stages[name] for name in journal.order(stages) if stages[name].get('run_id') == entry.get('run_id')]
    wrong = [stage['message'] for stage in mine if stage.get('status') in ('failed', 'unknown', 'blocked') and stage.get('message')]
    said = [stage['message'] for stage in mine if stage.get('message')]
    if entry.get('outcome') == 'migrated' and said:
        return said[-1]
    return (wrong or said or [''])[-1]


def duration(entry: dict) -> float:
    """Seconds from the first to the last event of the last run."""
    return max(0.0, float(entry.get('updated') or 0) - float(entry.get('started') or 0))


def left(entry: dict | None) -> list[str]:
    """Stages of a migration that the box has not been through."""
    if entry and entry.get('outcome') in DONE:
        return []
    run_id, stages = (entry or {}).get('run_id'), (entry or {}).get('stages') or {}

    def done(stage: dict) -> bool:
        # Skipped counts only for what was done before: a stage that was skipped for want of consent is still to come.
        since = (stage.get('ended') or 0) > ((entry or {}).get('updated') or 0)
        return (stage.get('run_id') == run_id or since) and (stage.get('status') == 'ok' or (stage.get('status') == 'skipped' and bool(stage.get('done'))))

    return [name for name in WAY if not done(stages.get(name) or {})]


def row(entry: dict, run_id: str | None = None) -> dict:
    """One row of the table of results, about the last run of a box or the one named here, which may only have added to it."""
    if run_id and entry.get('run_id') != run_id:
        times = [time for stage in (entry.get('stages') or {}).values() if stage.get('run_id') == run_id
                 for time in (stage.get('started'), stage.get('ended')) if time]
        entry = {**entry, 'run_id': run_id, 'started': min(times, default=0), 'updated': max(times, default=0)}
    begin, target, _now = versions(entry)
    return {'host': entry['host'], 'from': begin, 'to': target, 'outcome': entry.get('outcome'), 'stage': journal.reached(entry),
            'duration': duration(entry), 'message': message(entry)}


def playbook_name(arguments: dict) -> str:
    """The playbook's own name: C(migrate) of C(jeedom.fleet.migrate) and of C(playbooks/migrate.yml)."""
    # both parts may be empty, so it always matches
    return cast(re.Match, _NAME.match(str(arguments.get('playbook') or ''))).group(2)


def migrates(arguments: dict) -> bool:
    """Whether a run (run.json) was a migration: ours, or a playbook of the operator's own."""
    return playbook_name(arguments) not in OTHER_PLAYBOOKS


def scope(arguments: dict) -> tuple[str, ...]:
    """What chose the boxes of a run beside inventory and limit: jeedom_target, empty when it was not set, and files of variables."""
    extra = arguments.get('extra') or ()
    return (str(again.said(extra, _TARGET) or ''), *(text for text in extra if isinstance(text, str) and text.startswith('@')))


def to_go_on(mine: dict, run: dict) -> dict:
    """The arguments to go on with: those of a migration that has been begun (run.json), over the boxes that this call is about.

    mine: the arguments of this call, of another playbook.
    """
    begun = run.get('arguments')
    begun = begun if isinstance(begun, dict) else {}
    if playbook_name(begun) != 'migrate':
        return mine
    # The other site's boxes are not what was asked about.
    extra, group = again.without(begun.get('extra'), (_TARGET,)), again.said(mine.get('extra'), _TARGET)
    extra += again.words({_TARGET: group}) if group else []
    return {**begun, **{key: mine.get(key) for key in ('inventory', 'limit')}, 'extra': extra}


def next_step(outcomes: dict[str, str | None], arguments: dict) -> tuple[str, str] | None:
    """(why, command) to go on with a fleet, or None when nothing is left to do.

    outcomes: by box, None for one that has no outcome yet. arguments: those of the run (run.json). why ends with what the command lacks.
    """
    todo = [host for host, outcome in outcomes.items() if outcome not in DONE]
    if not todo:
        return None
    some = ','.join(todo) if len(todo) <= 5 and len(todo) < len(outcomes) and not any(',' in host for host in todo) else None
    extra: tuple[str, ...] = ()
    if any(outcomes[host] == 'ready' for host in todo):
        extra, why = ('jeedom_acknowledge=true',), 'read the findings in the report, then let the boxes that are ready go on'
    elif any(outcomes[host] == 'unknown' for host in todo):
        why = 'restore the link to the boxes that are unknown, then run again: work that goes on there is adopted'
    elif any(outcomes[host] in ('failed', 'rolled_back', 'blocked') for host in todo):
        why = 'see to the reasons given in the report, then run again: what is done is not done twice'
    else:
        why = 'run again: what is done is not done twice'
    playbook = arguments.get('playbook') or 'jeedom.fleet.migrate'
    # both parts may be empty, so it always matches
    folder, name = cast(re.Match, _NAME.match(playbook)).groups()
    if name in OTHER_PLAYBOOKS:
        # What goes on after these is the migration; a playbook of the operator's own stays what it is.
        playbook = f'{folder}migrate{playbook[len(folder) + len(name):]}'
    flags = [flag for flag in arguments.get('flags') or () if flag != '--check']
    lacks = again.not_said(arguments)
    return f'{why}. {lacks}' if lacks else why, again.command({**arguments, 'flags': flags}, limit=some, playbook=playbook, extra=extra)
