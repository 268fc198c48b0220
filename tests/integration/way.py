# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A box, and a controller with artifacts of its own that runs playbooks on it, as tests of whole migrations see them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from testbox import ROOT, Box, differences

PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
# The first hop of the way is enough: its target is accepted by name where a box should not rest there.
TARGET, TARGET_SAYS = '4.0.63', '4.0.62'
# What Jeedom's own minute task writes while it runs.
MOVING = ('cron', 'event', 'message')
EXIT_CODES = {'migrated': 0, 'already_done': 0, 'failed': 2, 'unknown': 4, 'rolled_back': 10, 'blocked': 11}
# Jeedom's minute task every few seconds, if the engine is on: a migration waits for it to be seen once.
TICK = ('systemd-run -q --collect --unit=test-tick bash -c "while :; do [ -e /etc/cron.d/jeedom ] && '
        'sudo -u www-data php /var/www/html/core/php/jeeCron.php >/dev/null 2>&1; sleep 4; done"')


def _with_descendants(pid: int) -> list[int]:
    """A process and all that it and its children have started."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            found += [int(child) for path in Path(f'/proc/{each}/task').glob('*/children') for child in path.read_text().split()]
    return found


class Way:
    """A box and a controller with artifacts of its own."""

    def __init__(self, box: Box, folder: Path):
        self.box, self.folder, self.runs = box, folder, 0
        self.artifacts = folder / 'artifacts'
        box.install()
        # Of Jeedom's own tasks only those of every minute are due while we compare: the nightly archive moves rows of history, the
        # search for updates (at a minute of each hour that is the box's own) writes in config and update.
        box.sh("""mysql jeedom -e "UPDATE cron SET schedule = '00 5 1 1 *' WHERE schedule NOT LIKE '* * * * *%'\"""")
        # Jeedom has gone through its start, and through its own backup with what that leaves: rights, and its last dump.
        self.begin()
        box.sh('cd /tmp; sudo -u www-data php /var/www/html/install/backup.php; rm -f /var/www/html/backup/backup-*')
        self.started()
        self.v3 = self.state()
        self.begin()

    def begin(self) -> None:
        """The engine runs, faster than life."""
        self.box.sh('systemctl start cron; systemctl stop test-tick 2>/dev/null; ' + TICK)

    def started(self) -> None:
        """Jeedom has gone through its start, which its minute task sees to."""
        self.until('the start of Jeedom', lambda: self.box.sh('ls /tmp/jeedom/started 2>/dev/null; true').strip())

    def state(self) -> tuple[dict, dict]:
        """What the box holds, with its minute task standing still."""
        self.box.sh('systemctl stop cron test-tick 2>/dev/null; for n in $(seq 100); do pgrep -f core/php/jeeCron.php >/dev/null || break; sleep 0.1; done')
        return self.box.do('census'), self.box.do('around')

    # -- running playbooks

    def start(self, playbook: str = 'migrate', artifacts: Path | None = None, machine: str = '', **variables) -> subprocess.Popen:
        """A playbook, as an operator starts it; its output goes to a file. machine: start it on one of that name, as a box sees it."""
        self.runs += 1
        given = dict({'jeedom_acknowledge': True, 'jeedom_artifacts': str(artifacts or self.artifacts), 'jeedom_target_version': TARGET}, **variables)
        away = ['unshare', '--uts', 'sh', '-c', 'hostname "$0"; exec "$@"', machine] if machine else []
        with open(self.folder / f'{self.runs}.log', 'wb') as log:
            process = subprocess.Popen([*away, str(PLAYBOOK), f'playbooks/{playbook}.yml', '-i', str(self.box.inventory), '--limit', self.box.name,
                                        '-e', json.dumps(given)], cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       start_new_session=True)
        process.log = self.folder / f'{self.runs}.log'
        return process

    def run(self, playbook: str = 'migrate', **variables) -> subprocess.Popen:
        """The same, to its end."""
        process = self.start(playbook, **variables)
        process.wait(timeout=900)
        return process

    def kill(self, process: subprocess.Popen) -> None:
        """Pull the plug of the controller: Ansible, its workers, which newer cores give sessions of their own, and what those have started."""
        for pid in _with_descendants(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(timeout=60)

    # -- looking

    def journal(self, artifacts: Path | None = None) -> dict:
        """The journal of the box, {} as long as there is none."""
        path = (artifacts or self.artifacts) / 'journal' / f'{self.box.name}.json'
        return json.loads(path.read_text(encoding='utf-8')) if path.exists() else {}

    def until(self, what: str, test, process: subprocess.Popen | None = None, seconds: float = 300) -> None:
        """Wait for a condition; fails at once when the playbook that should bring it about has ended."""
        deadline = time.monotonic() + seconds
        while not test():
            over = process is not None and process.poll() is not None
            assert not over and time.monotonic() < deadline, f'never seen: {what}\n' + (process.log.read_text()[-3000:] if process else '')
            time.sleep(0.03)

    def stage(self, name: str, process: subprocess.Popen) -> None:
        """Wait until a run is in a stage."""
        self.until(f'stage {name}', lambda: self.journal().get('stages', {}).get(name, {}).get('status') == 'started', process)

    def in_hop(self, process: subprocess.Popen | None = None) -> None:
        """Wait until a version script of the core runs; needs IN_HOP to be armed."""
        self.until('the hop', lambda: self.box.sh('ls /root/test/struck 2>/dev/null; true').strip(), process)

    def quiet(self) -> None:
        """Wait until no job runs on the box any more."""
        self.until('the end of the job', lambda: all(job['state'] != 'running' for job in self.box.do('jobs')))

    # -- asserting

    def told(self, process: subprocess.Popen, outcome: str, stage: str, status: str, *words: str) -> None:
        """Exit code, journal, report and last lines say the same."""
        text = process.log.read_text(encoding='utf-8', errors='replace')
        entry = self.journal()
        assert entry.get('outcome') == outcome, text[-4000:]
        assert entry['stages'][stage]['status'] == status, entry['stages']
        assert process.returncode == EXIT_CODES[outcome], (process.returncode, text[-3000:])
        report = json.loads((self.artifacts / 'report/report.json').read_text(encoding='utf-8'))
        assert [box['outcome'] for box in report['boxes'] if box['host'] == self.box.name] == [outcome], report['boxes']
        assert report['summary']['outcomes'].get(outcome) == 1, report['summary']
        assert {'already_done': 'already on V4'}.get(outcome, outcome.replace('_', ' ')) in text.rsplit('PLAY RECAP', 1)[-1], text[-2000:]
        for word in words:
            assert word in json.dumps(entry['stages'][stage]), entry['stages'][stage]
        assert 'Traceback' not in text

    def as_before(self) -> None:
        """Files, tables, engine, web as they were and nothing left over; one archive more, made by Jeedom itself, is no matter."""
        now = self.state()
        moving = (*(f'tables {name}:' for name in MOVING), 'files DB_backup.sql:', 'backup:', 'cache:')
        found = [line for line in differences(now, self.v3) if not line.startswith(moving)]
        found = [line for line in found if not (line.startswith('leftovers:') and not [
            path for path in now[1]['leftovers'] if '/staging/' not in path])]
        assert not found, '\n'.join(found)
        self.begin()

    def on_target(self) -> None:
        """A proved V4: version of files and database, page, engine, what the user owns, and nothing left over."""
        census, around = self.state()
        assert self.box.sh('cat /var/www/html/core/config/version').strip() == TARGET_SAYS
        rows = self.box.sh("mysql -N jeedom -e \"SELECT value FROM config WHERE plugin='core' AND \\`key\\`='version'\"").strip()
        assert rows == TARGET_SAYS and around['page'] and around['apache'] == 'active', around
        assert around['cron_files'] == self.v3[1]['cron_files'] and around['started'] and around['rows'] == self.v3[1]['rows'], around
        assert around['schemas'] == self.v3[1]['schemas'] and around['transaction'] is None and around['journal'] is None, around
        assert not [path for path in around['leftovers'] if '/staging/' not in path], around['leftovers']
        for table, digest in self.v3[0]['tables'].items():
            assert not table.startswith('(') or table == '(others)' or census['tables'][table] == digest, table
        lost = [name for name, entry in self.v3[0]['files'].items() if name.startswith(('plugins/', 'data/')) and census['files'].get(name) != entry]
        assert not lost, lost[:10]
        self.begin()

    def second_run(self, committed: bool = False, **variables) -> None:
        """Started once more, as after any fault: the box gets there. committed: the first may have come to its very end on the box."""
        self.box.do('calm')
        process = self.run(**variables)
        if self.journal()['outcome'] == 'already_done' and committed:
            self.told(process, 'already_done', 'assess', 'ok')
        else:
            self.told(process, 'migrated', 'commit', 'ok')
        self.on_target()
