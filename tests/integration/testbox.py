# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox box as the tests see it: commands, our box code, harm, and what it holds compared with what it held."""

from __future__ import annotations

import hashlib
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


def need_root() -> None:
    """Fail, not skip, where no box can be started: a suite that has shown nothing must not look good."""
    if os.geteuid() != 0:
        pytest.fail('These tests start boxes, which needs root: run them as root.')


def fleet_name(kind: str) -> str:
    """The name of a fleet for a kind of tests (two letters), one of this clone: two clones on a machine do not meet."""
    return kind + hashlib.sha256(str(ROOT).encode()).hexdigest()[:4]


class Box:
    """A box, spoken to as root over one ssh connection a command."""

    def __init__(self, inventory: Path, host: str):
        group = json.loads('\n'.join(line for line in inventory.read_text().splitlines() if not line.startswith('#')))['jeedom']
        settings = dict(group['vars'], **group['hosts'][host])
        # "# Written by tests/sandbox/sandbox.py; gone with the fleet <name>."
        self.inventory, self.name, self.fleet = inventory, host, inventory.read_text().split('\n')[0].rstrip('.').split()[-1]
        self.ssh = ['ssh', *shlex.split(settings['ansible_ssh_common_args']), f'{settings["ansible_user"]}@{settings["ansible_host"]}']

    def sh(self, command: str, stdin: bytes | None = None, check: bool = True) -> str:
        """Output of a shell command as root."""
        done = subprocess.run([*self.ssh, 'sudo -n bash -c ' + shlex.quote(command)], input=stdin, capture_output=True, check=False,
                              timeout=400)
        if check and done.returncode:
            raise AssertionError(f'{command}: {done.returncode}\n{done.stderr.decode(errors="replace")[-2000:]}')
        return done.stdout.decode(errors='replace')

    def reset(self) -> None:
        """As it came up, as quiet as box() made it, with what /root/test holds beside our code."""
        kept = subprocess.run([*self.ssh, 'sudo -n tar c -C /root/test .'], capture_output=True, check=True, timeout=100).stdout
        self.sandbox('reset', self.name)
        self.sh('mkdir -p /root/test; tar x -C /root/test', kept)
        self.calm()

    def calm(self) -> None:
        """Let nothing on it change by itself while we compare."""
        self.sh('systemctl stop cron; rm -rf /var/lib/jeedom-fleet/staging/*; sleep 1; '
                'for n in $(seq 300); do pgrep -f "core/php/[j]eeCron.php" >/dev/null || break; sleep 0.1; done')

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

    def sandbox(self, *arguments: str) -> str:
        """What sandbox.py says: misbehave, behave, power, reset."""
        return sandbox(self.fleet, *arguments)

    def cable(self, state: str) -> None:
        """Pull the network cable of the box (down), or put it back (up)."""
        subprocess.run(['ip', '-n', f'{self.fleet}Ctl', 'link', 'set', f'v{self.name}', state], check=True, timeout=20)

    def call(self, module: str, **params) -> dict:
        """The result of one of our modules, its job waited for."""
        return self.do('call', module=module, **params)


def sandbox(fleet: str, *arguments: str) -> str:
    """What sandbox.py says of this fleet."""
    return subprocess.run([sys.executable, str(SANDBOX), '--name', fleet, *arguments], check=True, timeout=900, capture_output=True, text=True).stdout


def differences(now, then):
    """What differs between two (census, around), by name; the whole of it would bury the reader."""
    found = [f'{part} {name}: {then[0][part].get(name)} became {now[0][part].get(name)}' for part in ('files', 'tables')
             for name in sorted(set(now[0][part]) | set(then[0][part])) if now[0][part].get(name) != then[0][part].get(name)]
    return found[:20] + [f'{name}: {then[1].get(name)} became {now[1].get(name)}' for name in then[1] if now[1].get(name) != then[1].get(name)]


def assert_as_before(box, before, started=True, but=()):
    """Files by content, owner and mode; tables by their dump; engine, web, cache, backups; nothing left over.

    but: beginnings of the lines of differences() that are named exceptions.
    """
    then = (before[0], {name: value for name, value in before[1].items() if started or name != 'started'})
    found = [line for line in differences((box.do('census'), box.do('around')), then) if not line.startswith(tuple(but))]
    assert not found, '\n'.join(found)


def present(box):
    """A rollback point on the box, as a migration has one open."""
    result = box.call('rollback_point', route=['4.1.28'])
    assert result.get('changed') and not result.get('failed'), result
    return result


def everything(box):
    """(census, around) without what comes with the first start of a restored Jeedom."""
    # The cache comes back by Jeedom's own start, its folder and marker are not there before that.
    census, around = box.do('census'), box.do('around')
    for name in ('cache', 'started', 'leftovers'):
        around.pop(name)
    # Jeedom gives its dump another mode after it has put it into the archive.
    census['files'].pop('DB_backup.sql', None)
    return census, around
