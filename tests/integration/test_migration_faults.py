# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults around migrate.yml: link, controller, power, download, disk, a second operator. How it ended is told the same in
exit code, journal and report; the box is exactly where it was, or on a proved V4; and a second run ends clean.

Every case has a fresh box; a few boxes work at the same time (JEEDOM_TEST_LANES, 3), since most of the time is waiting.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import queue
import signal
import time
from pathlib import Path

import pytest
from testbox import Box, fleet_name, need_root, sandbox
from way import TARGET_SAYS, Way

LANES = int(os.environ.get('JEEDOM_TEST_LANES', '3'))
FLEET = fleet_name('mg')
NEWEST = '4.5.3'
IN_HOP = {'program': 'php', 'when': 'install/update/4.0.2.php', 'action': 'sleep 6'}
DEADLY_HOP = dict(IN_HOP, how='instead', times=9, action='echo "PHP Fatal error:  Uncaught Error: sandbox"; exit 255')
# The same as IN_HOP, until the test says go, or the power is cut.
HELD_IN_HOP = dict(IN_HOP, action='for n in $(seq 3000); do [ -e /root/test/go ] && break; sleep 0.1; done')


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


def controller_interrupted(way: Way) -> None:
    """Ctrl-C in the middle of a hop: it is told where the box stands, the hop goes on there, and the next run ends it."""
    way.box.do('strike', **IN_HOP)
    process = way.start()
    way.in_hop(process)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    text, entry = process.log.read_text(encoding='utf-8', errors='replace'), way.journal()
    assert process.returncode == 99 and 'Traceback' not in text and '1 box: 1 unknown.' in text and 'Go on:   ansible-playbook' in text, text[-3000:]
    assert entry['outcome'] == 'unknown' and entry['stages']['upgrade']['status'] == 'unknown', entry
    assert 'The run was interrupted' in entry['stages']['upgrade']['message'] and (way.artifacts / 'report/index.html').exists()
    way.second_run()


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


def controller_gone_and_another_machine(way: Way) -> None:
    """Nobody there can see that the first is dead: the box is left alone until the operator says so."""
    process = way.start(machine='first.example')
    way.stage('verify', process)
    way.kill(process)
    way.quiet()
    first = way.journal()['run_id']
    held = way.box.sh('cat /var/lib/jeedom-fleet/state.json')
    process = way.run(machine='second.example')
    way.told(process, 'unknown', 'assess', 'unknown', 'is held by run ' + first, 'first.example', 'last sign of life', 'jeedom_take_over=true')
    process = way.run('rollback', machine='second.example')
    assert process.returncode == 2 and 'jeedom_take_over=true' in process.log.read_text(), process.log.read_text()[-3000:]
    assert way.box.sh('cat /var/lib/jeedom-fleet/state.json') == held
    process = way.run(machine='second.example', jeedom_take_over=True)
    way.told(process, 'migrated', 'commit', 'ok')
    assert f'since run {first} had ended them well' in way.journal()['stages']['verify']['message'], way.journal()['stages']['verify']
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
    way.box.do('strike', **DEADLY_HOP)
    process = way.run()
    way.told(process, 'rolled_back', 'rollback', 'rolled_back', 'PHP Fatal error')
    way.box.do('calm')
    way.as_before()
    way.second_run()


def hop_that_fails_and_nobody_takes_back(way: Way) -> None:
    """jeedom_rollback: never leaves it to the operator; rollback.yml then does it."""
    way.box.do('strike', **DEADLY_HOP)
    process = way.run(jeedom_rollback='never', jeedom_on_failure='leave')
    way.told(process, 'failed', 'rollback', 'failed', 'The box stays as it is now')
    way.box.do('calm')
    process = way.run('rollback')
    assert process.returncode == 0 and way.journal()['outcome'] == 'rolled_back', process.log.read_text()[-3000:]
    way.as_before()


def little_room(way: Way) -> None:
    """1 GB that packs well: there is room for an archive of the tree, and none for a copy of it."""
    way.box.sh('systemctl stop apache2 cron test-tick; mkdir -p /mnt/small; mount -t tmpfs -o size=2g,mode=755 tmpfs /mnt/small; cp -a /var/www/. /mnt/small/; '
               'dd if=/dev/zero of=/mnt/small/html/data/large bs=1M count=1000 status=none; '
               'chown www-data: /mnt/small/html/data/large; chmod 775 /mnt/small/html/data/large; '
               'mount -o remount,size=$(($(df --output=used -k /mnt/small | tail -1) + 910000))k /mnt/small; '
               'mount --bind /mnt/small /var/www; systemctl start apache2 cron')
    way.v3 = way.state()
    way.begin()


def no_room_for_the_rollback_point(way: Way) -> None:
    """It goes to the controller, which takes the box back from it; without the controller the box waits, also over a reboot."""
    little_room(way)
    way.box.do('strike', **DEADLY_HOP)
    process = way.run()
    way.told(process, 'rolled_back', 'rollback', 'rolled_back', 'PHP Fatal error')
    assert 'on the controller' in json.dumps(way.journal()['stages']['prepare']), way.journal()['stages']['prepare']
    assert 'making room' in way.box.sh('cat /var/lib/jeedom-fleet/jobs/restore-*/log')
    way.box.do('calm')
    way.started()
    way.as_before()
    way.second_run()


def no_room_and_the_way_back_is_cut(way: Way) -> None:
    """The worst moment: the broken tree is gone to make room, and the archive is not unpacked yet. The next run ends it."""
    little_room(way)
    way.box.do('strike', **DEADLY_HOP)
    way.box.do('fail', at='away_removed')
    process = way.run()
    way.told(process, 'failed', 'rollback', 'failed', 'PHP Fatal error', 'The way back failed as well')
    assert not way.box.sh('ls /var/www/html/core 2>/dev/null; true'), 'the tree did not make room'
    way.box.do('calm')
    process = way.run('rollback')
    assert process.returncode == 0 and way.journal()['outcome'] == 'rolled_back', process.log.read_text()[-3000:]
    way.begin()
    way.started()
    way.as_before()
    way.second_run()


def taken_back_before_the_commit(way: Way) -> None:
    """All hops are done; the operator decides otherwise."""
    process = way.start(jeedom_target_version=NEWEST)
    way.stage('verify', process)
    way.kill(process)
    way.quiet()
    assert way.box.sh('cat /var/www/html/core/config/version').strip() == NEWEST
    process = way.run('rollback')
    assert process.returncode == 0 and way.journal()['outcome'] == 'rolled_back', process.log.read_text()[-3000:]
    way.started()
    way.as_before()


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


def nightly_archive_after_the_upgrade(way: Way) -> None:
    """It is due as soon as the engine runs again; what it moves must not be taken for lost."""
    due = """mysql jeedom -e "UPDATE cron SET schedule = '* * * * *' WHERE class = 'history' AND function = 'archive'\""""
    # Not before all hops are done: each gives the task its schedule anew.
    way.box.do('watch', when="grep -q '\"upgraded\"' /var/lib/jeedom-fleet/state.json", action=due)
    process = way.run(jeedom_target_version=NEWEST)
    way.told(process, 'migrated', 'commit', 'ok')
    row = way.box.sh("""mysql -N jeedom -e "SELECT schedule, enable FROM cron WHERE class = 'history' AND function = 'archive'\"""").split('\t')
    assert [cell.strip() for cell in row] == ['* * * * *', '1'], row


def blocked(way: Way) -> None:
    """What stands in the way is told before anything is touched."""
    process = way.run(jeedom_target_version='4.9.9')
    way.told(process, 'blocked', 'assess', 'blocked', 'not a known version')
    way.as_before()


CASES = {
    **{f'controller killed in {stage}': controller_killed(stage) for stage in
       ('upgrade', 'prepare', 'verify', 'commit', 'backup', 'fetch', 'assess')},
    'controller killed after a removal': controller_killed_after_a_consented_removal,
    'controller interrupted': controller_interrupted,
    'box loses power in a hop': power_cut_in_a_hop,
    'two controllers': two_controllers,
    'controller gone, another machine': controller_gone_and_another_machine,
    'link cut for good': link_cut_for_good,
    'link cut for a moment': link_cut_for_a_moment,
    'sshd restarted': sshd_restarted,
    'job killed in a hop': job_killed_in_a_hop,
    'hop always fails': hop_that_always_fails,
    'hop fails, nobody takes back': hop_that_fails_and_nobody_takes_back,
    'no room for the rollback point': no_room_for_the_rollback_point,
    'no room, and the way back is cut': no_room_and_the_way_back_is_cut,
    'all hops done, then taken back': taken_back_before_the_commit,
    'market hangs': market_that_hangs,
    'nightly archive after the upgrade': nightly_archive_after_the_upgrade,
    'download refused': download_refused,
    'disk full at the backup': disk_full_at_the_backup,
    'blocked': blocked,
}


@pytest.fixture(scope='module')
def results(request, tmp_path_factory):
    """{name: future} of the chosen cases; they start at once, one box each."""
    need_root()
    names = [item.callspec.params['name'] for item in request.session.items if item.path == Path(__file__) and 'name' in item.callspec.params]
    folder = tmp_path_factory.mktemp('migrations')
    inventory, core = folder / 'hosts.yml', os.environ.get('JEEDOM_TEST_CORE')
    lanes = min(LANES, len(names))
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
        sandbox(FLEET, '--inventory', str(inventory), 'up', '--boxes', str(lanes), *(['--core', core] if core else []))
        yield {name: pool.submit(one, name) for name in names}
    finally:
        pool.shutdown(cancel_futures=True)
        sandbox(FLEET, 'down')


@pytest.mark.sandbox
@pytest.mark.parametrize('name', CASES)
def test_it_ends_whole(results, name):
    results[name].result()
