# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a run as a whole: C(<run id>/run.json)."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path
from typing import Any

from ansible.release import __version__ as ansible_version

from ansible_collections.jeedom.fleet.plugins.plugin_utils import again, artifacts, journal


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


def newest(root: Path) -> str | None:
    """The run that began last."""
    found = [(value.get('started') or 0, value['run_id'])
             for value in (artifacts.read_json(name, {}) for name in Path(root).glob('*/run.json'))
             if isinstance(value, dict) and value.get('run_id')]
    return max(found)[1] if found else None
