# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the kind that the report counts on, out of records of any kind: some are written as a box sent them."""

from __future__ import annotations

import functools
from typing import Any

from ansible_collections.jeedom.fleet.plugins.plugin_utils import journal

# Sums of numbers of this size are still numbers.
_LARGEST = 2 ** 63


def text(value: Any, language: str = 'en', width: int = 600) -> str:
    """Text of a value that may come from a box: one line, cut; of {en, fr} the one wanted."""
    if isinstance(value, dict):
        value = value.get(language) or value.get('en') or next(iter(value.values()), '')
    if isinstance(value, (list, tuple)):
        value = '; '.join(str(part) for part in value)
    return _clean(str('' if value is None else value), width)


@functools.lru_cache(maxsize=20000)
def _clean(clean: str, width: int) -> str:
    # Most texts come from many boxes: made once, they also stand in memory once.
    if not clean.isprintable():
        clean = ''.join(char if char.isprintable() else ' ' for char in clean)
    clean = ' '.join(clean.split())
    return clean if len(clean) <= width else clean[:width - 1] + '…'


def number(value: Any) -> float | None:
    """A number that can be counted with, or None; a bool is none, and neither are NaN, infinity and what is larger than any disk."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST else None


def items(value: Any) -> list[dict]:
    """The dicts of a list, or of a capped list (docs/facts.md)."""
    if isinstance(value, dict):
        value = value.get('items')
    return [item for item in value if isinstance(item, dict)] if isinstance(value, (list, tuple)) else []


def section(value: Any, *path: str) -> Any:
    """The value at a path of keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def whole(entry: dict) -> dict:
    """A journal in which all is of the kind that the report counts on; what is not is left out."""
    def stage(told: dict) -> dict:
        done = told.get('done')
        return {**told, **{key: number(told.get(key)) for key in ('started', 'ended')}, 'run_id': text(told.get('run_id'), width=200) or None,
                'done': {**done, 'run_id': text(done.get('run_id'), width=200)} if isinstance(done, dict) else None}

    return {**entry, **{key: number(entry.get(key)) or 0 for key in ('started', 'updated')},
            'run_id': text(entry.get('run_id'), width=200) or None,
            'outcome': entry.get('outcome') if entry.get('outcome') in journal.OUTCOMES else None,
            'history': [{**run, 'run_id': text(run.get('run_id'), width=200)} for run in items(entry.get('history'))],
            'stages': {name: stage(told) for name, told in entry['stages'].items() if isinstance(told, dict)}}


def wave(told: dict) -> dict:
    """A judged wave with all that is shown of it."""
    states = told.get('states')
    return {**told, **{key: number(told.get(key)) or 0 for key in ('number', 'started', 'ended', 'left')},
            'states': {text(host, width=200): text(state, width=20) for host, state in states.items()} if isinstance(states, dict) else {},
            'counts': told['counts'] if isinstance(told.get('counts'), dict) else {},
            'bad': [text(host, width=200) for host in told['bad']] if isinstance(told.get('bad'), list) else [],
            'limit': text(told.get('limit')), 'passed': told.get('passed') is not False}
