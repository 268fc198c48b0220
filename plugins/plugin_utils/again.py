# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that started this run, so that it can be given again; without what may be secret."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

_OURS = re.compile(r'^jeedom_[a-z0-9_]+$')
# Names one run; the next one has another. That a controller is gone was said of one moment.
_ONCE = ('jeedom_run_id', 'jeedom_take_over')
# Said for one restore. A migration that got them would take a box that fails back to the archive, not to its rollback point.
_RESTORE = ('jeedom_rollback_source', 'jeedom_restore_archive', 'jeedom_restore_foreign_host', 'jeedom_restore_force')
_SECRET = re.compile(r'pass|secret|token|key|credential', re.IGNORECASE)
# Said again only when they were said before: name in CLIARGS -> option.
_FLAGS = {'become_ask_pass': '--ask-become-pass', 'ask_pass': '--ask-pass', 'ask_vault_pass': '--ask-vault-pass', 'check': '--check'}


def _extra(values: Any) -> list[str]:
    """-e options that are ours and harmless; files stay files, anything else may hold a secret and is left out."""
    found = []
    for value in values or ():
        text = str(value)
        if text.startswith('@'):
            found += ['-e', text]
            continue
        try:
            pairs = json.loads(text) if text.lstrip().startswith('{') else dict(
                word.split('=', 1) for word in shlex.split(text) if '=' in word)
        except ValueError:
            continue
        kept = {name: val for name, val in pairs.items() if _OURS.match(name) and name not in _ONCE and not _SECRET.search(name)}
        if any(not isinstance(val, str) for val in kept.values()):
            found += ['-e', json.dumps(kept)]
        elif kept:
            found += ['-e', ' '.join(f'{name}={shlex.quote(val)}' for name, val in kept.items())]
    return found


def _not_for_restore(given: list[str]) -> list[str]:
    """-e options without what was said for one restore."""
    found: list[str] = []
    for text in (text for text in given if text != '-e'):
        if text.startswith('@'):
            found += ['-e', text]
        elif text.lstrip().startswith('{'):
            kept = {name: value for name, value in json.loads(text).items() if name not in _RESTORE}
            found += ['-e', json.dumps(kept)] if kept else []
        else:
            pairs = [word.partition('=') for word in shlex.split(text)]
            words = [f'{name}={shlex.quote(value)}' for name, _is, value in pairs if name not in _RESTORE]
            found += ['-e', ' '.join(words)] if words else []
    return found


def command(arguments: dict, limit: str | None = None, playbook: str | None = None, extra: tuple[str, ...] = ()) -> str:
    """A shell command: ansible-playbook with the inventory and settings of a run.

    arguments: what run.json keeps (see arguments()). limit: other hosts than before. playbook: another one than before.
    extra: further C(-e) values.
    """
    words = ['ansible-playbook', playbook or arguments.get('playbook') or 'jeedom.fleet.migrate']
    for inventory in arguments.get('inventory') or ():
        words += ['-i', inventory]
    given = list(arguments.get('extra') or ())
    if not re.search(r'rollback(\.ya?ml)?$', words[1]):
        given = _not_for_restore(given)
    words += given
    for value in extra:
        said = any(value in shlex.split(text) for text in given if not text.startswith(('@', '{')))
        words += [] if said else ['-e', value]
    wanted = limit or arguments.get('limit')
    if wanted:
        words += ['--limit', wanted]
    words += arguments.get('flags') or ()
    return ' '.join(shlex.quote(word) for word in words)


def arguments(cliargs: Any) -> dict:
    """{playbook, inventory, limit, extra, flags} of ansible's CLIARGS; empty parts where another program started us."""
    get = cliargs.get
    inventory = get('inventory') or ()
    inventory = [inventory] if isinstance(inventory, str) else list(inventory)
    limit = get('subset')
    playbooks = [str(name) for name in get('args') or ()] if isinstance(get('args'), (list, tuple)) else []
    return {'playbook': playbooks[0] if playbooks else None, 'inventory': [str(name) for name in inventory],
            'limit': str(limit) if limit else None, 'extra': _extra(get('extra_vars')),
            'flags': [option for name, option in _FLAGS.items() if get(name)]}
