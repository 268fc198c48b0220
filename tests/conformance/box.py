# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A box of the sandbox under observation."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
WEB = '/var/www/html'
UPDATE = f'{WEB}/install/update.php'
ROUTE = {'3.3.60': '4.0.63', '4.0.63': '4.1.28', '4.1.28': '4.4.20', '4.4.20': '4.5.3'}
# What the version file of a release holds: the tag 4.0.63 is special.
FILE = {'4.0.63': '4.0.62'}


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

    def __init__(self, fleet, name: str, version: str):
        self.fleet, self.name, self.version = fleet, name, version

    def sh(self, command: str, **options) -> Run:
        """A shell command as root."""
        begin = time.monotonic()
        done = self.fleet.ssh(self.name, command, check=False, **options)
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

    def file(self, branch: str) -> str:
        """What the version file of a release holds."""
        return FILE.get(branch, branch)

    def kill_when(self, condition: str, options: str = 'plugins=0 core=1') -> Run:
        """Start an update and SIGKILL it as soon as a condition holds, over out (what it said) and waiting(path)."""
        # the miniature takes its time then, so that the kill meets the phase that it is meant for; the genuine core does not know the key
        self.config(mini__slow='4')
        script = f'''
import glob, os, subprocess, time
WEB = {WEB!r}
root = []
def waiting(path):
    root[:] = root or glob.glob('/tmp/jeedom_unzip/core-*')
    return bool(root) and os.path.exists(root[0] + '/' + path)
def updaters():
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        try:
            words = open(path, 'rb').read().split(b'\\0')
        except OSError:
            continue
        if words[0] == b'php' and words[1] == {UPDATE!r}.encode():
            yield int(path.split('/')[2])
handle = open('/tmp/killed.out', 'wb')
# on a busy machine, too, the eye has to be faster than what it watches
os.nice(-20)
subprocess.Popen(['nice', '-n', '39', 'sudo', '-u', 'www-data', 'php', {UPDATE!r}] + {options.split()!r}, stdout=handle, stderr=handle, cwd='/')
end = time.time() + 240
hit, pids = False, []
while time.time() < end and not hit:
    # known before it is time: looking for it then would come too late
    pids = pids or list(updaters())
    out = open('/tmp/killed.out', errors='replace').read()
    hit = bool({condition})
    if 'Moving files' not in out:
        time.sleep(0.001)
for pid in pids:
    os.kill(pid, 9)
time.sleep(1)
print('HIT' if hit else 'MISSED')
print(open('/tmp/killed.out', errors='replace').read())
'''
        return self.python(script)
