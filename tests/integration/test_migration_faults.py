# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults around migrate.yml: link, controller, power, download, disk, a second operator. How it ended is told the same in
exit code, journal and report; the box is exactly where it was, or on a proved V4; and a second run ends clean.

Every case has a fresh box; a few boxes work at the same time (JEEDOM_TEST_LANES, 3), since most of the time is waiting.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from testbox import ROOT, Box, differences, fleet_name, sandbox

LANES = int(os.environ.get('JEEDOM_TEST_LANES', '3'))
FLEET = fleet_name('mg')
PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
# The first hop of the way is enough: its target is accepted by name where a box should not rest there.
TARGET, TARGET_SAYS = '4.0.63', '4.0.62'
# What Jeedom's own minute task writes while it runs.
MOVING = ('cron', 'event', 'message')
EXIT_CODES = {'migrated': 0, 'already_done': 0, 'failed': 2, 'unknown': 4, 'rolled_back': 10, 'blocked': 11}
IN_HOP = {'program': 'php', 'when': 'install/update/4.0.2.php', 'action': 'sleep 6'}
# The same, until the test says go, or the power is cut.
HELD_IN_HOP = dict(IN_HOP, action='for n in $(seq 3000); do [ -e /root/test/go ] && break; sleep 0.1; done')
# Jeedom's minute task every few seconds, if the engine is on: a migration waits for it to be seen once.
TICK = ('systemd-run -q --collect --unit=test-tick bash -c "while :; do [ -e /etc/cron.d/jeedom ] && '
        'sudo -u www-data php /var/www/html/core/php/jeeCron.php >/dev/null 2>&1; sleep 4; done"')


class Way:
    """A box and a controller with artifacts of its own."""

    def __init__(self, box: Box, folder: Path):
        self.box, self.folder, self.runs = box, folder, 0
        self.artifacts = folder / 'artifacts'
        box.install()
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

    def start(self, playbook: str = 'migrate', artifacts: Path | None = None, **variables) -> subprocess.Popen:
        """A playbook, as an operator starts it; its output goes to a file."""
        self.runs += 1
        given = dict({'jeedom_acknowledge': True, 'jeedom_artifacts': str(artifacts or self.artifacts), 'jeedom_target_version': TARGET}, **variables)
        with open(self.folder / f'{self.runs}.log', 'wb') as log:
            process = subprocess.Popen([str(PLAYBOOK), f'playbooks/{playbook}.yml', '-i', str(self.box.inventory), '--limit', self.box.name,
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
        """Pull the plug of the controller: Ansible, its workers, its ssh connections."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
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


# -- the cases


def controller_killed(stage: str):
    """A case: kill -9 of the controller while the box is in this stage."""
    def case(way: Way) -> None:
        if stage == 'upgrade':
            way.box.do('strike', **IN_HOP)
        process = way.start()
        way.stage(stage, process)
        if stage == 'upgrade':
            way.in_hop(process)
        way.kill(process)
        way.quiet()
        if stage in ('assess', 'backup', 'fetch'):
            way.as_before()
        way.second_run(committed=stage == 'commit')
    return case


def link_cut_for_a_moment(way: Way) -> None:
    """The run itself goes on when the link is back."""
    way.box.do('strike', **IN_HOP)
    process = way.start()
    way.in_hop(process)
    way.box.cable('down')
    time.sleep(8)
    way.box.cable('up')
    process.wait(timeout=600)
    way.told(process, 'migrated', 'commit', 'ok')
    way.box.do('calm')
    way.on_target()


def link_cut_for_good(way: Way) -> None:
    """Unknown, never counted as migrated; the job goes on; the next run finds it done, verifies and commits."""
    way.box.do('strike', **dict(IN_HOP, action='sleep 20'))
    process = way.start(jeedom_reconnect_timeout=5)
    way.in_hop(process)
    way.box.cable('down')
    try:
        process.wait(timeout=600)
    finally:
        way.box.cable('up')
    way.told(process, 'unknown', 'upgrade', 'unknown', 'has not answered')
    way.quiet()
    way.second_run()


def sshd_restarted(way: Way) -> None:
    """Every connection is closed in the middle of a hop."""
    way.box.do('strike', **IN_HOP)
    process = way.start()
    way.in_hop(process)
    way.box.sh('systemd-run -q --collect bash -c "systemctl stop ssh; pkill -9 sshd; sleep 3; systemctl start ssh"')
    process.wait(timeout=600)
    way.told(process, 'migrated', 'commit', 'ok')
    way.box.do('calm')
    way.on_target()


def power_cut_in_a_hop(way: Way) -> None:
    """The box takes itself back at its next boot; the controller that waits for it says so."""
    way.box.do('strike', **HELD_IN_HOP)
    process = way.start()
    way.in_hop(process)
    way.box.sandbox('power', way.box.name, 'cycle')
    process.wait(timeout=600)
    way.quiet()
    way.told(process, 'rolled_back', 'rollback', 'rolled_back', 'rebooted')
    way.box.do('calm')
    # A boot empties /tmp; the box goes through its start again.
    way.begin()
    way.started()
    way.as_before()
    way.second_run()


def two_controllers(way: Way) -> None:
    """The second is told who holds the box and leaves it alone; the first does not even notice."""
    way.box.do('strike', **HELD_IN_HOP)
    first = way.start()
    way.in_hop(first)
    second = way.start(artifacts=way.folder / 'second')
    try:
        second.wait(timeout=300)
    finally:
        way.box.sh('touch /root/test/go')
    entry = way.journal(way.folder / 'second')
    assert entry.get('outcome') == 'unknown' and second.returncode == 4, second.log.read_text()[-3000:]
    told = json.dumps(entry)
    assert f'(pid {first.pid})' in told and way.journal()['run_id'] in told, told
    first.wait(timeout=600)
    way.told(first, 'migrated', 'commit', 'ok')
    way.box.do('calm')
    way.on_target()


def download_refused(way: Way) -> None:
    """Nothing has changed on the box by then."""
    way.box.sandbox('misbehave', '404', '--match', r'archive/4\.0\.63', '--box', way.box.name)
    process = way.run()
    way.told(process, 'failed', 'prepare', 'failed', '404')
    way.as_before()
    way.box.sandbox('behave')
    way.second_run()


def disk_full_at_the_backup(way: Way) -> None:
    """Jeedom's own backup would call it a success."""
    way.box.sh('mount -t tmpfs -o size=600m,mode=775,uid=33,gid=33 tmpfs /var/www/html/backup')
    way.box.do('strike', program='tar', when='c', action='mount -o remount,size=$(($(df --output=used -k /var/www/html/backup | tail -1) + 40))k '
               '/var/www/html/backup', times=9)
    process = way.run()
    way.told(process, 'failed', 'backup', 'failed')
    assert way.box.do('calm')['struck']
    way.box.sh('umount -l /var/www/html/backup')
    way.as_before()
    way.second_run()


def hop_that_always_fails(way: Way) -> None:
    """Taken back by its own job; counted as rolled back, with the reason."""
    way.box.do('strike', program='php', when='install/update/4.0.2.php', how='instead', times=9,
               action='echo "PHP Fatal error:  Uncaught Error: sandbox"; exit 255')
    process = way.run()
    way.told(process, 'rolled_back', 'rollback', 'rolled_back', 'PHP Fatal error')
    way.box.do('calm')
    way.as_before()
    way.second_run()


def hop_that_fails_and_nobody_takes_back(way: Way) -> None:
    """jeedom_rollback: never leaves it to the operator; rollback.yml then does it."""
    way.box.do('strike', program='php', when='install/update/4.0.2.php', how='instead', times=9,
               action='echo "PHP Fatal error:  Uncaught Error: sandbox"; exit 255')
    process = way.run(jeedom_rollback='never', jeedom_on_failure='leave')
    way.told(process, 'failed', 'rollback', 'failed', 'The box stays as it is now')
    way.box.do('calm')
    process = way.run('rollback')
    assert process.returncode == 0 and way.journal()['outcome'] == 'rolled_back', process.log.read_text()[-3000:]
    way.as_before()


def no_room_for_the_rollback_point(way: Way) -> None:
    """It goes to the controller, which takes the box back from it; without the controller the box waits, also over a reboot."""
    # 1 GB that packs well: there is room for an archive of the tree, and none for a copy of it.
    way.box.sh('systemctl stop apache2 cron test-tick; mkdir -p /mnt/small; mount -t tmpfs -o size=2g,mode=755 tmpfs /mnt/small; cp -a /var/www/. /mnt/small/; '
               'dd if=/dev/zero of=/mnt/small/html/data/large bs=1M count=1000 status=none; '
               'chown www-data: /mnt/small/html/data/large; chmod 775 /mnt/small/html/data/large; '
               'mount -o remount,size=$(($(df --output=used -k /mnt/small | tail -1) + 910000))k /mnt/small; '
               'mount --bind /mnt/small /var/www; systemctl start apache2 cron')
    way.v3 = way.state()
    way.begin()
    way.box.do('strike', program='php', when='install/update/4.0.2.php', how='instead', times=9,
               action='echo "PHP Fatal error:  Uncaught Error: sandbox"; exit 255')
    process = way.run()
    way.told(process, 'rolled_back', 'rollback', 'rolled_back', 'PHP Fatal error')
    assert 'on the controller' in json.dumps(way.journal()['stages']['prepare']), way.journal()['stages']['prepare']
    assert 'making room' in way.box.sh('cat /var/lib/jeedom-fleet/jobs/restore-*/log')
    way.box.do('calm')
    way.started()
    way.as_before()
    way.second_run()


def controller_killed_after_a_consented_removal(way: Way) -> None:
    """The next run knows from the box what is gone on purpose: it verifies and commits, and takes nothing back."""
    process = way.start(jeedom_remove_plugins=['virtual'])
    way.stage('verify', process)
    way.kill(process)
    way.quiet()
    first = way.journal()['run_id']
    process = way.run(jeedom_remove_plugins=['virtual'])
    way.told(process, 'migrated', 'commit', 'ok')
    said = way.journal()['stages']['verify']['message']
    assert f'upgrade were skipped, since run {first} had ended them well' in said and 'nothing is lost' in said, said
    assert way.box.sh('cat /var/www/html/core/config/version').strip() == TARGET_SAYS
    assert not way.box.sh('ls -d /var/www/html/plugins/virtual /var/lib/jeedom-fleet/jobs/restore-* 2>/dev/null; true')
    around = way.state()[1]
    assert around['page'] and around['transaction'] is None and not [path for path in around['leftovers'] if '/staging/' not in path], around
    way.begin()


def job_killed_in_a_hop(way: Way) -> None:
    """The controller sees that the job is gone and takes the box back."""
    way.box.do('strike', **dict(IN_HOP, action='kill -9 $(pgrep -f "jeedom-fleet/jobs/core-.*/code.zip"); pkill -9 -f install/update.php'))
    process = way.run()
    way.told(process, 'rolled_back', 'rollback', 'rolled_back', 'ended without a result')
    way.box.do('calm')
    way.as_before()


def market_that_hangs(way: Way) -> None:
    """The core is migrated, plugins stay as they are, and that is told."""
    way.box.sandbox('misbehave', 'hang', '--match', '^market', '--box', way.box.name)
    process = way.run()
    way.box.sandbox('behave')
    way.told(process, 'migrated', 'commit', 'ok')
    assert 'market does not answer' in json.dumps(way.journal()['stages']['upgrade']), way.journal()['stages']['upgrade']
    way.on_target()


def blocked(way: Way) -> None:
    """What stands in the way is told before anything is touched."""
    process = way.run(jeedom_target_version='4.9.9')
    way.told(process, 'blocked', 'assess', 'blocked', 'not a known version')
    way.as_before()


CASES = {
    **{f'controller killed in {stage}': controller_killed(stage) for stage in
       ('upgrade', 'prepare', 'verify', 'commit', 'backup', 'fetch', 'assess')},
    'controller killed after a removal': controller_killed_after_a_consented_removal,
    'box loses power in a hop': power_cut_in_a_hop,
    'two controllers': two_controllers,
    'link cut for good': link_cut_for_good,
    'link cut for a moment': link_cut_for_a_moment,
    'sshd restarted': sshd_restarted,
    'job killed in a hop': job_killed_in_a_hop,
    'hop always fails': hop_that_always_fails,
    'hop fails, nobody takes back': hop_that_fails_and_nobody_takes_back,
    'no room for the rollback point': no_room_for_the_rollback_point,
    'market hangs': market_that_hangs,
    'download refused': download_refused,
    'disk full at the backup': disk_full_at_the_backup,
    'blocked': blocked,
}


@pytest.fixture(scope='module')
def results(request, tmp_path_factory):
    """{name: future} of the chosen cases; they start at once, one box each."""
    if os.geteuid() != 0:
        pytest.skip('boxes need root')
    names = [item.callspec.params['name'] for item in request.session.items if item.path == Path(__file__) and 'name' in item.callspec.params]
    folder = tmp_path_factory.mktemp('migrations')
    inventory, core = folder / 'hosts.yml', os.environ.get('JEEDOM_TEST_CORE')
    lanes = min(LANES, len(names))
    sandbox(FLEET, '--inventory', str(inventory), 'up', '--boxes', str(lanes), *(['--core', core] if core else []))
    free: queue.Queue = queue.Queue()
    for number in range(lanes):
        free.put(f'box{number + 1}')

    def one(name: str) -> None:
        host = free.get()
        try:
            box = Box(inventory, host)
            (folder / name).mkdir()
            box.calm()
            CASES[name](Way(box, folder / name))
        finally:
            sandbox(FLEET, 'reset', host)
            free.put(host)

    pool = concurrent.futures.ThreadPoolExecutor(lanes)
    try:
        yield {name: pool.submit(one, name) for name in names}
    finally:
        pool.shutdown(cancel_futures=True)
        sandbox(FLEET, 'down')


@pytest.mark.sandbox
@pytest.mark.parametrize('name', CASES)
def test_it_ends_whole(results, name):
    results[name].result()
