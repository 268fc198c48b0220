# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves: which boxes a wave has, how they ended, and whether the next wave may start."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal


class WaveError(ValueError):
    """A setting of the waves that cannot be used; str() is the sentence for people."""


def number(value: Any, name: str) -> float | None:
    """A limit as a number (extra vars are strings, a percentage may carry its sign); None when it is not set."""
    if value is None or str(value).strip() == '':
        return None
    text = str(value).strip().rstrip('%').strip()
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float('inf'):
        raise WaveError(f'{name} is {str(value)!r}: give a number of boxes, or a percentage, from 0 on.')
    return found


def members(play_hosts: list[str], batch: list[str], judged: set[str], started: set[str]) -> list[str]:
    """The boxes of the current wave, in the order of the play.

    Ansible takes failed and unreachable boxes out of ansible_play_batch, so that alone would forget exactly those that
    matter (anchors E12): a box also belongs to the wave if it has begun in this run and no earlier gate has judged it,
    or if it stands between two boxes of the batch.
    """
    alive = set(batch)
    inside = [index for index, host in enumerate(play_hosts) if host in alive]
    span = set(play_hosts[min(inside):max(inside) + 1]) if inside else set()
    return [host for host in play_hosts if host not in judged and (host in span or host in started)]


def state(entry: dict | None, run_id: str, alive: bool) -> str:
    """How a box stands at the gate: its outcome; without one C(failed), C(unknown) or C(ok).

    alive: whether Ansible still works with it. A box that is gone and did not say how it ended is unknown.
    """
    mine = entry if entry and entry.get('run_id') == run_id else None
    outcome = mine.get('outcome') if mine else None
    if outcome:
        return outcome
    open_or_bad = [stage['status'] for stage in (mine or {}).get('stages', {}).values()
                   if stage.get('run_id') == run_id and stage.get('status') in ('started', 'failed', 'unknown')]
    if 'failed' in open_or_bad and 'started' not in open_or_bad:
        return 'failed'
    if open_or_bad or not alive:
        return 'unknown'
    return 'ok'


def judge(states: dict[str, str], max_failed: Any = None, max_failed_percent: Any = None) -> dict:
    """{passed, failed, unknown, bad, limit, reason} of a wave.

    Boxes that failed, were rolled back or are unknown count. Without any limit, none may; with one, that one holds; with
    both, both.
    """
    most = number(max_failed, 'jeedom_max_failed')
    percent = number(max_failed_percent, 'jeedom_max_failed_percent')
    if most is None and percent is None:
        most = 0.0
    bad = [host for host, value in states.items() if value in journal.BAD_OUTCOMES]
    allowed, words = [], []
    if most is not None:
        allowed.append(most)
        words.append(f'at most {most:g} may' if most else 'none may')
    if percent is not None:
        allowed.append(len(states) * percent / 100.0)
        words.append(f'at most {percent:g} % may')
    return {'passed': len(bad) <= min(allowed), 'bad': bad, 'counts': dict(Counter(states.values())),
            'limit': ' and '.join(words)}


def path(root: Path, run_id: str) -> Path:
    """Where the waves of a run are written down."""
    return Path(root) / artifacts.safe_name(run_id) / 'waves.json'


def read(root: Path, run_id: str) -> list[dict]:
    """The waves of a run that have been judged."""
    value = artifacts.read_json(path(root, run_id), [])
    return value if isinstance(value, list) else []


def add(root: Path, run_id: str, wave: dict) -> None:
    """Write down a judged wave."""
    with artifacts.locked(journal.folder(root)):
        artifacts.write_json(path(root, run_id), [*read(root, run_id), wave])


# -- maintenance window

_WINDOW = re.compile(r'^\s*([01]?[0-9]|2[0-3]):([0-5][0-9])\s*-\s*([01]?[0-9]|2[0-4]):([0-5][0-9])\s*$')
# Seconds that a box is taken to need when none has been through yet.
EXPECTED = 3600.0


def window_left(window: str, now: float | None = None) -> float:
    """Seconds that are left of today's maintenance window, 0 outside of it.

    window: C(22:00-05:00), by the clock of the controller; may go over midnight. Raises WaveError for anything else.
    """
    match = _WINDOW.match(str(window))
    if not match:
        raise WaveError(f'jeedom_window is {str(window)!r}: give it as "22:00-05:00", by the clock of the controller.')
    begin, end = (int(match[index]) * 3600 + int(match[index + 1]) * 60 for index in (1, 3))
    local = time.localtime(now)
    at = local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec
    length = (end - begin) % 86400 or 86400
    since = (at - begin) % 86400
    return float(length - since) if since < length else 0.0


def expected(entries: list[dict], told: Any = None) -> float:
    """Seconds that a wave will take: what the operator says (minutes), else the slowest box so far and a fifth more."""
    minutes = number(told, 'jeedom_expected_minutes')
    if minutes is not None:
        return minutes * 60
    known = [entry['updated'] - entry['started'] for entry in entries if entry.get('outcome') in ('migrated', 'rolled_back')]
    return max(known) * 1.2 if known else EXPECTED


def expected_change(entries: list[dict], told: Any = None) -> float:
    """Seconds that a box will take from its first change to its end: the slowest so far and a fifth more, else half of a wave (minutes)."""
    known = []
    for entry in entries:
        prepare = entry['stages'].get('prepare') or {}
        if entry.get('outcome') in ('migrated', 'rolled_back') and prepare.get('run_id') == entry.get('run_id') and prepare.get('started'):
            known.append(entry['updated'] - prepare['started'])
    return max(known) * 1.2 if known else expected([], told) / 2


def too_late(window: Any, entries: list[dict], told: Any = None, now: float | None = None) -> str:
    """Why a box must not be changed any more in this window, as a sentence; empty when it can still end in it, or there is none."""
    if not window:
        return ''
    left, need = window_left(window, now), expected_change(entries, told)
    if left >= need:
        return ''
    return (f'Looked at, backed up and fetched; nothing was changed: the maintenance window {window} has {int(left / 60)} min left, and what changes a box '
            f'takes about {int(need / 60 + 0.5)} min. Run again in the next one.')


# -- sizes and order of waves, for serial and hosts of a play

DEFAULT = [1, 5, '25%']


def listed(waves: Any) -> list:
    """The setting as a list: extra vars bring C(canary,5,25%)."""
    return [part.strip() for part in waves.strip('[] ').split(',')] if isinstance(waves, str) and waves else list(waves or DEFAULT)


def _is_name(entry: Any) -> bool:
    return isinstance(entry, str) and not re.match(r'^[0-9.]+\s*%?$', entry.strip())


def pattern(waves: Any, target: str = 'jeedom') -> str:
    """The hosts of the play, ordered so that the groups that jeedom_waves names come first."""
    names = [entry for entry in listed(waves) if _is_name(entry)]
    if not names:
        return target
    if re.search(r'[:,&!]', target):
        raise WaveError(f'jeedom_waves names groups ({", ".join(names)}), so jeedom_target has to be one group or host and not {target!r}.')
    return ':'.join([*names, target, f'&{target}'])


def sizes(waves: Any, hosts: list[str], groups: dict[str, list[str]], target: str = 'jeedom') -> list:
    """What C(serial) takes, numbers for the groups that jeedom_waves names; the rest is for ansible itself to compute.

    hosts: ansible_play_hosts_all, that is all hosts that --limit lets through. groups: as ansible has them.
    """
    entries = listed(waves)
    if not any(_is_name(entry) for entry in entries):
        for entry in entries:
            _size(entry, 1)
        return entries
    allowed = set(hosts)
    wanted = [host for host in groups.get(target, [target]) if host in allowed]
    return [len(wave) for wave in plan(entries, wanted, groups)] or [1]


def plan(waves: Any, hosts: list[str], groups: dict[str, list[str]]) -> list[list[str]]:
    """The waves as lists of boxes.

    waves: a list (or comma separated text) of numbers, percentages of the whole, and names of groups. The last number or
    percentage repeats until all boxes have their wave; boxes left over after names only are a last wave. Raises WaveError
    for what is neither.
    """
    entries = listed(waves)
    left, found = list(dict.fromkeys(hosts)), []
    last: Any = None
    for entry in entries:
        named = _is_name(entry) and entry in groups
        size = None if named else _size(entry, len(hosts))
        members_of = set(groups[entry]) if named else set()
        chosen = [host for host in left if host in members_of] if named else left[:size]
        last = size or last
        if chosen:
            found.append(chosen)
        taken = set(chosen)
        left = [host for host in left if host not in taken]
    while left:
        found.append(left[:last or len(left)])
        left = left[last or len(left):]
    return found


def _size(entry: Any, total: int) -> int:
    text = str(entry).strip()
    try:
        size = int(total * float(text[:-1]) / 100) if text.endswith('%') else int(text)
    except ValueError:
        size = -1
    if size < 0 or (size == 0 and not text.endswith('%')):
        raise WaveError(f'jeedom_waves names {text!r}, which is no number of boxes, no percentage and no group of the inventory.')
    return max(1, size)
