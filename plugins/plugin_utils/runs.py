# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a run as a whole: C(<run id>/run.json)."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path
from typing import Any

from ansible.release import __version__ as ansible_version

from ansible_collections.jeedom.fleet.plugins.plugin_utils import again, artifacts, journal, status


def path(root: Path, run_id: str) -> Path:
    """Where it is written."""
    return Path(root) / artifacts.safe_name(run_id) / 'run.json'


def language(value: Any) -> str:
    """C(fr) or C(en) of the variable jeedom_language; anything else is English."""
    return 'fr' if str(value or '').lower().startswith('fr') else 'en'


def begin(root: Path, run_id: str, task_vars: dict, cliargs: Any) -> None:
    """Write down who began this run, how, and on which boxes. Whoever comes first does it; the others see the file."""
    target = path(root, run_id)
    if target.exists():
        return
    with artifacts.locked(journal.folder(root)):
        if target.exists():
            return
        try:
            user = getpass.getuser()
        except (KeyError, OSError):
            # a container without an entry for its user id
            user = 'unknown'
        artifacts.write_json(target, {
            'schema': 1, 'run_id': run_id, 'started': artifacts.now(), 'controller': socket.gethostname(), 'user': user,
            'ansible': ansible_version, 'arguments': again.arguments(cliargs),
            'hosts': [str(host) for host in task_vars.get('ansible_play_hosts_all') or []],
            'language': language(task_vars.get('jeedom_language'))})


def read(root: Path, run_id: str) -> dict:
    """What begin() wrote, or an empty dict."""
    value = artifacts.read_json(path(root, run_id), {})
    return value if isinstance(value, dict) else {}


def every(root: Path) -> list[dict]:
    """What begin() wrote of all runs on record, the newest first."""
    found = [value for value in (artifacts.read_json(name, {}) for name in Path(root).glob('*/run.json')) if isinstance(value, dict)]
    return sorted((value for value in found if isinstance(value.get('run_id'), str) and value['run_id']), key=_when, reverse=True)


def _when(run: dict) -> tuple[float, str]:
    started = run.get('started')
    return started if isinstance(started, (int, float)) else 0, run['run_id']


def newest(root: Path) -> str | None:
    """The run that began last."""
    found = every(root)
    return found[0]['run_id'] if found else None


def hosts(run: dict) -> list[str]:
    """The boxes that a run was about."""
    told = run.get('hosts')
    return [host for host in told if isinstance(host, str) and host] if isinstance(told, list) else []


def wanted(begun: list[dict]) -> list[str]:
    """The boxes that are to be migrated, after some runs (newest first): those of the newest run, and of all migrations.

    Our migration without --limit was about its whole inventory: what older ones over the same inventory were about does not count
    any more, so a box that is no longer in it is left out from then on. Unless most boxes are gone: that is another inventory.
    """
    found: list[str] = list(hosts(begun[0])) if begun else []
    whole: list[tuple[tuple, set[str]]] = []
    for run in begun:
        arguments, mine = run.get('arguments'), set(hosts(run))
        arguments = arguments if isinstance(arguments, dict) else {}
        about = (str(arguments.get('playbook')), str(arguments.get('inventory')), *status.scope(arguments))
        if not status.migrates(arguments) or any(about == other and 2 * len(mine & theirs) >= len(mine) for other, theirs in whole):
            continue
        found += hosts(run)
        if status.playbook_name(arguments) == 'migrate' and not arguments.get('limit'):
            whole.append((about, mine))
    return found
