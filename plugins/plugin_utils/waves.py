# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves: which boxes a wave has, how they ended, and whether the next wave may start."""

from __future__ import annotations

import datetime
import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal


class WaveError(ValueError):
    """A setting of the waves that cannot be used; str() is the sentence for people."""


# What the number of a setting counts, where it counts no boxes.
_UNITS = {'jeedom_max_failed_percent': 'a percentage', 'jeedom_soak': 'a number of seconds', 'jeedom_expected_minutes': 'a number of minutes'}


def number(value: Any, name: str) -> float | None:
    """A setting as a number (extra vars are strings, a percentage may carry its sign); None when it is not set."""
    if value is None or str(value).strip() == '':
        return None
    unit = _UNITS.get(name, 'a number of boxes')
    text = str(value).strip()
    if unit == 'a percentage':
        text = text.rstrip('%').strip()
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float('inf'):
        hint = ' A percentage goes into jeedom_max_failed_percent.' if name == 'jeedom_max_failed' and text.endswith('%') else ''
        raise WaveError(f'{name} is {str(value)!r}: give {unit}, from 0 on.{hint}')
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

    alive: whether Ansible still works with it. A box that is gone and did not say how it ended is unknown; so is one of which
    this run has no record at all, since a box says something in its first stage.
    """
    mine = entry if entry and entry.get('run_id') == run_id else None
    if mine is None:
        return 'unknown'
    outcome = mine.get('outcome')
    if outcome:
        return outcome
    open_or_bad = [stage['status'] for stage in mine.get('stages', {}).values()
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
# Outcomes of boxes in whose homes nothing has changed that somebody could complain about.
UNCHANGED = ('already_done', 'blocked', 'ready', 'stopped')
# Seconds that a box is taken to need when none has been through yet.
EXPECTED = 3600.0


def window_left(window: str, now: float | None = None) -> float:
    """Seconds that are left of the maintenance window that is open now, 0 outside of one.

    window: C(22:00-05:00), by the clock of the controller; may go over midnight, and a night in which the clocks change is as
    long as it is. Raises WaveError for anything else.
    """
    match = _WINDOW.match(str(window))
    if not match:
        raise WaveError(f'jeedom_window is {str(window)!r}: give it as "22:00-05:00", by the clock of the controller.')
    hour, minute, last_hour, last_minute = (int(part) for part in match.groups())
    moment = time.time() if now is None else now
    over_midnight = (last_hour, last_minute) <= (hour, minute)
    today = datetime.datetime.combine(datetime.datetime.fromtimestamp(moment).date(), datetime.time())
    for day in (today, today - datetime.timedelta(days=1)):
        # Local time without a zone: the clock on the wall, whatever the zone does in between.
        begin = day + datetime.timedelta(hours=hour, minutes=minute)
        end = day + datetime.timedelta(days=over_midnight, hours=last_hour, minutes=last_minute)
        if begin.timestamp() <= moment < end.timestamp():
            return end.timestamp() - moment
    return 0.0


def _known(entries: Iterable[dict], what: str) -> list[float]:
    """Seconds that boxes have needed: what their journals keep of the last migration that came to an end (journal.apply)."""
    found = [(entry.get('took') or {}).get(what) for entry in entries]
    return [float(seconds) for seconds in found if isinstance(seconds, (int, float)) and 0 < seconds < float('inf')]


def expected(entries: list[dict], told: Any = None) -> float:
    """Seconds that a wave will take: what the operator says (minutes), else the slowest box so far and a fifth more."""
    minutes = number(told, 'jeedom_expected_minutes')
    if minutes is not None:
        return minutes * 60
    known = _known(entries, 'whole')
    return max(known) * 1.2 if known else EXPECTED


def expected_change(entries: list[dict], told: Any = None) -> float:
    """Seconds that a box will take from its first change to its end: the slowest so far and a fifth more, and not less than half
    of what the operator says of a wave (minutes); without both, half of what a wave is taken to need."""
    known = _known(entries, 'changing')
    minutes = number(told, 'jeedom_expected_minutes')
    if not known:
        return expected([], told) / 2
    return max(max(known) * 1.2, (minutes or 0.0) * 30)


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
    """The setting as a list: extra vars and surveys bring C(canary,5,25%), C(["canary", 5]) or 5."""
    if isinstance(waves, str):
        text = waves.strip()
        if text.startswith('['):
            try:
                waves = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise WaveError(f'jeedom_waves is {text!r}: give a list as [canary, 5, 25%], or canary,5,25%.') from error
        else:
            waves = [part.strip() for part in text.split(',') if part.strip()]
    elif isinstance(waves, (int, float)) and not isinstance(waves, bool):
        waves = [waves]
    return list(waves or DEFAULT)


def _is_name(entry: Any) -> bool:
    return isinstance(entry, str) and not re.match(r'^-?[0-9.]+\s*%?$', entry.strip())


def pattern(waves: Any, hosts: list[str], groups: dict[str, list[str]]) -> str:
    """The hosts of the play, by name and in the order of their waves."""
    return ','.join(host for wave in plan(waves, hosts, groups) for host in wave)


def sizes(waves: Any, hosts: list[str], groups: dict[str, list[str]]) -> list[int]:
    """What C(serial) takes: the sizes of the waves of plan(). Ansible wants one also where there is no box."""
    return [len(wave) for wave in plan(waves, hosts, groups)] or [1]


def plan(waves: Any, hosts: list[str], groups: dict[str, list[str]]) -> list[list[str]]:
    """The waves as lists of boxes.

    waves: a list (or comma separated text) of numbers, percentages of the whole, and names of groups or boxes, in the order in
    which they go. A box belongs to the wave that names it, wherever that stands, and numbers count what no wave names. The last
    number or percentage repeats until all boxes have their wave, before the waves that are named after it; without one, the boxes
    left over are a last wave. Raises WaveError for what is none of these.
    """
    entries = listed(waves)
    boxes = list(dict.fromkeys(hosts))
    known = set(boxes) | {host for group in groups.values() for host in group}
    named: dict[int, list[str]] = {}
    taken: set[str] = set()
    for index, entry in enumerate(entries):
        if not _is_name(entry):
            _size(entry, len(boxes))
            continue
        if entry not in groups and entry not in known:
            raise WaveError(_NONE.format(str(entry)))
        members_of = set(groups[entry] if entry in groups else [entry]) - taken
        named[index] = [host for host in boxes if host in members_of]
        taken |= members_of
    left = [host for host in boxes if host not in taken]
    counted = [index for index in range(len(entries)) if index not in named]
    found: list[list[str]] = []
    for index, entry in enumerate(entries):
        if index in named:
            found.append(named[index])
            continue
        size = _size(entry, len(boxes))
        while left:
            found.append(left[:size])
            left = left[size:]
            if index != counted[-1]:
                break
    return [wave for wave in [*found, left] if wave]


_NONE = 'jeedom_waves names {0!r}, which is no number of boxes, no percentage, and no group or box of the inventory.'


def _size(entry: Any, total: int) -> int:
    text = str(entry).strip()
    try:
        size = int(total * float(text[:-1]) / 100) if text.endswith('%') else int(text)
    except (ValueError, OverflowError):
        size = -1
    if size < 0 or (size == 0 and not text.endswith('%')):
        raise WaveError(_NONE.format(text))
    return max(1, size)
