# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A box of the sandbox under observation."""

from __future__ import annotations

import json
import shlex
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
WEB = '/var/www/html'
UPDATE = f'{WEB}/install/update.php'
# The next hop.
ROUTE = {'3.3.60': '4.0.63', '4.0.63': '4.1.28', '4.1.28': '4.4.20', '4.4.20': '4.5.3'}


@dataclass
class Run:
    """A command that has run on a box: exit code and everything it said."""

    code: int
    text: str
    seconds: float

    @property
    def last(self) -> str:
        """The last line that says something; wget and others may still write after the core's marker."""
        return next((line for line in reversed(self.text.splitlines()) if line.strip()), '')

    def count(self, part: str) -> int:
        """How often something is said."""
        return self.text.count(part)


class Box:
    """One box with a core of one version."""

    def __init__(self, fleet, name: str, version: str, misbehave: Callable[[str, str], None]):
        """misbehave(rule, match): lets the stand-in site misbehave to this box until it is fresh again."""
        self.fleet, self.name, self.version, self.misbehave = fleet, name, version, misbehave

    def sh(self, command: str, **options) -> Run:
        """A shell command as root."""
        begin = time.monotonic()
        done = self.fleet.enter(self.name, command, **options)
        return Run(done.returncode, done.stdout, time.monotonic() - begin)

    def python(self, script: str) -> Run:
        """A Python script as root, from stdin."""
        return self.sh('python3 -', input=script)

    def www(self, command: str) -> Run:
        """A command as the web user, the way the core is meant to be called: the guard of the updater does not count sudo."""
        return self.sh(f'cd /; sudo -u www-data {command} 2>&1')

    def php(self, code: str) -> Run:
        """PHP in the core's own environment."""
        return self.www('php -r ' + shlex.quote(f'require "{WEB}/core/php/core.inc.php"; {code}'))

    def sql(self, query: str) -> list[list[str]]:
        """Rows."""
        text = self.sh('mysql --default-character-set=utf8mb4 -N --raw jeedom', input=query).text
        return [line.split('\t') for line in text.splitlines() if line]

    def config(self, **values: str) -> None:
        """Keys of the core's configuration; __ stands for ::, None removes."""
        for name, value in values.items():
            key = name.replace('__', '::')
            if value is None:
                self.sql(f"DELETE FROM config WHERE plugin='core' AND `key`='{key}'")
            else:
                self.sql(f"REPLACE INTO config SET plugin='core', `key`='{key}', value='{value}'")

    def zip_size(self, version: str) -> int:
        """Bytes of a core's archive, as the download site has it."""
        return (self.fleet.state / 'zips' / f'core-{version}.zip').stat().st_size

    def zipped(self, version: str) -> list[zipfile.ZipInfo]:
        """The files of a core's archive, named as they are below the web root."""
        with zipfile.ZipFile(self.fleet.state / 'zips' / f'core-{version}.zip') as archive:
            found = [one for one in archive.infolist() if not one.is_dir()]
        for one in found:
            one.filename = one.filename.split('/', 1)[1]
        return found

    def market_user(self) -> None:
        """Credentials of a market user: versions 4.0 and 4.1 do not ask the market without."""
        self.config(market__username='someone', market__password='a' * 40)

    def update(self, branch: str | None = None, options: str = 'plugins=0 core=1', start: str = 'sudo -u www-data php') -> Run:
        """The core's own updater."""
        if branch:
            self.config(core__branch=branch)
        return self.sh(f'cd /; {start} {UPDATE} {options} 2>&1')

    def backup(self) -> Run:
        """The core's own backup."""
        return self.www(f'php {WEB}/install/backup.php')

    def restore(self, archive: str = '') -> Run:
        """The core's own restore."""
        return self.www(f'php {WEB}/install/restore.php {shlex.quote("backup=" + archive) if archive else ""}')

    def look(self) -> dict:
        """Everything that can be seen: see probe.py."""
        done = self.sh('python3 - 2>/tmp/probe.err || cat /tmp/probe.err', input=(HERE / 'probe.py').read_text(encoding='utf-8'))
        try:
            return json.loads(done.text)
        except ValueError:
            raise AssertionError(f'The probe failed on {self.name}: {done.text[-500:]}') from None

    def kill_when(self, condition: str, options: str = 'plugins=0 core=1') -> Run:
        """Start an update to the next version and SIGKILL it as soon as a condition holds, over out (what it said) and waiting(path: not yet moved)."""
        # the miniature takes its time then, so that the kill meets the phase that it is meant for; the genuine core does not know the key
        self.config(mini__slow='4')
        script = f'''
import os, signal, subprocess, time
def waiting(path):
    # folders and empty files stay where they were unpacked
    return any(os.path.getsize(os.path.join(top, name)) for top, _folders, names in os.walk('/tmp/jeedom_unzip/core-{ROUTE[self.version]}/' + path)
               for name in names)
def said():
    return open('/tmp/killed.out', errors='replace').read()
handle = open('/tmp/killed.out', 'wb')
# not through sudo, which stops whenever its child does
updater = subprocess.Popen(['php', {UPDATE!r}] + {options.split()!r}, stdout=handle, stderr=handle, cwd='/',
                           user='www-data', group='www-data', extra_groups=[])
# on a busy machine, too, the eye has to be faster than what it watches; it sleeps in between, or it would starve the machine
os.nice(-20)
end = time.time() + 240
hit = False
while time.time() < end and not hit and updater.poll() is None:
    if 'Moving files' in said():
        # step by step from here on: it stands still while it is looked at
        updater.send_signal(signal.SIGSTOP)
        out = said()
        hit = bool({condition})
        updater.send_signal(signal.SIGKILL if hit else signal.SIGCONT)
    time.sleep(0.0005)
updater.kill()
time.sleep(1)
print('HIT' if hit else 'MISSED')
print(said())
'''
        return self.python(script)
