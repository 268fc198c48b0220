# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox box for tests that break things: one machine for all of them, brought up here unless it is named.

JEEDOM_TEST_BOX=<inventory file>:<host> names a box that is up; JEEDOM_TEST_CORE=<git directory> puts a genuine core on
the one that is brought up.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SANDBOX = ROOT / 'tests' / 'sandbox' / 'sandbox.py'
PACKAGE = 'ansible_collections/jeedom/fleet/plugins/module_utils'
FLEET = 'rst'


class Box:
    """A box, spoken to as root over one ssh connection a command."""

    def __init__(self, inventory: Path, host: str):
        group = json.loads('\n'.join(line for line in inventory.read_text().splitlines() if not line.startswith('#')))['jeedom']
        settings = dict(group['vars'], **group['hosts'][host])
        self.ssh = ['ssh', *shlex.split(settings['ansible_ssh_common_args']), f'{settings["ansible_user"]}@{settings["ansible_host"]}']

    def sh(self, command: str, stdin: bytes | None = None, check: bool = True) -> str:
        """Output of a shell command as root."""
        done = subprocess.run([*self.ssh, 'sudo -n bash -c ' + shlex.quote(command)], input=stdin, capture_output=True, check=False,
                              timeout=400)
        if check and done.returncode:
            raise AssertionError(f'{command}: {done.returncode}\n{done.stderr.decode(errors="replace")[-2000:]}')
        return done.stdout.decode(errors='replace')

    def install(self) -> None:
        """Our code of right now, and the program that calls it."""
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, 'w', zipfile.ZIP_DEFLATED) as archive:
            for count in range(1, PACKAGE.count('/') + 2):
                archive.writestr('/'.join(PACKAGE.split('/')[:count]) + '/__init__.py', '')
            for path in (ROOT / 'plugins' / 'module_utils').glob('*.py'):
                if path.stem not in ('__init__', 'shell'):
                    archive.writestr(f'{PACKAGE}/{path.name}', path.read_text(encoding='utf-8'))
        self.sh('mkdir -p /root/test && cat > /root/test/code.zip', memory.getvalue())
        self.sh('cat > /root/test/on_box.py', (HERE / 'on_box.py').read_bytes())

    def do(self, verb: str, python: str = 'python3', **params) -> dict:
        """The answer of on_box.py."""
        return json.loads(self.sh(f'{python} /root/test/on_box.py {verb} {shlex.quote(json.dumps(params))}').splitlines()[-1])

    def call(self, module: str, **params) -> dict:
        """The result of one of our modules, its job waited for."""
        return self.do('call', module=module, **params)


def _sandbox(*arguments: str) -> None:
    subprocess.run([sys.executable, str(SANDBOX), '--name', FLEET, *arguments], check=True, timeout=900)


@pytest.fixture(scope='session')
def box(tmp_path_factory):
    """A box with our code on it. Its cron daemon is stopped, so that nothing changes by itself while we compare."""
    named = os.environ.get('JEEDOM_TEST_BOX')
    if not named and os.geteuid() != 0:
        pytest.skip('boxes need root')
    if named:
        inventory, host = named.rsplit(':', 1)
        found = Box(Path(inventory), host)
    else:
        inventory = tmp_path_factory.mktemp('inventory') / 'hosts.yml'
        core = os.environ.get('JEEDOM_TEST_CORE')
        _sandbox('--inventory', str(inventory), 'up', '--boxes', '1', *(['--core', core] if core else []))
        found = Box(inventory, 'box1')
    found.install()
    found.sh('systemctl stop cron; rm -rf /var/lib/jeedom-fleet/staging/*; sleep 1')
    yield found
    if named:
        found.sh('systemctl start cron')
    else:
        _sandbox('--inventory', str(inventory), 'down')
