# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that started this run, so that it can be given again; without what may be secret, and that is said."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from collections.abc import Container
from typing import Any

import yaml

from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.splitter import parse_kv

# What others than we and Ansible read is left out, since a secret may have any name.
_OURS = re.compile(r'^(jeedom|ansible)_[a-z0-9_]+$')
# Names one run; the next one has another. That a controller is gone was said of one moment.
_ONCE = ('jeedom_run_id', 'jeedom_take_over')
# Said for one restore. A migration that got them would take a box that fails back to the archive, not to its rollback point.
_RESTORE = ('jeedom_rollback_source', 'jeedom_restore_archive', 'jeedom_restore_foreign_host', 'jeedom_restore_force')
_SECRET = re.compile(r'pass|secret|token|key|credential', re.IGNORECASE)
# Where a secret is, or who has it, is none.
_PLACE = re.compile(r'_(file|command|checking)$')
# Passwords inside values with harmless names: a proxy command, an address.
_TELLS = re.compile(r'sshpass|://[^/\s@]*:[^/\s@]*@')
# Ansible reads the same in name=value and in JSON of these only.
_WORD = re.compile(r'''^(?!.*(\{\{|\{%|\{#))[^'"\\\x00-\x1f]*\Z''')
UNREADABLE = 'an -e that cannot be read'
# Said again only when they were said before: name in CLIARGS -> option, and the constant that is its value otherwise.
_FLAGS = {
    'become': ('--become', 'DEFAULT_BECOME'), 'become_ask_pass': ('--ask-become-pass', ''), 'ask_pass': ('--ask-pass', ''),
    'ask_vault_pass': ('--ask-vault-pass', ''), 'check': ('--check', ''), 'diff': ('--diff', 'DIFF_ALWAYS'),
    'force_handlers': ('--force-handlers', 'DEFAULT_FORCE_HANDLERS')}
_OPTIONS = {
    'remote_user': ('--user', 'DEFAULT_REMOTE_USER'), 'private_key_file': ('--private-key', 'DEFAULT_PRIVATE_KEY_FILE'),
    'connection': ('--connection', 'DEFAULT_TRANSPORT'), 'timeout': ('--timeout', 'DEFAULT_TIMEOUT'),
    'ssh_common_args': ('--ssh-common-args', ''), 'ssh_extra_args': ('--ssh-extra-args', ''), 'scp_extra_args': ('--scp-extra-args', ''),
    'sftp_extra_args': ('--sftp-extra-args', ''), 'connection_password_file': ('--connection-password-file', 'CONNECTION_PASSWORD_FILE'),
    'become_method': ('--become-method', 'DEFAULT_BECOME_METHOD'), 'become_user': ('--become-user', 'DEFAULT_BECOME_USER'),
    'become_password_file': ('--become-password-file', 'BECOME_PASSWORD_FILE'), 'vault_ids': ('--vault-id', ''),
    'vault_password_files': ('--vault-password-file', ''), 'forks': ('--forks', 'DEFAULT_FORKS'), 'tags': ('--tags', 'TAGS_RUN'),
    'skip_tags': ('--skip-tags', 'TAGS_SKIP')}


def _pairs(text: str) -> dict:
    """The variables of an -e option that is no file, read as Ansible reads them; raises ValueError when they cannot be."""
    try:
        if not text.startswith(('{', '[')):
            return {name: str(value) for name, value in parse_kv(text).items() if name != '_raw_params'}
        try:
            found = json.loads(text)
        except ValueError:
            found = yaml.safe_load(text)
    except (AnsibleError, yaml.YAMLError) as error:
        raise ValueError('not readable') from error
    if not isinstance(found, dict):
        raise ValueError('no variables')
    return {str(name): value for name, value in found.items()}


def words(pairs: dict) -> list[str]:
    """The -e option that _pairs() reads back to the same."""
    if not pairs:
        return []
    if all(isinstance(value, str) and _WORD.match(value) for value in pairs.values()):
        return ['-e', ' '.join(f'{name}={shlex.quote(value)}' for name, value in pairs.items())]
    return ['-e', json.dumps(pairs)]


def _extra(values: Any) -> tuple[list[str], list[str]]:
    """(-e options that are ours or Ansible's and harmless, names of what was left out); files stay files."""
    found: list[str] = []
    missing: list[str] = []
    for text in (str(value) for value in values or ()):
        if text.startswith('@'):
            found += ['-e', text]
            continue
        try:
            pairs = {name: value for name, value in _pairs(text).items() if name not in _ONCE}
        except ValueError:
            missing.append(UNREADABLE)
            continue
        kept = {name: value for name, value in pairs.items() if _harmless(name, value)}
        found += words(kept)
        missing += [f'-e {name}' for name in pairs if name not in kept]
    return found, list(dict.fromkeys(missing))


def _harmless(name: str, value: Any) -> bool:
    """Whether a variable may be shown, and can be given again: dates and sets of YAML cannot."""
    if not _OURS.match(name) or (_SECRET.search(name) and not _PLACE.search(name)):
        return False
    try:
        return not _TELLS.search(json.dumps(value))
    except (TypeError, ValueError):
        return False


def _flags(get: Any) -> tuple[list[str], list[str]]:
    """(options that were given and are not what Ansible does anyway, those of them that may hold a secret)."""
    found = [option for name, (option, usual) in _FLAGS.items() if get(name) and not (usual and getattr(constants, usual, None))]
    missing = []
    for name, (option, usual) in _OPTIONS.items():
        value, unsaid = get(name), getattr(constants, usual, None) if usual else None
        if name == 'tags':
            unsaid = unsaid or ['all']
        if not value or sorted(_listed(value)) == sorted(_listed(unsaid)):
            continue
        for each in _listed(value):
            if _TELLS.search(each):
                missing.append(option)
            else:
                # one word: the value may begin with a dash
                found.append(f'{option}={each}')
    return found, missing


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, (list, tuple, set, frozenset)) else [str(value)]


def _given(extra: Any) -> list[tuple[str, dict]]:
    """(text, variables) of each -e option of run.json; a file has no variables here, and what is damaged is left out."""
    found: list[tuple[str, dict]] = []
    for text in (text for text in extra or () if isinstance(text, str) and text != '-e'):
        with contextlib.suppress(ValueError):
            found.append((text, {} if text.startswith('@') else _pairs(text)))
    return found


def without(extra: Any, names: Container[str]) -> list[str]:
    """-e options (run.json) without some variables."""
    return [word for text, pairs in _given(extra) for word in (
        ['-e', text] if text.startswith('@') else words({name: value for name, value in pairs.items() if name not in names}))]


def said(extra: Any, name: str) -> Any:
    """The value of a variable among -e options (run.json), the last one counts; None where it is not said there."""
    return ([pairs[name] for _text, pairs in _given(extra) if name in pairs] or [None])[-1]


def command(arguments: dict, limit: str | None = None, playbook: str | None = None, extra: tuple[str, ...] = ()) -> str:
    """A shell command: ansible-playbook with the inventory and settings of a run; not_said() names what it lacks.

    arguments: what run.json keeps (see arguments()). limit: other hosts than before. playbook: another one than before.
    extra: further C(-e) values.
    """
    line = ['ansible-playbook', playbook or arguments.get('playbook') or 'jeedom.fleet.migrate']
    for inventory in arguments.get('inventory') or ():
        line += ['-i', inventory]
    given = list(arguments.get('extra') or ())
    if not re.search(r'rollback(\.ya?ml)?$', line[1]):
        given = without(given, _RESTORE)
    line += given
    for text in extra:
        name, _is, value = text.partition('=')
        line += [] if str(said(given, name)).lower() == value else ['-e', text]
    wanted = limit or arguments.get('limit')
    if wanted:
        line += ['--limit', wanted]
    line += arguments.get('flags') or ()
    return ' '.join(shlex.quote(word) for word in line)


def not_said(arguments: dict) -> str:
    """A sentence for beside command(): what it does not repeat and the operator has to add; empty when it is whole."""
    missing = arguments.get('left_out') or ()
    return f'The command leaves out, so add yourself: {", ".join(missing)}.' if missing else ''


def arguments(cliargs: Any) -> dict:
    """{playbook, inventory, limit, extra, flags, left_out} of ansible's CLIARGS; empty parts where another program started us."""
    get = cliargs.get
    inventory = get('inventory') or ()
    inventory = [inventory] if isinstance(inventory, str) else list(inventory)
    limit = get('subset')
    playbooks = [str(name) for name in get('args') or ()] if isinstance(get('args'), (list, tuple)) else []
    (extra, hidden), (flags, untold) = _extra(get('extra_vars')), _flags(get)
    return {'playbook': playbooks[0] if playbooks else None, 'inventory': [str(name) for name in inventory],
            'limit': str(limit) if limit else None, 'extra': extra, 'flags': flags, 'left_out': hidden + untold}
